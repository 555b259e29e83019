//! Deploying a recorded package. The package is never rebuilt. Each room uses those above it in this list, and none below.

pub(crate) mod execute;
pub(crate) mod fleet;
pub(crate) mod history;
pub(crate) mod observe;
pub(crate) mod preflight;
