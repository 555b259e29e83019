//! What a package is: the files of a package directory, their identity, and the manifest that goes with them.
//! Reads package directories; knows nothing of where packages are kept.

pub(crate) mod directory;
pub(crate) mod files;
pub mod id;
pub(crate) mod machine;
pub mod manifest;
mod plugin;
pub(crate) mod secrets;
pub mod storage;
mod variables;

pub use id::{PackageId, Sha256};
pub use machine::Machine;
pub use manifest::Manifest;
pub use variables::Changes;
