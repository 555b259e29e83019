//! The schemas in `docs/schemas`: one a command, each of them used, and fit for whoever writes a script. That what is printed fits
//! them is looked at wherever a test runs the program (`tests/support/schemas.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use git_slsart::cli::Cli;
use serde_json::{Map, Value};
use snapbox::str;

use crate::history::with_ssh_key;
use crate::sandbox::Sandbox;
use crate::schemas;

/// Lines that have the commands print their objects, in an order that makes sense.
const LINES: &[(&str, &str)] = &[
    ("init", "init"),
    ("hooks-status", "hooks"),
    ("hooks-install", "hooks install"),
    ("hooks-uninstall", "hooks uninstall -n"),
    ("package", "package v1 -s prod"),
    ("record", "record ../dist"),
    ("log", "log"),
    ("show", "show"),
    ("diff", "diff v1"),
    ("verify", "verify"),
    ("migrate", "migrate --to git"),
    ("sign", "sign"),
    ("extract", "extract HEAD -o ../out"),
    ("check", "check -s prod"),
    ("deploy", "deploy v1 -s prod --yes"),
    ("deploy", "deploy -s prod --yes"),
    ("rollback", "rollback -s prod -n"),
    ("rollback", "rollback -s prod --yes"),
    ("history", "history"),
    ("ban", "ban HEAD -m broken"),
    ("unban", "unban HEAD"),
    ("pin", "pin HEAD -m release"),
    ("unpin", "unpin HEAD"),
    ("prune", "prune --keep-last 1 -n"),
    ("export", "export HEAD ../orders.slsart"),
    ("import", "import ../orders.slsart"),
    ("unlock", "unlock -s prod -n"),
    ("status", "status"),
    ("jobs-list", "jobs list"),
    ("jobs-stop", "jobs stop"),
    ("toolchain-save", "toolchain save v1"),
    ("toolchain-list", "toolchain list"),
    ("toolchain-drop", "toolchain drop --although-deployed --yes"),
    ("push", "push"),
    ("fetch", "fetch"),
    ("secrets-list", "secrets list --all"),
    ("secrets-scan", "secrets scan v1"),
    ("secrets-allow", "secrets allow v1"),
    ("secrets-encrypt", "secrets encrypt v1 -n"),
    ("uninstall", "uninstall"),
];

/// Where commands print theirs that need AWS, or something else that takes more than a line.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("jobs-log", "tests/cli/jobs.rs", "jobs log HEAD --json"),
    ("live", "tests/e2e/live.rs", "live -s prod --json"),
];

/// What these print is no object.
const WITHOUT: &[&str] = &["completions", "hook", "man"];

/// What is no command's own.
const SHARED: &[&str] = &["definitions", "error", "warning"];

/// The definitions that others add properties to: whoever refers to them says that there are no more.
const PARTS: &[&str] =
    &["ban", "difference", "job", "one_done", "one_plan", "parcel", "pin", "plugin", "secrets", "signature"];

#[test]
fn every_command_prints_one_object_that_has_a_schema() {
    let commands = commands();
    let printed: BTreeSet<String> = LINES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let elsewhere = ELSEWHERE.iter().map(|(name, ..)| (*name).to_owned());
    let known: BTreeSet<String> = printed.into_iter().chain(elsewhere).collect();
    assert_eq!(commands, known, "each command has a line here");
    let shared = SHARED.iter().map(|name| (*name).to_owned());
    let wanted: BTreeSet<String> = commands.into_iter().chain(shared).collect();
    assert_eq!(names(), wanted, "each command has a schema, and nothing else has");

    let sandbox = Sandbox::new();
    sandbox.git("tag v1");
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.change("Answer two");
    sandbox.build("dist", "prod");
    with_ssh_key(&sandbox);
    sandbox.git("config commit.gpgSign false");
    for (name, line) in LINES {
        let id = if *name == "toolchain-drop" {
            let list = sandbox.slsart("toolchain list --json").json();
            list["toolchains"][0]["id"].as_str().unwrap().to_owned()
        } else {
            String::new()
        };
        let outcome = sandbox.slsart(&format!("{line} {id} --json"));
        let expected = i32::from(*name == "check");
        assert_eq!(outcome.code, expected, "{line}: {outcome}");
        schemas::check(name, &outcome.json());
    }
    for (_, file, line) in ELSEWHERE {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(line), "{file} does not run {line}");
    }
}

