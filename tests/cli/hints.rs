//! Command lines in messages, help and docs: each is one that the program understands, and leads further when it is pasted as it
//! stands, in the directory where it was printed. What tests make the program print is checked wherever they do
//! (`tests/support/commands.rs`); here is what the source may print, and what the hints do.

use std::fs;
use std::path::{Path, PathBuf};

use git_slsart::cli;
use git_slsart::text::command;
use regex::Regex;
use walkdir::WalkDir;

use crate::sandbox::{Outcome, Sandbox};
use crate::schemas::commands;

/// The files below a directory of the project whose names end so.
fn files(directory: &str, end: &str) -> Vec<(PathBuf, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let files = WalkDir::new(top).into_iter().map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.to_str().unwrap().ends_with(end));
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn is_own(name: &str) -> bool {
    cli::command_line().find_subcommand(name).is_some()
}

/// What is wrong with the command lines in a source text.
fn in_source(text: &str) -> Vec<String> {
    let text = text.split("\n#[cfg(test)]").next().unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: String = text.lines().filter(is_code).map(|line| line.to_owned() + "\n").collect();
    let style = Regex::new(r"\{[A-Z]+(:#)?\}").unwrap();
    let code = style.replace_all(&code, "");
    let mut problems = Vec::new();
    for found in Regex::new("git slsart ([a-z]+)").unwrap().captures_iter(&code) {
        let whole = found.get(0).unwrap();
        if !is_own(&found[1]) {
            continue;
        }
        let (before, rest) = (&code[..whole.start()], &code[whole.start()..]);
        let end = if before.ends_with('`') { rest.find('`') } else { None };
        let end = end.or_else(|| {
            ["\"", "\n", "\\n", "; ", " && ", " | "].iter().filter_map(|end| rest.find(end)).min()
        });
        let line = &rest[..end.unwrap_or(rest.len())];
        if !["\"", "\n", ": ", "  ", "&& ", "| ", "`"].iter().any(|start| before.ends_with(start)) {
            problems.push(format!("not where a command line stands: {line}"));
        } else if line == whole.as_str() && before.ends_with('`') {
            // A command is named.
        } else if line.contains('{') {
            problems.push(format!("put together by hand, not by `text::command::slsart`: {line}"));
        } else {
            problems.extend(commands::problem(line));
        }
    }
    problems
}

#[test]
fn every_command_in_the_source_is_one() {
    let all = files("src", ".rs");
    assert!(all.len() > 100);
    let problems: Vec<_> = all
        .iter()
        .flat_map(|(path, text)| in_source(text).into_iter().map(move |problem| (path, problem)))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn wrong_commands_in_a_source_are_found() {
    let found = |text: &str| in_source(&format!("    let it = \"{text}\";")).len();
    assert_eq!(found("to see it: git slsart log --all; `git slsart show REF` shows one"), 0);
    for wrong in
        ["to see it: git slsart log --al", "see (git slsart log)", "make it: git slsart package {commit}"]
    {
        assert_eq!(found(wrong), 1, "{wrong}");
    }
}

#[test]
fn wrong_commands_that_are_printed_are_found() {
    assert!(commands::problems("hint: to see it: git slsart log -n COUNT\nhint: git fetch --all").is_empty());
    assert!(commands::problems("{\"hints\": [\"to see it: git slsart show 'a b'\"]}").is_empty());
    for wrong in [
        "hint: to see it: git slsart log --alle",
        "hint: to see it (git slsart log)",
        "{\"hints\": [\"to see it: git slsart show a --service\"]}",
        "hint: run it: git fetsch",
    ] {
        assert_eq!(commands::problems(wrong).len(), 1, "{wrong}");
    }
}

/// The texts of a command's help and of those below it.
fn help(command: &clap::Command) -> Vec<String> {
    let own = [command.get_about(), command.get_long_about(), command.get_after_long_help()];
    let of_arguments = command.get_arguments().flat_map(|arg| [arg.get_help(), arg.get_long_help()]);
    let mut all: Vec<_> = own.into_iter().chain(of_arguments).flatten().map(ToString::to_string).collect();
    all.extend(command.get_subcommands().flat_map(help));
    all
}

#[test]
fn every_command_in_the_help_is_one() {
    let problems: Vec<_> =
        help(&cli::command_line()).iter().flat_map(|text| commands::problems(text)).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The command lines of a page, in blocks and in sentences. What stands for a form (`[REF]`, `…`) is none.
fn in_page(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut all = Vec::new();
    for (index, part) in text.split("\n```").enumerate() {
        if index % 2 == 1 {
            let lines = part.lines().map(|line| line.trim_start().trim_start_matches("$ "));
            let lines = lines.filter(|line| line.starts_with("git slsart "));
            all.extend(lines.map(|line| line[..cut(line)].to_owned()));
        } else {
            // In a sentence a command may be named by its first words.
            let spans = part.split('`').skip(1).step_by(2);
            let spans = spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "));
            let spans = spans.filter(|span| span.starts_with("git slsart ") && span.split(' ').count() > 3);
            all.extend(spans.map(|span| span[..cut(&span)].to_owned()));
        }
    }
    all.retain(|line| !line.contains(['[', '<', '…', '|']));
    all
}

fn cut(line: &str) -> usize {
    [" | ", " && ", " >", " || ", "; "].iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len())
}

#[test]
fn every_command_in_the_docs_is_one() {
    let pages = files("docs", ".md").into_iter().chain(files("README.md", ".md"));
    let commands: Vec<_> = pages
        .flat_map(|(path, text)| in_page(&text).into_iter().map(move |line| (path.clone(), line)))
        .collect();
    assert!(commands.len() > 50);
    let problems: Vec<_> =
        commands.iter().filter_map(|(path, line)| Some((path, commands::problem(line)?))).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The command lines of this program that a call printed, without placeholders.
fn offered(outcome: &Outcome) -> Vec<String> {
    let printed = format!("{}{}", outcome.stdout, outcome.stderr);
    let found = command::in_text(&printed).into_iter().map(|range| printed[range].to_owned());
    found.filter(|line| line.starts_with("git slsart ") && !line.contains(" REF")).collect()
}

impl Sandbox {
    /// Types a command line in a directory.
    pub(crate) fn type_in(&self, directory: &str, line: &str) -> Outcome {
        self.shell(&format!("cd '{directory}'; {line}"))
    }

    /// Types a command line in a directory, and what it offers last: that must get further.
    #[track_caller]
    fn is_led_on(&self, directory: &str, line: &str) -> Outcome {
        let before = self.type_in(directory, line);
        let offered = offered(&before).pop().unwrap_or_else(|| panic!("nothing is offered: {before}"));
        let after = self.type_in(directory, &offered);
        let is_refused = [2, 5].contains(&after.code);
        assert!(!is_refused && after.stderr != before.stderr, "{before}\n{offered}\n{after}");
        after
    }
}

/// Two services, of which only `a` has a package, for dev.
fn two_services() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.path("serverless.yml")).unwrap();
    for name in ["a", "b"] {
        sandbox.write(&format!("services/{name}/handler.js"), "exports.hello = async () => 1;\n");
        sandbox.write(
            &format!("services/{name}/serverless.yml"),
            format!("service: {name}\nprovider: {{name: aws}}\n"),
        );
    }
    sandbox.commit("Two services");
    sandbox.build_of("build-a", "a", "dev", "us-east-1");
    sandbox.slsart("record -q ../build-a --service services/a").succeeded();
    sandbox
}

