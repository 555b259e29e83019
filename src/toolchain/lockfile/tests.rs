//! Every reader against lockfiles that the real package managers made of one monorepo (tests/bed/lockfiles), and against
//! anything else.

use proptest::prelude::*;

use super::*;

const COMMIT: &str = "35eba18117352db3e932fb2bf62456423450c24e";

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/lockfiles/", $name))
    };
}

const FIXTURES: &[(&str, LockfileKind, &[u8])] = &[
    ("npm 1", LockfileKind::Npm, fixture!("npm-1.json")),
    ("npm 2", LockfileKind::Npm, fixture!("npm-2.json")),
    ("npm 3", LockfileKind::Npm, fixture!("npm-3.json")),
    ("yarn 1", LockfileKind::Yarn, fixture!("yarn-1.lock")),
    ("berry", LockfileKind::YarnBerry, fixture!("yarn-berry.lock")),
    ("berry, Plug'n'Play", LockfileKind::YarnBerry, fixture!("yarn-berry-pnp.lock")),
    ("pnpm 8", LockfileKind::Pnpm, fixture!("pnpm-6-of-8.yaml")),
    ("pnpm 9", LockfileKind::Pnpm, fixture!("pnpm-9-of-9.yaml")),
    ("pnpm 10", LockfileKind::Pnpm, fixture!("pnpm-9-of-10.yaml")),
    ("pnpm 12", LockfileKind::Pnpm, fixture!("pnpm-9-of-12.yaml")),
    ("bun", LockfileKind::Bun, fixture!("bun.lock")),
];

/// The `package.json` files, as tests/bed/lockfiles/project.js writes them for yarn 1.
fn requests() -> Vec<Request> {
    let orders = format!(
        r#"{{"devDependencies": {{
            "serverless-pseudo-parameters": "2.5.0", "@shop/hello": "1.2.0", "old-ms": "npm:ms@2.0.0", "ms": "2.1.2",
            "trace": "git://git.example.org/trace#{COMMIT}",
            "remote": "https://registry.example.org/left-pad/-/left-pad-1.2.0.tgz",
            "vendored": "file:../../vendor/vendored-1.0.0.tgz", "linked": "link:../../linked"}}}}"#
    );
    let top = br#"{"devDependencies": {"ms": "2.1.3", "is-number": "7.0.0", "left-pad": "1.3.0"}}"#;
    vec![Request::parse("services/orders", orders.as_bytes()).unwrap(), Request::parse("", top).unwrap()]
}

fn find(content: &[u8], kind: LockfileKind, directory: &str, name: &str) -> Option<LockedPackage> {
    let all = requests();
    let requests = if directory.is_empty() { &all[1..] } else { &all };
    LockedPackages::parse(kind, content).unwrap().find(directory, requests, name)
}

/// What each lockfile says of a package to the service.
fn each(name: &str, check: impl Fn(&str, LockfileKind, &LockedPackage)) {
    for (what, kind, content) in FIXTURES {
        let found = find(content, *kind, "services/orders", name);
        let found = found.unwrap_or_else(|| panic!("{what} has no {name}"));
        check(what, *kind, &found);
    }
}

#[test]
fn a_package_of_the_registry_has_version_and_integrity() {
    each("serverless-pseudo-parameters", |what, kind, found| {
        assert_eq!(found.version.as_deref(), Some("2.5.0"), "{what}");
        assert_eq!(found.package, None, "{what}");
        if kind == LockfileKind::YarnBerry {
            assert_eq!(found.integrity, None);
            assert!(found.checksum.as_ref().unwrap().starts_with("10c0/324e56cd"), "{what}");
        } else {
            assert!(found.integrity.as_ref().unwrap().starts_with("sha512-A/O49AR8LL6"), "{what}");
            assert_eq!(found.checksum, None);
        }
    });
}

