//! Signals that ask this process to stop: remembered, passed on to the child that runs, answered at the next phase.
//! Nothing is cleaned up here: values that own something disposable are dropped on the way out.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};

// Signals are a property of the process: the one place where state can't be handed around.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
static CHILD: AtomicI32 = AtomicI32::new(0);
/// Has something to read once a signal has come; there while this process listens.
static SIGNALLED: Mutex<Option<UnixStream>> = Mutex::new(None);

/// Starts listening; a second call does nothing.
pub fn listen() -> Result<()> {
    let mut signalled = SIGNALLED.lock().map_err(|_| Error::bug("the signal lock is poisoned"))?;
    if signalled.is_some() {
        return Ok(());
    }
    let cannot = |error: io::Error| Error::refused("cannot listen for signals").because(error);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(cannot)?;
    let (mut wake, woken) = UnixStream::pair().map_err(cannot)?;
    wake.set_nonblocking(true).map_err(cannot)?;
    thread::spawn(move || {
        for signal in &mut signals {
            receive(signal);
            // It fails only when it is full, and then there is something to read.
            let _ = wake.write(&[0]);
        }
    });
    *signalled = Some(woken);
    Ok(())
}

/// Waits until `input` can be read.
///
/// # Errors
/// [`crate::error::Kind::Interrupted`] once a signal has come.
pub fn wait_for(input: impl AsFd) -> Result<()> {
    let signalled = SIGNALLED.lock().map_err(|_| Error::bug("the signal lock is poisoned"))?;
    let mut both = vec![PollFd::new(&input, PollFlags::IN)];
    both.extend(signalled.iter().map(|woken| PollFd::new(woken, PollFlags::IN)));
    loop {
        check()?;
        match poll(&mut both, None) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(Error::refused("cannot wait for an answer").because(error)),
            // What a signal has to say, `check` says.
            Ok(_) if !both[0].revents().is_empty() => return check(),
            Ok(_) => {}
        }
    }
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
    let Some(child) = Pid::from_raw(CHILD.load(Ordering::SeqCst)) else {
        // Whoever asks a third time does not want to wait until something here listens.
        if earlier >= 2 {
            let _ = emulate_default_handler(signal);
        }
        return;
    };
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
