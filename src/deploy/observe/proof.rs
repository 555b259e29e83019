//! The proof after a deployment: does what is live in AWS fit what was recorded? AWS is asked once, then the comparison is pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::aws::{Aws, AwsError, LambdaFunction};
use crate::deploy::observe::expected::{Expected, ExpectedCode, ExpectedFunction, digest};
use crate::deploy::observe::session;
use crate::diff::template::Template;
use crate::error::{Error, Result};
use crate::package::manifest::Target;
use crate::packaging::checkout::Stopwatch;
use crate::progress::Progress;
use crate::service::{Bucket, LayerUse, objects};
use crate::store::StoredPackage;
use crate::store::deployments::{Deployment, Phase};
use crate::store::proof::{Proof, ProofVerdict};
use crate::text::style::BOLD;
use crate::text::words::count;
use crate::workspace::Workspace;

/// The phase in which AWS is asked what is live.
const PHASE: &str = "proof";

/// What a deployment is held against.
pub(in crate::deploy) struct Expectation {
    expected: Expected,
    /// The template that the framework hands to AWS.
    template: Value,
}

/// What AWS has.
#[derive(Debug, Default)]
struct Seen {
    account: Option<String>,
    /// The functions, in the order of the expected ones.
    functions: Vec<Option<LambdaFunction>>,
    /// Logical id → name in AWS.
    names: BTreeMap<String, String>,
    /// A layer version's ARN → the hash of its content, in base64.
    layers: BTreeMap<String, Option<String>>,
    /// The stack's template; none where it is no JSON.
    template: Option<Value>,
    /// The objects that it names, and whether they are there.
    objects: Vec<(String, bool)>,
    /// What could not be looked at.
    notes: Vec<String>,
}

impl Expectation {
    /// What `package` claims; `template`: that of its copy.
    pub(in crate::deploy) fn of(package: &StoredPackage<'_>, template: Value) -> Result<Self> {
        Ok(Self { expected: Expected::of(package)?, template })
    }

    /// The stack that is deployed to, and the profile that the config names.
    pub(in crate::deploy) fn place(&self) -> (&str, Option<&str>) {
        (&self.expected.stack, self.expected.profile.as_deref())
    }

    /// Whether it holds; `None` where the user does not want AWS to be asked. That AWS gives no answer is no error: the deployment
    /// has succeeded, and only the proof is missing.
    pub(in crate::deploy) fn prove(&self, workspace: &Workspace<'_>, target: &Target) -> Option<Proof> {
        let aws = match session::connect(workspace.context, target, self.expected.profile.as_deref()) {
            Err(AwsError::Off) => return None,
            other => other,
        };
        workspace.progress.phase("Comparing what is live");
        let seen = aws.and_then(|aws| look(&aws, &self.expected));
        match seen {
            Ok(seen) => Some(compare(&self.expected, &self.template, &seen)),
            Err(error) => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Some(Proof::unproven(format!("{error}{hint}")))
            }
        }
    }
}

/// Looks in AWS whether the claim holds, and writes down what was found.
pub(in crate::deploy) fn proven(
    workspace: &Workspace<'_>,
    claim: &Expectation,
    record: &mut Deployment,
) -> Result<()> {
    let mut timed = Stopwatch::start();
    let Some(proof) = claim.prove(workspace, &record.target) else { return Ok(()) };
    record.phases.push(Phase { name: PHASE.to_owned(), milliseconds: timed.lap() });
    tell(&proof, workspace.progress);
    let outcome = refuse(&proof, &record.target);
    record.proof = Some(proof);
    let live = || format!("to see what is live: {}", workspace.slsart(&["live"], &record.target));
    outcome.map_err(|error| error.hint(live()))
}

/// Tells what is no contradiction, and yet not what one expects.
fn tell(proof: &Proof, progress: &dyn Progress) {
    if proof.verdict == ProofVerdict::Unproven {
        progress.warn(&format!("not proven: {}", proof.problems.join("; ")));
    }
    proof.notes.iter().for_each(|note| progress.warn(note));
}

/// Writes the line of a report that says what was proven.
pub(in crate::deploy) fn write(proof: &Proof, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match sentence(proof) {
        Some(sentence) => writeln!(f, "{BOLD}Proof{BOLD:#}     {sentence}"),
        None => Ok(()),
    }
}

