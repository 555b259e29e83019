//! The files that a package manager installed in a checkout: `node_modules` directories, and those of yarn's Plug'n'Play.

use std::fs;
use std::path::{Path, PathBuf};

use super::lockfile::Lockfile;
use super::pnp::{self, Pnp};
use crate::error::{Error, Result};
use crate::git::Source;

/// Files of yarn's Plug'n'Play beside its own.
const OF_PNP: &[&str] = &[
    ".pnp.loader.mjs",
    ".pnp.data.json",
    ".yarn/build-state.yml",
    ".yarn/cache",
    ".yarn/install-state.gz",
    ".yarn/unplugged",
];

/// The installation of `lockfile` in the checkout of `source` at `top`: relative paths, sorted, none within another, and none that the
/// commit itself has. Each package of a workspace may have a `node_modules`.
pub fn installed(top: &Path, source: Source<'_>, lockfile: &Lockfile) -> Result<Vec<PathBuf>> {
    let base = lockfile.directory.under(top);
    // The commit's own files come with the checkout.
    let is_tracked = |path: &Path| -> Result<bool> {
        let below = path.strip_prefix(top).unwrap_or(path).to_string_lossy();
        Ok(source.entry(&below)?.is_some())
    };
    let mut parts = Vec::new();
    // A node_modules needs no yarn cache.
    let of_pnp = if Pnp::find(&base, &base).is_some() { [pnp::NAMES, OF_PNP].concat() } else { Vec::new() };
    for path in of_pnp.iter().map(|name| base.join(name)) {
        if path.symlink_metadata().is_ok() && !is_tracked(&path)? {
            parts.push(path);
        }
    }
    let mut pending = vec![base.clone()];
    while let Some(directory) = pending.pop() {
        let unreadable = |error| Error::io("read", &directory, error);
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            if !entry.file_type().map_err(unreadable)?.is_dir() || name == ".git" {
                continue;
            }
            if parts.contains(&entry.path()) {
                continue;
            }
            if name != "node_modules" {
                pending.push(entry.path());
            } else if !is_tracked(&entry.path())? {
                parts.push(entry.path());
            }
        }
    }
    let below = |path: &PathBuf| path.strip_prefix(top).map_or_else(|_| path.clone(), Path::to_owned);
    let mut parts: Vec<PathBuf> = parts.iter().map(below).collect();
    parts.sort_unstable();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Repository;
    use crate::process::Invocation;
    use crate::service::ServicePath;

    #[test]
    fn each_workspaces_own_is_found_and_what_the_commit_has_is_not() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        };
        let git = |arguments: &[&str]| {
            Invocation::new("git").arg("-C").arg(root.path()).args(arguments).read().unwrap();
        };
        for path in ["shop/package-lock.json", "shop/layer/node_modules/own/x.js", "shop/.yarn/cache/a.zip"] {
            write(path);
        }
        git(&["init", "--quiet"]);
        git(&["add", "--all", "--force"]);
        git(&["-c", "user.name=D", "-c", "user.email=d@e", "commit", "--quiet", "-m", "x"]);
        for path in [
            "shop/node_modules/p/node_modules/q/x.js",
            "shop/services/orders/node_modules/p/x.js",
            "shop/.pnp.cjs",
            "shop/.yarn/unplugged/q/node_modules/q/x.js",
            "other/node_modules/p/x.js",
        ] {
            write(path);
        }
        std::os::unix::fs::symlink("../node_modules", root.path().join("shop/services/node_modules"))
            .unwrap();
        let repository = Repository::open(root.path(), None, None).unwrap();
        let tree = repository.commit(repository.head().unwrap()).unwrap().tree;
        let source = Source::new(&repository, tree);
        let service: ServicePath = "shop/services/orders".parse().unwrap();
        let lockfile = Lockfile::find(source, &service).unwrap().unwrap();
        let found = installed(root.path(), source, &lockfile).unwrap();
        let expected = [
            "shop/.pnp.cjs",
            "shop/.yarn/unplugged",
            "shop/node_modules",
            "shop/services/orders/node_modules",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
        fs::remove_file(root.path().join("shop/.pnp.cjs")).unwrap();
        fs::remove_dir_all(root.path().join("shop/.yarn/unplugged")).unwrap();
        let found = installed(root.path(), source, &lockfile).unwrap();
        assert_eq!(found, ["shop/node_modules", "shop/services/orders/node_modules"].map(PathBuf::from));
    }
}
