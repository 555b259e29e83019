//! What a deployment would change of what is live, and the guard over what it would destroy: nothing that holds data is deleted or
//! replaced unless the user allowed it by its name.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::deploy::history;
use crate::deploy::history::packages;
use crate::deploy::observe::aws_state::AwsState;
use crate::deploy::observe::effect::{has_uploaded_code, is_code_from};
use crate::deploy::preflight::checks::listed;
use crate::diff::judge::{Fate, Judgement, Verdict};
use crate::diff::names::{self, Taken};
use crate::diff::template::Template;
use crate::diff::{Detail, Difference, StackSnapshot, write_lines};
use crate::error::{Error, Kind, Result};
use crate::sharing;
use crate::store::StoredPackage;
use crate::store::deployments::{Action, Deployment, Effect};
use crate::text::command::quoted;
use crate::text::style::{BOLD, DIM, ERROR, WARNING};
use crate::text::words::{count, line};
use crate::workspace::Workspace;

/// Most earlier packages that are looked through for what a policy kept.
const MAX_EARLIER: usize = 20;

/// What is said where no deployment of the history uploaded the live code.
const NOT_FROM_HERE: &str =
    "what is live was not deployed from here: its code, plugins and framework can't be compared";

/// The same where the stack has no code in S3.
const OTHER_TEMPLATE: &str = "the live template is not that of the last recorded deployment: its plugins and framework can't be compared";

/// What a deployment starts from.
pub struct Baseline<'r> {
    /// What is there.
    pub side: StackSnapshot<'r>,
    /// What that is, after "against": `the last recorded deployment`.
    pub against: &'static str,
    /// Why it is not the live stack's template, where AWS was asked for that or was not to be.
    pub because: Option<String>,
    /// What may be there instead: packages of later deployments that did not finish.
    pub perhaps: Vec<StackSnapshot<'r>>,
    /// A remark on the comparison.
    pub remark: Option<String>,
}

/// What a deployment would change.
#[derive(Debug, Serialize)]
pub struct Changes {
    /// What the package is compared with.
    pub against: &'static str,
    /// Why that is not the live stack's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
    /// What would be deleted or replaced only if a later deployment, which did not finish, went through.
    pub uncertain: Vec<Judgement>,
    /// The logical ids that can be allowed to be deleted.
    #[serde(skip)]
    known: Vec<String>,
    /// The literal names that CloudFormation will find taken.
    #[serde(skip)]
    pub(in crate::deploy) taken: Vec<Taken>,
    /// Whether the code that is live is known.
    #[serde(skip)]
    code_is_known: bool,
}

impl<'r> Baseline<'r> {
    /// What is live: what AWS says it is, else what the history does; `None` where neither knows of anything.
    ///
    /// # Errors
    /// When the package that is live is not here, or can't be read.
    pub fn of(
        workspace: &Workspace<'r>,
        deployments: &[Deployment],
        answers: Option<&AwsState>,
    ) -> Result<Option<Self>> {
        let because = match answers.map(|answers| &answers.template) {
            Some(Ok(Some(template))) => return Ok(Some(Self::live(workspace, deployments, template))),
            Some(Ok(None)) => return Ok(history::live(deployments).map(|_| Self::nothing())),
            Some(Err(error)) => Some(error.to_string()),
            None => None,
        };
        let recorded = Self::recorded(workspace, deployments)?;
        Ok(recorded.map(|recorded| Self { because, ..recorded }))
    }

    /// The live stack. Its code is that of the package whose deployment uploaded it, as its S3 keys say.
    fn live(workspace: &Workspace<'r>, deployments: &[Deployment], template: &Value) -> Self {
        let prefix = |known: &&Deployment| {
            known.prefix.as_deref().is_some_and(|prefix| is_code_from(template, prefix))
        };
        let package =
            deployments.iter().find(prefix).and_then(|uploaded| package_of(workspace, uploaded).ok());
        let own = package.and_then(|package| StackSnapshot::of_package(&package).ok());
        let (side, remark) = match own {
            None if !has_uploaded_code(template) => Self::by_template(workspace, deployments, template),
            Some(own) => {
                let recorded: BTreeSet<String> = own.template().ids().map(str::to_owned).collect();
                let side = own.with_template(template);
                let remark = added(&side, &recorded);
                (side, remark)
            }
            None => (StackSnapshot::of_template(template), Some(NOT_FROM_HERE.to_owned())),
        };
        Self { side, against: "the live stack's template", because: None, perhaps: Vec::new(), remark }
    }

    /// The live stack where no code in S3 says which deployment made it: the template is compared with that of the one that is live by
    /// the history.
    fn by_template(
        workspace: &Workspace<'r>,
        deployments: &[Deployment],
        template: &Value,
    ) -> (StackSnapshot<'r>, Option<String>) {
        let live = history::live(deployments).and_then(|live| package_of(workspace, live).ok());
        let own = live.and_then(|package| StackSnapshot::of_package(&package).ok());
        match own.filter(|own| own.has_template(template)) {
            Some(own) => (own.with_template(template), None),
            None => (StackSnapshot::of_template(template), Some(OTHER_TEMPLATE.to_owned())),
        }
    }

