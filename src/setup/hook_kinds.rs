//! The hooks that this program has something to do in, with the shell lines of each.

/// A hook that this program has something to do in.
#[derive(Debug)]
pub struct HookKind {
    pub name: &'static str,
    pub lines: &'static str,
    /// Whether git tells it more on its standard input.
    pub reads_input: bool,
    /// Whether it is there for `[fetch] hooks` alone.
    pub(super) for_fetching: bool,
}

/// The hooks, in the order in which they are shown.
pub const HOOKS: &[HookKind] = &[
    kind("post-commit", include_str!("../../hooks/post-commit"), false, false),
    kind("post-rewrite", include_str!("../../hooks/post-rewrite"), true, false),
    kind("pre-push", include_str!("../../hooks/pre-push"), true, false),
    kind("post-merge", include_str!("../../hooks/post-merge"), false, true),
    kind("post-checkout", include_str!("../../hooks/post-checkout"), false, true),
];

const fn kind(name: &'static str, lines: &'static str, reads_input: bool, for_fetching: bool) -> HookKind {
    HookKind { name, lines, reads_input, for_fetching }
}