#[test]
fn a_package_that_is_missing_is_made_by_the_hint_in_a_monorepo() {
    let sandbox = two_services();
    sandbox.is_led_on("services/b", "git slsart show HEAD --service services/b -s dev").succeeded();
    sandbox.is_led_on(".", "git slsart show HEAD --service a -s qa").succeeded();
    sandbox.is_led_on("..", "git slsart -C repo show HEAD --service b -s prod").succeeded();
}

#[test]
fn a_service_is_packaged_from_where_it_stood_in_that_commit() {
    let sandbox = two_services();
    sandbox.git("mv services/a moved");
    sandbox.commit("Move it");
    sandbox.is_led_on(".", "git slsart show HEAD~1 --service moved -s qa").succeeded();
    let mistyped = sandbox.slsart("show HEAD --service ordres");
    assert!(
        !mistyped.stderr.contains("package HEAD") && !mistyped.stderr.contains("--service ordres"),
        "{mistyped}"
    );
}

#[test]
fn nothing_is_offered_to_package_where_no_service_is_committed() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.path("serverless.yml")).unwrap();
    sandbox.commit("Without a service");
    for line in ["log", "status", "show HEAD"] {
        let outcome = sandbox.slsart(line);
        assert!(offered(&outcome).iter().all(|line| !line.contains(" package")), "{outcome}");
    }
}

#[test]
fn a_fresh_clone_is_led_to_the_packages_of_its_remote() {
    let sandbox = Sandbox::recorded();
    sandbox.shell("git init -q --bare ../origin.git; git push -q ../origin.git main").succeeded();
    sandbox.shell("git remote add origin ../origin.git").succeeded();
    sandbox.slsart("push -q").succeeded();
    sandbox.shell("git clone -q -b main ../origin.git ../clone").succeeded();
    for line in ["log", "status"] {
        let outcome = sandbox.type_in("../clone", &format!("git slsart {line}"));
        let offered = offered(&outcome);
        assert!(
            !offered.is_empty() && offered.iter().all(|line| line == "git slsart fetch origin"),
            "{outcome}"
        );
    }
    sandbox.is_led_on("../clone", "git slsart log").succeeded();
    assert!(sandbox.type_in("../clone", "git slsart log").stdout.contains("be694c54"));
}

