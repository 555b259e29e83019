//! zip ⇄ entries, bit for bit.
pub mod deflate;
