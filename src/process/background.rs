//! Background processes: apart from the terminal, of low priority, and ended together with their children.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, Signal, getsid, kill_process_group, setpriority_process, setsid, test_kill_process_group,
};

/// The niceness of a background process; disk schedulers derive their priority from it.
const NICENESS: i32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Asked,
    Killed,
}

/// Puts this process into the background: it leads a session and a group of its own, which neither Ctrl-C nor a hangup reaches and whose
/// children can't ask at a terminal, with low priority.
pub fn enter() {
    // It fails if this process leads a group already; then no terminal reaches it either.
    let _ = setsid();
    // It fails if the priority is lower than that.
    let _ = setpriority_process(None, NICENESS);
}

/// Lets child processes inherit `file`, with its lock.
pub fn inherit_file(file: &File) -> io::Result<()> {
    fcntl_setfd(file, FdFlags::empty()).map_err(io::Error::from)
}

/// Signals the group that the process `leader` created by [`enter`], if any of it is left.
///
/// The system may reuse an id once its process and group are gone, so the caller checks by a lock that one of them lives. A process with
/// this id that leads no session is left alone.
pub fn end_group(leader: u32, ending: Ending) {
    let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    match getsid(Some(leader)) {
        Ok(session) if session != leader => return,
        Err(error) if error != Errno::SRCH => return,
        _ => {}
    }
    if test_kill_process_group(leader).is_ok() {
        let signal = if ending == Ending::Asked { Signal::TERM } else { Signal::KILL };
        // The last of them may have ended in between.
        let _ = kill_process_group(leader, signal);
    }
}

/// Whether some process holds a lock on the file.
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // A shared lock: two processes that check at once do not take each other for the holder.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
