//! How much to print, and in which form.

use anstream::ColorChoice;

use crate::text::style::WARNING;
use crate::text::words::line;

/// What the global options ask of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// One JSON object on standard output instead of text.
    pub json: bool,
    /// Neither progress nor remarks, nor what was done.
    pub quiet: bool,
    pub verbose: bool,
    pub color: ColorChoice,
}

impl Options {
    /// A warning as it stands on standard error. With `--json` all that stands there is JSON.
    pub(super) fn warning(self, text: &str) -> String {
        let text = line(text);
        if self.json {
            format!("{:#}\n", serde_json::json!({ "warning": { "message": text } }))
        } else {
            format!("{WARNING}warning:{WARNING:#} {text}\n")
        }
    }
}
