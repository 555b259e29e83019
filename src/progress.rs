//! How long work reports its progress, without knowing to whom.

/// Receives the phases of long work. The terminal has one implementation, background work another.
pub trait Progress: Sync {
    /// A new phase starts, such as "Installing plugins"; the previous one has ended.
    fn phase(&self, name: &str);
    /// The phase failed; what follows cleans up, or explains.
    fn failed(&self) {}
    /// A remark worth a line of its own, such as a file that was left out.
    fn note(&self, text: &str);
    /// Something the user should look at though the work goes on.
    fn warn(&self, text: &str);
    /// A child program is about to write to the terminal itself.
    fn pause(&self);
    /// How many bytes the phase will handle; a listener may show an estimate of the time left.
    fn expect_bytes(&self, bytes: u64);
    fn advance(&self, bytes: u64);
    /// Whether the work is still wanted: asked before a long step that must not be interrupted. Only background work can become unwanted.
    fn is_wanted(&self) -> bool {
        true
    }
    /// The progress of a part of the phase, such as "Receiving objects": `done` of `total` things.
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
