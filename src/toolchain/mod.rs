//! The toolchain a deploy needs: lockfiles, the plugins they fix, and the package managers that install them.

pub(crate) mod drift;
pub(crate) mod framework;
pub(crate) mod install;
pub(crate) mod installed;
pub mod lockfile;
pub(crate) mod node;
pub(crate) mod parts;
pub(crate) mod plugin_hooks;
pub(crate) mod plugins;
pub(crate) mod pnp;
pub(crate) mod programs;

pub use lockfile::{Locked, LockedPackages, Lockfile, LockfileKind, NAMES as LOCKFILE_NAMES};
pub use programs::Programs;
