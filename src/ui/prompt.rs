//! Questions to a user at a terminal.

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _};

use super::Ui;
use super::fit::{columns, fitted};
use crate::error::{Error, Result};
use crate::process::interrupt;
use crate::text::style::BOLD;

impl Ui {
    /// Shows a plan, and asks before changing something that this repository can't take back. Fails if the answer is no, or no user can be
    /// asked.
    pub fn confirm(&self, plan: &impl Display, question: &str, hint: &str) -> Result<()> {
        let answer = self.ask(plan, &format!("{question}{BOLD:#} [y/N] "), hint)?;
        agreed(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for `word` to be typed, where one key is too little.
    pub fn confirm_word(&self, plan: &impl Display, question: &str, word: &str, hint: &str) -> Result<()> {
        let answer = self.ask(plan, &format!("{question} Type {word} to go on:{BOLD:#} "), hint)?;
        agreed(answer == word)
    }

    fn ask(&self, plan: &impl Display, question: &str, hint: &str) -> Result<String> {
        self.show(plan);
        let input = std::io::stdin();
        if !input.is_terminal() || self.options.json {
            return Err(
                Error::refused("this needs a confirmation, and there is no terminal to ask on").hint(hint)
            );
        }
        if self.is_quiet() {
            self.stderr(&fitted(plan, columns(io::stderr())));
        }
        self.stderr(&format!("{BOLD}{question}"));
        if let Err(error) = interrupt::wait_for(&input) {
            self.stderr("\n");
            return Err(error);
        }
        let mut answer = String::new();
        input
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Error::refused("cannot read the answer").because(error))?;
        interrupt::check()?;
        Ok(answer.trim().to_owned())
    }
}

fn agreed(yes: bool) -> Result<()> {
    if yes { Ok(()) } else { Err(Error::refused("not confirmed: nothing was changed")) }
}
