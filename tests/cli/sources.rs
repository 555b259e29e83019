//! What a package is made of and what goes with it, where the repository makes that hard to tell.

use crate::sandbox::Sandbox;

#[test]
fn a_sparse_checkout_does_not_make_a_sparse_package() {
    let sandbox = Sandbox::new();
    sandbox.git("status --short");
    sandbox.shell("git sparse-checkout set --no-cone '/*' '!/handler.js'").succeeded();
    assert!(!sandbox.path("handler.js").exists());
    sandbox.slsart("package -s prod -q").succeeded();
}

#[test]
fn a_file_that_is_tracked_today_is_not_carried_into_an_older_commit() {
    let sandbox = Sandbox::new();
    sandbox.write(".env.production", "RATE=2\n");
    sandbox.git("add --force .env.production");
    sandbox.git("commit --quiet --message tracked");
    let outcome = sandbox.slsart("package HEAD~1 -s prod").succeeded();
    assert!(!outcome.stderr.contains("carried"), "{}", outcome.stderr);
}

#[test]
fn an_untracked_file_makes_the_tree_dirty_whatever_git_is_told_to_show() {
    let sandbox = Sandbox::installed();
    sandbox.git("config status.showUntrackedFiles no");
    sandbox.write("extra.js", "1\n");
    let outcome = sandbox.slsart("package --in-place -s prod");
    assert!(outcome.stderr.contains("the working tree has changes: extra.js"), "{}", outcome.stderr);
}

#[test]
fn an_untracked_package_directory_is_no_change() {
    let sandbox = Sandbox::installed();
    sandbox.write(".gitignore", "node_modules\n");
    sandbox.git("commit --quiet --all --message ignore");
    sandbox.write("handler.js", "exports.changed = 1;\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
}

#[test]
fn an_archive_of_todays_working_tree_is_not_taken_for_an_older_commits() {
    let sandbox = Sandbox::new();
    let directory = sandbox.build("elsewhere", "prod");
    let state = std::fs::read_to_string(directory.join("serverless-state.json")).unwrap();
    let zip = std::fs::read(directory.join("orders.zip")).unwrap();
    std::fs::remove_file(directory.join("orders.zip")).unwrap();
    let state = state.replace("\"artifact\": \"orders.zip\"", "\"artifact\": \"dist/orders.zip\"");
    std::fs::write(directory.join("serverless-state.json"), state).unwrap();
    sandbox.write("dist/orders.zip", zip);
    sandbox.change("Later");
    let outcome = sandbox.slsart(&format!("record {} HEAD~1", directory.display()));
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
}

#[test]
fn what_is_live_does_not_depend_on_clocks() {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart_with("deploy v1 -s prod -yq", &[("SLSART_NOW", "2026-02-01T12:10:00Z")]).succeeded();
    sandbox.slsart_with("deploy -s prod -yq", &[("SLSART_NOW", "2026-02-01T12:05:00Z")]).succeeded();
    let plan = sandbox.slsart("rollback -s prod -n --json").json();
    assert_eq!(plan["live"]["label"], "Answer two");
    assert_eq!(plan["restore"]["label"], "v1");
}
