//! Packages that travel: push, fetch, and clones of every kind.

use std::process::Stdio;

use snapbox::str;

use crate::sandbox::{Outcome, Sandbox};

/// A repository with a package of its commit, and its remote `../origin.git`, which has the commit only.
fn with_origin() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox
        .shell(
            "git init --quiet --bare --initial-branch=main ../origin.git
             git -C ../origin.git config uploadpack.allowFilter true
             git remote add origin ../origin.git
             git push --quiet origin main",
        )
        .succeeded();
    sandbox
}

/// What the notes of a clone say: a line a line of a note, its commit before it.
fn notes(sandbox: &Sandbox, clone: &str, name: &str) -> Vec<String> {
    let script = format!(
        "cd {clone} && git notes --ref={name} list | while read note commit; do
           git cat-file blob $note | sed \"s/^/$commit /\"
         done"
    );
    let mut lines: Vec<String> =
        sandbox.shell(&script).succeeded().stdout.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A commit and its package in a clone.
fn record_in(sandbox: &Sandbox, clone: &str, subject: &str) {
    sandbox
        .shell(&format!(
            "cd {clone} && git commit --quiet --no-verify --allow-empty -m {subject} && cp -r ../build-template build-{subject}
             echo 'exports.hello = {subject}' > build-{subject}/extra.js"
        ))
        .succeeded();
    sandbox.slsart(&format!("-C {clone} record -q build-{subject}")).succeeded();
}

#[test]
fn packages_go_there_and_come_back() {
    let sandbox = with_origin();
    sandbox.slsart("push -n").is(str![[r#"
Send      12a1bee  be694c54  orders · prod · us-east-1  1.3 kB
── stderr ──
Asking origin what it has

"#]]);
    sandbox.slsart("push").is(str![[r#"
Sent      12a1bee  be694c54  orders · prod · us-east-1  1.3 kB
✓ origin has what is here
── stderr ──
Asking origin what it has
Sending packages to origin
Sending notes and histories to origin

"#]]);
    sandbox.slsart("push origin").is(str![[r#"
origin has everything already
── stderr ──
Asking origin what it has

"#]]);
    sandbox.slsart("deploy -s prod --yes -q --no-lock").succeeded();
    sandbox.slsart("push").prints(str![[r#"
Plugins   1 toolchain
Histories orders · prod · us-east-1
✓ origin has what is here

"#]]);
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch").is(str![[r#"
Notes     updated, with new packages
          their content is fetched when it is needed; to fetch it now: git slsart -C ../other fetch origin --all
Histories orders · prod · us-east-1
── stderr ──
Fetching notes and histories from origin

"#]]);
    sandbox.slsart("-C ../other log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  9 minutes ago  Add the service

"#]]);
    sandbox.slsart("-C ../other history").is(str![[r#"
orders · prod · us-east-1
1  ● live  deploy  succeeded  12a1bee  Add the service  5 minutes ago in [N] s by Dana

"#]]);
    sandbox.slsart("-C ../other fetch origin HEAD").is(str![[r#"
Fetched   12a1bee  be694c54  orders · prod · us-east-1  1.3 kB
Plugins   1 toolchain
── stderr ──
Fetching notes and histories from origin
Fetching packages from origin
Fetching toolchains from origin

"#]]);
    sandbox.slsart("-C ../other fetch").is(str![[r#"
nothing new on origin
── stderr ──
Fetching notes and histories from origin

"#]]);
    let ids = |clone: &str| sandbox.git(&format!("-C {clone} for-each-ref refs/slsart refs/notes/slsart"));
    assert_eq!(ids("."), ids("../other"));
    sandbox.slsart("-C ../other verify -q").succeeded();
    sandbox.fsck();
    sandbox.git("-C ../other fsck --strict");
}

#[test]
fn what_cannot_be_done_says_why() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("push").is(str![[r#"
── stderr ──
error: this repository has no remote
hint: add one: git remote add origin URL
hint: or share packages as files: git slsart export REF FILE
hint: to import packages from a file: git slsart import FILE
── exit 1 ──

"#]]);
    sandbox.slsart("fetch nowhere").is(str![[r#"
── stderr ──
error: there is no remote 'nowhere'
hint: add one: git remote add origin URL
── exit 1 ──

"#]]);
    sandbox.git("remote add one ../one.git");
    sandbox.git("remote add two ../two.git");
    sandbox.slsart("fetch").is(str![[r#"
── stderr ──
error: there are several remotes, and none is `origin`
hint: name one: one, two
hint: or set `remote` in [share] of slsart.toml
── exit 1 ──

"#]]);
    sandbox.slsart("push two").is(str![[r#"
── stderr ──
Asking two what it has
error: cannot fetch from two
  fatal: '../two.git' does not appear to be a git repository
  fatal: Could not read from remote repository.
  Please make sure you have the correct access rights
  and the repository exists.
hint: check that you can reach it: git ls-remote two
── exit 1 ──

"#]]);
    let json = sandbox.slsart("push two --json");
    assert_eq!((json.code, json.stdout.as_str()), (1, ""), "{json}");
    sandbox.slsart("fetch one v9").is(str![[r#"
── stderr ──
Fetching notes and histories from one
error: cannot fetch from one
  fatal: '../one.git' does not appear to be a git repository
  fatal: Could not read from remote repository.
  Please make sure you have the correct access rights
  and the repository exists.
hint: check that you can reach it: git ls-remote one
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", "[share]\nremote = \"gone\"\n");
    sandbox.slsart("push").is(str![[r#"
── stderr ──
error: there is no remote 'gone'
hint: known remotes: one, two
hint: `remote` in [share] of slsart.toml names it
── exit 1 ──

"#]]);
}

#[test]
fn eight_clones_that_record_and_push_at_once_lose_nothing() {
    let sandbox = with_origin();
    sandbox.build("build-template", "prod");
    sandbox.slsart("push -q").succeeded();
    let clones: Vec<String> = (1..=8).map(|number| format!("../clone{number}")).collect();
    for (number, clone) in clones.iter().enumerate() {
        sandbox.git(&format!("clone --quiet ../origin.git {clone}"));
        sandbox.slsart(&format!("-C {clone} fetch -q")).succeeded();
        record_in(&sandbox, clone, &format!("change{number}"));
        // All of them also append to one chain of records.
        sandbox.slsart(&format!("-C {clone} ban main~ -m reason{number} -q")).succeeded();
        sandbox.slsart(&format!("-C {clone} unban main~ -m better{number} -q")).succeeded();
    }
    let pushes: Vec<_> = clones
        .iter()
        .map(|clone| {
            let mut command = sandbox.slsart_command(&format!("-C {clone} push"));
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for push in pushes {
        Outcome::of(push, &sandbox).succeeded();
    }
    sandbox.slsart("fetch --all -q").succeeded();
    let ours = notes(&sandbox, ".", "slsart");
    assert_eq!(ours.len(), 9, "{ours:#?}");
    let bans = "log --format=%s --no-merges $(git for-each-ref --format='%(refname)' refs/slsart/bans)";
    let bans = sandbox.shell(&format!("git {bans}")).succeeded().stdout;
    for number in 0..8 {
        assert!(
            bans.contains(&format!("reason{number}")) && bans.contains(&format!("better{number}")),
            "{bans}"
        );
    }
    sandbox.slsart("verify --all -q").succeeded();
    // All end where the remote is, whatever the order.
    for clone in &clones {
        sandbox.slsart(&format!("-C {clone} fetch -q")).succeeded();
        assert_eq!(notes(&sandbox, clone, "slsart"), ours, "{clone}");
        let again = sandbox.slsart(&format!("-C {clone} push")).succeeded();
        assert!(again.stdout.contains("has everything already"), "{again}");
    }
    sandbox.fsck();
    sandbox.git("-C ../origin.git fsck --strict");
}

#[test]
fn notes_merge_as_stock_git_merges_them() {
    let sandbox = with_origin();
    sandbox.build("build-template", "prod");
    sandbox.slsart("push -q").succeeded();
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch -q").succeeded();
    // Both have something of their own, for the same commit and for others; stock git laid some of it out its own way.
    for (clone, words) in [(".", "here also"), ("../other", "there zuletzt")] {
        for word in words.split(' ') {
            record_in(&sandbox, clone, word);
        }
        sandbox
            .shell(&format!(
                "cd {clone} && git notes --ref=slsart append -m 'a line of {clone}' main~2
                 git notes --ref=slsart add -m 'another of {clone}' main^{{tree}}"
            ))
            .succeeded();
    }
    sandbox.shell("cd ../other && git push --quiet origin refs/notes/slsart:refs/notes/theirs").succeeded();
    sandbox
        .shell(
            "git fetch --quiet origin refs/notes/theirs:refs/notes/theirs
             git update-ref refs/notes/stock refs/notes/slsart
             git notes --ref=stock merge --quiet -s cat_sort_uniq refs/notes/theirs
             git update-ref refs/notes/remotes/elsewhere/slsart refs/notes/theirs
             git push --quiet origin :refs/notes/theirs",
        )
        .succeeded();
    let stock = notes(&sandbox, ".", "stock");
    assert_eq!(stock.len(), 9, "{stock:#?}");
    sandbox.slsart("-C ../other push -q").succeeded();
    sandbox.slsart("fetch -q").succeeded();
    assert_eq!(notes(&sandbox, ".", "slsart"), stock);
    let ids = |name: &str| {
        let mut ids: Vec<_> =
            sandbox.git(&format!("notes --ref={name} list")).lines().map(str::to_owned).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("slsart"), ids("stock"), "the very same notes");
    sandbox.fsck();
}

#[test]
fn clones_of_every_kind_have_what_they_need() {
    let sandbox = with_origin();
    sandbox.build("build-template", "prod");
    for number in 1..=5 {
        record_in(&sandbox, ".", &format!("change{number}"));
    }
    sandbox.git("push --quiet origin main HEAD~2:refs/heads/side");
    sandbox.slsart("push -q").succeeded();
    let url = format!("file://{}", sandbox.beside("origin.git").display());
    let old = sandbox.git("rev-parse --short=12 HEAD~4");
    for (name, options) in [
        ("shallow", "--depth=1"),
        ("partial", "--filter=blob:none"),
        ("treeless", "--filter=tree:0"),
        ("single", "--single-branch --branch=side"),
        ("bare", "--bare"),
    ] {
        let clone = format!("../{name}");
        sandbox.git(&format!("clone --quiet {options} {url} {clone}"));
        let commits = sandbox.git(&format!("-C {clone} rev-list --all --count"));
        sandbox.slsart(&format!("-C {clone} fetch -q")).succeeded();
        sandbox.slsart(&format!("-C {clone} fetch -q origin {old}")).succeeded();
        let out = format!("-C {clone} extract {old} -o ../out-{name} -q");
        sandbox.slsart(&out).succeeded();
        sandbox.shell(&format!("diff -r ../out-{name} build-change1")).succeeded();
        if name == "shallow" {
            // Its history is as short as before, but for the package and its source.
            assert_eq!(commits, "1");
            assert_eq!(sandbox.git(&format!("-C {clone} rev-list HEAD --count")), "1");
            assert_eq!(sandbox.git(&format!("-C {clone} rev-list {old} --count")), "1");
        }
        sandbox.git(&format!("-C {clone} fsck"));
    }
    // From a linked worktree, and from a submodule.
    sandbox.git(&format!("clone --quiet {url} ../linked-main"));
    sandbox.git("-C ../linked-main worktree add --quiet ../linked HEAD~1");
    sandbox.slsart("-C ../linked fetch -q origin HEAD").succeeded();
    sandbox.slsart("-C ../linked-main verify HEAD~1 -q").succeeded();
    sandbox
        .shell(&format!(
            "git init --quiet ../super && cd ../super
             git -c protocol.file.allow=always submodule --quiet add {url} service"
        ))
        .succeeded();
    sandbox.slsart("-C ../super/service fetch -q origin HEAD").succeeded();
    sandbox.slsart("-C ../super/service verify -q").succeeded();
}

#[test]
fn a_source_that_was_rebased_away_comes_with_its_package() {
    let sandbox = with_origin();
    sandbox.build("build-template", "prod");
    record_in(&sandbox, ".", "squashed");
    let old = sandbox.git("rev-parse HEAD");
    sandbox.slsart("push -q").succeeded();
    sandbox.git("commit --quiet --amend --allow-empty --no-verify -m 'Squash all'");
    sandbox.git("push --quiet origin main");
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch -q").succeeded();
    let short = &old[..9];
    sandbox.slsart(&format!("-C ../other fetch -q origin {short}")).succeeded();
    let shown = sandbox.slsart(&format!("-C ../other show {short} --json")).json();
    assert_eq!(shown["commit"], *old, "{shown}");
    let rollback = sandbox.slsart(&format!("-C ../other rollback {short} -s prod --yes -q --no-lock"));
    rollback.succeeded();
}

#[test]
fn a_remote_that_refuses_is_heard() {
    let sandbox = with_origin();
    sandbox.build("build-template", "prod");
    record_in(&sandbox, ".", "large");
    let large = sandbox.git("rev-parse HEAD");
    record_in(&sandbox, ".", "small");
    let hook = format!(
        "#!/bin/sh
         while read old new name; do case $name in */{large}/*)
           echo 'error: GH001: Large files detected. You may want to try Git Large File Storage.' >&2; exit 1;;
         esac; done"
    );
    sandbox.write_program("../origin.git/hooks/pre-receive", &hook);
    sandbox.slsart("push").is(str![[r#"
Sent      12a1bee  be694c54  orders · prod · us-east-1  1.3 kB
          9435cd3  8fd93307  orders · prod · us-east-1  1.3 kB
Refused   package 623263e3 of 62c0376: [remote rejected] (pre-receive hook declined); error: GH001: Large files detected. You may want to try Git Large File Storage.
── stderr ──
Asking origin what it has
Sending packages to origin
Sending notes and histories to origin
error: 1 package not pushed to origin
hint: keep its large files in Git LFS, then push again: git slsart migrate --to lfs 62c0376
── exit 1 ──

"#]]);
    let known = notes(&sandbox, "../origin.git", "slsart");
    assert!(known.len() == 2 && !known.iter().any(|line| line.starts_with(&large)), "{known:?}");
    // It goes once the remote takes it.
    sandbox.write_program("../origin.git/hooks/pre-receive", "#!/bin/sh\n");
    sandbox.slsart("push").is(str![[r#"
Sent      62c0376  623263e3  orders · prod · us-east-1  1.3 kB
✓ origin has what is here
── stderr ──
Asking origin what it has
Sending packages to origin
Sending notes and histories to origin

"#]]);
    assert_eq!(notes(&sandbox, "../origin.git", "slsart").len(), 3);
    // One that takes nothing beside branches and tags.
    sandbox.git("init --quiet --bare ../strict.git");
    sandbox.git("-C ../strict.git config receive.hideRefs refs/slsart");
    sandbox.git("remote add strict ../strict.git");
    sandbox.slsart("push strict HEAD").is(str![[r#"
Refused   package 8fd93307 of 9435cd3: [remote rejected] (deny updating a hidden ref)
── stderr ──
Asking strict what it has
Sending packages to strict
error: 1 package not pushed to strict
hint: strict accepts only branches and tags, or no refs from you: share through another remote ([share] in slsart.toml), or in a file with `git slsart export REF FILE`
── exit 1 ──

"#]]);
}

#[test]
fn a_package_that_is_there_in_another_form_stays_as_it_is() {
    let sandbox = with_origin();
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("push -q").succeeded();
    // The same package, recorded by somebody else: another commit of the same content.
    sandbox.slsart("extract HEAD -o ../same -q").succeeded();
    sandbox.slsart("-C ../other record ../same -q").succeeded();
    let package = "for-each-ref --format=%(objectname) refs/slsart/packages";
    let before = sandbox.git(&format!("-C ../origin.git {package}"));
    assert_ne!(before, sandbox.git(&format!("-C ../other {package}")));
    sandbox.slsart("-C ../other push").is(str![[r#"
✓ origin has what is here
── stderr ──
Asking origin what it has
Sending notes and histories to origin

"#]]);
    assert_eq!(before, sandbox.git(&format!("-C ../origin.git {package}")));
    sandbox.slsart("fetch -q").succeeded();
    for clone in [".", "../other"] {
        sandbox.slsart(&format!("-C {clone} verify -q")).succeeded();
        let log = sandbox.slsart(&format!("-C {clone} log --json")).json();
        assert_eq!(log["packages"].as_array().unwrap().len(), 1, "{log}");
    }
}

#[test]
fn a_package_that_is_only_noted_there_is_told_of() {
    let sandbox = with_origin();
    sandbox.slsart("push -q").succeeded();
    let name = sandbox.git("for-each-ref --format=%(refname) refs/slsart/packages");
    sandbox.git(&format!("-C ../origin.git update-ref -d {name}"));
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch --all").is(str![[r#"
Notes     updated, with new packages
Missing   package be694c54: origin does not have it
── stderr ──
Fetching notes and histories from origin
Fetching packages from origin
error: package be694c54 was not fetched: origin does not have it
hint: to send it from a machine that has it: git slsart -C ../other push origin
── exit 5 ──

"#]]);
    sandbox.git(&format!("push --quiet origin {name}"));
    sandbox.slsart("-C ../other fetch --all -q").succeeded();
}

#[test]
fn init_has_git_fetch_follow_the_remote_and_never_overwrite() {
    let sandbox = with_origin();
    sandbox.slsart("push -q").succeeded();
    sandbox.git("clone --quiet ../origin.git ../other");
    let config = sandbox.read("../other/.git/config");
    sandbox.git("-C ../other config --add remote.origin.fetch +refs/notes/*:refs/notes/*");
    sandbox.slsart("-C ../other init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
added      remote.origin.fetch (notes and histories come with `git -C ../other fetch`)
left alone remote.origin.fetch +refs/notes/*:refs/notes/* (it overwrites notes and histories that are not pushed yet, at every `git -C ../other fetch`; to remove it: git -C ../other config --fixed-value --unset-all remote.origin.fetch '+refs/notes/*:refs/notes/*')
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git -C ../other add serverless.yml slsart.toml && git -C ../other commit -m 'Set up git slsart'
next       git slsart -C ../other package

"#]]);
    sandbox
        .git("-C ../other config --fixed-value --unset-all remote.origin.fetch +refs/notes/*:refs/notes/*");
    let notes_of = |clone: &str| sandbox.git(&format!("-C {clone} for-each-ref refs/notes"));
    sandbox.git("-C ../other fetch --quiet");
    assert!(notes_of("../other").contains("refs/notes/remotes/origin/slsart"));
    // What is only here survives any fetch.
    sandbox.build("build-template", "prod");
    record_in(&sandbox, "../other", "unpushed");
    sandbox.git("-C ../other fetch --quiet --prune --force");
    let log = sandbox.slsart("-C ../other log --all --json").json();
    assert_eq!(log["packages"].as_array().unwrap().len(), 1, "{log}");
    let again = sandbox.slsart("-C ../other init").succeeded();
    assert!(!again.stdout.contains("added"), "{again}");
    sandbox.slsart("-C ../other uninstall -q").succeeded();
    assert_eq!(sandbox.read("../other/.git/config"), config);
    // A remote without anything of ours is fetched from as ever.
    sandbox.git("init --quiet --bare ../empty.git");
    sandbox.git("-C ../other remote set-url origin ../empty.git");
    sandbox.slsart("-C ../other init -q").succeeded();
    sandbox.git("-C ../other fetch --quiet");
}
