//! Text for the screen: colours by meaning, sizes and times in words, suggestions for typos. Prints nothing.

pub mod command;
pub mod nearest;
pub mod style;
pub mod table;
pub mod words;
pub mod wrap;
