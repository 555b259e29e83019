//! A job's progress, for `status` and `jobs`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{JobRecord, Jobs};
use crate::progress::Progress;

/// Writes each phase into the job's record, and everything to its log.
pub(super) struct Told<'a> {
    jobs: &'a Jobs,
    log: &'a dyn Progress,
    record: Mutex<JobRecord>,
    number: u64,
    /// Whether a framework has started: from then on the commit's packages are finished.
    has_begun: AtomicBool,
    is_superseded: AtomicBool,
}

impl<'a> Told<'a> {
    pub(super) fn new(jobs: &'a Jobs, record: JobRecord, log: &'a dyn Progress) -> Self {
        let number = record.number;
        let [has_begun, is_superseded] = [AtomicBool::new(false), AtomicBool::new(false)];
        Self { jobs, log, record: Mutex::new(record), number, has_begun, is_superseded }
    }

    /// Changes the record. What can't be written is only not told.
    pub(super) fn change(&self, change: impl FnOnce(&mut JobRecord)) {
        if let Ok(mut record) = self.record.lock() {
            change(&mut record);
            let _ = record.write(&self.jobs.file(&record.commit, "toml"));
        }
    }

    /// Whether the job made way for a newer commit.
    pub(super) fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::SeqCst)
    }
}

impl Progress for Told<'_> {
    fn phase(&self, name: &str) {
        self.change(|record| record.phase = Some(name.to_owned()));
        self.log.phase(name);
    }

    fn note(&self, text: &str) {
        self.log.note(text);
    }

    fn warn(&self, text: &str) {
        self.log.warn(text);
    }

    fn pause(&self) {
        self.log.pause();
    }

    fn expect_bytes(&self, bytes: u64) {
        self.log.expect_bytes(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.log.advance(bytes);
    }

    fn part(&self, name: &str, done: u64, total: u64) {
        self.log.part(name, done, total);
    }

    fn is_wanted(&self) -> bool {
        if !self.has_begun.load(Ordering::SeqCst) && self.jobs.is_superseded(self.number) {
            self.is_superseded.store(true, Ordering::SeqCst);
            return false;
        }
        self.has_begun.store(true, Ordering::SeqCst);
        true
    }
}
