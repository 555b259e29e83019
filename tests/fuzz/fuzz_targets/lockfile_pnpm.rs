//! Any lockfile of pnpm's: read or refused, and asked for a package.
#![no_main]

use git_slsart::toolchain::lockfile::{LockfileKind, LockedPackages, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    let request = Request::parse("services/orders", br#"{"dependencies": {"ms": "2.1.2"}}"#);
    if let Ok(packages) = LockedPackages::parse(LockfileKind::Pnpm, content) {
        let requests: Vec<_> = request.into_iter().collect();
        let _ = packages.find("services/orders", &requests, "ms");
    }
});
