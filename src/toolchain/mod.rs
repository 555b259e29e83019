//! The toolchain a deploy needs: lockfiles, the plugins they fix, and the package managers that install them.

pub mod drift;
pub mod framework;
pub mod install;
pub mod installed;
pub mod lockfile;
pub mod node;
pub mod parts;
pub mod plugin_hooks;
pub mod plugins;
pub mod pnp;
pub mod programs;

pub use lockfile::{Kind, Locked, LockedPackages, Lockfile, NAMES as LOCKFILE_NAMES};
pub use programs::Programs;
