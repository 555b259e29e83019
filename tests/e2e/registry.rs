//! A rollback when no registry can be reached: the toolchain that was kept at the deploy does, and nothing else is asked.

use std::fs;

use crate::project::Project;

fn two_releases(name: &str) -> Project {
    let project = Project::installed("osls4/orders", name);
    project.edit("serverless.yml", "orders-${", &format!("{name}-${{"));
    project.release("v1");
    project.edit("src/checkout.js", "'v1'", "'v2'");
    project.release("v2");
    project
}

/// The same machine, where npm itself is started and finds neither registry nor cache.
fn cut_off(project: Project) -> Project {
    let cache = project.beside("empty-npm-cache");
    fs::create_dir(&cache).unwrap();
    let cache = cache.to_str().unwrap().to_owned();
    project
        .with_real_npm()
        .with("npm_config_registry", "http://127.0.0.1:9")
        .with("npm_config_cache", &cache)
        .with("npm_config_fetch_retries", "0")
}

/// Replaces text in the `toolchain.toml` of every toolchain that has it.
fn edit_toolchains(project: &Project, from: &str, to: &str) {
    let script = r#"set -e
        for name in $(git for-each-ref --format='%(refname)' refs/slsart/toolchains); do
            git show "$name:toolchain.toml" | grep -q "$1" || continue
            found=yes
            blob=$(git show "$name:toolchain.toml" | sed "s/$1/$2/" | git hash-object -w --stdin)
            tree=$(git ls-tree "$name" | sed "s/blob [0-9a-f]*/blob $blob/" | git mktree)
            git update-ref "$name" "$(git commit-tree -m edited "$tree")"
        done
        test -n "$found""#;
    project.shell(script, &[from, to]);
}

#[test]
fn a_rollback_with_the_network_cut_restores_the_plugins_that_were_deployed_with() {
    let project = two_releases("no-registry");
    let kept = project.slsart("toolchain list --json").succeeds().json();
    let toolchains = kept["toolchains"].as_array().unwrap();
    assert_eq!(toolchains.len(), 1, "two commits with the same files share one: {kept:#}");
    assert_eq!(toolchains[0]["commits"].as_array().unwrap().len(), 2, "{kept:#}");
    let live_v2 = project.live();

    // One that is for another architecture is not restored: the package manager is asked.
    edit_toolchains(&project, "^arch = \"", "arch = \"s390-not-");
    let rollback = project.slsart("rollback -s prod --yes").succeeds();
    assert!(rollback.stderr.contains("does not fit: it is for linux-s390-not-"), "{rollback}");
    assert!(rollback.stderr.contains("npm installs the plugins instead"), "{rollback}");
    let list = project.slsart("toolchain list").succeeds();
    assert!(list.stdout.contains("does not fit here"), "{list}");
    let live_v1 = project.live();
    assert_ne!(live_v1, live_v2);
    project.take_events();

    // With neither, what was tried is told, and nothing is changed.
    let project = cut_off(project);
    let failed = project.slsart("deploy v2 -s prod --yes").fails_with(3);
    assert!(failed.stderr.contains("does not fit"), "{failed}");
    assert!(failed.stderr.contains("the framework was not started"), "{failed}");
    assert_eq!(project.live(), live_v1);
    assert!(project.take_events().is_empty());

    edit_toolchains(&project, "^arch = \"s390-not-", "arch = \"");
    project.slsart("deploy v2 -s prod --yes").succeeds();
    assert_eq!(project.live(), live_v2);
    let events = project.take_events();
    assert!(events.iter().any(|event| event.name == "after:deploy:deploy"), "{events:?}");
    project.slsart("rollback v1 -s prod --yes").succeeds();
    assert_eq!(project.live(), live_v1);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());

    // What is refused, and what its loss means.
    let id = toolchains[0]["id"].as_str().unwrap();
    let refused = project.slsart(&format!("toolchain drop {} --yes", &id[..12])).fails_with(1);
    assert!(refused.stderr.contains("--although-deployed"), "{refused}");
    project.slsart(&format!("toolchain drop {} --yes --although-deployed", &id[..12])).succeeds();
    let failed = project.slsart("rollback v2 -s prod --yes").fails_with(3);
    assert!(failed.stderr.contains("there is no toolchain for this commit here"), "{failed}");
    assert_eq!(project.live(), live_v1);
}
