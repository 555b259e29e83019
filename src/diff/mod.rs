//! What differs between two packages, or between a package and what is live, and which of it would destroy something. Decides and
//! describes; changes nothing and prints nothing.

pub mod code;
mod events;
pub mod functions;
pub mod judge;
mod lines;
pub mod names;
mod provenance;
mod stack_snapshot;
pub mod tables;
pub mod template;

use serde::Serialize;

pub use code::Detail;
pub use events::EventChange;
pub use lines::write_lines;
pub use provenance::{CommitLine, Commits, Provenance, ToolChange};
pub use stack_snapshot::StackSnapshot;

use code::ArchiveChange;
use functions::{FUNCTION, FunctionChange, LAYER, VERSION};
use judge::{Judgement, judge};
use template::{OutputChange, ResourceChange};

use crate::error::Result;
use crate::git::Repository;

/// What differs between two sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Difference {
    /// The functions that differ.
    pub functions: Vec<FunctionChange>,
    /// The layers that differ.
    pub layers: Vec<FunctionChange>,
    /// The events that came or went.
    pub events: Vec<EventChange>,
    /// The other resources that differ.
    pub resources: Vec<ResourceChange>,
    /// What would become of resources that are removed or replaced, functions and layers included.
    pub judgements: Vec<Judgement>,
    /// The outputs that differ.
    pub outputs: Vec<OutputChange>,
    /// How many resources are the same.
    pub unchanged: usize,
    /// The archives of code that differ, file by file.
    pub archives: Vec<ArchiveChange>,
    /// What the packages were made with and from; empty where one side is no package.
    #[serde(flatten)]
    pub made: Provenance,
}

impl Difference {
    /// What differs between `before` and `after`.
    ///
    /// # Errors
    /// When a package's files can't be read.
    pub fn between(
        repository: &Repository,
        before: &StackSnapshot<'_>,
        after: &StackSnapshot<'_>,
        detail: Detail,
    ) -> Result<Self> {
        let change = template::compare(before.template(), after.template());
        let judgements = judge(before.template(), after.template(), &change);
        let functions::Found { functions, layers, archives } =
            functions::compare(before, after, &change, detail)?;
        let made = match (&before.package, &after.package) {
            (Some(before), Some(after)) => Provenance::between(repository, before, after)?,
            _ => Provenance::default(),
        };
        // Whose code alone changed is the same resource in the templates.
        let all = functions.iter().chain(&layers);
        let code_only =
            all.filter(|one| change.resources.iter().all(|resource| resource.id != one.id)).count();
        let told = |resource: &ResourceChange| [FUNCTION, LAYER, VERSION].contains(&resource.kind.as_str());
        Ok(Self {
            functions,
            layers,
            events: events::compare(before, after),
            resources: change.resources.into_iter().filter(|resource| !told(resource)).collect(),
            judgements,
            outputs: change.outputs,
            unchanged: change.unchanged.saturating_sub(code_only),
            archives,
            made,
        })
    }

    /// The resources that a deployment must not take away.
    pub fn blocked(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements.iter().filter(|one| one.is_blocked())
    }

    /// Whether nothing differs but what the packages were made with and from.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
            && self.layers.is_empty()
            && self.events.is_empty()
            && self.resources.is_empty()
            && self.judgements.is_empty()
            && self.outputs.is_empty()
    }
}
