//! A rollback from one file, in a repository that has nothing else, with neither remote nor registry.

use std::fs;

use crate::project::Project;

#[test]
fn a_file_is_enough_to_roll_back() {
    let project = Project::installed("osls4/orders", "from-a-file");
    project.edit("serverless.yml", "orders-${", "from-a-file-${");
    project.release("v1");
    let live_v1 = project.live();
    project.edit("src/checkout.js", "'v1'", "'v2'");
    project.release("v2");
    assert_ne!(project.live(), live_v1);
    let commit = project.git("rev-parse v1");
    project.slsart("export v1 -s prod ../v1.slsart --history").succeeds();
    // The repository is gone, and so is the registry.
    fs::rename(project.top(), project.beside("gone")).unwrap();
    fs::create_dir(project.top()).unwrap();
    project.git("init --quiet");
    let cache = project.beside("empty-npm-cache");
    fs::create_dir(&cache).unwrap();
    let project = project
        .with_real_npm()
        .with("npm_config_registry", "http://127.0.0.1:9")
        .with("npm_config_cache", cache.to_str().unwrap())
        .with("npm_config_fetch_retries", "0");
    project.slsart("import ../v1.slsart").succeeds();
    project.slsart(&format!("rollback {} -s prod --yes", &commit[..12])).succeeds();
    assert_eq!(project.live(), live_v1);
    assert_eq!(project.git("remote"), "");
}