    /// A stack that is gone.
    fn nothing() -> Self {
        Self {
            side: StackSnapshot::of_template(&Value::Null),
            against: "nothing: the stack does not exist",
            because: None,
            perhaps: Vec::new(),
            remark: None,
        }
    }

    /// What is live by the history, if it knows.
    fn recorded(workspace: &Workspace<'r>, deployments: &[Deployment]) -> Result<Option<Self>> {
        let live = history::live(deployments);
        let later = deployments.iter().take_while(|other| live.is_none_or(|live| other.id != live.id));
        let later = later.filter(|other| other.effect() == Effect::Unknown);
        // What is not here can't be compared; the plan warns that what is live is not certain.
        let side = |other: &Deployment| StackSnapshot::of_package(&package_of(workspace, other).ok()?).ok();
        let mut perhaps: Vec<_> = later.filter_map(side).collect();
        let (side, against) = match live {
            Some(live) => {
                (StackSnapshot::of_package(&package_of(workspace, live)?)?, "the last recorded deployment")
            }
            None if perhaps.is_empty() => return Ok(None),
            None => (perhaps.remove(0), "the last deployment, which has not finished"),
        };
        Ok(Some(Self { side, against, because: None, perhaps, remark: None }))
    }
}

/// What is said of resources that are live and not among the `recorded` ones of the package that was deployed; none where there are
/// none.
fn added(live: &StackSnapshot<'_>, recorded: &BTreeSet<String>) -> Option<String> {
    let added: Vec<&str> = live.template().ids().filter(|id| !recorded.contains(*id)).collect();
    let who = "live but not in the deployed package: added by a plugin or by hand";
    (!added.is_empty()).then(|| format!("{who}: {}", listed(&added)))
}

/// The package of a deployment.
fn package_of<'r>(workspace: &Workspace<'r>, deployment: &Deployment) -> Result<StoredPackage<'r>> {
    let missing = || Error::not_recorded(format!("its package {} is not here", deployment.package.short()));
    let found = packages::deployed(workspace, deployment)?.ok_or_else(missing)?;
    sharing::open(workspace, &found)
}

/// The names that CloudFormation will find taken when it goes from `before` to `after`. What a policy kept is known from the packages of
/// earlier deployments.
fn taken(
    workspace: &Workspace<'_>,
    before: &Template,
    after: &Template,
    judgements: &[Judgement],
    deployments: &[Deployment],
) -> Vec<Taken> {
    let mut taken = names::added(before, after);
    let mut kept: Vec<Option<bool>> = vec![None; taken.len()];
    let mut seen = BTreeSet::new();
    let earlier =
        deployments.iter().filter(|known| known.effect() == Effect::Live && seen.insert(known.package));
    for deployment in earlier.take(MAX_EARLIER) {
        if kept.iter().all(Option::is_some) {
            break;
        }
        // A package that is not here says nothing.
        let Ok(side) =
            package_of(workspace, deployment).and_then(|package| StackSnapshot::of_package(&package))
        else {
            continue;
        };
        for (taken, kept) in taken.iter().zip(&mut kept) {
            *kept = kept.or_else(|| names::was_kept(taken, side.template()));
        }
    }
    let mut kept = kept.into_iter();
    taken.retain(|_| kept.next().flatten() == Some(true));
    taken.extend(names::replaced(before, after, judgements));
    taken
}

impl Changes {
    /// What deploying `package` would change of what is there.
    pub(in crate::deploy) fn of(
        workspace: &Workspace<'_>,
        before: &Baseline<'_>,
        package: &StoredPackage<'_>,
        deployments: &[Deployment],
    ) -> Result<Self> {
        let after = StackSnapshot::of_package(package)?;
        let difference = Difference::between(workspace.repository, &before.side, &after, Detail::Counts)?;
        let templates = (before.side.template(), after.template());
        let taken = taken(workspace, templates.0, templates.1, &difference.judgements, deployments);
        Ok(Self::judged(before, &after, difference, taken))
    }

    /// The changes of going to `after`, with what a deployment that did not finish makes uncertain. Pure.
    fn judged(
        before: &Baseline<'_>,
        after: &StackSnapshot<'_>,
        difference: Difference,
        taken: Vec<Taken>,
    ) -> Self {
        let mut known: Vec<String> = before.side.template().ids().map(str::to_owned).collect();
        let mut uncertain: Vec<Judgement> = Vec::new();
        for side in &before.perhaps {
            known.extend(side.template().ids().map(str::to_owned));
            let told = |id: &str| difference.judgements.iter().chain(&uncertain).any(|one| one.id == id);
            let more: Vec<_> =
                side.judge(after).into_iter().filter(|one| one.is_blocked() && !told(&one.id)).collect();
            uncertain.extend(more);
        }
        let because = before.because.clone();
        let code_is_known = before.side.has_code();
        Self { against: before.against, because, difference, uncertain, known, taken, code_is_known }
    }

