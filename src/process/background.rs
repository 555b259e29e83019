//! Processes in the background: apart from the terminal, of low priority, and ended together with all that they started.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, Signal, getsid, kill_process_group, setpriority_process, setsid, test_kill_process_group,
};

/// How much less than others a background process wants of the processor; schedulers of disks derive their priority from it.
const NICENESS: i32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Each process is asked to, and cleans up.
    Asked,
    /// The system ends them.
    Killed,
}

/// Makes this process one of the background: the leader of a session and a group of its own, which neither Ctrl-C nor the end of a
/// terminal reaches and whose children can ask nothing at one, with low priority.
pub fn enter() {
    // It fails where it leads a group already, and then nothing at a terminal reaches it either.
    let _ = setsid();
    // It fails where the priority is lower than that.
    let _ = setpriority_process(None, NICENESS);
}

/// Lets children of this process inherit `file`, and with it a lock on it.
pub fn inherit_file(file: &File) -> io::Result<()> {
    fcntl_setfd(file, FdFlags::empty()).map_err(io::Error::from)
}

/// Sends a signal to the group that the process `leader` has made by [`enter`], if there is anything left of it.
///
/// An id may be given to another process once its own and all of its group are gone: the caller knows that one of them lives, by a lock.
/// What has the id and leads no session is none of them in any case, and is left alone.
pub fn end_group(leader: u32, ending: Ending) {
    let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    match getsid(Some(leader)) {
        Ok(session) if session != leader => return,
        Err(error) if error != Errno::SRCH => return,
        _ => {}
    }
    if test_kill_process_group(leader).is_ok() {
        let signal = if ending == Ending::Asked { Signal::TERM } else { Signal::KILL };
        // The last of them may have ended between the two lines.
        let _ = kill_process_group(leader, signal);
    }
}

/// Whether some process holds a lock on the file.
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // A shared lock: two processes that look at once do not see each other as the holder.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
