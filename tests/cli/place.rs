//! Where the program is started: no repository, bare, shallow, linked, odd paths, in a hook.

use std::fs;

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn outside_a_repository() {
    let sandbox = Sandbox::bare();
    for line in
        ["init", "uninstall", "package", "record .", "log", "show", "verify", "extract HEAD -o x", "check"]
    {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 1, "{line}: {outcome}");
        assert!(outcome.stderr.contains("git init"), "{line}: {outcome}");
    }
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: no git repository here: '[ROOT]/repo'
hint: change to a repository, name one with `-C DIR`, or create one with `git init`
── exit 1 ──

"#]]);
    sandbox.slsart_with("log", &[("GIT_DIR", "/nowhere")]).is(str![[r#"
── stderr ──
error: no git repository here: '/nowhere'
hint: change to a repository, name one with `-C DIR`, or create one with `git init`
── exit 1 ──

"#]]);
}

#[test]
fn before_the_first_commit() {
    let sandbox = Sandbox::empty();
    sandbox.build("dist", "prod");
    for line in
        ["package", "record ../dist", "log", "show", "verify", "extract HEAD -o x", "check", "deploy -y"]
    {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 1, "{line}: {outcome}");
        assert!(outcome.stderr.contains("has no commit yet"), "{line}: {outcome}");
    }
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: this repository has no commit yet
hint: to set up the repository, for its first commit: git slsart init
── exit 1 ──

"#]]);
    sandbox.slsart("rollback").is(str![[r#"
── stderr ──
error: nothing was deployed to this target by git slsart yet
hint: `git slsart log` lists the packages
── exit 5 ──

"#]]);
    sandbox.slsart("history").is(str![[r#"
nothing was deployed by git slsart here

"#]]);
    sandbox.slsart("verify --all -q").is(str![[r#"
no packages here

"#]]);
    sandbox.slsart("log --all").is(str![[r#"
no packages here; to set up the repository, for its first commit: git slsart init

"#]]);
}

#[test]
fn where_there_is_no_service() {
    let sandbox = Sandbox::empty();
    sandbox.write("README.md", "");
    sandbox.write("serverless.json", "{\"openapi\": \"3.0.0\"}");
    sandbox.commit("Start");
    sandbox.build("dist", "prod");
    sandbox.slsart("package").is(str![[r#"
── stderr ──
error: there is no Serverless service in this commit
hint: a service is a directory with a committed serverless.yml (or .yaml, .json, .js, .cjs, .mjs, .ts)
── exit 1 ──

"#]]);
    sandbox.slsart("package --all").is(str![[r#"
── stderr ──
error: there is no Serverless service in this commit
hint: a service is a directory with a committed serverless.yml (or .yaml, .json, .js, .cjs, .mjs, .ts)
── exit 1 ──

"#]]);
    sandbox.slsart("record ../dist").is(str![[r#"
── stderr ──
Reading the package
error: the package belongs to the service 'orders', and this commit does not have that service
hint: name the commit and service that the package was made from: git slsart record DIR COMMIT --service PATH
── exit 1 ──

"#]]);
    sandbox.slsart("check").is(str![[r#"
── stderr ──
error: there is no Serverless service in this commit
hint: a service is a directory with a committed serverless.yml (or .yaml, .json, .js, .cjs, .mjs, .ts)
── exit 1 ──

"#]]);
}

#[test]
fn a_bare_repository_takes_what_needs_no_working_tree() {
    let sandbox = Sandbox::recorded();
    sandbox.build("dist", "dev");
    sandbox.git("clone --quiet --mirror . ../bare.git");
    sandbox.slsart("-C ../bare.git log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  2 minutes ago  Add the service

"#]]);
    sandbox.slsart("-C ../bare.git verify -q").is(str![[r#"
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    sandbox.slsart("-C ../bare.git extract HEAD -o ../out -q").succeeded();
    sandbox.slsart("-C ../bare.git record ../dist").prints(str![[r#"
Recorded  orders · dev · us-east-1  package b0c1c91a · 3 files · 1.3 kB
Commit    12a1bee  Add the service

"#]]);
    sandbox.slsart("-C ../bare.git package -s qa").prints(str![[r#"
Recorded  orders · qa · us-east-1  package 0b68b830 · 3 files · 1.8 kB
Commit    12a1bee  Add the service

"#]]);
    sandbox.slsart("-C ../bare.git package --in-place").is(str![[r#"
── stderr ──
error: this repository is bare: it has no working tree
hint: run this in a clone, or name a commit: commands that take a commit work here
── exit 1 ──

"#]]);
    sandbox.slsart("-C ../bare.git init").is(str![[r#"
── stderr ──
error: this repository is bare: it has no working tree
hint: run this in a clone, or name a commit: commands that take a commit work here
── exit 1 ──

"#]]);
    sandbox.slsart("-C ../bare.git check").is(str![[r#"
── stderr ──
error: this repository is bare: it has no working tree
hint: run this in a clone, or name a commit: commands that take a commit work here
── exit 1 ──

"#]]);
}

#[test]
fn a_repository_that_libgit2_cannot_read_is_said_to_be_one() {
    let sandbox = Sandbox::bare();
    sandbox.shell("git init --quiet --object-format=sha256 ../sha256 && git init --quiet --ref-format=reftable ../reftable");
    sandbox.slsart("-C ../sha256 log").is(str![[r#"
── stderr ──
error: this repository uses SHA-256 objects, which libgit2 can't read yet
hint: use a repository with SHA-1 objects, git's default
── exit 1 ──

"#]]);
    let reftable = sandbox.slsart("-C ../reftable log");
    assert_eq!(reftable.code, 1, "{reftable}");
    assert!(reftable.stderr.contains("git -C ../reftable refs migrate --ref-format=files"), "{reftable}");
}

/// As whoever may read everything and write nothing; root may write whatever the permissions are, so it becomes nobody.
#[test]
fn a_repository_that_may_only_be_read_gives_and_takes_nothing() {
    let sandbox = Sandbox::recorded();
    sandbox.build("dist", "dev");
    let before = sandbox.fingerprint();
    sandbox.shell("chmod -R a+rX,a-w . && chmod a+rx .. && mkdir -m 777 ../theirs").succeeded();
    let as_nobody = |line: &str| {
        let program = env!("CARGO_BIN_EXE_git-slsart");
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        sandbox.shell(&format!(
            "git config --file ../theirs/.gitconfig safe.directory '*'; export HOME=$PWD/../theirs; \
             $(test \"$(id -u)\" -ne 0 || echo {nobody}) '{program}' {line}"
        ))
    };
    as_nobody("extract HEAD -o ../theirs/out -q").succeeded();
    as_nobody("verify -q").succeeded();
    let refused = as_nobody("record ../dist -q");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("hint: "), "{refused}");
    sandbox.shell("chmod -R u+w .").succeeded();
    sandbox.is_as_before(&before);
    sandbox.fsck();
}

#[test]
fn a_shallow_clone_lists_and_reads_what_it_has() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    let first = sandbox.git("rev-parse HEAD~");
    let from = sandbox.path("");
    sandbox.git(&format!("clone --quiet --depth 1 'file://{}' ../shallow", from.display()));
    sandbox.git("-C ../shallow fetch --quiet origin 'refs/notes/slsart:refs/notes/slsart'");
    sandbox.slsart("-C ../shallow log").is(str![[r#"
c126563  e4ccfcce  orders · prod · us-east-1  1.3 kB  4 minutes ago  Answer two

"#]]);
    sandbox.slsart("-C ../shallow log --all").is(str![[r#"
c126563  e4ccfcce  orders · prod · us-east-1  1.3 kB  5 minutes ago  Answer two
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  9 minutes ago

"#]]);
    sandbox.slsart("-C ../shallow show").is(str![[r#"
Package   e4ccfcce19ad6fe7ee1c45255f4662a1053be80e268daf9fef19a6abc80e7f64
Target    orders · prod · us-east-1  in .
Commit    c126563471fe1945ad526072881ee6466d0d53fe  Answer two
Made      elsewhere, and recorded  recorded 6 minutes ago, 2026-01-05T09:09:00Z
With      osls 4.3.1 · recorded on [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  3 B  ca3d163bab055381827…
          orders.zip  160 B  db30b3216e11403ab69…
          serverless-state.json  1.1 kB  badb46c4b475d60369b…
── stderr ──
Fetching package e4ccfcce of c126563 from origin
fetched package e4ccfcce of c126563 from origin (1.3 kB)

"#]]);
    sandbox.slsart("-C ../shallow show HEAD~").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'HEAD~' here
hint: `git slsart -C ../shallow log --all` lists what is recorded
hint: this clone is shallow and may lack the commit: git -C ../shallow fetch --unshallow
hint: to ask origin for its packages: git slsart -C ../shallow fetch origin
── exit 5 ──

"#]]);
    sandbox.git(&format!(
        "-C ../shallow fetch --quiet origin 'refs/slsart/packages/{first}/*:refs/slsart/packages/{first}/*'"
    ));
    sandbox.slsart(&format!("-C ../shallow verify -q {first}")).is(str![[r#"
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    sandbox.build("dist", "dev");
    sandbox.slsart("-C ../shallow record ../dist -q").succeeded();
}

#[test]
fn a_linked_worktree_shares_the_packages() {
    let sandbox = Sandbox::recorded();
    sandbox.git("worktree add --quiet --detach ../linked");
    sandbox.slsart("-C ../linked log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  2 minutes ago  Add the service

"#]]);
    sandbox.build("dist", "dev");
    sandbox.slsart("-C ../linked record ../dist -q").succeeded();
    sandbox.slsart("-C ../linked init").prints(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git -C ../linked add serverless.yml slsart.toml && git -C ../linked commit -m 'Set up git slsart'
next       git slsart -C ../linked package

"#]]);
    sandbox.slsart("-C ../linked package -q -s qa").succeeded();
    sandbox.slsart("log").is(str![[r#"
12a1bee  7c84e15b  orders · qa · us-east-1    1.8 kB  1 minute ago   Add the service
12a1bee  b0c1c91a  orders · dev · us-east-1   1.3 kB  3 minutes ago  Add the service
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  6 minutes ago  Add the service

"#]]);
    assert_eq!(sandbox.worktrees(), 2);
    sandbox.slsart("-C ../linked uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
removed    slsart.toml
removed    logs and locks in .git/slsart
kept       packages and histories; this deletes all of them, for good: git -C ../linked for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git -C ../linked update-ref --stdin

"#]]);
    assert!(!sandbox.path(".git/hooks/post-commit").exists());
}

#[test]
fn paths_with_spaces_quotes_and_other_scripts() {
    let sandbox = Sandbox::new();
    sandbox.write("services/it's ärger/serverless.yml", "service: odd\nprovider: {name: aws}\n");
    sandbox.write("services/it's ärger/handler.js", "");
    sandbox.commit("Add an odd service");
    sandbox.git("clone --quiet . '../a b $(touch x)'");
    let c = "-C '../a b $(touch x)'";
    sandbox.slsart(&format!("{c} package --service odd")).prints(str![[r#"
Recorded  odd · dev · us-east-1  package b4b47af0 · 3 files · 1.7 kB
Commit    50ad8fe  Add an odd service

"#]]);
    sandbox.slsart(&format!("{c} package --service \"services/it's ärger/\"")).is(str![[r#"
Already   odd · dev · us-east-1  package b4b47af0 · 3 files · 1.7 kB
Commit    50ad8fe  Add an odd service
nothing was done; to package it again: git slsart -C '../a b $(touch x)' package --again --service "services/it's ärger" -s dev

"#]]);
    sandbox.slsart("-C \"services/it's ärger\" package -s prod").prints(str![[r#"
Recorded  odd · prod · us-east-1  package e2e758e9 · 3 files · 1.7 kB
Commit    50ad8fe  Add an odd service

"#]]);
    sandbox.slsart(&format!("{c} extract HEAD --service odd -o '../o u t'")).prints(str![[r#"
Extracted  odd · dev · us-east-1  package b4b47af0 · 3 files · 1.7 kB → ../o u t

"#]]);
    assert!(!sandbox.path("x").exists() && !sandbox.beside("x").exists());
}

#[test]
fn git_dir_and_git_work_tree_name_the_repository() {
    let sandbox = Sandbox::recorded();
    let git_dir = sandbox.path(".git");
    let variables = [("GIT_DIR", git_dir.to_str().unwrap())];
    sandbox.slsart_with("-C / log", &variables).is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  1 minute ago  Add the service

"#]]);
    fs::rename(sandbox.path(".git"), sandbox.beside("apart.git")).unwrap();
    let apart = sandbox.beside("apart.git");
    let top = sandbox.path("");
    let variables = [("GIT_DIR", apart.to_str().unwrap()), ("GIT_WORK_TREE", top.to_str().unwrap())];
    sandbox.slsart_with("log", &variables).is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  2 minutes ago  Add the service

"#]]);
    sandbox.slsart_with("check -s prod", &variables).is(str![[r#"
✓ package    packaged for orders · prod · us-east-1 (be694c54)
! plugins    serverless-hello 1.2.0 is not installed
  hint:     a deployment restores this in its own worktree; to install it here: npm ci
! framework  the Serverless Framework is not installed for the service '.'
  hint:     a deployment restores this in its own worktree; to install it here: npm ci

"#]]);
    sandbox.slsart_with("package -s dev", &variables).prints(str![[r#"
Recorded  orders · dev · us-east-1  package 93d62e06 · 3 files · 1.8 kB
Commit    12a1bee  Add the service

"#]]);
}

#[test]
fn what_git_sets_for_hooks_does_not_reach_npm_or_the_framework() {
    let sandbox = Sandbox::new();
    sandbox.write_program(
        ".git/hooks/pre-commit",
        "#!/bin/sh\nenv | grep -c ^GIT_INDEX_FILE= && exec git-slsart package -s prod -q\n",
    );
    sandbox.git("commit --quiet --allow-empty -m 'From a hook' --author 'Eve <eve@example.org>'");
    assert!(sandbox.runs().contains(r#""git":[]"#), "{}", sandbox.runs());
    sandbox.slsart("log").is(str![[r#"
12a1bee  d00594d6  orders · prod · us-east-1  1.8 kB  1 minute ago  Add the service

"#]]);
}

#[test]
fn a_subdirectory_is_as_good_as_the_top() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("-C plugins log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  1 minute ago  Add the service

"#]]);
    sandbox.slsart("-C plugins extract HEAD -o out -q").succeeded();
    assert!(sandbox.path("plugins/out/serverless-state.json").exists());
}

#[test]
fn a_commit_signed_by_nobody_is_still_recorded() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    let nobody = [
        ("GIT_AUTHOR_NAME", ""),
        ("GIT_AUTHOR_EMAIL", ""),
        ("GIT_COMMITTER_NAME", ""),
        ("GIT_COMMITTER_EMAIL", ""),
    ];
    let mut command = sandbox.slsart_command("record ../dist");
    for (name, _) in nobody {
        command.env_remove(name);
    }
    sandbox.outcome(&mut command).prints(str![[r#"
Recorded  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB
Commit    12a1bee  Add the service

"#]]);
    sandbox.fsck();
}
