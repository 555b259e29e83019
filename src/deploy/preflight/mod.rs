//! What is decided before a deployment starts: the package it is of, its plan, its checks, and the guard.

pub(crate) mod checks;
pub(crate) mod choices;
pub(crate) mod guard;
pub(crate) mod plan;
pub(crate) mod plugins_at_deploy;
pub(crate) mod rollback_target;
pub(crate) mod second_stack;
