//! What is live in AWS as one side of a comparison: the live stack's template, and the code of the recorded package that runs.

use crate::deploy::observe::live::{self, Answer, LiveObservation, LiveReport};
use crate::diff::StackSnapshot;
use crate::error::Result;
use crate::store::StoredPackage;
use crate::workspace::{Wanted, Workspace};

/// What is live.
pub struct LiveSnapshot<'r> {
    /// What was found out of it.
    pub report: LiveReport,
    /// The package whose code runs; `None` where none is recorded here.
    pub package: Option<StoredPackage<'r>>,
    /// The side.
    pub side: StackSnapshot<'r>,
}

impl<'r> LiveSnapshot<'r> {
    /// What is live on the target that is `wanted`.
    ///
    /// # Errors
    /// When AWS gives no answer, and when the target is not one alone.
    pub fn of(workspace: &Workspace<'r>, wanted: &Wanted) -> Result<Self> {
        let LiveObservation { mut report, package, template, .. } = live::look(workspace, wanted)?;
        // What runs is another package's code, and that is what is compared.
        report.drift.retain(|drift| report.answer != Answer::SameCode || drift.what != "code");
        let side = match &package {
            Some(package) => StackSnapshot::of_package(package)?.with_template(&template),
            None => StackSnapshot::of_template(&template),
        };
        Ok(Self { report, package, side })
    }
}
