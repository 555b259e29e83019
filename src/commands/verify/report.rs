//! What `verify` prints.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::commands::signature::{Signed, words};
use crate::git::Oid;
use crate::git::commit_signature::Signature;
use crate::package::manifest::Target;
use crate::store::{Damage, Presence};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, GOOD, WARNING};
use crate::text::words::{count, line as shown, short};

#[derive(Debug, Serialize)]
pub(super) struct VerificationReport {
    pub(super) packages: Vec<VerifiedPackage>,
    pub(super) intact: usize,
    pub(super) damaged: usize,
    /// The signatures of histories; only where they were asked for.
    pub(super) histories: Option<Vec<SignedHistory>>,
}

#[derive(Debug, Serialize)]
pub(super) struct VerifiedPackage {
    pub(super) commit: String,
    pub(super) package: String,
    pub(super) target: Target,
    pub(super) damages: Vec<Damage>,
    /// Why this program can't judge it.
    pub(super) problem: Option<String>,
    /// Files that are encrypted, and could not be compared for want of a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locked: Vec<String>,
    pub(super) remote: Option<RemoteCopy>,
    /// Its signature, where that was asked for and it can be read.
    pub(super) signature: Option<Signature>,
    #[serde(skip)]
    pub(super) object: Option<Oid>,
}

#[derive(Debug, Serialize)]
pub(super) struct RemoteCopy {
    pub(super) name: String,
    pub(super) has: Presence,
    pub(super) damages: Vec<Damage>,
    #[serde(rename = "ref")]
    pub(super) name_of_ref: String,
}

#[derive(Debug, Serialize)]
pub(super) struct SignedHistory {
    pub(super) target: Target,
    /// Of its records, newest first.
    pub(super) signatures: Vec<Signed>,
}

pub(super) fn are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

impl fmt::Display for VerificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for VerifiedPackage {
            commit, package, target, damages, problem, locked, remote, signature, ..
        } in &self.packages
        {
            let (style, word) = match problem {
                Some(_) => (WARNING, "? unread "),
                None if damages.is_empty() && !locked.is_empty() => (WARNING, "? locked "),
                None if damages.is_empty() => (GOOD, "✓ intact "),
                None => (ERROR, "✗ damaged"),
            };
            let place = match remote {
                Some(RemoteCopy { name, has: Presence::Absent, .. }) => {
                    format!("  {WARNING}not on {name}{WARNING:#}")
                }
                Some(RemoteCopy { name, has: Presence::OtherForm, .. }) => {
                    format!("  {WARNING}on {name} in another form{WARNING:#}")
                }
                Some(RemoteCopy { name, .. }) => format!("  on {name}"),
                None => String::new(),
            };
            writeln!(
                f,
                "{style}{word}{style:#}  {COMMIT}{}{COMMIT:#}  {BOLD}{}{BOLD:#}  {target}{place}",
                short(commit, 7),
                short(package, 8)
            )?;
            let of_remote = remote.iter().flat_map(|remote| &remote.damages);
            for problem in damages.iter().chain(of_remote).map(|damage| &damage.problem).chain(problem) {
                writeln!(f, "           {}", shown(problem))?;
            }
            if let Some(signature) = signature {
                writeln!(f, "           {}", words(signature))?;
            }
            if !locked.is_empty() {
                let files = shown(&locked.join(", ")).into_owned();
                writeln!(f, "           not compared, since none of your keys decrypts them: {files}")?;
            }
        }
        self.histories.iter().flatten().try_for_each(|history| write!(f, "{history}"))?;
        if self.packages.is_empty() { writeln!(f, "no packages here") } else { Ok(()) }
    }
}

impl fmt::Display for SignedHistory {
    /// A line for each kind of signature, with how many records have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for Signed { signature, .. } in &self.signatures {
            *kinds.entry(words(signature)).or_default() += 1;
        }
        writeln!(f, "{BOLD}history{BOLD:#}    {}", self.target)?;
        for (words, number) in kinds {
            writeln!(f, "           {words}  {DIM}{}{DIM:#}", count(number, "record"))?;
        }
        Ok(())
    }
}
