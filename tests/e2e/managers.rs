//! Each package manager as it is, on a monorepo whose service has the framework and whose top has the plugin: what it installed
//! for a package is kept, and is restored, held against what was recorded and deployed with on a machine that has neither
//! registry, cache nor, but for npm, the package manager. Where the manager can patch, the plugin is patched.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::project::{Project, STAGE};

const PLUGIN: &str = "serverless-prune-plugin";
const PATCH: &str = "patches/prune.patch";
/// The hash of its files as the registry has them, and with the patch: the same whoever installs them, and also out of a zip.
const PLAIN: &str = "f7144584f391185e9213168346885573d5cb59b5";
const PATCHED: &str = "b90041387ff6ee75e3e19d18806b3cbf6628e2c8";

/// Commits and packages a release.
fn package(project: &Project, tag: &str) {
    project.commit(tag);
    let packaged = project.slsart(&format!("package -s {STAGE}")).succeeds();
    assert!(packaged.stderr.contains("kept the plugins"), "{packaged}");
}

/// The machine without registry, caches and package manager.
fn cut_off(project: Project) -> Project {
    let empty = project.beside("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap().to_owned();
    let nowhere = ["npm_config_registry", "YARN_NPM_REGISTRY_SERVER", "YARN_REGISTRY", "BUN_CONFIG_REGISTRY"];
    let caches = [
        "npm_config_cache",
        "npm_config_store_dir",
        "YARN_CACHE_FOLDER",
        "YARN_GLOBAL_FOLDER",
        "BUN_INSTALL_CACHE_DIR",
    ];
    let project = nowhere
        .into_iter()
        .fold(project.with_real_npm(), |project, name| project.with(name, "http://127.0.0.1:9"));
    caches.into_iter().fold(project, |project, name| project.with(name, &empty))
}

/// Makes the package of `tag` live as `command` says, cut off.
fn deploy(project: &Project, command: &str, tag: &str) {
    let deployed = project.slsart(&format!("{command} {tag} -s {STAGE} --yes")).succeeds();
    assert!(deployed.stderr.contains("Restoring plugins"), "{deployed}");
    let recorded = project.recorded(tag).code_sha256(&format!("{}.zip", project.name));
    fs::remove_dir_all(project.beside(&format!("extracted-{tag}"))).unwrap();
    assert_eq!(project.live()["hello"].code_sha256, recorded, "{deployed}");
}

/// What is recorded of the framework and the plugin.
fn recorded(project: &Project) -> [Value; 2] {
    let shown = project.slsart(&format!("show --plugins -s {STAGE} --json")).succeeds().json();
    let [framework, plugin] = [shown["framework"].clone(), shown["plugins"][0].clone()];
    assert_eq!((&framework["name"], &framework["version"]), (&"osls".into(), &"4.3.1".into()), "{shown:#}");
    assert_eq!((&plugin["name"], &plugin["version"]), (&PLUGIN.into(), &"2.1.0".into()), "{shown:#}");
    for of_one in [&framework, &plugin] {
        assert_eq!(of_one["tree"].as_str().unwrap().len(), 40, "{shown:#}");
    }
    assert_eq!(plugin["deploy_events"], serde_json::json!(["after:deploy:deploy"]), "{shown:#}");
    [framework, plugin]
}

/// Whether the patched plugin has run since it was last asked.
fn has_run(mark: &Path) -> bool {
    fs::remove_file(mark).is_ok()
}

fn unpatched(manager: &str) {
    let project = Project::monorepo(manager, &format!("managed-{manager}"));
    package(&project, "v1");
    let [framework, plugin] = recorded(&project);
    assert!(
        framework["integrity"].is_string() && plugin["integrity"].is_string(),
        "{framework:#} {plugin:#}"
    );
    assert_eq!((&plugin["tree"], &plugin["patch"]), (&PLAIN.into(), &Value::Null), "{plugin:#}");
    deploy(&cut_off(project), "deploy", "v1");
}

/// A monorepo with a patched plugin, and where that leaves a mark when it runs.
fn patched(manager: &str, name: &str) -> (Project, PathBuf) {
    let project = Project::monorepo(manager, name);
    let mark = project.beside("patched");
    (project.with("SLSART_PATCHED", mark.to_str().unwrap()), mark)
}

/// Holds what the manager has installed for a developer against the record.
fn checked(project: &Project, install: &str) {
    project.shell(install, &[]);
    let check = project.slsart(&format!("check -s {STAGE} --json")).succeeds().json();
    let named =
        |name: &str| check["checks"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    for name in ["plugins", "framework"] {
        assert_eq!(named(name)["verdict"], "ok", "{check:#}");
    }
}

#[test]
fn npm_in_a_monorepo() {
    unpatched("npm");
}

#[test]
fn yarn_1_in_a_monorepo() {
    unpatched("yarn-1");
}

#[test]
fn bun_with_a_patched_plugin() {
    let (project, mark) = patched("bun", "managed-bun");
    package(&project, "v1");
    // bun leaves a file of its own in what it patches.
    let [_, plugin] = recorded(&project);
    assert_eq!(plugin["patch"], PATCH, "{plugin:#}");
    checked(&project, "bun install --frozen-lockfile");
    let project = cut_off(project);
    deploy(&project, "deploy", "v1");
    assert!(has_run(&mark));
}

#[test]
fn yarn_4_with_node_modules_and_a_patched_plugin() {
    let (project, mark) = patched("yarn-4", "managed-yarn-4");
    package(&project, "v1");
    let [framework, plugin] = recorded(&project);
    assert!(framework["checksum"].is_string() && plugin["checksum"].is_string(), "{framework:#} {plugin:#}");
    assert_eq!((&plugin["tree"], &plugin["patch"]), (&PATCHED.into(), &PATCH.into()), "{plugin:#}");
    let project = cut_off(project);
    deploy(&project, "deploy", "v1");
    assert!(has_run(&mark));
}

#[test]
fn pnpm_with_a_patched_plugin_and_a_rollback() {
    let (project, mark) = patched("pnpm", "managed-pnpm");
    there_and_back(project, &mark, "pnpm install --frozen-lockfile");
}

#[test]
fn yarn_4_with_plug_n_play_a_patched_plugin_and_a_rollback() {
    let (project, mark) = patched("yarn-4", "managed-pnp");
    fs::write(project.top().join(".yarnrc.yml"), "nodeLinker: pnp\n").unwrap();
    there_and_back(project, &mark, "yarn install --immutable && ! test -e node_modules");
}

fn there_and_back(project: Project, mark: &Path, install: &str) {
    package(&project, "v1");
    let [_, plugin] = recorded(&project);
    assert_eq!((&plugin["tree"], &plugin["patch"]), (&PATCHED.into(), &PATCH.into()), "{plugin:#}");
    checked(&project, install);
    project.edit("src/hello.js", "v1", "v2");
    package(&project, "v2");
    let project = cut_off(project);
    for (command, tag) in [("deploy", "v2"), ("rollback", "v1")] {
        deploy(&project, command, tag);
        assert!(has_run(mark), "{tag}");
    }
    assert_eq!(project.history()[0], "rollback v1 succeeded (live)");
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}
