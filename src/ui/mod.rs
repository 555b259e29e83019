//! The only place that prints. Results go to standard output, everything else to standard error; colour is never the
//! only signal.

mod fit;
mod options;
mod pick;
mod progress;
mod prompt;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anstream::AutoStream;
use anstream::adapter::strip_str;
use serde::Serialize;
use serde_json::Value;

pub use options::Options;
pub use progress::Spinner;

use fit::{columns, fitted};

use crate::error::{Error, Result};
use crate::progress::{Progress, Silent};
use crate::text::command;
use crate::text::style::{BOLD, ERROR, HINT};
use crate::text::words::{line, printable};

pub struct Ui {
    options: Options,
    spinner: Spinner,
    is_watched: bool,
    /// The directory of the command, as given with `-C`.
    directory: Option<String>,
}

impl Ui {
    pub fn new(options: Options) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let is_watched = terminal && !options.quiet;
        Self { options, spinner: Spinner::new(is_watched, options), is_watched, directory: None }
    }

    /// For a command that runs in another directory: the command lines that it prints are for the current one.
    pub fn running_in(self, directory: Option<&Path>) -> Self {
        Self { directory: directory.map(|directory| directory.to_string_lossy().into_owned()), ..self }
    }

    /// A text whose command lines work in the current directory.
    fn to_paste<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.directory {
            Some(directory) => Cow::Owned(command::run_in(directory, text)),
            None => Cow::Borrowed(text),
        }
    }

    /// Prints the acknowledgement of a signal at once.
    pub fn acknowledgement(&self) -> impl Fn(&str) + Send + 'static {
        let spinner = self.spinner.clone();
        move |text| spinner.acknowledge(text)
    }

    pub fn progress(&self) -> &Spinner {
        &self.spinner
    }

    /// The progress on a terminal, else none: for work that must be silent unless it fails.
    pub fn progress_if_watched(&self) -> &dyn Progress {
        if self.is_watched { &self.spinner } else { &Silent }
    }

    pub fn is_verbose(&self) -> bool {
        self.options.verbose
    }

    pub fn is_json(&self) -> bool {
        self.options.json
    }

    pub fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// Prints the result of a command: its text, or with `--json` the object itself, without null properties. Fails if standard output
    /// can't be written, as on a full disk: a script must not take half a result for all of it.
    pub fn report<R: Serialize + Display>(&self, report: &R) -> Result<()> {
        self.spinner.clear();
        let mut out = AutoStream::new(std::io::stdout(), self.options.color);
        let text = if self.options.json {
            let mut object = serde_json::to_value(report)
                .map_err(|error| Error::bug("the result can't be written as JSON").because(error))?;
            leave_out_nulls(&mut object);
            format!("{object:#}\n")
        } else {
            self.to_paste(&fitted(report, columns(io::stdout()))).into_owned()
        };
        written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Prints what a command did, as [`Self::report`] does; with `--quiet` only if `is_wanted`: a dry run's plan, a failure.
    pub fn done<R: Serialize + Display>(&self, report: &R, is_wanted: bool) -> Result<()> {
        if self.options.quiet && !self.options.json && !is_wanted {
            self.spinner.clear();
            return Ok(());
        }
        self.report(report)
    }

    /// Prints text of another program, with its colours but without other control characters.
    pub fn text(&self, text: &str) -> Result<()> {
        let mut out = AutoStream::new(std::io::stdout(), self.options.color);
        written(out.write_all(printable(text).as_bytes()).and_then(|()| out.flush()))
    }

    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        self.spinner.clear();
        let mut out = std::io::stdout();
        written(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes `content` to standard output, unless that is a terminal.
    pub fn stream(&self, content: &mut dyn io::Read) -> Result<()> {
        let mut out = io::stdout();
        if out.is_terminal() {
            return Err(Error::usage("binary output is not written to a terminal")
                .hint("redirect the output, or name a file"));
        }
        self.spinner.clear();
        written(io::copy(content, &mut out).and_then(|_| out.flush()))
    }

    /// Prints text to review before the command acts.
    pub fn show(&self, text: &impl Display) {
        if !self.options.quiet && !self.options.json {
            self.spinner.clear();
            self.stderr(&self.to_paste(&fitted(text, columns(io::stderr()))));
        }
    }

    pub fn warn(&self, text: &str) {
        self.spinner.clear();
        self.stderr(&self.options.warning(&self.to_paste(text)));
    }

    /// Prints why the command failed and its hints.
    pub fn error(&self, error: &Error) {
        self.spinner.failed();
        let hints: Vec<Cow<'_, str>> = error.hints.iter().map(|hint| self.to_paste(hint)).collect();
        if self.options.json {
            let mut object = serde_json::json!({ "error": {
                "kind": error.kind.name(),
                "message": error.message,
                "causes": error.causes(),
                "hints": hints,
                "exit_code": error.kind.exit_code(),
                "program_exit_code": error.kind.program_exit_code(),
            }});
            leave_out_nulls(&mut object);
            self.stderr(&format!("{object:#}\n"));
            return;
        }
        let mut text = format!("{ERROR}error:{ERROR:#} {BOLD}{}{BOLD:#}\n", line(&error.message));
        for cause in error.causes() {
            // A program's output may be coloured.
            for part in strip_str(&cause).to_string().lines() {
                text.push_str(&format!("  {}\n", line(part)));
            }
        }
        for hint in &hints {
            text.push_str(&format!("{HINT}hint:{HINT:#} {}\n", line(hint)));
        }
        self.stderr(&text);
    }

    fn stderr(&self, text: &str) {
        self.spinner.line(text);
    }
}

/// Removes null properties: a script finds a property with a value, or none.
fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(properties) => {
            properties.retain(|_, value| !value.is_null());
            properties.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_nulls),
        _ => {}
    }
}

fn written(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        // A reader that has seen enough, such as `head`, is no error of this program.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("write to", Path::new("standard output"), error))
        }
        _ => Ok(()),
    }
}
