//! What a package is: the files of a package directory, their identity, and the manifest that goes with them.
//! Reads package directories; knows nothing of where packages are kept.

pub mod directory;
pub mod files;
pub mod id;
pub mod machine;
pub mod manifest;
mod plugin;
pub mod secrets;
pub mod storage;
mod variables;

pub use id::{PackageId, Sha256};
pub use machine::Machine;
pub use manifest::Manifest;
pub use variables::Changes;