/// What was proven; `None` where nothing was.
pub(in crate::deploy) fn sentence(proof: &Proof) -> Option<String> {
    if proof.verdict != ProofVerdict::Proven {
        return None;
    }
    let Proof { functions, as_recorded, layers, .. } = proof;
    let functions = format!("{as_recorded} of {}", count(*functions, "function"));
    let layers = if *layers > 0 { format!(", {}", count(*layers, "layer")) } else { String::new() };
    let verb = if proof.functions == 1 { "runs" } else { "run" };
    Some(match (proof.functions, proof.layers) {
        (0, 0) => "the live template is the recorded one; there are no functions".to_owned(),
        (0, all) => format!("{} as recorded", count(all, "layer")),
        (all, _) => {
            let what = match proof.images {
                0 => "code (CodeSha256)",
                images if images == all => "image (digest)",
                _ => "code (CodeSha256, image digest)",
            };
            format!("{functions} {verb} the recorded {what}{layers}")
        }
    })
}

/// The error of a proof that failed; nothing for any other.
fn refuse(proof: &Proof, target: &Target) -> Result<()> {
    if proof.verdict != ProofVerdict::Mismatch {
        return Ok(());
    }
    let message = format!("what is live on {target} differs from the package: {}", proof.problems.join("; "));
    Err(Error::integrity(message).hint("something changed it after the framework, perhaps a plugin"))
}

fn look(aws: &Aws, expected: &Expected) -> Result<Seen, AwsError> {
    let stack = &expected.stack;
    let names: BTreeMap<String, String> = aws
        .resources(stack)?
        .into_iter()
        .filter_map(|resource| Some((resource.logical, resource.physical?)))
        .collect();
    let wanted: Vec<String> = expected.functions.iter().map(|known| name_of(known, &names)).collect();
    let mut notes = Vec::new();
    let template = readable(aws.template(stack), &mut notes)?.flatten();
    let template: Option<Value> = template.and_then(|template| serde_json::from_str(&template).ok());
    let arns: Vec<String> =
        expected.layers.keys().filter_map(|logical| names.get(logical)).cloned().collect();
    let objects: BTreeSet<(String, String)> = template
        .iter()
        .flat_map(objects)
        .filter_map(|(bucket, key)| match bucket {
            Bucket::Named(name) => Some((name, key)),
            Bucket::Own(logical) => Some((names.get(&logical)?.clone(), key)),
        })
        .collect();
    let objects: Vec<_> = objects.into_iter().collect();
    let there = readable(aws.have_objects(&objects), &mut notes)?.unwrap_or_default();
    Ok(Seen {
        account: Some(aws.account()?),
        functions: aws.functions(&wanted)?,
        layers: arns.iter().cloned().zip(aws.layers(&arns)?).collect(),
        template,
        objects: objects.into_iter().map(|(_, key)| key).zip(there).collect(),
        names,
        notes,
    })
}

/// An answer that the proof can do without: where these credentials may not have it, that is noted.
fn readable<T>(answer: Result<T, AwsError>, notes: &mut Vec<String>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(error @ AwsError::Forbidden { .. }) => {
            notes.push(format!("not compared: {error}"));
            Ok(None)
        }
        answer => answer.map(Some),
    }
}

/// A function's name in Lambda: as the package says, else as AWS gave it.
pub(in crate::deploy) fn name_of(known: &ExpectedFunction, names: &BTreeMap<String, String>) -> String {
    let given = known.function.logical.as_ref().and_then(|logical| names.get(logical));
    let name = known.function.deployed_name.as_ref().or(given);
    name.unwrap_or(&known.function.name).clone()
}

