//! The command lines that the program prints for people to paste: whatever test makes it print one, it has to be one that the
//! program, or git, understands.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use git_slsart::cli::{self, Cli};
use git_slsart::text::command;
use serde_json::{Deserializer, Value};

/// The commands of this program.
static OWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    cli::command_line().get_subcommands().map(|command| command.get_name().to_owned()).collect()
});

/// The commands of git. git-lfs may be absent, and hints name it all the same.
static OF_GIT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "git itself knows best")]
    let output = Command::new("git").arg("--list-cmds=main,others,nohelpers").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines().chain(["lfs", "slsart"]).map(str::to_owned).collect()
});

/// Fails when something that was printed has a command line that does not work, or one that stands where it can't be told from
/// the words around it.
#[track_caller]
pub(crate) fn check(printed: &str) {
    let problems = problems(printed);
    assert!(problems.is_empty(), "to be pasted, and not understood: {problems:#?}\n{printed}");
}

/// What is wrong with the command lines in a text, or in the strings of JSON.
pub(crate) fn problems(printed: &str) -> Vec<String> {
    let objects: Result<Vec<Value>, _> = Deserializer::from_str(printed).into_iter().collect();
    let mut problems = Vec::new();
    match objects {
        Ok(objects) => objects.iter().for_each(|object| of_value(object, &mut problems)),
        Err(_) => printed.lines().for_each(|line| of_text(line, &mut problems)),
    }
    problems
}

fn of_value(value: &Value, problems: &mut Vec<String>) {
    match value {
        Value::String(text) => text.lines().for_each(|line| of_text(line, problems)),
        Value::Array(values) => values.iter().for_each(|value| of_value(value, problems)),
        Value::Object(properties) => properties.values().for_each(|value| of_value(value, problems)),
        _ => {}
    }
}

/// A line. What clap prints of a command's form is no command line.
fn of_text(line: &str, problems: &mut Vec<String>) {
    if line.trim_start().starts_with("Usage:")
        || line.contains("hint: Usage:")
        || line.ends_with(" <COMMAND>")
    {
        return;
    }
    let found = command::in_text(line);
    for (at, own) in line.match_indices("git slsart ") {
        let next = line[at + own.len()..].split(|c: char| !c.is_ascii_alphabetic()).next().unwrap();
        if OWN.contains(next) && !found.iter().any(|range| range.contains(&at)) {
            problems.push(format!("not where a command line stands: {line}"));
        }
    }
    // In a sentence a command may be named: `git slsart export`.
    let is_name = |at: usize, text: &str| line[..at].ends_with('`') && text.split(' ').count() <= 3;
    // Beside what is to be done, a line may begin with git: `git failed with exit code 1`.
    let is_to_do = line.trim_start().starts_with("next ") || line.contains("hint: ");
    let found = found.into_iter().filter(|range| {
        let text = &line[range.clone()];
        !is_name(range.start, text) && (is_to_do || text.starts_with("git slsart "))
    });
    problems.extend(found.filter_map(|range| problem(&line[range])));
}

/// What is wrong with a command line of git. A placeholder stands for a value: `COUNT` or `N` for a number.
pub(crate) fn problem(line: &str) -> Option<String> {
    let Some(words) = shlex::split(line) else { return Some(format!("can't be read by a shell: {line}")) };
    let words: Vec<&str> = words
        .iter()
        .map(|word| if ["COUNT", "N"].contains(&word.as_str()) { "1" } else { word.as_str() })
        .collect();
    if words == ["git", "slsart"] {
        return None;
    }
    if words.get(1) == Some(&"slsart") {
        let error = Cli::read(&words[1..]).err()?;
        return error.use_stderr().then(|| format!("{line}: {error}"));
    }
    let mut words = words[1..].iter();
    let mut next = words.next();
    while let Some(word) = next.filter(|word| word.starts_with('-')) {
        if ["-C", "-c"].contains(word) {
            words.next();
        }
        next = words.next();
    }
    let is_known = next.is_some_and(|command| OF_GIT.contains(*command));
    (!is_known).then(|| format!("not a command of git: {line}"))
}
