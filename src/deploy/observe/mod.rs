//! What is live in AWS: asked after a deployment, after a failure, and by `live`.

pub(crate) mod aws_state;
mod causes;
pub(crate) mod drift;
pub(in crate::deploy) mod effect;
pub(crate) mod expected;
pub(in crate::deploy) mod failure;
pub(crate) mod live;
pub(in crate::deploy) mod proof;
pub(in crate::deploy) mod session;
pub(crate) mod snapshot;
pub(in crate::deploy) mod stack_status;
