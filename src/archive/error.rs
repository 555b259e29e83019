//! What can go wrong. That a file is no zip is no error: [`super::encode`] returns none then.

use std::io;

/// Why a zip was not taken apart or put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive can't be read, or what is put together can't be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("cancelled")]
    Cancelled,
    #[error("{place}: {source}")]
    Content { place: String, source: Failure },
    /// The recipe is no recipe, or not one that this version knows.
    #[error("the recipe is damaged: {0}")]
    Recipe(&'static str),
    /// A content is not what the recipe was made for.
    #[error("{place}: the content does not match the recipe")]
    Changed { place: String },
    /// More came out than the caller allows, in bytes.
    #[error("the archive is larger than the limit of {0} bytes")]
    TooLarge(u64),
}

/// What a sink or a source fails with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub type Result<T> = std::result::Result<T, Error>;
