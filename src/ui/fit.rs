//! Fits text to the terminal.

use std::fmt::Display;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

use crate::text::words::printable;
use crate::text::wrap::wrap;

/// The width of a terminal; `None` for anything else.
pub(super) fn columns(terminal: impl AsFd) -> Option<usize> {
    tcgetwinsize(terminal).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// A text for so many columns, if limited: tables drop columns, and lines break between words.
pub(super) fn fitted(text: &impl Display, columns: Option<usize>) -> String {
    match columns {
        Some(columns) => wrap(&printable(&format!("{text:columns$}")), columns).into_owned(),
        None => printable(&text.to_string()).into_owned(),
    }
}