#[test]
fn the_nearest_version_wins_and_hoisted_packages_are_found() {
    for (what, kind, content) in FIXTURES {
        let version = |directory: &str, name: &str| find(content, *kind, directory, name)?.version;
        assert_eq!(version("services/orders", "ms").as_deref(), Some("2.1.2"), "{what}");
        assert_eq!(version("", "ms").as_deref(), Some("2.1.3"), "{what}");
        assert_eq!(version("services/orders", "is-number").as_deref(), Some("7.0.0"), "{what}");
        assert_eq!(find(content, *kind, "services/orders", "absent"), None, "{what}");
        assert_eq!(find(content, *kind, "services/orders", "serverless"), None, "{what}");
    }
}

#[test]
fn npm_and_pnpm_say_which_node_a_package_runs_on() {
    for (what, kind, content) in FIXTURES {
        let engines = find(content, *kind, "", "is-number").unwrap().engines;
        let says = matches!(kind, LockfileKind::Npm | LockfileKind::Pnpm) && *what != "npm 1";
        assert_eq!(engines.as_deref(), says.then_some(">=0.12.0"), "{what}");
    }
    // Forms of old packages.
    for odd in [r#"["node >= 0.6"]"#, r#""x""#, r#"{"npm": "1"}"#, r#"{"node": 18}"#, "null"] {
        let text =
            format!(r#"{{"packages": {{"node_modules/a": {{"version": "1.0.0", "engines": {odd}}}}}}}"#);
        let found = find(text.as_bytes(), LockfileKind::Npm, "", "a").unwrap();
        assert_eq!((found.version.as_deref(), found.engines), (Some("1.0.0"), None), "{odd}");
    }
}

#[test]
fn an_alias_says_what_it_is() {
    each("old-ms", |what, _, found| {
        assert_eq!(
            (found.package.as_deref(), found.version.as_deref()),
            (Some("ms"), Some("2.0.0")),
            "{what}"
        );
    });
}

#[test]
fn git_and_tarballs_say_where_they_came_from() {
    each("trace", |what, _, found| {
        let resolved = found.resolved.as_deref().unwrap();
        assert!(
            resolved.contains("git.example.org/trace#") && resolved.ends_with(COMMIT),
            "{what}: {resolved}"
        );
        assert_eq!((found.link.as_ref(), found.integrity.as_ref()), (None, None), "{what}");
    });
    each("remote", |what, kind, found| {
        let resolved = found.resolved.as_deref();
        // pnpm knows the address for the registry's own.
        let resolved = resolved.unwrap_or(if kind == LockfileKind::Pnpm { "left-pad-1.2.0.tgz" } else { "" });
        assert!(resolved.contains("left-pad-1.2.0.tgz"), "{what}: {resolved}");
    });
    each("vendored", |what, _, found| {
        assert!(found.resolved.as_deref().unwrap().contains("vendor/vendored-1.0.0.tgz"), "{what}");
        assert_eq!(found.link, None, "{what}");
    });
}

#[test]
fn links_and_workspaces_lead_to_their_directory() {
    each("linked", |what, _, found| assert_eq!(found.link.as_deref(), Some("linked"), "{what}"));
    for (what, kind, content) in FIXTURES.iter().filter(|(_, kind, _)| *kind != LockfileKind::Yarn) {
        let found = find(content, *kind, "services/orders", "@shop/hello").unwrap();
        assert_eq!(found.link.as_deref(), Some("packages/hello"), "{what}");
        let version = found.version.as_deref();
        assert!([None, Some("1.2.0")].contains(&version), "{what}: {version:?}");
    }
}

#[test]
fn a_patch_is_told() {
    for (what, kind, content) in FIXTURES {
        let found = find(content, *kind, "", "left-pad").unwrap();
        assert_eq!(found.version.as_deref(), Some("1.3.0"), "{what}");
        let patch = match *what {
            // patch-package's patches are in no lockfile.
            what if what.starts_with("npm") || what == "yarn 1" => None,
            "pnpm 12" => Some("7b407c69dc7aeff435e643971fe05d98c3131d2e468ff7736a9b46906df88af3"),
            _ => Some("patches/left-pad.patch"),
        };
        assert_eq!(found.patch.as_deref(), patch, "{what}");
    }
}

#[test]
fn a_pnpm_lockfile_may_have_no_workspace_or_a_document_of_pnpms_own() {
    let single = "lockfileVersion: '6.0'\ndevDependencies:\n  p:\n    specifier: ^1\n    version: 1.0.0(q@2.0.0)\n\
                  packages:\n  /p@1.0.0(q@2.0.0):\n    resolution: {integrity: sha512-x}\n";
    let found = find(single.as_bytes(), LockfileKind::Pnpm, "", "p").unwrap();
    assert_eq!((found.version.as_deref(), found.integrity.as_deref()), (Some("1.0.0"), Some("sha512-x")));
    let two = format!("lockfileVersion: '9.0'\nimporters: {{}}\n---\n{single}");
    assert_eq!(find(two.as_bytes(), LockfileKind::Pnpm, "", "p"), Some(found));
}

#[test]
fn an_older_berry_leaves_the_registry_out() {
    let lock = "__metadata:\n  version: 6\n\n\"p@npm:^1.0.0, p@npm:^1.1.0\":\n  version: 1.2.0\n  resolution: \"p@npm:1.2.0\"\n  \
                checksum: abc\n\n\"top@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"top@workspace:.\"\n  \
                dependencies:\n    p: ^1.0.0\n";
    assert_eq!(
        find(lock.as_bytes(), LockfileKind::YarnBerry, "", "p").unwrap().version.as_deref(),
        Some("1.2.0")
    );
}

#[test]
fn what_is_too_deep_is_refused() {
    for (kind, content) in [
        (LockfileKind::Npm, "[".repeat(200_000)),
        (LockfileKind::Npm, r#"{"dependencies":{"a":"#.repeat(50_000)),
        (LockfileKind::Bun, "[".repeat(200_000)),
        (LockfileKind::Bun, r#"{"a":"#.repeat(200_000)),
        (LockfileKind::Pnpm, "[".repeat(200_000)),
        (LockfileKind::YarnBerry, "a: {".repeat(100_000)),
        (LockfileKind::Pnpm, format!("a: &a [x, x]\nb: &b [*a, *a]\n{}", "c: [*b, *b, *b]\n".repeat(1000))),
    ] {
        assert!(LockedPackages::parse(kind, content.as_bytes()).is_err(), "{kind} {}", &content[..12]);
    }
}

/// A lockfile with some bytes cut out, put in or changed.
fn mutated() -> impl Strategy<Value = (LockfileKind, Vec<u8>)> {
    let change = (any::<prop::sample::Index>(), 0..40_usize, prop::collection::vec(any::<u8>(), 0..8));
    (0..FIXTURES.len(), prop::collection::vec(change, 1..6)).prop_map(|(at, changes)| {
        let (_, kind, content) = FIXTURES[at];
        let mut content = content.to_vec();
        for (place, length, bytes) in changes {
            let start = place.index(content.len());
            let end = (start + length).min(content.len());
            content.splice(start..end, bytes);
            content.push(b'\n');
        }
        (kind, content)
    })
}

/// Reads and asks; the answers may be anything.
fn ask(kind: LockfileKind, content: &[u8], directory: &str, name: &str) {
    if let Ok(packages) = LockedPackages::parse(kind, content) {
        for name in [name, "ms", "old-ms", "linked", "trace", "@shop/hello", "left-pad", "vendored"] {
            let _ = packages.find(directory, &requests(), name);
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_lockfile_is_read_or_refused((kind, content) in mutated(), directory in "[a-z/.]{0,20}", name in ".{0,20}") {
        ask(kind, &content, &directory, &name);
        ask(kind, &content, "services/orders", &name);
    }
}
