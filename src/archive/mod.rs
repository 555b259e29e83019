//! zip ⇄ entries, bit for bit; no git in it.
//!
//! [`encode`] takes a zip apart into a recipe and the contents of its entries, which a [`Sink`] takes under a [`Place`] each;
//! [`decode`] makes the same bytes of them again. What the recipe foresees from the contents it does not hold: compressed data,
//! CRCs, sizes and offsets. Places, below the archive's own:
//!
//! | place | content |
//! |---|---|
//! | `recipe` | the recipe, which the caller puts there |
//! | `tree/<name>` | an entry's content, where its data are made of it again |
//! | `odd/<number>` | the same, of an entry whose name git can't hold or that another has |
//! | `raw/<number>` | an entry's data as they stand in the zip, where they can't be made again |
//!
//! Numbers count the central directory's entries from 0. Folders have no place. An entry that is itself such a zip is taken
//! apart too, one level deep: `tree/<name>/recipe`, `tree/<name>/tree/<name>` and so on. `docs/archive.md` has the recipe's bytes.

mod assemble;
mod bytes;
mod columns;
mod compare;
mod content;
mod decode;
pub mod deflate;
mod detect;
mod encode;
mod error;
mod listing;
mod place;
mod pool;
mod recipe;
mod scan;

pub use bytes::Bytes;
pub use content::{Content, Deflated};
pub use decode::{Opened, Source, decode};
pub use encode::{Sink, encode};
pub use error::{Error, Failure, Result};
pub use listing::{Listed, list, places};
pub use place::Place;

/// Contents above this are never in memory as a whole, and the recipe knows their CRC and packed size.
const LARGE: u64 = 4 << 20;
/// Zips in a zip that are larger are contents like others.
const MAX_NESTED: u64 = 64 << 20;
