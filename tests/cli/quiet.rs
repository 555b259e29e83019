//! `-q`: a command that changes something prints nothing when all is well.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use git_slsart::cli::Cli;

use crate::sandbox::Sandbox;

/// A day of one repository; each prints nothing.
const ACTS: &[&str] = &[
    "init",
    "hooks install",
    "hooks uninstall",
    "package -s prod",
    "package -s prod",
    "package -s prod --in-place --allow-dirty",
    "record ../dist",
    "toolchain save HEAD",
    "deploy -s prod --yes",
    "rollback HEAD -s prod --yes",
    "pin HEAD -s dev",
    "unpin HEAD -s dev",
    "ban HEAD -s dev -m broken",
    "unban HEAD -s dev",
    "migrate --all --to git",
    "extract HEAD -s prod -o ../out",
    "export HEAD ../rollback.slsart -s prod",
    "import ../rollback.slsart",
    "secrets allow HEAD -s dev",
    "push",
    "fetch --all",
    "prune --keep-last 1 --yes",
    "unlock -s prod --yes",
    "jobs stop",
    "sign --all",
    "uninstall",
];

/// Commands that print what they are asked for.
const ANSWERS: &[&str] =
    &["log", "show", "diff", "verify", "check", "history", "live", "status", "completions", "man", "hook"];

#[test]
fn what_goes_well_is_silent() {
    let sandbox = Sandbox::installed();
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.git("push --quiet origin main");
    sandbox.build("dist", "dev");
    sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f ../key && git config gpg.format ssh").succeeded();
    sandbox.git("config user.signingKey ../key.pub");
    for line in ACTS {
        let outcome = sandbox.slsart(&format!("{line} -q")).succeeded();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{line}: {outcome}");
    }
}

#[test]
fn every_command_either_acts_or_answers() {
    let named = |line: &&str| line.split(' ').next().unwrap().to_owned();
    let known: BTreeSet<String> = ACTS.iter().chain(ANSWERS).map(named).collect();
    let command = Cli::command();
    let all = command.get_subcommands().map(|command| command.get_name().to_owned());
    assert_eq!(all.filter(|name| !known.contains(name)).collect::<Vec<_>>(), Vec::<String>::new());
}
