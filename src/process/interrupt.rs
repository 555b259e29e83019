//! Signals that stop this process: remembered, passed on to the running child, answered at the next phase. Nothing is cleaned up here:
//! disposable values are dropped on the way out.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getppid, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};

// Signals belong to the process: the one place where state can't be passed around.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
static CHILD: Mutex<Option<Running>> = Mutex::new(None);
/// Readable once a signal has come; set while this process listens.
static SIGNALLED: Mutex<Option<UnixStream>> = Mutex::new(None);
/// Whether the user is being asked; a signal ends that at once.
static ASKING: AtomicBool = AtomicBool::new(false);
/// How many operations must end before this process reacts to a hangup.
static DEFERRING: AtomicU32 = AtomicU32::new(0);
/// Whether a hangup came meanwhile.
static HUNG_UP: AtomicBool = AtomicBool::new(false);

static GRACE: Mutex<Option<Excused>> = Mutex::new(None);

/// How far apart one key press's signals from the terminal and from the parent can arrive.
const SAME_PRESS: Duration = Duration::from_secs(1);

/// How far apart one signal to a group can reach two of its processes on a busy machine.
const SOON: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

struct Running {
    id: Pid,
    name: String,
    group: Group,
    /// Whether a signal was passed on already.
    asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// This process's: the terminal's Ctrl-C reaches the child too.
    Ours,
    /// Its own: neither Ctrl-C nor a hangup reaches it, only the signals and the typed input that this process passes on.
    Own,
}

/// Starts listening; a second call does nothing. `acknowledge` prints at once what a signal does.
pub fn listen(acknowledge: impl Fn(&str) + Send + 'static) -> Result<()> {
    let mut signalled = SIGNALLED.lock().map_err(|_| Error::bug("the signal lock is poisoned"))?;
    if signalled.is_some() {
        return Ok(());
    }
    let cannot = |error: io::Error| Error::refused("cannot listen for signals").because(error);
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGINT, SIGTERM, SIGHUP]).map_err(cannot)?;
    let (mut wake, woken) = UnixStream::pair().map_err(cannot)?;
    wake.set_nonblocking(true).map_err(cannot)?;
    thread::spawn(move || {
        let mut presses = Presses::default();
        for origin in &mut signals {
            let sender = origin.process.and_then(|process| Pid::from_raw(process.pid));
            let from_parent = sender.is_some() && sender == getppid();
            if presses.is_echo(origin.signal, from_parent, Instant::now()) {
                continue;
            }
            receive(origin.signal, &acknowledge);
            // It fails only if it is full, and then there is something to read.
            let _ = wake.write(&[0]);
        }
    });
    *signalled = Some(woken);
    Ok(())
}

/// Waits until `input` can be read, or a signal comes: [`crate::error::Kind::Interrupted`].
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

/// Fails with the error of an interrupted command once a signal has come.
pub fn check() -> Result<()> {
    match RECEIVED.load(Ordering::SeqCst) {
        0 => Ok(()),
        received if excused().is_some_and(|by| received <= by.received && Instant::now() < by.until) => {
            Ok(())
        }
        _ => Err(Error::interrupted()),
    }
}

/// The same after `signal` ended a child: one that was sent to the whole group reaches this process at about the same time.
pub fn check_beside(signal: i32) -> Result<()> {
    if [SIGINT, SIGTERM, SIGHUP].contains(&signal)
        && let Ok(signalled) = SIGNALLED.lock()
        && let Some(woken) = &*signalled
    {
        // If none comes, the child alone was sent one.
        let _ = poll(&mut [PollFd::new(woken, PollFlags::IN)], Some(&SOON));
    }
    check()
}

/// While the value lives, signals that came before are ignored, for at most `limit`. The next signal is not.
pub fn grace(limit: Duration) -> Grace {
    excuse(Some(Excused { received: RECEIVED.load(Ordering::SeqCst), until: Instant::now() + limit }));
    Grace(())
}

/// See [`grace`].
pub struct Grace(());

impl Drop for Grace {
    fn drop(&mut self) {
        excuse(None);
    }
}

#[derive(Clone, Copy)]
struct Excused {
    received: u32,
    until: Instant,
}

fn excused() -> Option<Excused> {
    GRACE.lock().ok().and_then(|excused| *excused)
}

fn excuse(signals: Option<Excused>) {
    if let Ok(mut excused) = GRACE.lock() {
        *excused = signals;
    }
}

/// Counts key presses rather than signals. The terminal sends Ctrl-C to the whole foreground group, and `git` passes its own on to the
/// `git-slsart` that it runs: two signals for one press.
#[derive(Default)]
struct Presses {
    /// The last signal without an echo yet: which, whether from the parent, and when.
    last: Option<(i32, bool, Instant)>,
}

impl Presses {
    /// Whether this signal and the last are one press, from the terminal and from the parent.
    fn is_echo(&mut self, signal: i32, from_parent: bool, at: Instant) -> bool {
        let is_echo = self.last.is_some_and(|(last, was_from_parent, when)| {
            last == signal && was_from_parent != from_parent && at.duration_since(when) < SAME_PRESS
        });
        self.last = (!is_echo).then_some((signal, from_parent, at));
        is_echo
    }
}

/// While the value lives, a hangup (SIGHUP) is deferred.
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
    let excused = excused().map_or(0, |by| by.received);
    let earlier = RECEIVED.fetch_add(1, Ordering::SeqCst).saturating_sub(excused);
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
    // The child may have ended in between.
    let _ = match group {
        Group::Ours => kill_process(*id, passed_on),
        Group::Own => kill_process_group(*id, passed_on),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_terminal_and_the_parent_send_for_one_key_is_one_press() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let (terminal, parent) = (false, true);
        let mut presses = Presses::default();
        // In either order, press after press.
        assert!(!presses.is_echo(SIGINT, terminal, at(0)));
        assert!(presses.is_echo(SIGINT, parent, at(40)));
        assert!(!presses.is_echo(SIGINT, parent, at(80)));
        assert!(presses.is_echo(SIGINT, terminal, at(81)));
        // Two from the same sender are two presses, however fast; so are two different signals, and two that are far apart.
        assert!(!presses.is_echo(SIGINT, terminal, at(100)));
        assert!(!presses.is_echo(SIGINT, terminal, at(101)));
        assert!(!presses.is_echo(SIGTERM, parent, at(102)));
        assert!(!presses.is_echo(SIGTERM, terminal, at(1102)));
    }
}
