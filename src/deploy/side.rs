//! What is live in AWS as one side of a comparison: the live stack's template, and the code of the recorded package that runs.

use super::expected::Expected;
use super::live::{self, Answer, Report};
use super::{answers, cloud};
use crate::aws::AwsError;
use crate::difference::Side;
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::store::{Filter, StoredPackage};
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
        let mut report = live::of(workspace, wanted)?;
        // What runs is another package's code, and that is what is compared.
        report.drift.retain(|drift| report.answer != Answer::SameCode || drift.what != "code");
        let target = &report.target;
        let package = report.packages.first().map(|live| open(workspace, &live.commit, &live.package));
        let package = package.transpose()?.flatten();
        // The profile to ask with is the same for all packages of a target, as far as anybody knows.
        let filter = Filter {
            service: Some(target.path.to_string()),
            stage: Some(target.stage.to_string()),
            region: Some(target.region.to_string()),
        };
        let newest = || -> Result<Option<StoredPackage<'r>>> {
            let newest = workspace.store().all(&filter)?.found.into_iter().next();
            newest.map(|found| workspace.store().open(found.commit, &found.line)).transpose()
        };
        let told_by = package.clone().map_or_else(newest, |package| Ok(Some(package)))?;
        let profile = told_by.as_ref().map(Expected::of).transpose()?.and_then(|told| told.profile);
        let stack = &report.stack.name;
        let template = cloud::connect(workspace.context, target, profile.as_deref())
            .and_then(|aws| answers::template(&aws, stack))
            .map_err(AwsError::into_error)?
            .ok_or_else(|| Error::refused(format!("the stack '{stack}' has no template that can be read")))?;
        let side = match &package {
            Some(package) => Side::of_package(package)?.with_template(&template),
            None => Side::of_template(&template),
        };
        Ok(Self { report, package, side })
    }
}

fn open<'r>(workspace: &Workspace<'r>, commit: &str, package: &str) -> Result<Option<StoredPackage<'r>>> {
    let commit = Oid::from_str(commit).map_err(|error| Error::bug("a commit has no id").because(error))?;
    let all = workspace.store().packages_of(commit, &Filter::default())?;
    let found = all.into_iter().find(|found| found.line.package.to_string() == package);
    found.map(|found| workspace.store().open(found.commit, &found.line)).transpose()
}
