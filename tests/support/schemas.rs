//! All that the program prints with `--json` is held against the schemas in `docs/schemas`, and every command line that it prints
//! must be one that works, whichever test ran it and whatever that looks at.

#[path = "commands.rs"]
pub(crate) mod commands;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::{Deserializer, Value};

/// The global options that take a value in the next argument.
const WITH_VALUE: &[&str] = &["-C", "--color"];

/// The commands that print what is no message.
const AS_IT_IS: &[&str] = &["man-status", "completions-status"];

/// What a call of the program promises.
#[derive(Debug)]
pub(crate) struct Promise {
    /// The command's name, as schemas are named; `None` where the command line names none.
    command: Option<String>,
    /// Whether it asks for JSON.
    json: bool,
    /// Whether programs that it runs may print beside it.
    verbose: bool,
}

impl Promise {
    /// That of a command line; `None` where it is not the program's.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let mut words: Vec<&str> = command.get_args().filter_map(OsStr::to_str).collect();
        let program = Path::new(command.get_program()).file_name();
        if program == Some("git".as_ref()) && words.first() == Some(&"slsart") {
            words.remove(0);
        } else if program != Some("git-slsart".as_ref()) {
            return None;
        }
        words.truncate(words.iter().position(|word| *word == "--").unwrap_or(words.len()));
        let is_set = |names: &[&str]| words.iter().any(|word| names.contains(word));
        let verbose = is_set(&["-v", "--verbose"]);
        Some(Self { command: name_of(&words), json: is_set(&["--json"]), verbose })
    }

    /// Fails unless what a call printed keeps it.
    #[track_caller]
    pub(crate) fn hold(&self, code: Option<i32>, stdout: &str, stderr: &str) {
        commands::check(stderr);
        if !self.command.as_deref().is_some_and(|command| AS_IT_IS.contains(&command)) {
            commands::check(stdout);
        }
        if self.json {
            self.hold_json(code, stdout, stderr);
        }
    }

    #[track_caller]
    fn hold_json(&self, code: Option<i32>, stdout: &str, stderr: &str) {
        let Some(code) = code.filter(|code| *code <= 5 || [130, 255].contains(code)) else {
            return; // killed
        };
        if stdout.is_empty() {
            assert_ne!(code, 0, "a command that succeeds prints its object: {self:?}");
        } else {
            let name = self.command.as_deref().expect("a result is some command's");
            let object = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
            check(name, &object);
        }
        if self.verbose {
            return;
        }
        let said = Deserializer::from_str(stderr).into_iter::<Value>();
        let said: Vec<Value> = said
            .map(|object| object.unwrap_or_else(|error| panic!("{error}, on standard error: {stderr}")))
            .collect();
        let (errors, warnings): (Vec<_>, Vec<_>) =
            said.iter().partition(|object| object.get("error").is_some());
        for error in &errors {
            check("error", error);
        }
        for warning in warnings {
            check("warning", warning);
        }
        assert_eq!(errors.len(), usize::from(code != 0), "{stderr}");
        if let Some(error) = errors.first() {
            assert!(said.last() == Some(error) && error["error"]["exit_code"] == code, "{code}: {stderr}");
        }
    }
}

/// The directory of the schemas.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

/// Fails unless `object` is as a schema says.
#[track_caller]
pub(crate) fn check(name: &str, object: &Value) {
    let problems: Vec<String> = validator(name)
        .iter_errors(object)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "not as docs/schemas/{name}.json: {problems:#?}\n{object:#}");
}

/// The validator of a schema, which is read once. References lead to the files beside it, as they do for whoever uses it.
#[track_caller]
fn validator(name: &str) -> Arc<Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(validator) = known.get(name) {
        return validator.clone();
    }
    let path = directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = serde_json::from_str(&text).unwrap();
    let options = jsonschema::options()
        .should_validate_formats(true)
        .with_base_uri(format!("file:///docs/schemas/{name}.json"))
        .with_retriever(Beside);
    let validator = Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("{name}.json: {error}")));
    known.insert(name.to_owned(), validator.clone());
    validator
}

/// Gives the schemas that another refers to, wherever this repository is.
struct Beside;

impl Retrieve for Beside {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.path().as_str().rsplit('/').next().unwrap_or_default();
        Ok(serde_json::from_slice(&std::fs::read(directory().join(name))?)?)
    }
}

/// The words that are no option, joined as far as they name a command.
fn name_of(words: &[&str]) -> Option<String> {
    let mut rest = words.iter();
    let mut names = std::iter::from_fn(|| {
        loop {
            let word = rest.next()?;
            if WITH_VALUE.contains(word) {
                rest.next();
            } else if !word.starts_with('-') {
                return Some(*word);
            }
        }
    });
    let first = names.next()?;
    let second = names.next().map(|second| format!("{first}-{second}"));
    let is_known = |name: &String| directory().join(format!("{name}.json")).exists();
    // Without a word after it, a command that has several tells how things stand.
    let alone = Some(first.to_owned()).filter(is_known).unwrap_or_else(|| format!("{first}-status"));
    Some(second.filter(is_known).unwrap_or(alone))
}
