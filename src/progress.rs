//! How long work reports progress, without knowing the listener.

/// Receives the phases of long work. The terminal has one implementation, background work another.
pub trait Progress: Sync {
    /// A new phase starts, such as "Installing plugins"; the one before it has ended.
    fn phase(&self, name: &str);
    /// The phase did not succeed; what follows cleans up, or explains.
    fn failed(&self) {}
    /// A remark worth a line of its own, such as a file that was left out.
    fn note(&self, text: &str);
    /// Something the user should look at though the work goes on.
    fn warn(&self, text: &str);
    /// A child program is about to write to the terminal itself.
    fn pause(&self);
    /// How many bytes the phase will handle; a listener may show an estimate of the time left.
    fn expect_bytes(&self, bytes: u64);
    /// So many more bytes are handled.
    fn advance(&self, bytes: u64);
    /// Whether the work is still wanted: asked before what takes long and can't be left half-way. Nothing but background work is
    /// ever not.
    fn is_wanted(&self) -> bool {
        true
    }
    /// How far a part of the phase is, such as "Receiving objects": `done` of `total` things.
    fn part(&self, name: &str, done: u64, total: u64) {
        let _ = (name, done, total);
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str) {}
    fn note(&self, _: &str) {}
    fn warn(&self, _: &str) {}
    fn pause(&self) {}
    fn expect_bytes(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}