#[test]
fn only_a_shallow_clone_is_to_be_made_whole() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Another");
    sandbox.shell("git clone -q --depth 1 file://$PWD ../shallow").succeeded();
    for revision in ["v9", "''", "HEAD~1..HEAD"] {
        let outcome = sandbox.slsart(&format!("show {revision}"));
        assert!(outcome.code != 0 && !outcome.stderr.contains("unshallow"), "{outcome}");
    }
    let outcome = sandbox.type_in("../shallow", "git slsart show HEAD~1");
    assert!(
        outcome
            .stderr
            .contains("\nhint: this clone is shallow and may lack the commit: git fetch --unshallow\n")
    );
}

#[test]
fn a_commit_that_a_job_packages_is_followed_and_not_packaged_twice() {
    let sandbox = Sandbox::installed();
    sandbox.slsart("init -q").succeeded();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"package\"\nstages = [\"prod\"]\n");
    sandbox.git("add --all");
    let mut commit = sandbox.command("git");
    sandbox.outcome(commit.args(["commit", "-qm", "Hang"]).env("STAND_IN", "hang")).succeeded();
    sandbox.wait_until_hanging();
    let short = sandbox.git("rev-parse --short=7 HEAD");
    let outcome = sandbox.slsart("show HEAD -s prod");
    assert_eq!(offered(&outcome), [format!("git slsart jobs log {short} --follow")], "{outcome}");
    sandbox.slsart("jobs stop").succeeded();
    let outcome = sandbox.slsart("show HEAD -s prod");
    assert_eq!(offered(&outcome), ["git slsart package -s prod"], "{outcome}");
}

#[test]
fn a_worktree_that_is_gone_is_in_no_hint() {
    let sandbox = Sandbox::new();
    // The checkout's own git fails: a filter that the commit's attributes ask for.
    sandbox.write(".gitattributes", "handler.js filter=broken\n");
    sandbox.commit("Filter");
    sandbox.git("config filter.broken.smudge false");
    sandbox.git("config filter.broken.required true");
    let outcome = sandbox.slsart("package -s prod");
    assert!(outcome.code == 3 && !outcome.stderr.contains("hint: to try it by hand"), "{outcome}");
}

#[test]
fn help_is_a_command_and_the_one_that_errors_name_is_not_gits_own() {
    let sandbox = Sandbox::new();
    let help = |words: &str| sandbox.slsart(words).succeeded().stdout;
    assert_eq!(help("help"), help("--help"));
    assert_eq!(help("help deploy"), help("deploy --help"));
    let wrong = sandbox.slsart("deploi");
    assert_eq!(wrong.code, 2, "{wrong}");
    assert!(wrong.stderr.contains("'-h'") && !wrong.stderr.contains("--help"), "{wrong}");
}

#[test]
fn a_fresh_clone_is_sent_to_its_remote() {
    let sandbox = Sandbox::new();
    sandbox.git("clone --quiet . ../clone");
    for command in
        ["live", "live -s prod", "log -s prod", "status -s prod", "rollback -s prod --yes --no-lock"]
    {
        let said = sandbox.slsart(&format!("-C ../clone {command}"));
        assert_eq!(
            said.stderr.matches("git slsart -C ../clone fetch origin").count(),
            1,
            "{command}: {said}"
        );
    }
}

#[test]
fn a_commit_in_place_of_the_remote_is_named_after_it() {
    let sandbox = Sandbox::recorded();
    let alone = sandbox.slsart("fetch").stderr;
    assert!(alone.contains(": git slsart import FILE"), "{alone}");
    sandbox.git("clone --quiet --bare . ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.git("tag v1");
    for command in ["push", "fetch"] {
        let said = sandbox.slsart(&format!("{command} v1"));
        assert!(said.stderr.contains(&format!(": git slsart {command} origin v1\n")), "{said}");
    }
    let pushed = sandbox.slsart("push origin v1").succeeded();
    assert!(pushed.stdout.ends_with("✓ origin has v1\n"), "{pushed}");
    let to = sandbox.slsart("rollback --to v1").stderr;
    assert!(to.contains("for a commit: git slsart rollback v1"), "{to}");
}

#[test]
fn a_dry_run_does_not_hint_at_itself() {
    let sandbox = Sandbox::new();
    let said = sandbox.slsart("deploy -n --package").stderr;
    assert!(said.contains("--dry-run does not package"), "{said}");
    assert!(said.contains("git slsart package") && !said.contains("deploy HEAD --package"), "{said}");
}

#[test]
fn init_ends_where_nothing_is_left_to_do() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("init -q").succeeded();
    let next = |sandbox: &Sandbox| {
        let json: serde_json::Value = serde_json::from_str(&sandbox.slsart("init --json").stdout).unwrap();
        json["next"].as_array().unwrap().last().map(|next| next.as_str().unwrap().to_owned())
    };
    sandbox.write("slsart.toml", "nonsense\n");
    assert_eq!(next(&sandbox).unwrap(), "correct slsart.toml, then: git slsart init");
}
