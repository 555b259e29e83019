//! Entries are made on several threads and written in their order, a few at a time.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::decode::{Decoder, Made};
use super::error::Result;

/// Bytes that wait to be written, but for the entry that is next.
const WAITING: usize = 16 << 20;

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
        let mut state: MutexGuard<'_, State> = lock();
        loop {
            while !state.stop
                && state.next < count
                && state.next != state.written
                && (state.waiting > WAITING || state.next > state.written + 64)
            {
                state = wait(state);
            }
            if state.stop || state.next >= count {
                break;
            }
            let rank = state.next;
            state.next += 1;
            if !decoder.small(rank) {
                continue;
            }
            drop(state);
            let made = decoder.make(rank);
            state = lock();
            state.waiting += made.as_ref().map_or(0, |made| made.bytes.len());
            state.made.insert(rank, made);
            changed.notify_all();
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
                lock().written = rank + 1;
                changed.notify_all();
            }
            Ok(())
        };
        let done = write_all();
        lock().stop = true;
        changed.notify_all();
        done
    })
}
