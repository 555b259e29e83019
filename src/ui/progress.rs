//! Progress: a bar with an estimate on a terminal, a line a phase elsewhere, nothing when quiet.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anstream::AutoStream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::fit::columns;
use super::options::Options;
use crate::process::interrupt;
use crate::progress::Progress;
use crate::text::style::{DIM, ERROR, GOOD, WARNING};
use crate::text::words::line;
use crate::text::wrap::wrap;

#[derive(Clone)]
pub struct Spinner {
    options: Options,
    terminal: bool,
    state: Arc<Mutex<BarState>>,
}

#[derive(Default)]
struct BarState {
    bar: Option<ProgressBar>,
    phase: Option<(String, Instant)>,
}

impl Spinner {
    pub(super) fn new(terminal: bool, options: Options) -> Self {
        Self { options, terminal, state: Arc::default() }
    }

    /// Ends the phase on the screen, before other output.
    pub(super) fn clear(&self) {
        self.with(BarState::end);
    }

    /// Prints next to the running phase, whatever else is being printed.
    pub(super) fn acknowledge(&self, text: &str) {
        if self.options.json {
            return;
        }
        let text = format!("{text}\n");
        // The holder of the state may be blocked by a full terminal.
        match self.state.try_lock().as_deref() {
            Ok(BarState { bar: Some(bar), .. }) => bar.suspend(|| self.line(&text)),
            _ => self.line(&text),
        }
    }

    /// With `--json`, standard error has only objects.
    fn is_silent(&self) -> bool {
        self.options.quiet || self.options.json
    }

    fn with(&self, act: impl FnOnce(&mut BarState, &Self)) {
        if let Ok(mut state) = self.state.lock() {
            act(&mut state, self);
        }
    }

    pub(super) fn line(&self, text: &str) {
        let text = match columns(std::io::stderr()) {
            Some(columns) => wrap(text, columns),
            None => Cow::Borrowed(text),
        };
        let mut out = AutoStream::new(std::io::stderr(), self.options.color);
        let _ = out.write_all(text.as_bytes());
    }
}

#[derive(Clone, Copy)]
enum End {
    Done,
    Failed,
    Interrupted,
}

impl BarState {
    fn end(&mut self, spinner: &Spinner) {
        self.end_as(End::Done, spinner);
    }

    fn end_as(&mut self, end: End, spinner: &Spinner) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some((name, start)) = self.phase.take()
            && spinner.terminal
        {
            let seconds = start.elapsed().as_secs_f64();
            let end = if interrupt::check().is_err() { End::Interrupted } else { end };
            let took = format!("{DIM}{seconds:.1} s{DIM:#}");
            match end {
                End::Done if seconds < 0.1 => {}
                End::Done => spinner.line(&format!("{GOOD}✓{GOOD:#} {name} {took}\n")),
                End::Failed => spinner.line(&format!("{ERROR}✗{ERROR:#} {name}: failed {took}\n")),
                End::Interrupted => {
                    spinner.line(&format!("{WARNING}!{WARNING:#} {name}: interrupted {took}\n"));
                }
            }
        }
    }
}

impl Progress for Spinner {
    fn phase(&self, name: &str) {
        let name = &line(name);
        if self.is_silent() {
            return;
        }
        self.with(|state, this| {
            state.end(this);
            state.phase = Some((name.to_string(), Instant::now()));
            if this.terminal {
                let bar = ProgressBar::new_spinner();
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.set_style(template("{spinner:.cyan} {msg} {elapsed}"));
                bar.set_message(name.to_string());
                bar.enable_steady_tick(Duration::from_millis(100));
                state.bar = Some(bar);
            } else {
                this.line(&format!("{name}\n"));
            }
        });
    }

    fn failed(&self) {
        self.with(|state, this| state.end_as(End::Failed, this));
    }

    fn note(&self, text: &str) {
        let text = &line(text);
        if !self.is_silent() {
            self.with(|state, this| match &state.bar {
                Some(bar) => bar.println(text),
                None => this.line(&format!("{text}\n")),
            });
        }
    }

    fn warn(&self, text: &str) {
        let text = self.options.warning(text);
        self.with(|state, this| match &state.bar {
            Some(bar) => bar.suspend(|| this.line(&text)),
            None => this.line(&text),
        });
    }

    fn pause(&self) {
        // The phase goes on, but the child uses the terminal now.
        self.with(|state, _| {
            if let Some(bar) = state.bar.take() {
                let message = bar.message();
                bar.finish_and_clear();
                drop(message);
            }
        });
    }

    fn expect_bytes(&self, bytes: u64) {
        self.with(|state, _| {
            if let Some(bar) = &state.bar {
                bar.set_length(bytes);
                bar.set_style(template(
                    "{spinner:.cyan} {msg} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}",
                ));
            }
        });
    }

    fn part(&self, name: &str, done: u64, total: u64) {
        self.with(|state, this| {
            let Some((phase, _)) = state.phase.as_ref().filter(|_| this.terminal) else { return };
            let bar = state.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new_spinner();
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar
            });
            let message = format!("{phase}: {}", line(name));
            if bar.message() != message {
                bar.reset();
                bar.set_message(message);
                bar.set_style(template("{spinner:.cyan} {wide_msg} [{bar:16}] {percent:>3}% ETA {eta:>3}"));
            }
            bar.set_length(total);
            bar.set_position(done);
        });
    }

    fn advance(&self, bytes: u64) {
        self.with(|state, _| {
            if let Some(bar) = &state.bar {
                bar.inc(bytes);
            }
        });
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
