//! Entries are made on several threads and written in their order, a few at a time.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::decode::{Decoder, Made};
use super::error::Result;

/// Bytes that wait to be written, but for the entry that is next.
const WAITING: usize = 16 << 20;
/// Entries that a thread takes at once.
const RUN: usize = 8;
/// Bytes that a thread makes before it hands them on.
const HELD: usize = 256 << 10;
/// Entries beyond the next to be written that are made.
const AHEAD: usize = 128;

#[derive(Default)]
struct State {
    /// The next entry to be made.
    next: usize,
    /// The next to be written.
    written: usize,
    made: HashMap<usize, Result<Made>>,
    waiting: usize,
    stop: bool,
}

/// Calls `write` for every entry in the order of their bytes, with what was made of it if it is a small one.
pub(super) fn in_order(
    decoder: &Decoder<'_>,
    threads: usize,
    mut write: impl FnMut(usize, Option<Made>) -> Result<()>,
) -> Result<()> {
    let count = decoder.recipe.items.len();
    if threads == 1 || count < 8 {
        return (0..count).try_for_each(|rank| {
            let made = if decoder.small(rank) { Some(decoder.make(rank)?) } else { None };
            write(rank, made)
        });
    }
    let (state, changed) = (Mutex::new(State::default()), Condvar::new());
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = |state| changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    let work = || {
        while let Some(run) = claim(lock(), wait, count) {
            let end = run.end;
            let mut made = Vec::with_capacity(RUN);
            let mut bytes = 0;
            for rank in run {
                if decoder.small(rank) {
                    let entry = decoder.make(rank);
                    bytes += entry.as_ref().map_or(0, |made| made.bytes.len());
                    made.push((rank, entry));
                }
                if bytes < HELD && rank + 1 < end {
                    continue;
                }
                let mut state = lock();
                state.waiting += std::mem::take(&mut bytes);
                state.made.extend(made.drain(..));
                changed.notify_all();
                // Whoever has the entry that is to be written next goes on: nothing else lets the others.
                while !state.stop && state.waiting > WAITING && rank + 1 < end && rank + 1 != state.written {
                    state = wait(state);
                }
                if state.stop {
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
        let mut write_all = || {
            for rank in 0..count {
                let made = if decoder.small(rank) {
                    let mut state = lock();
                    let made = loop {
                        if let Some(made) = state.made.remove(&rank) {
                            break made?;
                        }
                        state = wait(state);
                    };
                    state.waiting -= made.bytes.len();
                    Some(made)
                } else {
                    None
                };
                write(rank, made)?;
                let mut state = lock();
                state.written = rank + 1;
                // Workers wait for room only, which there is more of every so often.
                if state.waiting > WAITING || rank % RUN == RUN - 1 || !decoder.small(rank) {
                    changed.notify_all();
                }
            }
            Ok(())
        };
        let done = write_all();
        lock().stop = true;
        changed.notify_all();
        done
    })
}

/// The next entries for a thread to make, once there is room for them; none when all are taken.
fn claim<'s>(
    mut state: MutexGuard<'s, State>,
    wait: impl Fn(MutexGuard<'s, State>) -> MutexGuard<'s, State>,
    count: usize,
) -> Option<std::ops::Range<usize>> {
    let full = |state: &State| state.waiting > WAITING || state.next > state.written + AHEAD;
    while !state.stop && state.next < count && state.next != state.written && full(&state) {
        state = wait(state);
    }
    if state.stop || state.next >= count {
        return None;
    }
    let first = state.next;
    state.next = (first + RUN).min(count);
    Some(first..state.next)
}
