//! A package ⇄ git objects: files, archives taken apart, Git LFS, encryption, and the toolchain snapshots beside packages.

pub mod archive_diff;
mod content;
mod delta_base;
pub(super) mod encryption;
pub(super) mod inspect;
pub(super) mod lfs;
pub(super) mod lfs_objects;
mod manifest;
pub(super) mod migrate;
pub(super) mod package;
mod package_lfs;
pub(super) mod package_signature;
pub(super) mod record;
mod rewrite_secrets;
pub(super) mod secret_recorder;
pub mod toolchains;
mod writer;
pub(super) mod zip_tree;
