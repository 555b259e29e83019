//! A Serverless service: what its files say, and the framework's command lines. Pure: text and values in, values out; no git, no file
//! system, no processes, no environment, no clock.

mod discovery;
mod environment;
mod framework;
mod names;
mod outline;
mod prefix;
mod state;

pub use discovery::{CONFIG_FILES, Service, discover};
pub use environment::{Values, environment_names};
pub use framework::{Candidate, DeployArguments, Framework, FrameworkKind, PackageArguments, candidates};
pub use names::{NameError, Region, ServiceName, ServicePath, Stage};
pub use outline::{MAX_CONFIG_BYTES, Plugins};
pub use prefix::S3Prefix;
pub use state::{
    Bucket, Code, DeployedFunction, Event, LayerUse, MAX_STATE_BYTES, Place, Relocation, STATE_FILE, Sharing,
    State, StateError, objects,
};
