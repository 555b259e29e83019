//! What all commands share: help, exit codes, colour, `-q`, `-C`, JSON.

use std::fs;
use std::process::Stdio;

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn short_help_fits_a_screen() {
    let sandbox = Sandbox::bare();
    sandbox.slsart("-h").is(str![[r#"
Keep Serverless Framework packages in git, and roll back to any of them exactly

Usage: git slsart [OPTIONS] <COMMAND>

Every day:
  package   Package a commit and record the package
  deploy    Deploy a recorded package
  rollback  Roll back to a recorded package
  status    Show what is live, what is packaged, and what is not pushed
  log       List recorded packages, a line each
  live      Show which commit is live in AWS

Start:
  init         Set up this repository: slsart.toml and git hooks
  hooks        Show, install or uninstall the git hooks
  completions  Print a completion script for a shell
  man          Print the manual page, or write all pages to a directory
  uninstall    Undo init; recorded packages stay

Look:
  show     Show a recorded package in full
  diff     Show what differs between two packages, or between a package and what is live
  history  Show the deployments of a target, the live one marked
  check    Check that HEAD is ready to be deployed
  verify   Read packages back and compare every byte with what was recorded
  jobs     Manage background packaging

Share:
  push     Send packages, notes, histories and toolchains to a remote
  fetch    Fetch notes and histories from a remote, and packages on request
  record   Record a package that was made without git slsart
  extract  Write a recorded package's exact directory
  export   Write a package into one file, with its source and its toolchains
  import   Import an exported package

Keep in order:
  pin        Protect a package from prune; without REF, list the protected packages
  unpin      Remove the pin of a package
  ban        Refuse to deploy a package from now on
  unban      Remove the ban of a package
  prune      Remove old packages
  toolchain  Save installed plugins in the repository, so that a rollback needs no registry
  secrets    Show the secrets in packages, and encrypt or allow them
  sign       Sign recorded packages
  migrate    Convert recorded packages to Git LFS, or back to git objects
  unlock     Remove a stale lock of a target from the remote

Options:
  -C <DIR>            Run as if started in DIR
      --json          Print one JSON object on standard output, and errors as JSON on standard error
  -q, --quiet         Print only warnings, errors and what was asked for
  -v, --verbose       Also print the output of the programs that git slsart runs
      --color <WHEN>  When to use colour [default: auto] [possible values: auto, always, never]
  -h, --help          Print help (see more with '--help')
  -V, --version       Print version

"#]]);
}

#[test]
fn every_commands_long_help_ends_with_its_exit_status() {
    let sandbox = Sandbox::bare();
    let help = sandbox.slsart("-h").stdout;
    let lines = help.lines().take_while(|line| *line != "Options:");
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let names: Vec<&str> = names.collect();
    assert!(
        names.len() >= 33 && names[..6] == ["package", "deploy", "rollback", "status", "log", "live"],
        "{names:?}"
    );
    for name in names {
        let outcome = sandbox.slsart(&format!("{name} --help")).succeeded();
        assert!(outcome.stdout.contains("255  a bug in git-slsart"), "{name}: {outcome}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    let sandbox = Sandbox::bare();
    for line in [
        "",
        "nonsense",
        "log --nonsense",
        "extract",
        "-q -v log",
        "extract a b",
        "log -n x",
        "--color red log",
    ] {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 2, "{line}: {outcome}");
        assert_eq!(outcome.stdout, "", "{line}");
    }
    sandbox.slsart("lgo").is(str![[r#"
── stderr ──
error: unrecognized subcommand 'lgo'

Usage: git slsart [OPTIONS] <COMMAND>

For more information, try '-h'.
── exit 2 ──

"#]]);
    sandbox.slsart("-C nowhere log").is(str![[r#"
── stderr ──
error: '[ROOT]/repo/nowhere' is not a directory
── exit 2 ──

"#]]);
    sandbox.slsart_with("log", &[("SLSART_NOW", "yesterday")]).is(str![[r#"
── stderr ──
error: SLSART_NOW is not a time such as 2026-01-31T12:00:00Z
  failed to parse four digit integer as year: invalid digit, expected 0-9 but got y
── exit 2 ──

"#]]);
    sandbox.slsart("--version").is(str![[r#"
git-slsart 0.1.0

"#]]);
}

#[test]
fn git_finds_the_command() {
    let sandbox = Sandbox::recorded();
    let through_git = sandbox.git("slsart log --json");
    assert_eq!(through_git, sandbox.slsart("log --json").stdout.trim_end());
    assert_eq!(sandbox.run("git", ["slsart", "show", "nowhere"]).code, 5);
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let sandbox = Sandbox::recorded();
    for line in ["log", "show", "verify", "check", "init -n", "deploy -n -s prod", "show nowhere", "history"]
    {
        let plain = sandbox.slsart(line);
        assert!(!format!("{}{}", plain.stdout, plain.stderr).contains('\x1b'), "{line}: {plain}");
        let never = sandbox.slsart(&format!("{line} --color never"));
        assert!(!format!("{}{}", never.stdout, never.stderr).contains('\x1b'), "{line}: {never}");
        let always = sandbox.slsart(&format!("{line} --color always"));
        assert!(format!("{}{}", always.stdout, always.stderr).contains('\x1b'), "{line}: {always}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let sandbox = Sandbox::recorded();
    let outcome = sandbox.shell("git-slsart show --json | head -c 1");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("{", ""));
}

#[test]
fn quiet_leaves_results_warnings_and_errors() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("verify -q").is(str![[r#"
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    sandbox.slsart("show nowhere -q").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'nowhere' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
}

#[test]
fn an_error_in_json_is_one_object_on_standard_error() {
    let sandbox = Sandbox::recorded();
    for (line, code, kind) in [
        ("record ../nowhere", 1, "refused"),
        ("-C nowhere log", 2, "usage"),
        ("log --nonsense", 2, "usage"),
        ("lgo", 2, "usage"),
        ("", 2, "usage"),
        ("show nowhere", 5, "not-recorded"),
        ("verify nowhere", 5, "not-recorded"),
        ("deploy -s prod", 1, "refused"),
    ] {
        let outcome = sandbox.slsart(&format!("{line} --json"));
        let error: serde_json::Value =
            serde_json::from_str(&outcome.stderr).unwrap_or_else(|_| panic!("{outcome}"));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{line}");
        assert_eq!(error["error"]["kind"], kind, "{line}");
        assert_eq!(error["error"]["exit_code"], code, "{line}");
    }
}

#[test]
fn completions_and_manual_pages_are_made_anywhere() {
    let sandbox = Sandbox::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            sandbox.slsart(&format!("completions {shell}")).succeeded().stdout.contains("rollback"),
            "{shell}"
        );
    }
    assert!(sandbox.slsart("man").succeeded().stdout.contains(".TH git-slsart"));
    sandbox.slsart("man --dir ../man1").succeeded();
    let mut pages: Vec<_> =
        fs::read_dir(sandbox.beside("man1")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    pages.sort();
    assert!(
        pages.contains(&"git-slsart.1".into()) && pages.contains(&"git-slsart-rollback.1".into()),
        "{pages:?}"
    );
    sandbox.slsart("man --dir /dev/null/x").is(str![[r#"
── stderr ──
error: cannot create '/dev/null/x'
  Not a directory (os error 20)
── exit 1 ──

"#]]);
}

#[test]
fn standard_output_that_cannot_be_written_is_not_silent() {
    let sandbox = Sandbox::recorded();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = sandbox.slsart_command("show --json");
    let status = command.stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
