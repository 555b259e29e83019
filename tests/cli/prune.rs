//! `git slsart prune`: what it chooses, what it never removes, and what that frees.

use std::fs;

use snapbox::str;

use crate::sandbox::{Sandbox, zip_of};

/// Five packages of `prod`, of which the third and the fourth were deployed, and one of `dev`.
fn five() -> Sandbox {
    let sandbox = Sandbox::recorded();
    for number in 2..=5 {
        sandbox.change(&format!("Answer {number}"));
        sandbox.record("prod");
        if number == 3 || number == 4 {
            sandbox.slsart("deploy -s prod --yes -q").succeeded();
        }
    }
    sandbox.record("dev");
    sandbox
}

fn package_refs(sandbox: &Sandbox) -> usize {
    sandbox.git("for-each-ref refs/slsart/packages").lines().count()
}

#[test]
fn what_a_policy_chooses_is_shown_and_removed() {
    let sandbox = five();
    sandbox.slsart("prune").is(str![[r#"
── stderr ──
error: no packages are selected
hint: for example: git slsart prune --keep-last 20 --older-than 90d --dry-run
hint: or name them: git slsart prune REF
── exit 2 ──

"#]]);
    let before = sandbox.git("for-each-ref");
    sandbox.slsart("prune --keep-last 1 -n").is(str![[r#"
Remove    b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  18 minutes ago  Answer 2  gone for good
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  22 minutes ago  Add the service  gone for good
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  9 minutes ago   Answer 4  live
Keep      247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  14 minutes ago  Answer 3  the last good one: a rollback goes to it
Frees     about 2.6 kB on disk; objects that other packages share stay
── stderr ──
Reading the packages and histories

"#]]);
    sandbox.slsart("prune --keep-last 1").is(str![[r#"
── stderr ──
Reading the packages and histories
Remove    b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  19 minutes ago  Answer 2  gone for good
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  23 minutes ago  Add the service  gone for good
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  10 minutes ago  Answer 4  live
Keep      247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  15 minutes ago  Answer 3  the last good one: a rollback goes to it
Frees     about 2.6 kB on disk; objects that other packages share stay
error: this needs a confirmation, and there is no terminal to ask on
hint: --yes goes on without a question; --dry-run only shows the plan
── exit 1 ──

"#]]);
    assert_eq!(sandbox.git("for-each-ref"), before);
    sandbox.slsart("prune --keep-last 1 --yes").prints(str![[r#"
Removed   2 packages  about 2.6 kB on disk
hint: the space is freed when git collects garbage; to free all of it now: git gc --prune=now

"#]]);
    assert_eq!(package_refs(&sandbox), 4);
    sandbox.slsart("prune --keep-last 1 --yes").is(str![[r#"
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  14 minutes ago  Answer 4  live
Keep      247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  19 minutes ago  Answer 3  the last good one: a rollback goes to it
there is nothing to remove
── stderr ──
Reading the packages and histories

"#]]);
    sandbox.slsart("verify --all -q").succeeded();
    sandbox.slsart("log").is(str![[r#"
2016ece  d0c003d4  orders · dev · us-east-1   1.3 kB  10 minutes ago  Answer 5
2016ece  447cf8a0  orders · prod · us-east-1  1.3 kB  11 minutes ago  Answer 5
30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  16 minutes ago  Answer 4
247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  21 minutes ago  Answer 3

"#]]);
    sandbox.slsart("log --pruned -s prod").is(str![[r#"
2016ece  447cf8a0  orders · prod · us-east-1  1.3 kB  12 minutes ago  Answer 5
30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  17 minutes ago  Answer 4
247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  22 minutes ago  Answer 3
b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  26 minutes ago  Answer 2 pruned
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  30 minutes ago  Add the service pruned

"#]]);
    sandbox.fsck();

    // Whoever asks for it is told.
    for line in ["show HEAD~3", "rollback HEAD~3 -s prod -n", "extract HEAD~3 -o ../out"] {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 5, "{line}: {outcome}");
        outcome.is(str![[r#"
── stderr ──
error: the package 64412c9a of b4fea36 for orders · prod · us-east-1 was pruned on 2026-01-05
hint: the nearest commits that have one: 2016ece Answer 5; 30de28d Answer 4; 247d5ee Answer 3
hint: to package the commit again: git slsart package b4fea36 -s prod -r us-east-1
── exit 5 ──

"#]]);
    }
    let id = sandbox.slsart("log --pruned HEAD~4 --json").json()["packages"][0]["package"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox.slsart(&format!("show {}", &id[..8])).is(str![[r#"
── stderr ──
error: the package be694c54 of 12a1bee for orders · prod · us-east-1 was pruned on 2026-01-05
hint: the nearest commits that have one: 2016ece Answer 5; 30de28d Answer 4; 247d5ee Answer 3
hint: to package the commit again: git slsart package 12a1bee -s prod -r us-east-1
── exit 5 ──

"#]]);

    // Recorded again it is there again, also by a clock that goes backwards.
    sandbox.git("checkout -q HEAD~4");
    sandbox.build("again", "prod");
    sandbox.slsart_with("record -q ../again", &[("SLSART_NOW", "2025-12-24T00:00:00Z")]).succeeded();
    sandbox.slsart("show").succeeded();
    sandbox.slsart("verify -q").succeeded();
    assert_eq!(sandbox.git("notes --ref=slsart show HEAD").lines().count(), 3);
    sandbox.slsart("prune HEAD --yes -q").succeeded();
    assert_eq!(sandbox.slsart("show").code, 5);
}

#[test]
fn options_narrow_each_other() {
    let sandbox = five();
    let chosen = |options: &str| {
        let plan = sandbox.slsart(&format!("prune {options} -n --json")).succeeded().json();
        let count = |list: &str| plan[list].as_array().unwrap().len();
        (count("packages"), count("kept"))
    };
    assert_eq!(chosen("--older-than 1d"), (0, 0));
    assert_eq!(chosen("--larger-than 1kB"), (4, 2));
    assert_eq!(chosen("--larger-than 1MB"), (0, 0));
    assert_eq!(chosen("-s dev"), (1, 0));
    assert_eq!(chosen("--keep-last 0 -s prod"), (3, 2));
    assert_eq!(chosen("--keep-last 4 --service orders"), (1, 0));
    assert_eq!(sandbox.slsart("prune -r eu-west-1 -n").code, 5);
    assert_eq!(chosen("HEAD"), (2, 0));
    assert_eq!(chosen("HEAD HEAD~3 -s prod"), (2, 0));
    let late =
        sandbox.slsart_with("prune --older-than 1y -n --json", &[("SLSART_NOW", "2027-02-01T00:00:00Z")]);
    assert_eq!(late.json()["packages"].as_array().unwrap().len(), 4);
    for wrong in
        ["--older-than 6m", "--larger-than x", "--keep-last x", "HEAD --keep-last 1", "--older-than 1d2h"]
    {
        let outcome = sandbox.slsart(&format!("prune {wrong} -n"));
        assert_eq!(outcome.code, 2, "{wrong}: {outcome}");
    }
}

#[test]
fn what_is_needed_is_never_removed() {
    let sandbox = five();
    let refused = |line: &str, why: &str| {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains(why), "{outcome}");
    };
    refused("prune HEAD~ --yes", "is kept: live");
    refused("prune HEAD~2 --yes", "is kept: the last good one: a rollback goes to it");
    sandbox.slsart("pin HEAD~3 -m why").succeeded();
    refused("prune HEAD~3 --yes", "is kept: pinned");
    sandbox.slsart("ban HEAD~4 -m broken").succeeded();
    refused("prune HEAD HEAD~4 --yes", "is kept: banned, and kept as evidence");
    sandbox.slsart("rollback -s prod --yes -q").succeeded();
    refused("prune HEAD~ --yes", "is kept: an undo goes to it");
    let failed = sandbox.slsart_with("deploy -s prod --yes -q", &[("STAND_IN", "fail")]);
    assert_eq!(failed.code, 3, "{failed}");
    refused("prune HEAD -s prod --yes", "is kept: may be live: a deployment of it did not finish");
    sandbox.slsart("prune -s prod --yes").is(str![[r#"
Keep      2016ece  447cf8a0  orders · prod · us-east-1  1.3 kB  12 minutes ago  Answer 5  may be live: a deployment of it did not finish
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  17 minutes ago  Answer 4  an undo goes to it
Keep      247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  22 minutes ago  Answer 3  live
Keep      b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  26 minutes ago  Answer 2  pinned
Keep      12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  30 minutes ago  Add the service  banned, and kept as evidence
there is nothing to remove
── stderr ──
Reading the packages and histories

"#]]);
    sandbox.slsart("unpin HEAD~3").succeeded();
    sandbox.slsart("unban HEAD~4").succeeded();
    assert_eq!(sandbox.slsart("prune -s prod -n --json").json()["packages"].as_array().unwrap().len(), 2);

    // Whatever a target's history can't tell.
    let name = sandbox.git("for-each-ref --format=%(refname) refs/slsart/deployments");
    let tip = sandbox.git(&format!("rev-parse {name}"));
    sandbox
        .shell(&format!(
            "blob=$(echo broken | git hash-object -w --stdin)
         tree=$(printf '100644 blob %s\tdeployment.toml\n' $blob | git mktree)
         git update-ref {name} $(git commit-tree $tree -p {tip} -m odd)"
        ))
        .succeeded();
    refused("prune HEAD~4 --yes", "is kept: its target's history, a ban or a pin can't be read");
    sandbox.slsart("prune HEAD -s dev --yes -q").succeeded();
    sandbox.slsart("verify --all -q").succeeded();
}

#[test]
fn nothing_of_a_target_goes_while_it_is_deployed() {
    let sandbox = five();
    let mut child = sandbox.hanging("deploy -s prod --yes --again");
    let outcome = sandbox.slsart("prune HEAD~3 --yes");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.contains("a deployment of its target is running"), "{outcome}");
    assert_eq!(
        sandbox.slsart("prune --keep-last 0 -n --json").json()["packages"].as_array().unwrap().len(),
        1
    );
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    child.wait().unwrap();
    sandbox.slsart("prune HEAD~3 --yes -q").succeeded();
}

#[test]
fn what_a_killed_process_or_another_machine_left_goes_too() {
    let sandbox = five();
    let mark = |commit: &str| {
        sandbox
            .shell(&format!(
                "note=$(git notes --ref=slsart show {commit} | head -n 1)
             git notes --ref=slsart append -m \"$note pruned=2026-01-06T00:00:00Z\" {commit}"
            ))
            .succeeded();
    };
    // Its lines were written, and its ref is still there; the live one's too, by a machine that did not know.
    mark("HEAD~4");
    mark("HEAD~");
    let left = sandbox.slsart("show HEAD~4 -q").succeeded();
    assert!(
        left.stderr.contains("be694c54 was pruned on 2026-01-06; the copy that is still here is used"),
        "{left}"
    );
    sandbox.slsart("rollback HEAD~ -s prod --yes -q").succeeded();
    assert!(!sandbox.slsart("log --all").stdout.contains("Answer 4"));
    sandbox.slsart("prune -s prod --keep-last 2 --yes").is(str![[r#"
Removed   2 packages  about 2.6 kB on disk
hint: the space is freed when git collects garbage; to free all of it now: git gc --prune=now
── stderr ──
Reading the packages and histories
Remove    b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  21 minutes ago  Answer 2  gone for good
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  25 minutes ago  Add the service  the rest of a pruned package
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  12 minutes ago  Answer 4  live
Frees     about 2.6 kB on disk; objects that other packages share stay
Removing

"#]]);
    assert_eq!(package_refs(&sandbox), 4);
    sandbox.fsck();
}

#[test]
fn the_copy_of_what_a_remote_has_goes_without_a_trace_in_the_notes() {
    let sandbox = five();
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    let warned = sandbox.slsart("prune --keep-last 1 -n");
    assert!(warned.stdout.contains("! the packages of origin are not known here"), "{warned}");
    // Two are there, as the notes said when they were fetched.
    let notes = sandbox.git("rev-parse refs/notes/slsart");
    sandbox.git("update-ref refs/notes/remotes/origin/slsart refs/notes/slsart~4");
    sandbox.slsart("prune --keep-last 1 --yes").is(str![[r#"
Removed   2 packages  about 2.6 kB on disk
hint: the space is freed when git collects garbage; to free all of it now: git gc --prune=now
── stderr ──
Reading the packages and histories
Remove    b4fea36  64412c9a  orders · prod · us-east-1  1.3 kB  21 minutes ago  Answer 2  only the local copy; origin has the package
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  25 minutes ago  Add the service  only the local copy; origin has the package
Keep      30de28d  0be2f0a6  orders · prod · us-east-1  1.3 kB  12 minutes ago  Answer 4  live
Keep      247d5ee  1935688f  orders · prod · us-east-1  1.3 kB  17 minutes ago  Answer 3  the last good one: a rollback goes to it
Frees     about 2.6 kB on disk; objects that other packages share stay
Removing

"#]]);
    assert_eq!(sandbox.git("rev-parse refs/notes/slsart"), notes);
    assert_eq!(package_refs(&sandbox), 4);
    assert_eq!(sandbox.slsart("log --all --json").json()["packages"].as_array().unwrap().len(), 6);
}

/// The bytes in `.git/objects`.
fn objects(sandbox: &Sandbox) -> u64 {
    let files = walkdir::WalkDir::new(sandbox.path(".git/objects")).into_iter().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|data| data.len()).sum()
}

/// 400 kB that do not compress, others for each seed.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..400_000).map(|_| next()).collect()
}

/// Records a package that shares little with any other.
fn record_large(sandbox: &Sandbox, seed: u32, stage: &str) {
    let directory = sandbox.build(&format!("large-{seed}"), stage);
    fs::write(directory.join("orders.zip"), zip_of(&[("noise.bin", &noise(seed))])).unwrap();
    sandbox.slsart(&format!("record -q ../large-{seed}")).succeeded();
}

#[test]
fn the_space_is_free_after_a_gc() {
    let sandbox = Sandbox::installed();
    sandbox.record("prod");
    sandbox.git("gc -q --prune=now");
    let small = objects(&sandbox);
    for seed in 1..=5 {
        sandbox.change(&format!("Answer {seed}"));
        record_large(&sandbox, seed, "prod");
    }
    // One of a working tree with changes: its snapshot goes with it.
    sandbox.write("large.bin", noise(9));
    sandbox.slsart("package --in-place --allow-dirty -q -s prod").succeeded();
    fs::remove_file(sandbox.path("large.bin")).unwrap();
    let refs = sandbox.git("for-each-ref --format=%(refname) --sort=-committerdate refs/slsart/packages");
    let snapshot = sandbox.git(&format!("rev-parse {}^", refs.lines().next().unwrap()));
    assert_ne!(snapshot, sandbox.git("rev-parse HEAD"));
    record_large(&sandbox, 6, "prod");
    let full = objects(&sandbox);
    assert!(full > small + 7 * 400_000, "{full}");
    let plan = sandbox.slsart("prune --keep-last 1 -s prod --yes --json").json();
    let frees = plan["frees"].as_u64().unwrap();
    assert!((6 * 400_000..6 * 400_000 + 60_000).contains(&frees), "{frees}");
    sandbox.git("gc -q");
    assert!(objects(&sandbox) > 5 * 400_000, "git keeps what was let go of for a while");
    sandbox.git("gc -q --prune=now");
    let left = objects(&sandbox);
    assert!((small + 400_000..small + 400_000 + 40_000).contains(&left), "{small} {full} {left}");
    assert_ne!(sandbox.run("git", ["cat-file", "-e", &snapshot]).code, 0);
    sandbox.slsart("verify --all -q").succeeded();
    sandbox.fsck();
}

#[test]
fn packages_are_removed_from_a_remote_too() {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox
        .shell(
            "git init --quiet --bare --initial-branch=main ../origin.git
             git remote add origin ../origin.git
             git push --quiet origin main v1",
        )
        .succeeded();
    sandbox.slsart("push -q").succeeded();
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch -q --all").succeeded();
    // The machine that removes it need not have it itself.
    sandbox.git("clone --quiet ../origin.git ../third");
    let packages = |clone: &str| {
        sandbox
            .git(&format!("-C {clone} for-each-ref --format=%(refname) refs/slsart/packages"))
            .lines()
            .count()
    };
    sandbox.git("push --quiet origin HEAD:refs/slsart-locks/orders/prod/us-east-1");
    let locked = sandbox.slsart("-C ../third prune v1 --remote --yes");
    assert!(locked.code == 1 && locked.stderr.contains("is kept"), "{locked}");
    sandbox.git("push --quiet origin :refs/slsart-locks/orders/prod/us-east-1");
    sandbox.slsart("-C ../third prune v1 --remote -n").is(str![[r#"
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  14 minutes ago  Add the service  gone for good, from origin too
Frees     about 0 B on disk; objects that other packages share stay
── stderr ──
Reading the packages and histories

"#]]);
    assert_eq!(packages("../origin.git"), 2);
    sandbox.slsart("-C ../third prune v1 --remote --yes").is(str![[r#"
Removed   1 package  about 0 B on disk
hint: the space is freed when git collects garbage; to free all of it now: git -C ../third gc --prune=now
hint: origin frees its space when its host collects garbage, and keeps LFS objects
── stderr ──
Reading the packages and histories
Remove    12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  16 minutes ago  Add the service  gone for good, from origin too
Frees     about 0 B on disk; objects that other packages share stay
Removing
Asking origin what it has
Sending notes and histories to origin
Removing from origin

"#]]);
    assert_eq!(packages("../origin.git"), 1);
    // Others learn of it, keep what they have, and do not bring it back.
    sandbox.slsart("-C ../other fetch -q").succeeded();
    assert_eq!(packages("../other"), 2);
    let log = sandbox.slsart("-C ../other log --all --json").json();
    assert_eq!(log["packages"].as_array().unwrap().len(), 1, "{log}");
    sandbox.slsart("-C ../other push -q").succeeded();
    assert_eq!(packages("../origin.git"), 1);
    sandbox.slsart("-C ../other prune v1 -y -q").succeeded();
    assert_eq!(packages("../other"), 1);
    // One that refuses keeps all of it here.
    sandbox.write_program("../origin.git/hooks/update", "#!/bin/sh\ncase $3 in 00000*) exit 1; esac\n");
    sandbox.slsart("fetch -q").succeeded();
    sandbox.slsart("prune HEAD --remote=origin --yes -q").is(str![[r#"
── stderr ──
error: origin refuses to delete package e4ccfcce: [remote rejected] (hook declined); error: hook declined to update refs/slsart/packages/35040f885b4af1ed9d3f260f469eb65a08387061/e4ccfcce19ad6fe7ee1c45255f4662a1053be80e268daf9fef19a6abc80e7f64
hint: nothing was removed here; run the command again once the remote allows it
── exit 1 ──

"#]]);
    assert_eq!((packages("."), packages("../origin.git")), (2, 1));
    sandbox.write_program("../origin.git/hooks/update", "#!/bin/sh\n");
    sandbox.slsart("prune HEAD --remote=origin --yes -q").succeeded();
    assert_eq!((packages("."), packages("../origin.git")), (1, 0));
}
