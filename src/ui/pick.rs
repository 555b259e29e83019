//! Lets a user choose one of several lines at a terminal, by arrows or typing.

use std::io::{self, IsTerminal as _};

use anstream::ColorChoice;
use inquire::ui::RenderConfig;
use inquire::{InquireError, Select};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Ui;
use super::fit::columns;
use crate::error::{Error, Result};
use crate::text::table::Table;
use crate::text::words::line;
use crate::text::wrap::width;

const PAGE: usize = 12;
const KEYS: &str = "↑ ↓ to move, type to filter, Enter to choose, Escape to leave";
const SHORT_KEYS: &str = "type to filter, Enter to choose, Escape to leave";

/// While it lives, Ctrl-C at the terminal is read as a key. As a signal, it would not interrupt waiting for a key.
struct Keys(Option<Termios>);

impl Keys {
    fn take() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut without) = before.clone() {
            without.local_modes.remove(LocalModes::ISIG);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &without);
        }
        Self(before)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

impl Ui {
    /// Whether a user can choose, at a terminal that can show it.
    pub fn can_ask(&self) -> bool {
        !self.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Lets the user choose one of `rows`. `first`: preselected. `remark`: shown with the question. Returns the index; Escape or Ctrl-C is
    /// an error.
    pub fn pick(&self, question: &str, rows: &Table, first: usize, remark: Option<&str>) -> Result<usize> {
        self.spinner.clear();
        // The selection mark is before each line.
        let columns = columns(io::stderr());
        let room = columns.map(|columns| columns.saturating_sub(3));
        let rows: Vec<String> = rows.lines(room).iter().map(|row| line(row).into_owned()).collect();
        // The help is in brackets, and breaks anywhere.
        let fits = |text: &str| columns.is_none_or(|columns| width(text) + 2 < columns);
        let keys = [KEYS, SHORT_KEYS].into_iter().find(|keys| fits(keys)).unwrap_or(SHORT_KEYS);
        let help = match remark.map(|remark| format!("{keys} · {}", line(remark))) {
            None => keys.to_owned(),
            Some(both) if fits(&both) => both,
            Some(_) => {
                if let Some(remark) = remark {
                    self.show(&format_args!("{}\n", line(remark)));
                }
                keys.to_owned()
            }
        };
        let mut select = Select::new(question, rows)
            .with_starting_cursor(first)
            .with_page_size(PAGE)
            .with_help_message(&help);
        if self.options.color == ColorChoice::Never {
            select = select.with_render_config(RenderConfig::empty());
        }
        let _keys = Keys::take();
        match select.raw_prompt() {
            Ok(chosen) => Ok(chosen.index),
            Err(InquireError::OperationInterrupted) => Err(Error::interrupted()),
            Err(InquireError::IO(error)) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::interrupted())
            }
            Err(InquireError::OperationCanceled) => {
                Err(Error::refused("nothing was chosen: nothing was changed"))
            }
            Err(error) => Err(Error::refused("cannot ask on this terminal").because(error)),
        }
    }
}
