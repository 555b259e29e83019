//! The names of refs: any service name, stage or region is encoded as one component of a ref's name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::git::Oid;
use crate::package::manifest::Target;
use crate::package::{Machine, PackageId};

/// `-` and `_` are safe anywhere in a ref's name; a dot is not at its start, its end, or beside another.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

pub const NOTES_REF: &str = "refs/notes/slsart";

pub(in crate::store) const PACKAGES: &str = "refs/slsart/packages/";

pub(in crate::store) fn package(commit: &str, package: PackageId) -> String {
    format!("{PACKAGES}{commit}/{package}")
}

/// A package's key in a repository: its commit and its id.
pub type PackageKey = (Oid, PackageId);

pub fn ref_of((commit, id): PackageKey) -> String {
    package(&commit.to_string(), id)
}

pub fn key_of(name: &str) -> Option<PackageKey> {
    parse_pair(name.strip_prefix(PACKAGES)?)
}

pub(in crate::store) const BANS: &str = "refs/slsart/bans/";

pub(in crate::store) const PINS: &str = "refs/slsart/pins/";

/// The prefixes of the chains of records that clones share.
pub(in crate::store) const CHAINS: [&str; 3] = ["refs/slsart/deployments/", BANS, PINS];

pub(in crate::store) fn mark(prefix: &str, commit: &str, package: PackageId) -> String {
    format!("{prefix}{commit}/{package}")
}

pub(in crate::store) fn parse_mark(prefix: &str, name: &str) -> Option<PackageKey> {
    parse_pair(name.strip_prefix(prefix)?)
}

fn parse_pair(name: &str) -> Option<PackageKey> {
    let (commit, package) = name.split_once('/')?;
    Some((Oid::from_str(commit).ok()?, package.parse().ok()?))
}

pub const TOOLCHAINS: &str = "refs/slsart/toolchains/";

/// The ref of a toolchain that was installed for the commit `source` on `machine`. Refs of the same content share a prefix.
pub(in crate::store) fn toolchain(id: &str, source: &str, machine: &Machine) -> String {
    let libc = machine.libc.split(' ').next().filter(|libc| !libc.is_empty());
    let parts = [Some(machine.os.as_str()), Some(&machine.arch), libc, Some(&machine.modules)];
    let machine = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
    format!("{TOOLCHAINS}{id}/{source}/{}", utf8_percent_encode(&machine, COMPONENT))
}

/// The ref of a target's history. AWS identifies a stack by service name, stage and region, whatever the service's directory; so does its
/// history.
pub(in crate::store) fn deployments(target: &Target) -> String {
    format!("refs/slsart/deployments/{}", path(target))
}

/// The ref of a target's lock, on a remote. Not below `refs/slsart/`: fetching and pushing all of that must not bring back a released
/// lock.
pub(in crate::store) fn lock(target: &Target) -> String {
    format!("refs/slsart-locks/{}", path(target))
}

/// The tracking ref for the notes of `remote`, placed as in the documentation of `git notes merge`.
pub(in crate::store) fn tracked_notes(remote: &str) -> String {
    format!("refs/notes/remotes/{remote}/slsart")
}

/// The prefix of the tracking refs for the refs of `remote` with `prefix`, one below `refs/slsart/`.
pub(in crate::store) fn tracked(remote: &str, prefix: &str) -> String {
    let rest = prefix.strip_prefix("refs/slsart/").unwrap_or(prefix);
    format!("refs/slsart-remotes/{remote}/{rest}")
}

pub(in crate::store) fn tracked_of(remote: &str, name: &str) -> Option<String> {
    if name == NOTES_REF {
        return Some(tracked_notes(remote));
    }
    CHAINS.iter().any(|prefix| name.starts_with(prefix)).then(|| tracked(remote, name))
}

fn path(target: &Target) -> String {
    let component = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
    let Target { service, stage, region, .. } = target;
    [service.as_str(), stage.as_str(), region.as_str()].map(component).join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_valid_ref() {
        let target = |service: &str, stage: &str| Target {
            service: service.parse().unwrap(),
            path: ".".parse().unwrap(),
            stage: stage.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
        };
        for (service, stage) in [("orders", "prod"), ("a.lock", "v1.2"), ("x..y", "é~^:?*[")] {
            let name = deployments(&target(service, stage));
            assert!(git2::Reference::is_valid_name(&name), "{name}");
            assert_eq!(name.split('/').count(), 6);
        }
    }
}
