//! Signals that ask this process to stop: remembered, passed on to the child that runs, answered at the next phase.
//! Nothing is cleaned up here; whoever owns something disposable drops it on the way out.

use std::io::{self, IsTerminal as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Result};

// Signals are a property of the process: the one place where state can't be handed around.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
static CHILD: AtomicI32 = AtomicI32::new(0);
static LISTENING: Mutex<bool> = Mutex::new(false);

/// Starts listening; a second call does nothing.
pub fn listen() -> Result<()> {
    let mut listening = LISTENING.lock().map_err(|_| Error::bug("the signal lock is poisoned"))?;
    if *listening {
        return Ok(());
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Error::refused("cannot listen for signals").because(error))?;
    thread::spawn(move || {
        for signal in &mut signals {
            receive(signal);
        }
    });
    *listening = true;
    Ok(())
}

/// The error of an interrupted command, once a signal has come.
pub fn check() -> Result<()> {
    if RECEIVED.load(Ordering::SeqCst) > 0 { Err(Error::interrupted()) } else { Ok(()) }
}

/// While the value lives, signals are passed on to the process `child`.
pub(super) fn forward_to(child: u32) -> Forwarding {
    CHILD.store(i32::try_from(child).unwrap_or(0), Ordering::SeqCst);
    Forwarding(())
}

/// See [`forward_to`].
pub(super) struct Forwarding(());

impl Drop for Forwarding {
    fn drop(&mut self) {
        CHILD.store(0, Ordering::SeqCst);
    }
}

fn receive(signal: i32) {
    let earlier = RECEIVED.fetch_add(1, Ordering::SeqCst);
    let Some(child) = Pid::from_raw(CHILD.load(Ordering::SeqCst)) else { return };
    let passed_on = match signal {
        // A third Ctrl-C means that the child does not listen.
        SIGINT if earlier >= 2 => Signal::KILL,
        // A terminal sends Ctrl-C to the whole foreground group: the child has had it.
        SIGINT if io::stdin().is_terminal() => return,
        SIGINT => Signal::INT,
        _ => Signal::TERM,
    };
    // The child may have ended by itself between the two lines.
    let _ = kill_process(child, passed_on);
}
