//! The toolchain a deploy needs: lockfiles, the plugins they fix, and the package managers that install them.

pub mod framework;
pub mod install;
pub mod installed;
pub mod lockfile;
mod npm;
pub mod plugins;

pub use lockfile::{Kind, LockedPackages, Lockfile};
