//! Text that fits the terminal that it is shown on.

use std::fmt::Display;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

use crate::text::words::printable;
use crate::text::wrap::wrap;

/// How many columns a terminal has; `None` for what is none.
pub(super) fn columns(terminal: impl AsFd) -> Option<usize> {
    tcgetwinsize(terminal).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// A text as it stands where there are so many columns, if there is a limit: tables leave columns out, and lines break between words.
pub(super) fn fitted(text: &impl Display, columns: Option<usize>) -> String {
    match columns {
        Some(columns) => wrap(&printable(&format!("{text:columns$}")), columns).into_owned(),
        None => printable(&text.to_string()).into_owned(),
    }
}