    /// Whether a deployment would leave everything as it is: stack, code, and what plugins do.
    pub fn is_nothing(&self) -> bool {
        let Difference { archives, made, .. } = &self.difference;
        let same_tools = made.plugins.is_empty() && made.tools.iter().all(|tool| tool.tool != "framework");
        self.code_is_known
            && same_tools
            && archives.is_empty()
            && self.difference.is_empty()
            && self.uncertain.is_empty()
    }

    /// Lets resources go that hold data, by their logical ids.
    ///
    /// # Errors
    /// Usage, when an id is unknown.
    pub fn allow(&mut self, ids: &[String]) -> Result<()> {
        if let Some(unknown) = ids.iter().find(|id| !self.known.contains(id)) {
            let blocked = self.blocked().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ");
            let hint = if blocked.is_empty() {
                "this plan needs no --allow-delete: it deletes and replaces no stateful resource".to_owned()
            } else {
                format!("--allow-delete takes a logical id of this plan's blocked resources: {blocked}")
            };
            return Err(Error::usage(format!("there is no resource '{unknown}' to be deleted")).hint(hint));
        }
        for one in self.difference.judgements.iter_mut().chain(&mut self.uncertain) {
            if one.is_blocked() && ids.contains(&one.id) {
                one.verdict = Verdict::Allowed;
            }
        }
        Ok(())
    }

    /// The resources that must not be taken away.
    pub fn blocked(&self) -> impl Iterator<Item = &Judgement> {
        self.difference.blocked().chain(self.uncertain.iter().filter(|one| one.is_blocked()))
    }

    /// Whether `id` is the logical id of something that is there.
    pub fn knows(&self, id: &str) -> bool {
        self.known.iter().any(|known| known == id)
    }

    /// The logical ids of those that were allowed to be taken away.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let all = self.difference.judgements.iter().chain(&self.uncertain);
        all.filter(|one| one.verdict == Verdict::Allowed).map(|one| one.id.as_str())
    }

    /// Refuses to go on where something is blocked.
    pub fn check(&self, action: Action) -> Result<()> {
        let blocked: Vec<&Judgement> = self.blocked().collect();
        if blocked.is_empty() {
            return Ok(());
        }
        let what = if action == Action::Deploy { "this deploy" } else { "this rollback" };
        let deletes = |one: &&Judgement| matches!(one.fate, Fate::Deleted | Fate::MayBeDeleted);
        let verb = match blocked.iter().filter(|one| deletes(one)).count() {
            0 => "replace",
            all if all == blocked.len() => "delete",
            _ => "delete or replace",
        };
        let resources = count(blocked.len(), "stateful resource");
        // All that have to be named, those that were named already among them: the hint is to be pasted.
        let all = self.difference.judgements.iter().chain(&self.uncertain);
        let all = all.filter(|one| matches!(one.verdict, Verdict::Blocked | Verdict::Allowed));
        let options =
            all.map(|one| format!("--allow-delete {}", quoted(&one.id))).collect::<Vec<_>>().join(" ");
        let them = if blocked.len() == 1 { "it" } else { "them" };
        let holds = blocked.iter().map(|one| format!("{} ({})", one.id, one.holds.unwrap_or("data")));
        Err(Error::refused(format!("{what} would {verb} {resources}"))
            .hint(format!("lost with {them}: {}", holds.collect::<Vec<_>>().join(", ")))
            .hint(format!("back {them} up first; this option then deletes {them} with all data: {options}")))
    }
}

/// Adds what can't be compared to the warnings, unless the error is one to stop at.
pub(in crate::deploy) fn or_warning<T>(
    result: Result<Option<T>>,
    warnings: &mut Vec<String>,
) -> Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind, Kind::Interrupted | Kind::Bug) => Err(error),
        Err(error) => {
            warnings.push(format!(
                "what would be deleted or replaced is unknown, since what is live can't be compared: {error}"
            ));
            Ok(None)
        }
        known => known,
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = self.because.as_ref().map(|because| format!(" ({because})")).unwrap_or_default();
        let against = format!("against {}{because}", self.against);
        writeln!(f, "{BOLD}Plan{BOLD:#}      {DIM}{}{DIM:#}", line(&against))?;
        write_lines(f, &self.difference.lines(), 2)?;
        for Judgement { id, kind, fate, verdict, .. } in &self.uncertain {
            let (style, verdict) = match verdict {
                Verdict::Allowed => (WARNING, "allowed"),
                _ => (ERROR, "blocked"),
            };
            let (id, kind) = (line(id), line(kind));
            writeln!(
                f,
                "  {style}!{style:#} {id}  {kind}  {style}{fate}{style:#}, if the later deployment went through  {style}{verdict}{style:#}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
