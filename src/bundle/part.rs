//! Which refs a file may contain. Pure.

use crate::git::Oid;
use crate::store::histories::history_ref;
use crate::store::{PackageLine, TOOLCHAINS, key_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefKind {
    Package,
    Toolchain,
    History,
}

/// The kind of a ref that belongs to the package `line` of `commit` with this source; `None` for any other ref.
pub(super) fn part_of(name: &str, commit: Oid, line: &PackageLine, source: Oid) -> Option<RefKind> {
    if key_of(name) == Some((commit, line.package)) {
        return Some(RefKind::Package);
    }
    if name == history_ref(&line.target) {
        return Some(RefKind::History);
    }
    let toolchain: Vec<&str> = name.strip_prefix(TOOLCHAINS)?.split('/').collect();
    let is_id = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_machine = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte))
    };
    let fits = matches!(toolchain[..], [id, of, machine] if is_id(id) && of == source.to_string() && is_machine(machine));
    fits.then_some(RefKind::Toolchain)
}