#[test]
fn what_is_no_object_has_no_json() {
    let sandbox = Sandbox::new();
    sandbox.slsart("completions bash --json").is(str![[r#"
── stderr ──
{
  "error": {
    "kind": "usage",
    "message": "the output of this command can't be printed as JSON",
    "causes": [],
    "hints": [
      "leave out --json"
    ],
    "exit_code": 2
  }
}
── exit 2 ──

"#]]);
    for line in ["man", "hook post-commit", "init --print", "hooks install --print"] {
        let outcome = sandbox.slsart(&format!("{line} --json"));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{line}: {outcome}");
    }
}

#[test]
fn the_schemas_are_schemas_and_say_what_each_property_means() {
    for name in names() {
        let schema = read(&name);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        if let Err(error) = jsonschema::meta::validate(&schema) {
            panic!("{name}: {error}");
        }
        assert!(schema["title"].is_string(), "{name} has no title");
        look(&schema, &name);
    }
}

#[test]
fn the_document_names_every_schema() {
    let text = fs::read_to_string(schemas::directory().join("../json.md")).unwrap();
    for name in names() {
        assert!(text.contains(&format!("(schemas/{name}.json)")), "docs/json.md does not name {name}.json");
    }
}

/// The commands that print an object, as schemas are named.
fn commands() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let below = command.get_subcommands().map(|below| format!("{name}-{}", below.get_name()));
        let below: Vec<String> = below.collect();
        all.extend(if below.is_empty() { vec![name.to_owned()] } else { below });
    }
    let is_without =
        |name: &str| WITHOUT.iter().any(|one| name == *one || name.starts_with(&format!("{one}-")));
    all.retain(|name| !is_without(name));
    all
}

/// The schemas that there are.
fn names() -> BTreeSet<String> {
    let files = fs::read_dir(schemas::directory()).unwrap();
    files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(schemas::directory().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Looks at a schema and all in it: every property is described, every object says that it has no other.
fn look(schema: &Value, place: &str) {
    let Some(keys) = schema.as_object() else { return };
    let map = |key: &str| keys.get(key).and_then(Value::as_object).into_iter().flatten();
    if keys.contains_key("properties") || refers_to_part(keys) {
        let is_part = PARTS.iter().any(|part| place == format!("definitions.{part}"));
        let closed = keys.get("unevaluatedProperties") == Some(&Value::Bool(false));
        assert!(closed != is_part, "{place}: a property that is not described is let pass");
    }
    let required = keys.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    for (name, property) in map("properties") {
        assert!(is_described(property), "{place}.{name} is not described");
        let is_required = required.contains(&name.as_str());
        assert!(is_required != says_when_absent(property), "{place}.{name}: when is it absent?");
    }
    for (name, below) in map("properties").chain(map("$defs")) {
        look(below, &format!("{place}.{name}"));
    }
    let alternatives = keys.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    for below in keys.get("items").into_iter().chain(alternatives) {
        look(below, place);
    }
}

fn refers_to_part(keys: &Map<String, Value>) -> bool {
    let part = keys.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
    part.is_some_and(|part| PARTS.contains(&part))
}

/// A property that is not required says when it is not there.
fn says_when_absent(property: &Value) -> bool {
    let text = property["description"].as_str().unwrap_or_default();
    ["Absent", "Only with", "Only where"].iter().any(|word| text.contains(word))
}

/// In its own words, or in those of the definition that it refers to.
fn is_described(property: &Value) -> bool {
    let defined = || {
        let name = property["$ref"].as_str()?.strip_prefix("definitions.json#/$defs/")?;
        Some(read("definitions")["$defs"].get(name)?["description"].is_string())
    };
    property["description"].is_string() || defined().unwrap_or(false)
}
