//! What is live in AWS as one side of a comparison: the live stack's template, and the code of the recorded package that runs.

use super::answers;
use super::live::{self, Answer, Looked, Report};
use crate::aws::AwsError;
use crate::difference::Side;
use crate::error::{Error, Result};
use crate::store::StoredPackage;
use crate::workspace::{Wanted, Workspace};

/// What is live.
pub struct LiveSide<'r> {
    /// What was found out of it.
    pub report: Report,
    /// The package whose code runs; `None` where none is recorded here.
    pub package: Option<StoredPackage<'r>>,
    /// The side.
    pub side: Side<'r>,
}

impl<'r> LiveSide<'r> {
    /// What is live on the target that is `wanted`.
    ///
    /// # Errors
    /// When AWS does not tell, and when the target is not one alone.
    pub fn of(workspace: &Workspace<'r>, wanted: &Wanted) -> Result<Self> {
        let Looked { mut report, package, aws } = live::look(workspace, wanted)?;
        // What runs is another package's code, and that is what is compared.
        report.drift.retain(|drift| report.answer != Answer::SameCode || drift.what != "code");
        let stack = &report.stack.name;
        let template = answers::template(&aws, stack)
            .map_err(AwsError::into_error)?
            .ok_or_else(|| Error::refused(format!("the stack '{stack}' has no template that can be read")))?;
        let side = match &package {
            Some(package) => Side::of_package(package)?.with_template(&template),
            None => Side::of_template(&template),
        };
        Ok(Self { report, package, side })
    }
}
