//! A package: the files of a package directory, their identity, and the manifest. Reads package directories; does not know where packages
//! are stored.

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
pub use variables::VariableChanges;

use crate::error::Error;
use crate::service::StateError;

/// A state that can't be used is something the user can act on.
impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        let hint = error.hint();
        Self::refused(error.to_string()).hints(hint)
    }
}
