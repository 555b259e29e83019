//! The properties of a machine that an installation of packages depends on.

use serde::{Deserialize, Serialize};

/// A machine, as node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Node's `process.platform`.
    pub os: String,
    /// Node's `process.arch`.
    pub arch: String,
    /// `glibc VERSION`, `musl`, or empty where there is only one C library.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub libc: String,
    pub node: String,
    /// Node's `process.versions.modules`: the ABI of compiled packages.
    pub modules: String,
}

impl Machine {
    /// Why an installation of this machine can't be used on `here`; `None` if it can.
    pub fn incompatibility(&self, here: &Self) -> Option<String> {
        if (&self.os, &self.arch) != (&here.os, &here.arch) {
            return Some(format!(
                "it is for {}-{}, and this is {}-{}",
                self.os, self.arch, here.os, here.arch
            ));
        }
        if !libc_serves(&self.libc, &here.libc) {
            return Some(format!(
                "it is for {}, and this machine has {}",
                named(&self.libc),
                named(&here.libc)
            ));
        }
        if self.modules != here.modules {
            return Some(format!(
                "it is for node {} (modules {}), and this is node {} (modules {})",
                self.node, self.modules, here.node, here.modules
            ));
        }
        None
    }
}

fn named(libc: &str) -> &str {
    if libc.is_empty() { "no known C library" } else { libc }
}

/// A C library runs what was compiled against it or an earlier version.
fn libc_serves(made_for: &str, here: &str) -> bool {
    let parts = |text: &str| {
        let (family, version) = text.split_once(' ').unwrap_or((text, ""));
        let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
        (family.to_owned(), numbers)
    };
    let (made_for, here) = (parts(made_for), parts(here));
    made_for.0 == here.0 && made_for.1 <= here.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(os: &str, arch: &str, libc: &str, modules: &str) -> Machine {
        let [os, arch, libc, modules] = [os, arch, libc, modules].map(str::to_owned);
        Machine { os, arch, libc, node: "22.0.0".to_owned(), modules }
    }

    #[test]
    fn an_installation_fits_the_same_machine_and_a_later_libc() {
        let made = machine("linux", "x64", "glibc 2.36", "127");
        assert_eq!(made.incompatibility(&made), None);
        assert_eq!(made.incompatibility(&machine("linux", "x64", "glibc 2.41", "127")), None);
        for (other, word) in [
            (machine("linux", "arm64", "glibc 2.36", "127"), "arm64"),
            (machine("darwin", "x64", "", "127"), "darwin"),
            (machine("linux", "x64", "glibc 2.9", "127"), "glibc 2.9"),
            (machine("linux", "x64", "musl", "127"), "musl"),
            (machine("linux", "x64", "glibc 2.36", "137"), "137"),
        ] {
            assert!(made.incompatibility(&other).unwrap().contains(word));
        }
    }
}
