//! `git slsart init` and `uninstall`.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::str;

use crate::sandbox::{Sandbox, matches};

#[test]
fn a_repository_is_set_up_once() {
    let sandbox = Sandbox::new();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
unchanged  slsart.toml
unchanged  hook post-commit
unchanged  hook post-rewrite
unchanged  hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    sandbox.is_as_before(&before);
    matches(
        sandbox.read("slsart.toml"),
        str![[r##"
# Settings of git slsart; `git slsart -h` lists the commands.
# Every key is optional. What is commented out shows the default.

# The directories of this repository's services; empty: every directory with a serverless.yml or the like.
# services = []

# How packages are stored in the repository:
#   "auto"  in git objects; a file of more than `lfs-above` bytes in Git LFS, where git-lfs is installed
#   "git"   in git objects
#   "lfs"   archives in Git LFS; state and templates stay in git objects unless they are that large
# `git slsart migrate` converts what is recorded already.
# storage = "auto"
# lfs-above = "50 MiB"

# The stage and region that are used when the command line names none.
# Without them, the service's own configuration decides.
[defaults]
# stage = "dev"
# region = "us-east-1"

# Files that git ignores but packaging or deploying needs, relative to each service's directory. They are copied from
# your working tree into the worktree that a package is made in or deployed from. A directory includes all files in it.
[carry]
# paths = [".env", ".env.*"]

# Whether the installed plugins (node_modules) are saved in the repository too, so that a rollback needs no registry:
#   "deployed"  those of packages that are deployed
#   "always"    those of every package that `git slsart package` makes
#   "never"     only those that `git slsart toolchain save` saves
[toolchain]
# snapshot = "deployed"

# Before a deployment to these stages from a terminal, their name has to be typed.
[deploy]
# protected = []

# Only one deployment of a target runs at a time. Other machines see it by a lock ref on a remote, `refs/slsart-locks/…`:
#   "auto"  on `origin`, or on the only remote there is
#   "none"  on none: only deployments on this machine wait for each other
#   NAME    on that remote
[lock]
# remote = "auto"

# Which packages may be deployed. Packages and records of deployments are signed if git signs your commits.
# If `require` is true, a package without a trusted signature is refused. `signers` names a file of allowed
# signers (as for git's gpg.ssh.allowedSignersFile), relative to the repository's top or absolute; if it is empty, git's own
# settings decide.
[trust]
# require = false
# signers = ""

# Packages, notes and histories are shared by `git slsart push` and `fetch`, through a remote:
#   "auto"  `origin`, or the only remote there is
#   NAME    that one
[share]
# remote = "auto"

# When packages are sent there:
#   "manual"        by `git slsart push`
#   "with-commits"  also with their commits, by a `git push`: the pre-push hook does that
[push]
# packages = "manual"

# What to do with secrets that are found when a package is recorded:
#   "warn"     are recorded and pushed, with a warning
#   "refuse"   stop the recording
#   "encrypt"  what holds them is encrypted with age to `recipients`: public keys (age1…, ssh-ed25519 …), or files of them
# Without an action they are recorded on this machine, and not pushed before you decide with `git slsart secrets`.
[secrets]
# action = "warn"
# recipients = []
# Patterns of values that are not secret: a variable's name, a place, a file of the package or a file in an archive.
# allow = []

[hooks]
# After a commit:
#   "attach"   a package made with `git slsart package --in-place --allow-dirty` from exactly what was then committed
#              becomes the commit's package
#   "package"  as "attach"; without such a package, the commit is packaged in the background (`git slsart jobs` shows it)
#   "off"      nothing
# post-commit = "attach"
# The stages for which "package" packages; empty: the default stage.
# stages = []
# Before a push of these branches (or tags, as `tags/NAME`): warn if their commit has no package; empty: no warnings.
# protected = ["main", "master", "tags/*"]

# Whether notes and histories are fetched in the background after a merge, a pull and a checkout. The hooks for it are installed
# by `git slsart hooks install`.
[fetch]
# hooks = false

"##]],
    );
    matches(
        sandbox.read(".git/hooks/post-commit").replace(env!("CARGO_BIN_EXE_git-slsart"), "[PROGRAM]"),
        str![[r##"
#!/bin/sh
# Made by git-slsart, which removes it again where nothing else is in it.
# >>> git-slsart >>>
# Never fails, and prints nothing when all is well: `git slsart hooks` says more.
for slsart in git-slsart '[PROGRAM]' "${HOME-}/.cargo/bin/git-slsart" /usr/local/bin/git-slsart /opt/homebrew/bin/git-slsart; do
  command -v "$slsart" >/dev/null 2>&1 || continue
  "$slsart" hook post-commit </dev/null || :
  break
done
unset slsart
# <<< git-slsart <<<

"##]],
    );
}

#[test]
fn the_file_that_init_writes_is_a_valid_one_with_comments_taken_out() {
    let sandbox = Sandbox::new();
    sandbox.slsart("init -q").succeeded();
    let text = sandbox.read("slsart.toml");
    let keys =
        text.lines().map(|line| line.strip_prefix("# ").filter(|key| key.contains(" = ")).unwrap_or(line));
    sandbox.write("slsart.toml", keys.collect::<Vec<_>>().join("\n"));
    sandbox.slsart("log").succeeded();
}

#[test]
fn a_dry_run_only_says() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    sandbox.slsart("init --dry-run").is(str![[r#"
found        service . (orders): serverless.yml, npm, package-lock.json
would create slsart.toml
would create hook post-commit
would create hook post-rewrite
would create hook pre-push
next         printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next         git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next         git slsart package

"#]]);
    sandbox.slsart("init -n --json").is(str![[r#"
{
  "dry_run": true,
  "found": [
    "service . (orders): serverless.yml, npm, package-lock.json"
  ],
  "steps": [
    {
      "subject": "slsart.toml",
      "action": "create"
    },
    {
      "subject": "hook post-commit",
      "action": "create"
    },
    {
      "subject": "hook post-rewrite",
      "action": "create"
    },
    {
      "subject": "hook pre-push",
      "action": "create"
    }
  ],
  "next": [
    "printf '\\npackage:\\n  patterns:\\n    - \"!slsart.toml\"\\n' >> serverless.yml",
    "git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'",
    "git slsart package"
  ]
}

"#]]);
    sandbox.is_as_before(&before);
    sandbox.slsart("init -q").succeeded();
    let after = sandbox.fingerprint();
    sandbox.slsart("uninstall --dry-run").is(str![[r#"
would remove hook post-commit
would remove hook post-rewrite
would remove hook pre-push
would remove slsart.toml
kept         packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    sandbox.is_as_before(&after);
}

#[test]
fn uninstall_leaves_the_repository_as_it_was() {
    let sandbox = Sandbox::recorded();
    // The marks of this program's packs go too.
    std::fs::remove_dir_all(sandbox.path(".git/slsart")).unwrap();
    let before = sandbox.fingerprint();
    sandbox.slsart("init -q").succeeded();
    assert_ne!(before, sandbox.fingerprint());
    sandbox.slsart("uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
removed    slsart.toml
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    sandbox.is_as_before(&before);
    sandbox.slsart("uninstall").is(str![[r#"
unchanged  hook post-commit
unchanged  hook post-rewrite
unchanged  hook pre-push
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    sandbox.is_as_before(&before);
}

#[test]
fn what_somebody_else_configured_stays() {
    let sandbox = Sandbox::new();
    sandbox.git("config slsart.other mine");
    let before = sandbox.fingerprint();
    sandbox.slsart("init -q").succeeded();
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn a_hook_that_is_there_goes_on_and_comes_out_unchanged() {
    let sandbox = Sandbox::new();
    for script in
        ["#!/bin/sh\necho mine\nexit 3\n", "#!/usr/bin/env bash\necho mine", "#!/bin/sh\n\n\necho mine\r\n"]
    {
        sandbox.write_program(".git/hooks/post-commit", script);
        let before = sandbox.fingerprint();
        sandbox.slsart("init").prints(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
added      hook post-commit (beside the lines that are in it)
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
        assert!(sandbox.read(".git/hooks/post-commit").contains("hook post-commit"), "{script:?}");
        sandbox.slsart("uninstall -q").succeeded();
        sandbox.is_as_before(&before);
    }
}

#[test]
fn a_hook_that_git_does_not_run_is_not_brought_back() {
    let sandbox = Sandbox::new();
    sandbox.write(".git/hooks/post-commit", "#!/bin/sh\necho disabled\n");
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
left alone hook post-commit (it is not executable, so git does not run it; to run it all the same, add this line to the hook: git-slsart hook post-commit)
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn a_hook_that_is_a_link_stays_one() {
    let sandbox = Sandbox::new();
    sandbox.write_program(".git/hooks/mine", "#!/bin/sh\necho mine\n");
    symlink("mine", sandbox.path(".git/hooks/post-commit")).unwrap();
    let before = sandbox.fingerprint();
    sandbox.slsart("init -q").succeeded();
    assert!(sandbox.path(".git/hooks/post-commit").is_symlink());
    assert!(sandbox.read(".git/hooks/mine").contains("hook post-commit"));
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn a_link_into_the_working_tree_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write_program("githooks/post-commit", "#!/bin/sh\necho tracked\n");
    fs::remove_dir_all(sandbox.path(".git/hooks")).unwrap();
    symlink("../githooks", sandbox.path(".git/hooks")).unwrap();
    assert!(
        sandbox.slsart("init").succeeded().stdout.contains("left alone hook post-commit (git's hooks are in")
    );
    assert_eq!(sandbox.read("githooks/post-commit"), "#!/bin/sh\necho tracked\n");
    fs::remove_file(sandbox.path(".git/hooks")).unwrap();
    symlink("../../githooks/post-commit", sandbox.path("link")).unwrap();
    fs::create_dir(sandbox.path(".git/hooks")).unwrap();
    fs::rename(sandbox.path("link"), sandbox.path(".git/hooks/post-commit")).unwrap();
    assert!(
        sandbox.slsart("init").succeeded().stdout.contains("left alone hook post-commit (git's hooks are in")
    );
    assert_eq!(sandbox.read("githooks/post-commit"), "#!/bin/sh\necho tracked\n");
}

#[test]
fn a_hook_that_is_no_shell_script_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write_program(".git/hooks/post-commit", "#!/usr/bin/env python3\nprint('mine')\n");
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
left alone hook post-commit (it is not a shell script; to run it all the same, add this line to the hook: git-slsart hook post-commit)
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    assert!(sandbox.read(".git/hooks/post-commit").ends_with("print('mine')\n"));
    sandbox.slsart("uninstall").is(str![[r#"
unchanged  hook post-commit
removed    hook post-rewrite
removed    hook pre-push
removed    slsart.toml
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    sandbox.is_as_before(&before);
    sandbox.write_program(".git/hooks/post-commit", "\u{7f}ELF");
    fs::write(sandbox.path(".git/hooks/post-commit"), b"\x7fELF\xff\xfe").unwrap();
    let before = sandbox.fingerprint();
    sandbox.slsart("init -q").succeeded();
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn hooks_in_the_working_tree_belong_to_whoever_put_them_there() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.hooksPath .husky");
    sandbox.write_program(".husky/post-commit", "#!/bin/sh\necho husky\n");
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
found      hook manager husky: .husky
created    slsart.toml
left alone hook post-commit (husky owns it; the lines for it: git slsart hooks install --print husky)
left alone hook post-rewrite (husky owns it; the lines for it: git slsart hooks install --print husky)
left alone hook pre-push (husky owns it; the lines for it: git slsart hooks install --print husky)
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    assert_eq!(sandbox.read(".husky/post-commit"), "#!/bin/sh\necho husky\n");
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn hooks_that_other_repositories_share_are_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.hooksPath ../shared-hooks");
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
left alone hook post-commit (git's hooks are outside this repository, where other repositories may share them; the lines for it: git slsart hooks install --print shell)
left alone hook post-rewrite (git's hooks are outside this repository, where other repositories may share them; the lines for it: git slsart hooks install --print shell)
left alone hook pre-push (git's hooks are outside this repository, where other repositories may share them; the lines for it: git slsart hooks install --print shell)
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    assert!(!sandbox.beside("shared-hooks").exists());
    sandbox.slsart("uninstall -q").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn hooks_that_are_switched_off_stay_off() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.hooksPath /dev/null");
    let before = sandbox.fingerprint();
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
created    slsart.toml
left alone hook post-commit (core.hooksPath is not a directory, so git runs no hooks; to run it all the same, add this line to the hook: git-slsart hook post-commit)
left alone hook post-rewrite (core.hooksPath is not a directory, so git runs no hooks; to run it all the same, add this line to the hook: git-slsart hook post-rewrite)
left alone hook pre-push (core.hooksPath is not a directory, so git runs no hooks; to run it all the same, add this line to the hook: git-slsart hook pre-push)
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    sandbox.slsart("uninstall").succeeded();
    sandbox.is_as_before(&before);
}

#[test]
fn uninstall_goes_on_past_what_it_cannot_take_back() {
    let sandbox = Sandbox::new();
    sandbox.slsart("init -q").succeeded();
    fs::remove_file(sandbox.path(".git/hooks/post-commit")).unwrap();
    fs::create_dir(sandbox.path(".git/hooks/post-commit")).unwrap();
    let outcome = sandbox.slsart("uninstall");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout.contains("failed     hook post-commit (cannot read"), "{outcome}");
    assert!(outcome.stdout.contains("removed    slsart.toml"), "{outcome}");
}

#[test]
fn a_configuration_of_the_users_own_is_never_removed() {
    let sandbox = Sandbox::new();
    sandbox.slsart("init -q").succeeded();
    sandbox.write("slsart.toml", "[defaults]\nstage = \"prod\"\n");
    sandbox.slsart("uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
left alone slsart.toml (it was changed: rm slsart.toml)
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    assert!(sandbox.path("slsart.toml").exists());
    sandbox.slsart("init").is(str![[r#"
found      service . (orders): serverless.yml, npm, package-lock.json
unchanged  slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add serverless.yml slsart.toml && git commit -m 'Set up git slsart'
next       git slsart package

"#]]);
    sandbox.commit("Set up");
    sandbox.slsart("uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
left alone slsart.toml (it is committed: git rm slsart.toml)
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin

"#]]);
    assert!(sandbox.path("slsart.toml").exists());
}

#[test]
fn before_the_first_commit_it_says_what_is_missing() {
    let sandbox = Sandbox::empty();
    sandbox.slsart("init").is(str![[r#"
found      no service: a service is a directory with a serverless.yml, serverless.yaml, serverless.json or the like
created    slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
next       git add slsart.toml && git commit -m 'Set up git slsart'

"#]]);
    let sandbox = Sandbox::empty();
    sandbox.write("README", "");
    sandbox.commit("Start");
    sandbox.slsart("init -n").is(str![[r#"
found        no service: a service is a directory with a serverless.yml, serverless.yaml, serverless.json or the like
would create slsart.toml
would create hook post-commit
would create hook post-rewrite
would create hook pre-push
next         git add slsart.toml && git commit -m 'Set up git slsart'

"#]]);
}

/// A repository as it is when somebody starts: a service, nothing committed, nothing ignored.
fn started() -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.shell("rm -rf .git .gitignore && git init --quiet --initial-branch=main").succeeded();
    sandbox
}

/// The commands that `init` says come next.
fn next(sandbox: &Sandbox) -> Vec<String> {
    let told = sandbox.slsart("init --json").succeeded().json();
    told["next"].as_array().unwrap().iter().map(|step| step.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_not_committed_is_added_by_commands_that_work_in_their_order() {
    let sandbox = started();
    sandbox.write(".env", "DB_URL=secret\n");
    sandbox.shell("rm package-lock.json").succeeded();
    sandbox.slsart("init").prints(str![[r#"
found      service . (orders): serverless.yml is not committed yet
created    slsart.toml
created    hook post-commit
created    hook post-rewrite
created    hook pre-push
next       printf '%s\n' node_modules/ .serverless/ '.env*' >> .gitignore
next       npm install
next       printf '\npackage:\n  patterns:\n    - "!slsart.toml"\n' >> serverless.yml
next       git add .gitignore handler.js package-lock.json package.json plugins/ serverless.yml slsart.toml tools/ && git commit -m 'Add the service, set up git slsart'
next       git slsart package

"#]]);
    for step in next(&sandbox) {
        sandbox.shell(&step).succeeded();
    }
    assert_eq!(sandbox.git("status --porcelain"), "");
    let committed = sandbox.git("ls-tree -r --name-only HEAD");
    assert!(!committed.contains("node_modules") && !committed.contains(".env"), "{committed}");
    assert!(sandbox.slsart("log").succeeded().stdout.contains("orders"));
    assert!(next(&sandbox).is_empty(), "HEAD is packaged");
    // What was committed in part is completed.
    sandbox.git("rm --quiet --cached package-lock.json");
    sandbox.commit_index("Lose the lockfile");
    assert_eq!(
        next(&sandbox),
        [
            "git add package-lock.json && git commit -m 'Add the service, set up git slsart'",
            "git slsart package"
        ]
    );
}

#[test]
fn a_service_without_its_framework_in_package_json_is_given_it() {
    let sandbox = started();
    sandbox.write("package.json", "{\"private\": true}\n");
    sandbox.shell("rm package-lock.json").succeeded();
    assert!(next(&sandbox).contains(&"npm install --save-dev osls".to_owned()), "{:?}", next(&sandbox));
    let config = sandbox.read("serverless.yml").replace("\"4\"", "^3.38");
    sandbox.write("serverless.yml", &config);
    assert!(next(&sandbox).contains(&"npm install --save-dev serverless@3".to_owned()));
    // Elsewhere than at the top, nothing of it is in the zip, and nothing beside it is added.
    sandbox.shell("mkdir -p services/a && mv serverless.yml package.json handler.js services/a").succeeded();
    sandbox.write("services/a/yarn.lock", "");
    assert_eq!(
        next(&sandbox),
        [
            "printf '%s\\n' node_modules/ .serverless/ >> .gitignore",
            "(cd services/a && yarn add --dev serverless@3)",
            "git add .gitignore services/ slsart.toml && git commit -m 'Add the service, \
             set up git slsart'",
            "git slsart package"
        ]
    );
}

#[test]
fn settings_are_kept_out_of_the_zip() {
    let sandbox = Sandbox::new();
    let without = sandbox.read("serverless.yml");
    let printf = "printf '\\npackage:\\n  patterns:\\n    - \"!slsart.toml\"\\n' >> serverless.yml";
    let offered = |config: &str| {
        sandbox.write("serverless.yml", config);
        sandbox.commit("Change the configuration");
        next(&sandbox).remove(0)
    };
    assert_eq!(offered(&without), printf);
    // They are pasted where they are printed.
    let below = sandbox.slsart("-C plugins init --json").succeeded().json();
    assert_eq!(below["next"][0], format!("cd {}", sandbox.path("").canonicalize().unwrap().display()));
    assert_eq!(below["next"][1], printf);
    assert!(
        offered(&format!("{without}package: {{individually: true}}\n"))
            .starts_with("in serverless.yml, add '!slsart.toml'")
    );
    let none_needed = [
        format!("{without}package: {{patterns: ['!**', 'src/**']}}\n"),
        without.replace("./plugins/trace", "serverless-esbuild"),
    ];
    for config in none_needed {
        assert_eq!(offered(&config), "git slsart package", "{config}");
    }
}
