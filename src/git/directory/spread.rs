//! The same work for many items, spread over the machine's cores.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::error::{Error, Result};
use crate::process::interrupt;

/// Most threads: each may hold a file.
const MAX_THREADS: usize = 8;
/// Items that a thread takes at once: neighbours are near each other on disk.
const RUN: usize = 32;

/// Calls `work` for every number below `count`, and stops after an error. Returns the results in the order of the numbers.
pub(super) fn spread<T: Send>(count: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let take = || -> Result<Vec<(usize, Vec<T>)>> {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let first = next.fetch_add(RUN, Ordering::Relaxed);
            if first >= count {
                break;
            }
            interrupt::check()?;
            let run = (first..count.min(first + RUN)).map(&work).collect::<Result<Vec<T>>>();
            done.push((first, run.inspect_err(|_| stop.store(true, Ordering::Relaxed))?));
        }
        Ok(done)
    };
    let mut done = if threads == 1 || count <= RUN {
        take()?
    } else {
        thread::scope(|scope| -> Result<_> {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
            let mut all = Vec::new();
            for thread in threads {
                all.extend(thread.join().map_err(|_| Error::bug("a thread ended in the middle"))??);
            }
            Ok(all)
        })?
    };
    done.sort_unstable_by_key(|(first, _)| *first);
    Ok(done.into_iter().flat_map(|(_, run)| run).collect())
}
