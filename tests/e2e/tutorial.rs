//! `docs/tutorial.md`, followed to the letter: its commands are run in their order, in an empty directory.

use std::fs;
use std::path::Path;

use crate::bed::Bed;
use crate::call::Call;
use crate::project::Project;

/// A command of the page.
struct Step {
    script: String,
    /// What the page shows of its output.
    shown: Vec<String>,
}

/// The blocks of shell in the page, a step each, and of each console block the lines after `$ `.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block = None;
    for line in page.lines() {
        match (line, block) {
            ("```", Some(_)) => block = None,
            ("```sh" | "```console", None) => {
                block = Some(line);
                if line == "```sh" {
                    steps.push(Step { script: String::new(), shown: Vec::new() });
                }
            }
            (_, Some("```sh")) => steps.last_mut().unwrap().script.push_str(&format!("{line}\n")),
            (_, Some(_)) => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { script: command.to_owned(), shown: Vec::new() }),
                None => steps.last_mut().unwrap().shown.push(line.to_owned()),
            },
            _ => {}
        }
    }
    steps
}

#[test]
fn the_tutorial_leads_to_its_own_rollback() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).unwrap();
    let machine = Project::machine("greeter");
    let mut directory = machine.beside("somewhere");
    fs::create_dir(&directory).unwrap();
    let steps = steps(&page);
    assert!(steps.iter().any(|step| step.script.starts_with("git slsart rollback")), "the page has commands");
    let mut live = Vec::new();
    for Step { script, shown } in steps {
        // What a reader types at a question.
        let yes = if shown.iter().any(|line| line.ends_with("[y/N] y")) { " --yes" } else { "" };
        let words = ["-ec".to_owned(), format!("{script}{yes}")];
        let outcome = Call::new("sh", &directory, machine.variables()).arguments(words).succeeds();
        for line in shown.iter().filter(|line| line.starts_with("next ") || line.starts_with("found ")) {
            assert!(outcome.stdout.contains(line.as_str()), "{script}: no {line:?} in {outcome}");
        }
        if let Some((_, into)) = script.split_once("&& cd ") {
            directory = directory.join(into);
        }
        if script.starts_with("git slsart deploy") || script.starts_with("git slsart rollback") {
            live.push(Bed::shared().functions("greeter-dev-"));
        }
    }
    let [first, broken, back] = live.as_slice() else { panic!("two deployments and a rollback: {live:?}") };
    assert_ne!(first, broken);
    assert_eq!(first, back);
}
