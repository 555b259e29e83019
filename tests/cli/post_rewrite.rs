//! The post-rewrite hook: packages follow commits that are rewritten to the same tree.

use snapbox::str;

use crate::sandbox::Sandbox;

/// A package for HEAD, "Add the service", and the hooks.
fn hooked() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("hooks install -q").succeeded();
    sandbox
}

#[test]
fn an_amended_message_keeps_the_package_and_an_amended_tree_does_not() {
    let sandbox = hooked();
    let old = sandbox.git("rev-parse HEAD");
    sandbox.slsart("toolchain save -q").succeeded();
    sandbox.run("git", ["commit", "--quiet", "--amend", "-m", "Reworded"]).is(str![]);
    sandbox.slsart("log").is(str![[r#"
349652d  be694c54  orders · prod · us-east-1  1.3 kB  5 minutes ago  Reworded

"#]]);
    sandbox.slsart("verify -q").is(str![[r#"
✓ intact   349652d  be694c54  orders · prod · us-east-1

"#]]);
    // The toolchain is found by the commit, so the new one has it too.
    let kept = sandbox.slsart("toolchain list").stdout;
    assert!(kept.contains("2 commits: 349652d 12a1bee"), "{kept}");
    sandbox.slsart(&format!("show {old} --json")).succeeded();
    let package = format!("refs/slsart/packages/{}", sandbox.git("rev-parse HEAD"));
    assert_eq!(
        sandbox.git(&format!("for-each-ref --format=%(parent) {package}")),
        sandbox.git("rev-parse HEAD")
    );
    sandbox.fsck();

    sandbox.write("handler.js", "exports.hello = async () => 'two';\n");
    sandbox.run("git", ["commit", "--quiet", "--all", "--amend", "-m", "Changed"]).is(str![]);
    assert_eq!(sandbox.slsart("show").code, 5);
    // Twice is once.
    let before = sandbox.fingerprint();
    let lines = format!("{old} {}\n", sandbox.git("rev-parse HEAD@{1}"));
    sandbox.write("../lines", lines);
    sandbox.shell("git slsart hook post-rewrite amend <../lines").is(str![]);
    sandbox.is_as_before(&before);
}

#[test]
fn after_a_rebase_those_with_the_same_tree_have_it() {
    let sandbox = hooked();
    sandbox.change("Two");
    sandbox.record("prod");
    sandbox.git("rebase --quiet --force-rebase HEAD~");
    let rebased = sandbox.slsart("log").succeeded().stdout;
    assert_eq!(rebased.lines().count(), 2, "{rebased}");
    // On top of something else no tree is the same.
    sandbox.git("checkout --quiet -b other HEAD~");
    sandbox.write("other.js", "");
    sandbox.commit("Other");
    sandbox.git("checkout --quiet main");
    sandbox.run("git", ["rebase", "--quiet", "other"]).is(str![]);
    assert_eq!(sandbox.slsart("show").code, 5);
    sandbox.fsck();
}

#[test]
fn a_ban_follows_its_package() {
    let sandbox = hooked();
    sandbox.slsart("ban HEAD -m 'loses orders' -q").succeeded();
    sandbox.git("commit --quiet --amend -m Reworded");
    sandbox.slsart("deploy -s prod -n").is(str![[r#"
── stderr ──
error: 52363bc (be694c54) of orders must not be deployed: banned by Dana on 2026-01-05: loses orders
hint: to lift the ban: git slsart unban be694c54 -s prod
── exit 1 ──

"#]]);
}

#[test]
fn what_rewrites_without_telling_is_told_by_hand() {
    let sandbox = hooked();
    sandbox.write("later.js", "");
    sandbox.commit("Later");
    let filter = "git filter-branch -f --msg-filter 'sed s/Add/Have/' -- --branches --tags";
    sandbox.shell(&format!("FILTER_BRANCH_SQUELCH_WARNING=1 {filter}")).succeeded();
    assert!(!sandbox.slsart("log").stdout.contains("Have the service"));
    // As docs/howto-hooks.md has it.
    sandbox
        .shell(
            "git rev-list --topo-order refs/original/refs/heads/main >../old
             git rev-list --topo-order main >../new
             paste -d ' ' ../old ../new | git slsart hook post-rewrite",
        )
        .is(str![]);
    assert!(sandbox.slsart("log").stdout.contains("Have the service"));
}

#[test]
fn where_nobody_hands_on_what_was_rewritten_git_knows_it() {
    let sandbox = hooked();
    // As pre-commit runs what it found: without input.
    let file = sandbox.read(".git/hooks/post-rewrite");
    sandbox.write_program(".git/hooks/post-rewrite", &file.replacen("\n#", "\nexec </dev/null\n#", 1));
    sandbox.run("git", ["commit", "--quiet", "--amend", "-m", "Reworded"]).is(str![]);
    assert!(sandbox.slsart("log").stdout.contains("Reworded"));
    sandbox.run("git", ["rebase", "--quiet", "--force-rebase", "--root"]).is(str![]);
    assert_eq!(sandbox.slsart("show").code, 0);
}

#[test]
fn switched_off_nothing_follows() {
    let sandbox = hooked();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"off\"\n");
    sandbox.run("git", ["commit", "--quiet", "--amend", "-m", "Reworded"]).is(str![]);
    assert_eq!(sandbox.slsart("show").code, 5);
}
