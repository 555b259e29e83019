//! A package in one file, with its source and its toolchains: enough to roll back with neither git host nor registry. The format is
//! specified in docs/format.md.

mod export;
mod import;
mod index;
mod part;

pub use export::{Exported, export};
pub use import::{Imported, import};
