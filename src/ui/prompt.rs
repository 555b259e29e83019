//! Questions to a person at a terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::Ui;
use crate::error::{Error, Result};
use crate::process::interrupt;
use crate::text::style::BOLD;

impl Ui {
    /// Asks before something is changed that this repository can't take back.
    ///
    /// # Errors
    /// When the answer is no, and when there is nobody to ask.
    pub fn confirm(&self, question: &str, hint: &str) -> Result<()> {
        self.progress().clear();
        let input = std::io::stdin();
        if !input.is_terminal() || self.options.json {
            return Err(
                Error::refused("this needs a confirmation, and there is no terminal to ask on").hint(hint)
            );
        }
        self.stderr(&format!("{BOLD}{question}{BOLD:#} [y/N] "));
        let mut answer = String::new();
        input
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Error::refused("cannot read the answer").because(error))?;
        interrupt::check()?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            Ok(())
        } else {
            Err(Error::refused("not confirmed: nothing was changed"))
        }
    }
}
