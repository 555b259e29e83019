//! What writing a package's files needs.

use super::secret_recorder::SecretRecorder;
use crate::git::{Batch, Repository};
use crate::progress::Progress;

#[derive(Clone, Copy)]
pub(in crate::store) struct Writer<'a> {
    pub(in crate::store) repository: &'a Repository,
    pub(in crate::store) batch: &'a Batch,
    pub(in crate::store) progress: &'a dyn Progress,
    pub(in crate::store) recorder: Option<&'a SecretRecorder<'a>>,
}
