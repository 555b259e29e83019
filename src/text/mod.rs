//! How things read: colours named by what they say, sizes and times in words, what was meant by a slip. Makes text; prints nothing.

pub mod command;
pub mod nearest;
pub mod style;
pub mod table;
pub mod words;
pub mod wrap;
