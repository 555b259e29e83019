//! Signals that ask this process to stop: remembered, passed on to the child that runs, answered at the next phase.
//! Nothing is cleaned up here: values that own something disposable are dropped on the way out.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};

// Signals are a property of the process: the one place where state can't be handed around.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
/// The child that signals are passed on to.
static CHILD: Mutex<Option<Running>> = Mutex::new(None);
/// Has something to read once a signal has come; there while this process listens.
static SIGNALLED: Mutex<Option<UnixStream>> = Mutex::new(None);
/// Whether an answer is waited for, which ends at once.
static ASKING: AtomicBool = AtomicBool::new(false);
/// How many things must end before this process heeds that its terminal is gone.
static DEFERRING: AtomicU32 = AtomicU32::new(0);
/// Whether the terminal went meanwhile.
static HUNG_UP: AtomicBool = AtomicBool::new(false);

/// A child that signals are passed on to.
struct Running {
    id: Pid,
    name: String,
    group: Group,
    /// Whether it was asked to end already.
    asked: bool,
}

/// The process group of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Ours: the terminal's Ctrl-C reaches the child too.
    Ours,
    /// Its own: neither Ctrl-C nor the end of the terminal reaches it, but the signals, and what is typed, that this process passes on.
    Own,
}

/// Starts listening; a second call does nothing.
///
/// # Arguments
/// `acknowledge`: prints what a signal does, at once.
pub fn listen(acknowledge: impl Fn(&str) + Send + 'static) -> Result<()> {
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
            receive(signal, &acknowledge);
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
    ASKING.store(true, Ordering::SeqCst);
    let answered = loop {
        if check().is_err() {
            break check();
        }
        match poll(&mut both, None) {
            Err(Errno::INTR) => {}
            Err(error) => break Err(Error::refused("cannot wait for an answer").because(error)),
            // What a signal has to say, `check` says.
            Ok(_) if !both[0].revents().is_empty() => break check(),
            Ok(_) => {}
        }
    };
    ASKING.store(false, Ordering::SeqCst);
    answered
}

/// The error of an interrupted command, once a signal has come.
pub fn check() -> Result<()> {
    if RECEIVED.load(Ordering::SeqCst) > 0 { Err(Error::interrupted()) } else { Ok(()) }
}

/// While the value lives, the end of the terminal (SIGHUP) interrupts nothing; afterwards it does.
pub fn defer_hangup() -> DeferredHangup {
    DEFERRING.fetch_add(1, Ordering::SeqCst);
    DeferredHangup(())
}

/// See [`defer_hangup`].
pub struct DeferredHangup(());

impl Drop for DeferredHangup {
    fn drop(&mut self) {
        if DEFERRING.fetch_sub(1, Ordering::SeqCst) == 1 && HUNG_UP.load(Ordering::SeqCst) {
            RECEIVED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// While the value lives, signals are passed on to the process `child`.
pub(super) fn forward_to(child: u32, name: &str, group: Group) -> Forwarding {
    let id = i32::try_from(child).ok().and_then(Pid::from_raw);
    set(id.map(|id| Running { id, name: name.to_owned(), group, asked: false }));
    Forwarding(())
}

/// See [`forward_to`].
pub(super) struct Forwarding(());

impl Drop for Forwarding {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(child: Option<Running>) {
    if let Ok(mut running) = CHILD.lock() {
        *running = child;
    }
}

fn receive(signal: i32, acknowledge: &impl Fn(&str)) {
    if signal == SIGHUP && DEFERRING.load(Ordering::SeqCst) > 0 {
        HUNG_UP.store(true, Ordering::SeqCst);
        return;
    }
    let earlier = RECEIVED.fetch_add(1, Ordering::SeqCst);
    let Ok(mut running) = CHILD.lock() else { return };
    let Some(Running { id, name, group, asked }) = running.as_mut() else {
        match earlier {
            0 if ASKING.load(Ordering::SeqCst) => {}
            0 => acknowledge("stopping…"),
            1 => acknowledge("still stopping… press again to leave at once, without cleaning up"),
            _ => drop(emulate_default_handler(signal)),
        }
        return;
    };
    let kills = signal == SIGINT && *asked;
    acknowledge(&match (signal, kills) {
        (SIGINT, true) => format!("killing {name}"),
        (SIGINT, false) => format!("stopping {name}… press again to kill it"),
        _ => format!("stopping {name}…"),
    });
    *asked = true;
    let passed_on = match signal {
        _ if kills => Signal::KILL,
        // A terminal sends Ctrl-C to the whole foreground group: the child has had it.
        SIGINT if *group == Group::Ours && io::stdin().is_terminal() => return,
        SIGINT => Signal::INT,
        _ => Signal::TERM,
    };
    // The child may have ended by itself between the two lines.
    let _ = match group {
        Group::Ours => kill_process(*id, passed_on),
        Group::Own => kill_process_group(*id, passed_on),
    };
}
