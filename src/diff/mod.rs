//! The differences between two packages, or between a package and the live stack, and which of them would destroy data. Changes nothing
//! and prints nothing.

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

#[derive(Debug, Clone, Default, Serialize)]
pub struct Difference {
    pub functions: Vec<FunctionChange>,
    pub layers: Vec<FunctionChange>,
    pub events: Vec<EventChange>,
    pub resources: Vec<ResourceChange>,
    /// The fate of removed and replaced resources, functions and layers included.
    pub judgements: Vec<Judgement>,
    pub outputs: Vec<OutputChange>,
    pub unchanged: usize,
    pub archives: Vec<ArchiveChange>,
    /// The packages' provenance; empty if one side is no package.
    #[serde(flatten)]
    pub made: Provenance,
}

impl Difference {
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
        // A resource with changed code only is equal in the templates.
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

    /// The resources that block a deployment.
    pub fn blocked(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements.iter().filter(|one| one.is_blocked())
    }

    /// Whether nothing differs except provenance.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
            && self.layers.is_empty()
            && self.events.is_empty()
            && self.resources.is_empty()
            && self.judgements.is_empty()
            && self.outputs.is_empty()
    }
}
