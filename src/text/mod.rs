//! How things read: colours named by what they say, sizes and times in words. Makes text; prints nothing.

pub mod style;
pub mod words;
