//! Verbosity and format of the output.

use anstream::ColorChoice;

use crate::text::style::WARNING;
use crate::text::words::line;

/// The global options for output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub json: bool,
    /// No progress, no remarks, and no report of what was done.
    pub quiet: bool,
    pub verbose: bool,
    pub color: ColorChoice,
}

impl Options {
    /// A warning for standard error: with `--json` everything there is JSON.
    pub(super) fn warning(self, text: &str) -> String {
        let text = line(text);
        if self.json {
            format!("{:#}\n", serde_json::json!({ "warning": { "message": text } }))
        } else {
            format!("{WARNING}warning:{WARNING:#} {text}\n")
        }
    }
}
