//! Entries are made on several threads and written in their order, a few at a time.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::deflate::Deflater;
use super::error::Result;
use super::recipe::Facts;

/// Bytes that wait to be written, but for the entry that is next.
const WAITING: usize = 16 << 20;
/// Entries that a thread takes at once. Each hand-over may wake a thread, which costs as much as a small entry does.
const RUN: usize = 32;
/// Bytes that a thread makes before it hands them on, and that are written before others may be made instead.
const HELD: usize = 256 << 10;
/// Entries beyond the next to be written that are made.
const AHEAD: usize = 512;

/// What there is to do. Entries are counted in the order of their bytes.
pub(super) struct Work<'a> {
    pub(super) count: usize,
    /// Whether an entry is made in memory, by any thread.
    pub(super) small: &'a (dyn Fn(usize) -> bool + Sync),
    pub(super) make: &'a (dyn Fn(usize, &mut Deflater) -> Result<Made> + Sync),
}

pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    pub(super) facts: Facts,
}

#[derive(Default)]
struct PoolState {
    next: usize,
    written: usize,
    made: HashMap<usize, Result<Made>>,
    waiting: usize,
    stop: bool,
}

/// Entries on their way from the threads that make them to the one that writes them.
struct Queue<'a> {
    work: &'a Work<'a>,
    state: Mutex<PoolState>,
    made: Condvar,
    room: Condvar,
}

/// Calls `write` for every entry in the order of their bytes, with what was made of it if it is a small one.
pub(super) fn in_order(
    work: &Work<'_>,
    threads: usize,
    mut write: impl FnMut(usize, Option<Made>) -> Result<()>,
) -> Result<()> {
    let count = work.count;
    if threads == 1 || count < 8 {
        let mut deflater = Deflater::default();
        return (0..count).try_for_each(|rank| {
            let made = if (work.small)(rank) { Some((work.make)(rank, &mut deflater)?) } else { None };
            write(rank, made)
        });
    }
    let state = Mutex::default();
    let queue = Queue { work, state, made: Condvar::new(), room: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| queue.make());
        }
        let done = queue.write(write);
        queue.lock().stop = true;
        queue.room.notify_all();
        done
    })
}

impl Queue<'_> {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self) {
        let mut deflater = Deflater::default();
        let mut made = Vec::with_capacity(RUN);
        while let Some(run) = self.claim() {
            let end = run.end;
            let mut bytes = 0;
            for rank in run {
                if (self.work.small)(rank) {
                    let entry = (self.work.make)(rank, &mut deflater);
                    bytes += entry.as_ref().map_or(0, |made| made.bytes.len());
                    made.push((rank, entry));
                }
                if bytes < HELD && rank + 1 < end {
                    continue;
                }
                let mut state = self.lock();
                state.waiting += std::mem::take(&mut bytes);
                // The writer waits for the next entry and for no other.
                if made.iter().any(|(rank, _)| *rank == state.written) {
                    self.made.notify_one();
                }
                state.made.extend(made.drain(..));
                // The thread with the entry that is written next goes on: no other can make room.
                while !state.stop && state.waiting > WAITING && rank + 1 < end && rank + 1 != state.written {
                    state = wait(&self.room, state);
                }
                if state.stop {
                    return;
                }
            }
        }
    }

    /// The next entries for a thread to make, once there is room for them; none when all are taken.
    fn claim(&self) -> Option<std::ops::Range<usize>> {
        let full = |state: &PoolState| state.waiting > WAITING || state.next > state.written + AHEAD;
        let mut state = self.lock();
        while !state.stop && state.next < self.work.count && state.next != state.written && full(&state) {
            state = wait(&self.room, state);
        }
        if state.stop || state.next >= self.work.count {
            return None;
        }
        let first = state.next;
        state.next = (first + RUN).min(self.work.count);
        Some(first..state.next)
    }

    fn write(&self, mut write: impl FnMut(usize, Option<Made>) -> Result<()>) -> Result<()> {
        let mut rank = 0;
        while rank < self.work.count {
            if !(self.work.small)(rank) {
                write(rank, None)?;
                rank += 1;
                self.wrote(rank, 0);
                continue;
            }
            let mut bytes = 0;
            for made in self.ready(rank) {
                let made = made?;
                bytes += made.bytes.len();
                write(rank, Some(made))?;
                rank += 1;
            }
            self.wrote(rank, bytes);
        }
        Ok(())
    }

    /// What is to be written next, once the first of it is made.
    fn ready(&self, first: usize) -> Vec<Result<Made>> {
        let mut state = self.lock();
        let mut ready = Vec::new();
        let mut bytes = 0;
        loop {
            while bytes < HELD
                && let Some(made) = state.made.remove(&(first + ready.len()))
            {
                bytes += made.as_ref().map_or(0, |made| made.bytes.len());
                ready.push(made);
            }
            if !ready.is_empty() {
                return ready;
            }
            state = wait(&self.made, state);
        }
    }

    /// Notes that all before `rank` are written, the last of them of so many bytes.
    fn wrote(&self, rank: usize, bytes: usize) {
        let mut state = self.lock();
        state.written = rank;
        state.waiting -= bytes;
        self.room.notify_all();
    }
}

fn wait<'s>(changed: &Condvar, state: MutexGuard<'s, PoolState>) -> MutexGuard<'s, PoolState> {
    changed.wait(state).unwrap_or_else(PoisonError::into_inner)
}
