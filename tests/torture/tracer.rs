//! A command that is killed at its n-th step: each system call that changes files, and each start and wait for a child, is a
//! step. Counted by ptrace, so that the same number means the same moment every time and nothing need be installed.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Starts the command once it is traced.
pub(crate) const GATE: &str = "read -r go; exec \"$@\" </dev/null";

/// What a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victims {
    /// The program alone: what it started lives on.
    Program,
    /// All that it started too, as when a machine runs out of memory or a job is cancelled.
    Group,
}

/// How a traced command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with its exit code.
    Exit(i32),
    /// Killed before it took the step.
    Killed,
}

/// Runs `command`, which must begin with [`GATE`], and kills it before its step number `at`, counted from 1.
///
/// # Returns
/// How it ended, the steps that it took, and the group of its processes.
pub(crate) fn run(command: &mut Command, stderr: File, at: Option<u64>, victims: Victims) -> (End, u64, i32) {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(stderr).process_group(0);
    let mut child = command.spawn().unwrap();
    let main = Pid::from_raw(child.id().try_into().unwrap());
    let options = [Options::PTRACE_O_TRACESYSGOOD, Options::PTRACE_O_TRACECLONE, Options::PTRACE_O_TRACEEXEC];
    let options = options.into_iter().fold(Options::PTRACE_O_EXITKILL, |all, option| all | option);
    ptrace::seize(main, options).unwrap();
    ptrace::interrupt(main).unwrap();
    waitpid(main, Some(WaitPidFlag::__WALL)).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    ptrace::syscall(main, None).unwrap();
    let (mut steps, mut has_begun) = (0, false);
    loop {
        // Its threads are in its group; its children are too, but those are not ours to wait for.
        let status = waitpid(Pid::from_raw(-main.as_raw()), Some(WaitPidFlag::__WALL)).unwrap();
        let (stopped, signal) = match status {
            WaitStatus::Exited(id, code) if id == main => return (End::Exit(code), steps, main.as_raw()),
            WaitStatus::Signaled(id, ..) if id == main => return (End::Killed, steps, main.as_raw()),
            WaitStatus::PtraceEvent(id, _, event) => {
                has_begun |= event == libc::PTRACE_EVENT_EXEC;
                (id, None)
            }
            WaitStatus::PtraceSyscall(id) => {
                if has_begun && is_step(id) {
                    steps += 1;
                    if Some(steps) == at {
                        let victims = if victims == Victims::Group { -main.as_raw() } else { main.as_raw() };
                        kill(Pid::from_raw(victims), Signal::SIGKILL).unwrap();
                    }
                }
                (id, None)
            }
            WaitStatus::Stopped(id, signal) => (id, Some(signal)),
            _ => continue,
        };
        // One that was killed meanwhile is not there to go on.
        let _ = ptrace::syscall(stopped, signal);
    }
}

/// Whether a thread is about to take a step.
fn is_step(thread: Pid) -> bool {
    let entering = ptrace::syscall_info(thread).is_ok_and(|info| info.op == libc::PTRACE_SYSCALL_INFO_ENTRY);
    if !entering {
        return false;
    }
    // The call's number, then its arguments.
    let Ok(text) = fs::read_to_string(format!("/proc/{thread}/syscall")) else { return false };
    let mut words = text.split(' ');
    let number: libc::c_long = words.next().and_then(|word| word.parse().ok()).unwrap_or(-1);
    let argument = |mut words: std::str::Split<'_, char>, index| {
        let word = words.nth(index)?.trim_start_matches("0x");
        u64::from_str_radix(word, 16).ok()
    };
    if number == libc::SYS_openat {
        return argument(words, 2).is_some_and(|flags| flags & libc::O_CREAT as u64 != 0);
    }
    #[cfg(target_arch = "x86_64")]
    if number == libc::SYS_open {
        return argument(words, 1).is_some_and(|flags| flags & libc::O_CREAT as u64 != 0);
    }
    STEPS.contains(&number)
}

const STEPS: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_symlinkat,
    libc::SYS_flock,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_wait4,
    libc::SYS_waitid,
];