fn compare(expected: &Expected, template: &Value, seen: &Seen) -> Proof {
    let mut proof = Proof {
        account: seen.account.clone(),
        layers: expected.layers.len(),
        objects: seen.objects.len(),
        notes: seen.notes.clone(),
        ..Proof::default()
    };
    for (known, live) in expected.functions.iter().zip(&seen.functions) {
        let name = &known.function.name;
        proof.images += usize::from(matches!(known.code, ExpectedCode::Image(_)));
        match function_problem(known, live.as_ref(), seen) {
            None if known.code == ExpectedCode::Unknown => {
                proof
                    .notes
                    .push(format!("function {name}: its code is not in the package, and was not compared"));
            }
            None => {
                proof.functions += 1;
                proof.as_recorded += 1;
            }
            Some(problem) => {
                proof.functions += 1;
                proof.problems.push(format!("function {name} {problem}"));
            }
        }
    }
    for (logical, hash) in &expected.layers {
        let live = seen.names.get(logical).and_then(|arn| seen.layers.get(arn)).and_then(Option::as_deref);
        if live != Some(hash.to_base64().as_str()) {
            proof.problems.push(format!("layer {logical} does not hold the recorded content"));
        }
    }
    let missing = seen.objects.iter().filter(|(_, there)| !there);
    proof.problems.extend(missing.map(|(key, _)| format!("'{key}' is missing in S3")));
    match &seen.template {
        None if proof.notes.is_empty() => {
            proof.notes.push("the live template was not compared: it is no JSON".to_owned());
        }
        None => {}
        Some(live) => proof.notes.extend(template_note(template, live)),
    }
    // Where there is no code to compare, the template is all that there is.
    let unproven = match (&seen.template, expected.functions.is_empty()) {
        _ if proof.functions + proof.layers > 0 => None,
        (_, false) => Some("none of the functions' code is in the package"),
        (Some(live), true) if expected.is_template(&Template::new(live)) => None,
        (_, true) => Some("there are no functions to compare, and the live template is not the recorded one"),
    };
    proof.verdict = match (proof.problems.is_empty(), unproven) {
        (false, _) => ProofVerdict::Mismatch,
        (true, Some(_)) => ProofVerdict::Unproven,
        (true, None) => ProofVerdict::Proven,
    };
    if proof.verdict == ProofVerdict::Unproven {
        proof.problems.extend(unproven.map(str::to_owned));
    }
    proof
}

/// What is wrong with a function; none where all is well, and where its code can't be compared.
fn function_problem(known: &ExpectedFunction, live: Option<&LambdaFunction>, seen: &Seen) -> Option<String> {
    let Some(live) = live else { return Some("does not exist".to_owned()) };
    match &known.code {
        ExpectedCode::Zip(hash) => {
            let hash = hash.to_base64();
            let runs = live.code_sha256.as_deref().unwrap_or("nothing");
            if runs != hash {
                return Some(format!("runs {runs}, and {hash} was recorded"));
            }
        }
        ExpectedCode::Image(wanted) => {
            let runs = live.image.as_deref().and_then(digest).unwrap_or("nothing");
            if runs != wanted {
                return Some(format!("runs the image {runs}, and {wanted} was recorded"));
            }
        }
        ExpectedCode::Unknown => {}
    }
    known.function.layers.iter().find_map(|layer| {
        let arn = match layer {
            LayerUse::Own(logical) => seen.names.get(logical)?,
            LayerUse::Arn(arn) => arn,
            LayerUse::Computed => return None,
        };
        (!live.layers.contains(arn)).then(|| format!("does not use the layer {arn}"))
    })
}

/// Where the live template differs from the one that was handed to the framework. Plugins may change it while they deploy: a
/// difference is reported and does not fail the proof. An output that a plugin adds, as domain plugins do at every deploy, changes
/// nothing that runs: it is left out.
fn template_note(recorded: &Value, live: &Value) -> Option<String> {
    let mut places = Vec::new();
    let sections: BTreeSet<&String> =
        [recorded, live].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys).collect();
    for section in sections {
        let [one, other] = [&recorded[section], &live[section]];
        match (one.as_object(), other.as_object()) {
            (Some(mine), Some(theirs)) => {
                let names: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
                let is_added = |name: &String| section == "Outputs" && !mine.contains_key(name);
                let differs =
                    names.into_iter().filter(|name| mine.get(*name) != theirs.get(*name) && !is_added(name));
                places.extend(differs.map(|name| format!("{section}.{name}")));
            }
            _ if one == other || (section == "Outputs" && one.is_null()) => {}
            _ => places.push(section.clone()),
        }
    }
    let more = places.len().saturating_sub(5);
    places.truncate(5);
    if more > 0 {
        places.push(format!("{more} more"));
    }
    let list = places.join(", ");
    (!places.is_empty()).then(|| {
        format!(
            "the live template differs from the recorded one in {list}: a plugin changed it while deploying"
        )
    })
}

#[cfg(test)]
mod tests;
