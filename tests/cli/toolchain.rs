//! `git slsart toolchain`, and what deploy and rollback do with what it keeps; real npm, the stand-in for the framework.

use std::fs;

use crate::sandbox::Sandbox;

const REFS: &str = "for-each-ref --format='%(refname)' refs/slsart/toolchains";

/// The service at its first commit, tag `v1`, packaged for `prod`, and its toolchain kept.
fn kept() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git("tag v1");
    sandbox.slsart("package -s prod").succeeded();
    sandbox.slsart("toolchain save").succeeded();
    sandbox
}

fn ids(sandbox: &Sandbox) -> Vec<String> {
    let list = sandbox.slsart("toolchain list --json").succeeded().json();
    list["toolchains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_saved_is_listed_saved_once_and_dropped() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    let plan = sandbox.slsart("toolchain save --dry-run").succeeded();
    assert!(plan.stdout.contains("what npm installs from package-lock.json"), "{plan}");
    assert!(sandbox.slsart("toolchain list").succeeded().stdout.contains("no toolchain is saved here"));
    sandbox.is_as_before(&before);

    let saved = sandbox.slsart("toolchain save --json").succeeded().json();
    assert_eq!(saved["new"], true, "{saved:#}");
    let list = sandbox.slsart("toolchain list --json").succeeded().json();
    let kept = &list["toolchains"][0];
    assert_eq!(kept["id"], saved["toolchain"]["id"]);
    assert_eq!(kept["lockfile"]["path"], "package-lock.json");
    assert!(kept["misfit"].is_null() && kept["deployed"].as_array().unwrap().is_empty(), "{kept:#}");
    let id = kept["id"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.git(&format!("rev-parse {}:content", sandbox.git(REFS))), id);

    let again = sandbox.slsart("toolchain save").succeeded();
    assert!(again.stdout.starts_with("saved already"), "{again}");
    // Another commit with the same packages: another ref, the same content, no new pack of it.
    sandbox.change("Answer two");
    sandbox.slsart("toolchain save").succeeded();
    assert_eq!((ids(&sandbox), sandbox.git(REFS).lines().count()), (vec![id.clone()], 2));
    assert_eq!(sandbox.worktrees(), 1);
    sandbox.fsck();

    assert_eq!(sandbox.slsart(&format!("toolchain drop {}", &id[..8])).code, 1, "nobody can say yes");
    sandbox.slsart(&format!("toolchain drop {} --dry-run", &id[..8])).succeeded();
    assert_eq!(ids(&sandbox).len(), 1);
    sandbox.slsart(&format!("toolchain drop {} --yes", &id[..8])).succeeded();
    assert_eq!(sandbox.git(REFS), "");
    assert_eq!(sandbox.slsart(&format!("toolchain drop {} --yes", &id[..8])).code, 5);
    assert_eq!(sandbox.slsart("toolchain drop ab --yes").code, 2);
}

#[test]
fn a_deploy_restores_what_is_kept_and_npm_is_not_started() {
    let sandbox = kept();
    sandbox.write_program("../bin/npm", "#!/bin/sh\necho npm was started >&2\nexit 9\n");
    let path = format!("{}:{}", sandbox.beside("bin").display(), sandbox.shell("echo $PATH").stdout.trim());
    let without_npm = [("PATH", path.as_str())];
    let deploy = sandbox.slsart_with("deploy v1 -s prod --yes", &without_npm).succeeded();
    assert!(deploy.stderr.contains("Restoring plugins (toolchain"), "{deploy}");
    assert!(!deploy.stderr.contains("npm was started"), "{deploy}");

    let id = ids(&sandbox).remove(0);
    let refused = sandbox.slsart(&format!("toolchain drop {id} --yes"));
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("--although-deployed"), "{refused}");

    // Fetched refs suffice elsewhere.
    let other = sandbox.beside("other");
    sandbox.git(&format!("clone --quiet . {}", other.display()));
    sandbox.git(&format!(
        "-C {} fetch --quiet origin refs/slsart/*:refs/slsart/* refs/notes/slsart:refs/notes/slsart",
        other.display()
    ));
    let there = sandbox
        .slsart_with(&format!("-C {} rollback v1 -s prod --yes", other.display()), &without_npm)
        .succeeded();
    assert!(there.stderr.contains("Restoring plugins"), "{there}");

    sandbox.slsart(&format!("toolchain drop {id} --yes --although-deployed")).succeeded();
    let failed = sandbox.slsart_with("rollback v1 -s prod --yes", &without_npm);
    assert_eq!(failed.code, 3, "{failed}");
    assert!(failed.stderr.contains("there is no toolchain for this commit here"), "{failed}");
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn a_package_manager_that_is_missing_or_of_another_kind_is_told_with_how_to_have_it() {
    let sandbox = Sandbox::new();
    sandbox.write_program("../bin/yarn", "#!/bin/sh\necho 1.22.22\n");
    sandbox.write_program("../bin/node", "#!/bin/sh\nexit 9\n");
    std::os::unix::fs::symlink("/usr/bin/git", sandbox.beside("bin/git")).unwrap();
    let path = [("PATH", sandbox.beside("bin").to_str().unwrap().to_owned())];
    let path = path.each_ref().map(|(name, value)| (*name, value.as_str()));
    fs::remove_file(sandbox.path("package-lock.json")).unwrap();
    for (lockfile, content, said, hint) in [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "cannot start 'pnpm'", "npm install --global pnpm"),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n",
            "yarn.lock was written by yarn 2 or later, and the installed yarn is 1.22.22",
            "corepack enable",
        ),
    ] {
        sandbox.write(lockfile, content);
        sandbox.commit(lockfile);
        let failed = sandbox.slsart_with("package -s prod", &path);
        assert_eq!(failed.code, 1, "{failed}");
        assert!(failed.stderr.contains(said) && failed.stderr.contains(hint), "{failed}");
        fs::remove_file(sandbox.path(lockfile)).unwrap();
    }
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn a_damaged_toolchain_is_left_alone_and_the_package_manager_is_asked() {
    let sandbox = kept();
    let name = sandbox.git(REFS);
    let blob = sandbox.git(&format!("rev-parse {name}:content/node_modules/.package-lock.json"));
    sandbox.unpack();
    fs::remove_file(sandbox.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let deploy = sandbox.slsart("deploy v1 -s prod --yes").succeeded();
    assert!(deploy.stderr.contains("can't be restored"), "{deploy}");
    assert!(deploy.stderr.contains("Installing plugins (npm)"), "{deploy}");
}

#[test]
fn when_toolchains_are_kept_is_what_the_configuration_says() {
    let sandbox = Sandbox::new();
    sandbox.write("slsart.toml", "[toolchain]\nsnapshot = \"never\"\n");
    sandbox.commit("Keep nothing");
    sandbox.slsart("package -s prod").succeeded();
    sandbox.slsart("deploy -s prod --yes").succeeded();
    assert_eq!(sandbox.git(REFS), "");
    sandbox.write("slsart.toml", "[toolchain]\nsnapshot = \"always\"\n");
    sandbox.commit("Keep everything");
    sandbox.slsart("package -s prod").succeeded();
    assert_eq!(sandbox.git(REFS).lines().count(), 1);
    sandbox.write("slsart.toml", "[toolchain]\nsnapshot = \"sometimes\"\n");
    assert_eq!(sandbox.slsart("toolchain list").code, 1);
}

#[test]
fn a_plugin_that_is_not_the_recorded_one_stops_a_deploy_unless_it_is_allowed_by_name() {
    let sandbox = kept();
    // Somebody who can write refs puts another file into what is kept.
    sandbox.shell(
        r#"set -e
        name=$(git for-each-ref --format='%(refname)' refs/slsart/toolchains)
        json=$(git hash-object -w tools/serverless-hello/package.json)
        index=$( (cat tools/serverless-hello/index.js; echo '// tampered') | git hash-object -w --stdin)
        plugin=$(printf '100644 blob %s\tpackage.json\n100644 blob %s\tindex.js\n' "$json" "$index" | git mktree)
        modules=$( (git ls-tree "$name:content/node_modules" | grep -v serverless-hello
            printf '040000 tree %s\tserverless-hello\n' "$plugin") | git mktree)
        content=$(printf '040000 tree %s\tnode_modules\n' "$modules" | git mktree)
        described=$(git show "$name:toolchain.toml" | sed "s/^id = .*/id = \"$content\"/" | git hash-object -w --stdin)
        tree=$(printf '100644 blob %s\ttoolchain.toml\n040000 tree %s\tcontent\n' "$described" "$content" | git mktree)
        forged=$(git commit-tree -m forged "$tree")
        git update-ref "refs/slsart/toolchains/$content/${name#refs/slsart/toolchains/*/}" "$forged"
        git update-ref -d "$name""#,
    );
    let refused = sandbox.slsart("deploy v1 -s prod --yes");
    assert_eq!(refused.code, 1, "{refused}");
    for said in [
        "Restoring plugins",
        "serverless-hello",
        "--allow-plugin-drift 'serverless-hello'",
        "nothing was changed in AWS",
    ] {
        assert!(refused.stderr.contains(said), "{said}? {refused}");
    }
    assert!(!sandbox.runs().contains("deploy"), "{}", sandbox.runs());
    let unknown = sandbox.slsart("deploy v1 -s prod --yes --allow-plugin-drift serverless-helo");
    assert_eq!(unknown.code, 2, "{unknown}");
    let allowed = sandbox.slsart("deploy v1 -s prod --yes --allow-plugin-drift serverless-hello").succeeded();
    assert!(allowed.stderr.contains("allowed by --allow-plugin-drift"), "{allowed}");
}

#[test]
fn two_at_once_both_succeed() {
    let sandbox = Sandbox::new();
    let start = || sandbox.slsart_command("toolchain save -q").spawn().unwrap();
    let mut both = [start(), start()];
    for one in &mut both {
        assert!(one.wait().unwrap().success());
    }
    assert_eq!(sandbox.git(REFS).lines().count(), 1);
    sandbox.fsck();
}
