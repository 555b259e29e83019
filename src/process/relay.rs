//! Relays a child's output to our standard error, and typed input to the child. If the output has no reader any more (a pipe to `head`, a
//! closed terminal), it is read and dropped: a child must not fail in the middle of its work because of that. Node even aborts when its
//! input terminal is gone.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::thread::{self, JoinHandle};

use nix::pty::{OpenptyResult, openpty};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::background::inherit_file;

/// How much of a failed child's output is kept: the reason stands near its end.
pub(super) const MAX_PRINTED: usize = 16 * 1024;

/// A child's output, and its reading end.
pub(super) struct Stream {
    reader: File,
    writer: OwnedFd,
}

/// Typed input, for a child apart from our terminal.
pub(super) struct Typed {
    writer: File,
    reader: OwnedFd,
}

/// Copies a child's output or input until the child ends.
pub(super) struct Relay {
    thread: JoinHandle<Vec<u8>>,
    ended: UnixStream,
}

impl Stream {
    /// A pseudo-terminal if our standard error is a terminal, so that programs show colours and progress; else a pipe.
    pub(super) fn open() -> io::Result<Self> {
        let (reader, writer) = if io::stderr().is_terminal() {
            terminal()?
        } else {
            let (reader, writer) = io::pipe()?;
            (OwnedFd::from(reader), OwnedFd::from(writer))
        };
        let reader = File::from(reader);
        // The child has the reading end too, so its writes don't fail when this process is killed.
        inherit_file(&reader)?;
        Ok(Self { reader, writer })
    }

    pub(super) fn end(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.writer.try_clone()?))
    }

    /// Starts to copy. Call it after the child was started and its command dropped.
    pub(super) fn relay(self) -> io::Result<Relay> {
        let Self { reader, writer } = self;
        drop(writer);
        let out = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Relay::start(move |end| copy(reader, out, end))
    }
}

impl Typed {
    /// A pseudo-terminal beside ours, which echoes what is typed.
    pub(super) fn open() -> io::Result<Self> {
        let (writer, reader) = terminal()?;
        let mut modes = tcgetattr(&reader)?;
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&reader, OptionalActions::Now, &modes)?;
        let writer = File::from(writer);
        inherit_file(&writer)?;
        Ok(Self { writer, reader })
    }

    pub(super) fn end(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.reader.try_clone()?))
    }

    pub(super) fn relay(self) -> io::Result<Relay> {
        let terminal = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Relay::start(move |end| {
            forward(terminal, &self.writer, end);
            // The child's terminal stays open until it ends.
            wait_for(&[end], None);
            Vec::new()
        })
    }
}

impl Relay {
    fn start(copy: impl FnOnce(&UnixStream) -> Vec<u8> + Send + 'static) -> io::Result<Self> {
        let (ended, end) = UnixStream::pair()?;
        Ok(Self { thread: thread::spawn(move || copy(&end)), ended })
    }

    /// Copies the rest after the child has ended, and returns the end of the output. The child's own children may still hold the other end.
    pub(super) fn finish(self) -> Vec<u8> {
        drop(self.ended);
        // It can't panic.
        self.thread.join().unwrap_or_default()
    }
}

fn terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let OpenptyResult { master: reader, slave: writer } = openpty(None, None)?;
    fcntl_setfd(&writer, FdFlags::CLOEXEC)?;
    // Our terminal turns line feeds into new lines.
    let mut modes = tcgetattr(&writer)?;
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&writer, OptionalActions::Now, &modes)?;
    if let Ok(size) = tcgetwinsize(io::stderr()) {
        tcsetwinsize(&writer, size)?;
    }
    Ok((reader, writer))
}

/// Waits until one of `all` can be read or is closed on the other side. Returns which of them; none after `limit`.
fn wait_for<const N: usize>(all: &[&dyn AsFd; N], limit: Option<&Timespec>) -> [bool; N] {
    let fds = all.map(|one| one.as_fd());
    let mut polled = fds.each_ref().map(|fd| PollFd::new(fd, PollFlags::IN));
    while let Err(Errno::INTR) = poll(&mut polled, limit) {}
    polled.map(|one| !one.revents().is_empty())
}

/// Copies, and gives the last [`MAX_PRINTED`] bytes.
fn copy(mut reader: File, mut out: File, end: &UnixStream) -> Vec<u8> {
    let mut buffer = [0; 8192];
    let mut kept = Vec::new();
    let mut is_read = true;
    while let [true, _] = wait_for(&[&reader, end], None) {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                is_read = is_read && out.write_all(&buffer[..count]).is_ok();
                kept.extend_from_slice(&buffer[..count]);
                kept.drain(..kept.len().saturating_sub(MAX_PRINTED));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A pseudo-terminal that is closed on the other side.
            Err(_) => break,
        }
    }
    kept
}

fn forward(mut terminal: File, mut child: &File, end: &UnixStream) {
    /// How long to wait before checking for the foreground again.
    const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let mut buffer = [0; 1024];
    while let [true, false] = wait_for(&[&terminal, end], None) {
        // Reading in the background would stop this process.
        if tcgetpgrp(&terminal).is_ok_and(|group| group != getpgrp()) {
            if wait_for(&[end], Some(&PAUSE)) == [true] {
                return;
            }
            continue;
        }
        match terminal.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if child.write_all(&buffer[..count]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_is_copied_is_kept() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (_ours, end) = UnixStream::pair().unwrap();
        let null = File::options().write(true).open("/dev/null").unwrap();
        let copied = thread::spawn(move || copy(File::from(OwnedFd::from(reader)), null, &end));
        writer.write_all(&vec![b'.'; 100_000]).unwrap();
        writer.write_all(b"why").unwrap();
        drop(writer);
        let kept = copied.join().unwrap();
        assert_eq!(kept.len(), MAX_PRINTED);
        assert!(kept.ends_with(b".why"));
    }
}
