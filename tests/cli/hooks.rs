//! `git slsart hooks`, and hooks beside what is there: other people's scripts, hook managers, git-lfs. What managers write was
//! captured from the real ones (`tests/fixtures/hooks`), which the end-to-end tests run.

use std::fs;
use std::path::Path;

use snapbox::str;

use crate::sandbox::{Outcome, Sandbox, wait_until};

const POST_COMMIT: &str = ".git/hooks/post-commit";
const PRE_PUSH: &str = ".git/hooks/pre-push";

/// A hook's file as a manager writes it.
fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hooks").join(name)).unwrap()
}

/// The state and the remark of each hook.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let status = sandbox.slsart("hooks --json").succeeded().json();
    let hooks = status["hooks"].as_array().unwrap().iter().map(|hook| {
        let text = |name: &str| hook[name].as_str().map(str::to_owned);
        let parts = [text("name"), text("state"), text("manager"), text("remark")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    hooks.collect()
}

/// Runs a hook's file as git does, with `input`.
fn run_hook(sandbox: &Sandbox, hook: &str, arguments: &str, input: &str) -> Outcome {
    sandbox.write("../input", input);
    sandbox.shell(&format!("{hook} {arguments} <../input"))
}

#[test]
fn they_go_in_and_come_out_again() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    let outcome = sandbox.slsart("hooks");
    assert!(outcome.stdout.ends_with("next       git slsart hooks install\n"), "{outcome}");
    sandbox.slsart("hooks install -n").is(str![[r#"
would create hook post-commit
would create hook post-rewrite
would create hook pre-push

"#]]);
    sandbox.is_as_before(&before);
    sandbox.slsart("hooks install").is(str![[r#"
created    hook post-commit
created    hook post-rewrite
created    hook pre-push

"#]]);
    let program = env!("CARGO_BIN_EXE_git-slsart");
    let status = sandbox.slsart("hooks status").succeeded();
    crate::sandbox::matches(
        status.stdout.replace(program, "[PROGRAM]"),
        str![[r#"
installed  post-commit    .git/hooks/post-commit
installed  post-rewrite   .git/hooks/post-rewrite
installed  pre-push       .git/hooks/pre-push
not needed post-merge     .git/hooks/post-merge ([fetch] hooks is not set in slsart.toml)
not needed post-checkout  .git/hooks/post-checkout ([fetch] hooks is not set in slsart.toml)
program    [PROGRAM]

"#]],
    );
    let after = sandbox.fingerprint();
    sandbox.slsart("hooks install").is(str![[r#"
unchanged  hook post-commit
unchanged  hook post-rewrite
unchanged  hook pre-push

"#]]);
    sandbox.is_as_before(&after);
    sandbox.slsart("hooks uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push

"#]]);
    sandbox.is_as_before(&before);
}

#[test]
fn an_older_block_is_replaced_and_a_program_that_is_gone_is_told() {
    let sandbox = Sandbox::new();
    let older =
        "# >>> git-slsart >>>\nif true; then git-slsart hook post-commit || :; fi\n# <<< git-slsart <<<\n";
    sandbox.write_program(POST_COMMIT, &format!("#!/bin/sh\n{older}"));
    assert_eq!(states(&sandbox)[0], "post-commit outdated");
    sandbox.slsart("hooks install").is(str![[r#"
added      hook post-commit (instead of an earlier version's)
created    hook post-rewrite
created    hook pre-push

"#]]);
    let program = env!("CARGO_BIN_EXE_git-slsart");
    let moved = sandbox.read(POST_COMMIT).replace(program, "/gone/git-slsart");
    sandbox.write(POST_COMMIT, moved);
    assert_eq!(states(&sandbox)[0], "post-commit outdated");
    sandbox.slsart("hooks uninstall -q").succeeded();
    assert!(!sandbox.path(POST_COMMIT).exists());
    // What lost its end is not cut off where it ends.
    let torn = "#!/bin/sh\n# >>> git-slsart >>>\necho theirs\n";
    sandbox.write_program(POST_COMMIT, torn);
    for line in ["hooks install -q", "hooks uninstall -q"] {
        sandbox.slsart(line).succeeded();
        assert_eq!(sandbox.read(POST_COMMIT), torn, "{line}");
    }
}

#[test]
fn what_is_written_into_our_file_stays_when_ours_is_taken_out() {
    let sandbox = Sandbox::new();
    sandbox.slsart("hooks install -q").succeeded();
    sandbox.shell(&format!("echo 'echo theirs' >>{POST_COMMIT}"));
    sandbox.slsart("hooks uninstall -q").succeeded();
    assert_eq!(sandbox.read(POST_COMMIT), "#!/bin/sh\necho theirs\n");
}

#[test]
fn a_script_beside_ours_has_its_input_arguments_and_exit_code() {
    let sandbox = Sandbox::new();
    let line = format!("refs/heads/topic {} refs/heads/topic {}\n", "1".repeat(40), "0".repeat(40));
    let script = "printf '%s|' \"$?\" \"$-\" \"$#\" \"$@\" >../seen\ncat >../got\nexit 3\n";
    for shell in ["#!/bin/sh\n", "#!/bin/sh -eu\n", "#!/usr/bin/env bash\nset -euo pipefail\n"] {
        for hook in ["pre-push", "post-rewrite", "post-commit"] {
            let file = format!(".git/hooks/{hook}");
            sandbox.write_program(&file, &format!("{shell}{script}"));
            let see = |input: &str| {
                let code = run_hook(&sandbox, &file, "'a b' '*'", input).code;
                let read = |name: &str| fs::read_to_string(sandbox.beside(name)).unwrap();
                (code, read("seen"), read("got"))
            };
            // No line; one; more than a pipe holds.
            let inputs = [String::new(), line.clone(), line.repeat(2000)];
            let alone: Vec<_> = inputs.iter().map(|input| see(input)).collect();
            assert_eq!(alone[1], (3, alone[1].1.clone(), line.clone()), "{shell}{hook}");
            sandbox.slsart("hooks install -q").succeeded();
            assert!(sandbox.read(&file).contains(&format!("hook {hook}")));
            for (input, alone) in inputs.iter().zip(&alone) {
                assert_eq!(&see(input), alone, "{shell}{hook}");
            }
            sandbox.slsart("hooks uninstall -q").succeeded();
            assert_eq!(sandbox.read(&file), format!("{shell}{script}"));
        }
    }
}

#[test]
fn git_lfs_and_ours_live_in_the_same_hooks() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    sandbox.git("lfs install --local");
    let before = sandbox.fingerprint();
    sandbox.slsart("hooks install").is(str![[r#"
added      hook post-commit (beside the lines that are in it)
created    hook post-rewrite
added      hook pre-push (beside the lines that are in it)

"#]]);
    let expected = [
        "post-commit installed beside git-lfs",
        "post-rewrite installed",
        "pre-push installed beside git-lfs",
    ];
    assert_eq!(states(&sandbox)[..3], expected);
    // It reads what is pushed, after ours: the object is on the remote.
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.write("large.bin", "content");
    sandbox.commit("A file in LFS");
    let oid = sandbox.git("lfs ls-files --long");
    let oid = oid.split_whitespace().next().unwrap();
    sandbox.git("push --quiet origin main");
    assert!(sandbox.beside(&format!("origin.git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4])).exists());
    sandbox.slsart("hooks uninstall -q").succeeded();
    let hooks =
        |lines: Vec<String>| lines.into_iter().filter(|line| line.contains(".git/hooks")).collect::<Vec<_>>();
    assert_eq!(hooks(sandbox.fingerprint()), hooks(before));

    // git-lfs does not overwrite a hook that is there first.
    sandbox.git("lfs uninstall --local");
    sandbox.slsart("hooks install -q").succeeded();
    assert_ne!(sandbox.run("git", ["lfs", "install", "--local"]).code, 0);
    let lacking = "git-lfs's line is missing: git-lfs does not overwrite a hook";
    assert_eq!(states(&sandbox)[2], format!("pre-push installed {lacking}"));
    let status = sandbox.slsart("hooks").stdout;
    let mend = status.lines().find_map(|line| line.strip_prefix("next       ")).unwrap();
    sandbox.shell(mend).succeeded();
    assert_eq!(states(&sandbox)[..3], expected);
}

#[test]
fn what_a_manager_owns_is_left_alone_until_it_is_told() {
    let sandbox = Sandbox::new();
    let told = |manager: &str, file: &str| {
        let lines = sandbox.slsart(&format!("hooks install --print {manager}")).succeeded().stdout;
        sandbox.write(file, lines);
    };
    for (manager, file) in
        [("lefthook", "lefthook.yml"), ("pre-commit", ".pre-commit-config.yaml"), ("husky-4", "package.json")]
    {
        for hook in ["post-commit", "post-rewrite", "pre-push"] {
            sandbox.write_program(&format!(".git/hooks/{hook}"), &fixture(manager));
        }
        let before = sandbox.fingerprint();
        let steps = sandbox.slsart("hooks install").succeeded().stdout;
        assert_eq!(steps.matches("left alone").count(), 3, "{steps}");
        assert!(steps.contains(&format!("hooks install --print {manager}")), "{steps}");
        sandbox.is_as_before(&before);
        assert_eq!(
            states(&sandbox)[..2],
            [format!("post-commit managed {manager}"), format!("post-rewrite managed {manager}")]
        );
        told(manager, file);
        assert_eq!(states(&sandbox)[2], format!("pre-push installed {manager} set up in {file}"));
        let steps = sandbox.slsart("hooks uninstall").succeeded().stdout;
        assert_eq!(steps.matches(&format!("take the lines out of {file} by hand")).count(), 3, "{steps}");
        sandbox.git("checkout --quiet .");
        sandbox.git("clean --quiet --force");
    }
}

#[test]
fn husky_runs_scripts_of_the_working_tree() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.hooksPath .husky/_");
    for hook in ["post-commit", "post-rewrite", "pre-push"] {
        sandbox.write_program(&format!(".husky/_/{hook}"), &fixture("husky"));
    }
    sandbox.write(".husky/_/h", fixture("husky-h"));
    sandbox.slsart("hooks").is(str![[r#"
manager    husky (.husky)
managed    post-commit    .husky/_/post-commit (husky)
managed    post-rewrite   .husky/_/post-rewrite (husky)
managed    pre-push       .husky/_/pre-push (husky)
not needed post-merge     .husky/_/post-merge (husky: [fetch] hooks is not set in slsart.toml)
not needed post-checkout  .husky/_/post-checkout (husky: [fetch] hooks is not set in slsart.toml)
next       git slsart hooks install --print husky

"#]]);
    // As the lines say: a file each.
    let lines = sandbox.slsart("hooks install --print").succeeded().stdout;
    for part in lines.split("# .husky/").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        sandbox.write(&format!(".husky/{name}"), text);
    }
    assert_eq!(states(&sandbox)[0], "post-commit installed husky set up in .husky/post-commit");
    sandbox.record("prod");
    sandbox.run("git", ["commit", "--quiet", "--amend", "-m", "Reworded"]).is(str![]);
    assert!(sandbox.slsart("log").stdout.contains("Reworded"));
}

#[test]
fn a_directory_of_the_repositorys_own_takes_the_same_lines() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.hooksPath .githooks");
    let steps = sandbox.slsart("hooks install").succeeded().stdout;
    assert_eq!(steps.matches("left alone").count(), 3, "{steps}");
    assert!(!sandbox.path(".githooks").exists());
    let lines = sandbox.slsart("hooks install --print shell").succeeded().stdout;
    let block = lines.split("# pre-push\n").nth(1).unwrap();
    sandbox.write_program(".githooks/pre-push", &format!("#!/bin/sh\n{block}echo theirs\n"));
    assert_eq!(states(&sandbox)[2], "pre-push installed beside the lines that are in it");
    let steps = sandbox.slsart("hooks uninstall").succeeded().stdout;
    assert!(steps.contains("left alone hook pre-push"), "{steps}");
}

#[test]
fn what_a_manager_puts_aside_is_told_and_taken_out() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    sandbox.slsart("hooks install -q").succeeded();
    // As `lefthook install` and `pre-commit install` do: the first never runs what it puts aside, the second does.
    fs::rename(sandbox.path(POST_COMMIT), sandbox.path(".git/hooks/post-commit.old")).unwrap();
    sandbox.write_program(POST_COMMIT, &fixture("lefthook"));
    fs::rename(sandbox.path(PRE_PUSH), sandbox.path(".git/hooks/pre-push.legacy")).unwrap();
    sandbox.write_program(PRE_PUSH, &fixture("pre-commit"));
    let states = states(&sandbox);
    assert_eq!(
        states[0],
        "post-commit managed lefthook its block is in .git/hooks/post-commit.old, which git does not run"
    );
    assert_eq!(states[2], "pre-push installed pre-commit .git/hooks/pre-push.legacy");
    sandbox.slsart("hooks uninstall").is(str![[r#"
removed    hook post-commit (from .git/hooks/post-commit.old)
removed    hook post-rewrite
removed    hook pre-push (from .git/hooks/pre-push.legacy)

"#]]);
    fs::remove_file(sandbox.path(POST_COMMIT)).unwrap();
    fs::remove_file(sandbox.path(PRE_PUSH)).unwrap();
    sandbox.is_as_before(&before);
}

#[test]
fn the_lines_of_each_manager_are_printed_anywhere() {
    let sandbox = Sandbox::new();
    sandbox.slsart("hooks install --print lefthook").is(str![[r#"
# lefthook.yml
post-commit:
  jobs:
    - name: git-slsart
      run: if command -v git-slsart >/dev/null; then git-slsart hook post-commit || true; fi
post-rewrite:
  jobs:
    - name: git-slsart
      run: if command -v git-slsart >/dev/null; then git-slsart hook post-rewrite {0} || true; fi
      use_stdin: true
pre-push:
  jobs:
    - name: git-slsart
      files: git ls-files
      run: if command -v git-slsart >/dev/null; then git-slsart hook pre-push {0} || true; fi
      use_stdin: true

# then: lefthook install

"#]]);
    sandbox.slsart("hooks install --print pre-commit").is(str![[r#"
# .pre-commit-config.yaml
default_install_hook_types: [pre-commit, post-commit, post-rewrite, pre-push]
repos:
  - repo: local
    hooks:
      - id: git-slsart-post-commit
        name: git slsart
        entry: sh -c 'if command -v git-slsart >/dev/null; then git-slsart hook post-commit || true; fi' --
        language: system
        stages: [post-commit]
        always_run: true
        pass_filenames: false
      - id: git-slsart-post-rewrite
        name: git slsart
        entry: sh -c 'if command -v git-slsart >/dev/null; then git-slsart hook post-rewrite || true; fi' --
        language: system
        stages: [post-rewrite]
        always_run: true
        pass_filenames: false
      - id: git-slsart-pre-push
        name: git slsart
        entry: sh -c 'if command -v git-slsart >/dev/null; then git-slsart hook pre-push || true; fi' --
        language: system
        stages: [pre-push]
        always_run: true
        pass_filenames: false
        verbose: true

# then: pre-commit install

"#]]);
    sandbox.slsart("hooks install --print husky-4").is(str![[r#"
// package.json
  "husky": {
    "hooks": {
      "post-commit": "git-slsart hook post-commit || true",
      "post-rewrite": "echo \"$HUSKY_GIT_STDIN\" | git-slsart hook post-rewrite $HUSKY_GIT_PARAMS || true",
      "pre-push": "echo \"$HUSKY_GIT_STDIN\" | git-slsart hook pre-push $HUSKY_GIT_PARAMS || true"
    }
  }

"#]]);
    assert_eq!(sandbox.slsart("hooks install --print nonsense").code, 2);
}

/// A package for HEAD, and the hooks.
fn hooked() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("hooks install -q").succeeded();
    sandbox
}

#[test]
fn they_work_wherever_git_runs_them() {
    let sandbox = hooked();
    let packaged = |subject: &str| sandbox.slsart("log --all").stdout.contains(subject);
    // A graphical client: the block knows where the program was.
    sandbox.shell("PATH=/usr/bin:/bin git commit --quiet --amend -m 'By a client'").is(str![]);
    assert!(packaged("By a client"));
    // A linked worktree, whose hooks are the repository's.
    sandbox.git("worktree add --quiet ../linked");
    sandbox.shell("cd ../linked && git commit --quiet --amend -m 'In a worktree'").is(str![]);
    sandbox.shell("cd ../linked && git slsart hooks | grep -c ^installed").is(str![[r#"
3

"#]]);
    assert!(sandbox.shell("cd ../linked && git slsart log").stdout.contains("In a worktree"));
    // From outside, by variables.
    let line = "cd .. && GIT_DIR=repo/.git GIT_WORK_TREE=repo git commit --quiet --amend -m 'From outside'";
    sandbox.shell(line).is(str![]);
    assert!(packaged("From outside"));
}

#[test]
fn a_submodule_has_hooks_of_its_own() {
    let sandbox = hooked();
    sandbox
        .shell(
            "mkdir ../top && cd ../top && git init --quiet .
         git -c protocol.file.allow=always submodule --quiet add ../repo service
         cd service && git slsart init -q && git slsart record -q ../../build-*",
        )
        .succeeded();
    assert!(sandbox.beside("top/.git/modules/service/hooks/post-rewrite").exists());
    sandbox.shell("cd ../top/service && git commit --quiet --amend -m 'In a submodule'").is(str![]);
    assert!(sandbox.shell("cd ../top/service && git slsart log").stdout.contains("In a submodule"));
    sandbox.shell("cd ../top/service && git slsart uninstall && ls ../.git/modules/service/hooks | grep -v sample").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
removed    remote.origin.fetch
removed    slsart.toml
removed    logs and locks in .git/slsart
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin
── exit 1 ──

"#]]);
}

#[test]
fn a_bare_repository_has_hooks_too() {
    let sandbox = hooked();
    sandbox.git("clone --quiet --bare . ../bare.git");
    sandbox.shell("cd ../bare.git && git slsart hooks install && git slsart hooks uninstall").is(str![[r#"
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push

"#]]);
}

#[test]
fn after_a_checkout_notes_are_fetched_in_the_background_where_that_is_wanted() {
    let sandbox = Sandbox::new();
    sandbox.write("slsart.toml", "[fetch]\nhooks = true\n");
    sandbox.slsart("hooks install -q").succeeded();
    let states = states(&sandbox);
    assert_eq!(states[3..], ["post-merge installed", "post-checkout installed"]);
    let log = sandbox.path(".git/slsart/fetch.log");
    // Files alone are no reason.
    sandbox.run("git", ["checkout", "--quiet", "--", "handler.js"]).is(str![]);
    assert!(!log.exists());
    sandbox.run("git", ["checkout", "--quiet", "-b", "topic"]).is(str![]);
    assert!(log.exists());
    wait_until("the job has started", || sandbox.path(".git/slsart/fetch.lock").exists());
    sandbox.write("slsart.toml", "");
    fs::remove_file(&log).unwrap();
    sandbox.run("git", ["checkout", "--quiet", "main"]).is(str![]);
    assert!(!log.exists());
    sandbox.slsart("hooks uninstall -q").succeeded();
    assert!(!sandbox.path(".git/hooks/post-checkout").exists());
}
