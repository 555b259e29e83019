//! A difference as lines of text: a sign, the subject, and its change. The sign says the same as the colour.

use std::fmt;

use super::code::CodeChange;
use super::functions::{FunctionChange, NameChanges, ValueChange};
use super::judge::{Fate, Judgement, Verdict};
use super::template::{Change, OutputChange, ResourceChange};
use super::{Difference, EventChange, ToolChange};
use crate::text::style::{DIM, ERROR, GOOD, WARNING};
use crate::text::words::{count, line};
use crate::toolchain::drift::{self, PluginChange};

/// The widest subject before the rest moves to the right.
const WIDEST: usize = 36;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Added,
    /// `-`
    Removed,
    /// `~`
    Changed,
    /// `=`
    Same,
}

impl From<Change> for Sign {
    fn from(change: Change) -> Self {
        match change {
            Change::Added => Self::Added,
            Change::Removed => Self::Removed,
            Change::Changed => Self::Changed,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sign: Sign,
    /// The subject: `function hello`.
    pub about: String,
    pub what: String,
    /// The resource's fate in words, and the verdict.
    pub fate: Option<(String, Verdict)>,
}

impl Line {
    fn new(sign: impl Into<Sign>, about: impl Into<String>, what: impl Into<String>) -> Self {
        let shown = |text: String| line(&text).into_owned();
        Self { sign: sign.into(), about: shown(about.into()), what: shown(what.into()), fate: None }
    }

    fn judged(mut self, judgement: Option<&Judgement>) -> Self {
        self.fate = judgement.and_then(fate);
        self
    }
}

/// A judgement worth showing. Deleting a resource without data is not: the sign says it.
fn fate(judgement: &Judgement) -> Option<(String, Verdict)> {
    let Judgement { fate, verdict, because, policy, .. } = judgement;
    if *fate == Fate::Deleted && matches!(verdict, Verdict::Harmless | Verdict::Unknown) {
        return None;
    }
    let why = if because.is_empty() { String::new() } else { format!(" ({})", because.join(", ")) };
    let text = match (policy, fate) {
        (Some(policy), Fate::Deleted) => format!("would leave the stack, kept by {policy}"),
        (Some(policy), Fate::MayBeDeleted) => format!("may leave the stack{why}, kept by {policy}"),
        (Some(policy), Fate::Replaced | Fate::MayBeReplaced) => {
            format!("{fate}{why}, the old one kept by {policy}")
        }
        (None, fate) => format!("{fate}{why}"),
    };
    Some((line(&text).into_owned(), *verdict))
}

impl Difference {
    /// The difference in lines, plugins and programs last.
    pub fn lines(&self) -> Vec<Line> {
        let judgement = |id: &str| self.judgements.iter().find(|one| one.id == id);
        let mut lines = Vec::new();
        let functions = self.functions.iter().map(|one| ("function", one));
        for (what, one) in functions.chain(self.layers.iter().map(|one| ("layer", one))) {
            lines.push(function(what, one).judged(judgement(&one.id)));
        }
        lines.extend(self.events.iter().map(event));
        lines.extend(self.resources.iter().map(|one| resource(one).judged(judgement(&one.id))));
        // Unchanged itself, but replaced with the resource that it refers to.
        let told = |id: &str| {
            let functions = self.functions.iter().chain(&self.layers);
            functions
                .map(|one| &one.id)
                .chain(self.resources.iter().map(|one| &one.id))
                .any(|other| other == id)
        };
        let others = self.judgements.iter().filter(|one| one.fate != Fate::Deleted && !told(&one.id));
        lines.extend(
            others
                .map(|one| Line::new(Sign::Changed, about(&one.kind, &one.id), &one.kind).judged(Some(one))),
        );
        lines.extend(self.outputs.iter().map(output));
        if self.unchanged > 0 || lines.is_empty() {
            let unchanged = format!("{} unchanged", count(self.unchanged, "resource"));
            lines.push(Line::new(Sign::Same, unchanged, ""));
        }
        lines.extend(self.plugin_lines());
        let NameChanges { added, removed, .. } = &self.made.variables;
        let variable = |sign| {
            move |name: &String| Line::new(sign, format!("variable {name}"), "the configuration refers to it")
        };
        lines.extend(added.iter().map(variable(Sign::Added)));
        lines.extend(removed.iter().map(variable(Sign::Removed)));
        lines
    }

    /// The packages' provenance, in lines.
    pub fn plugin_lines(&self) -> Vec<Line> {
        let tools = self.made.tools.iter().map(tool);
        self.made.plugins.iter().map(plugin).chain(tools).collect()
    }
}

fn function(what: &str, one: &FunctionChange) -> Line {
    let mut parts: Vec<String> = one.code.iter().map(code).collect();
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".to_owned());
    let setting = |(name, ValueChange { before, after }): (&&str, &ValueChange)| {
        format!("{name} {} → {}", value(before), value(after))
    };
    parts.extend(one.settings.iter().map(setting));
    if !one.environment.is_empty() {
        parts.push(format!("environment {}", names(&one.environment)));
    }
    parts.extend(tops(&one.properties));
    Line::new(one.change, format!("{what} {}", one.name), parts.join(", "))
}

fn code(code: &CodeChange) -> String {
    match code.file_count {
        None => "code can't be compared".to_owned(),
        Some(0) => "same code, packed differently".to_owned(),
        Some(files) => format!("code ({}, +{} −{})", count(files, "file"), code.added, code.removed),
    }
}

fn names(names: &NameChanges) -> String {
    let all = [("+", &names.added), ("−", &names.removed), ("~", &names.changed)];
    let all = all.into_iter().flat_map(|(sign, names)| names.iter().map(move |name| format!("{sign}{name}")));
    all.collect::<Vec<_>>().join(" ")
}

/// The first names of paths, each once.
fn tops(paths: &[String]) -> Vec<String> {
    let mut tops: Vec<String> =
        paths.iter().map(|path| path.split('/').next().unwrap_or_default().to_owned()).collect();
    tops.dedup();
    tops
}

fn event(one: &EventChange) -> Line {
    Line::new(one.change, format!("event {}", one.event), format!("of {}", one.function))
}

fn resource(one: &ResourceChange) -> Line {
    let changed = [tops(&one.properties), one.attributes.clone()].concat().join(", ");
    let changed = if changed.is_empty() { changed } else { format!("  {changed}") };
    Line::new(one.change, about(&one.kind, &one.id), format!("{}{changed}", one.kind))
}

fn output(one: &OutputChange) -> Line {
    let what = match (one.exported, one.change) {
        (true, Change::Removed | Change::Changed) => "other stacks can import it",
        _ => "",
    };
    Line::new(one.change, format!("output {}", one.id), what)
}

fn plugin(one: &PluginChange) -> Line {
    let version = |version: &Option<String>| version.clone().unwrap_or_default();
    let (sign, what) = match &one.change {
        drift::Change::Gone { version: was } => (Sign::Removed, version(was)),
        drift::Change::New { version: is } => (Sign::Added, version(is)),
        drift::Change::Version { before, now } => (Sign::Changed, format!("{before} → {now}")),
        drift::Change::Source => (Sign::Changed, "same version, other source".to_owned()),
        drift::Change::Files { .. } => (Sign::Changed, "same version, files differ".to_owned()),
    };
    Line::new(sign, format!("plugin {}", one.name), what)
}

fn tool(one: &ToolChange) -> Line {
    let what = format!("{} → {}", one.before, one.after);
    Line::new(Sign::Changed, one.tool.replace('_', " "), what)
}

/// `table CartTable` for a resource of type `AWS::DynamoDB::Table`.
fn about(kind: &str, id: &str) -> String {
    let name = kind.rsplit("::").next().unwrap_or_default();
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && !letters[at - 1].is_uppercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if at > 0 && letter.is_uppercase() && (after_lower || before_lower) {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    if words.is_empty() { format!("resource {id}") } else { format!("{words} {id}") }
}

pub fn write_lines(f: &mut fmt::Formatter<'_>, lines: &[Line], indent: usize) -> fmt::Result {
    let width = |line: &Line| line.about.chars().count();
    let widest =
        lines.iter().filter(|line| line.sign != Sign::Same).map(width).filter(|width| *width <= WIDEST);
    let column = widest.max().unwrap_or_default();
    for one in lines {
        let (sign, style) = match one.sign {
            Sign::Added => ('+', GOOD),
            Sign::Removed => ('-', ERROR),
            Sign::Changed => ('~', WARNING),
            Sign::Same => ('=', DIM),
        };
        let mut text = format!("{:column$}  {}", one.about, one.what);
        if let Some((fate, verdict)) = &one.fate {
            let (style, verdict) = match verdict {
                Verdict::Blocked => (ERROR, "  blocked"),
                Verdict::Allowed => (WARNING, "  allowed"),
                Verdict::Harmless | Verdict::Unknown | Verdict::Kept => (WARNING, ""),
            };
            text = format!("{text}  {style}{fate}{verdict}{style:#}");
        }
        writeln!(f, "{:indent$}{style}{sign}{style:#} {}", "", text.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_words() {
        for (kind, said) in [
            ("AWS::DynamoDB::Table", "table X"),
            ("AWS::Logs::LogGroup", "log group X"),
            ("AWS::RDS::DBInstance", "db instance X"),
            ("AWS::EFS::FileSystem", "file system X"),
            ("AWS::IAM::Role", "role X"),
            ("", "resource X"),
        ] {
            assert_eq!(about(kind, "X"), said);
        }
    }
}
