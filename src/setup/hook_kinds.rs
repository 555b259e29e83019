//! The hooks that this program uses, with the shell lines of each.

#[derive(Debug)]
pub struct HookKind {
    pub name: &'static str,
    pub lines: &'static str,
    pub reads_input: bool,
    pub(super) for_fetching: bool,
}

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
