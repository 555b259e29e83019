//! Stock git and this program on the same notes and refs.

use snapbox::str;

use crate::sandbox::{Sandbox, matches};

#[test]
fn stock_git_reads_the_notes() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    matches(
        sandbox.git("notes --ref=slsart show HEAD"),
        str![
            "slsart/1 service=orders path=. stage=prod region=us-east-1 package=be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609 size=1298 framework=osls@4.3.1 recorded=2026-01-05T09:05:00Z"
        ],
    );
    matches(
        sandbox.git("log --notes=slsart --oneline --decorate"),
        str![[r#"
12a1bee (HEAD -> main) Add the service
Notes (slsart):
    slsart/1 service=orders path=. stage=prod region=us-east-1 package=be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609 size=1298 framework=osls@4.3.1 recorded=2026-01-05T09:05:00Z
"#]],
    );
    matches(
        sandbox.git("log --format=%s%n%b refs/notes/slsart"),
        str!["Package orders · prod · us-east-1 of 12a1bee131fc490e459a58c4a125a830181e8d22"],
    );
    let names = sandbox.git("for-each-ref --format=%(refname) refs/slsart/deployments");
    matches(
        sandbox.git(&format!("log --format=%s%n%b {names} --not main")),
        str![[r#"
deploy 12a1bee to prod: succeeded
Target: orders · prod · us-east-1
Package: be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609
By: Dana <dana@example.org>

deploy 12a1bee to prod: started
Target: orders · prod · us-east-1
Package: be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609
By: Dana <dana@example.org>
"#]],
    );
    matches(
        sandbox
            .shell(
                "git ls-tree -r --name-only $(git for-each-ref --format='%(refname)' refs/slsart/packages)",
            )
            .stdout,
        str![[r#"
files/cloudformation-template-update-stack.json
files/orders.zip/recipe
files/orders.zip/tree/handler.js
files/serverless-state.json
manifest.toml

"#]],
    );
    sandbox.fsck();
}

#[test]
fn notes_that_stock_git_has_laid_out_otherwise_are_found() {
    let sandbox = Sandbox::recorded();
    // Hundreds of notes on commits of others: git changes the depth of its folders.
    sandbox
        .shell(
            "tree=$(git rev-parse HEAD^{tree})
             for i in $(seq 1 400); do git commit-tree $tree -m $i; done > ../commits
             cat ../commits | sed \"s/^/$(git rev-parse HEAD) /\" | git notes --ref=slsart copy --stdin",
        )
        .succeeded();
    let depth = sandbox.git("ls-tree -r --name-only refs/notes/slsart");
    assert!(
        depth.lines().count() == 401 && depth.lines().all(|name| name.matches('/').count() == 1),
        "{depth}"
    );
    sandbox.slsart("show --json").succeeded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("log").is(str![[r#"
09e92f0  e4ccfcce  orders · prod · us-east-1  1.3 kB  1 minute ago   Answer two
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  8 minutes ago  Add the service

"#]]);
    // And stock git goes on with ours.
    sandbox.git("notes --ref=slsart append -m more HEAD");
    sandbox.slsart("show --json -s prod").succeeded();
    sandbox.fsck();
}

#[test]
fn a_flat_tree_is_read_and_grows() {
    let sandbox = Sandbox::new();
    // With few notes, git itself uses no folders.
    sandbox.git("notes --ref=slsart add -m 'Reviewed-by: Eve' HEAD");
    assert!(!sandbox.git("ls-tree -r --name-only refs/notes/slsart").contains('/'));
    sandbox.record("prod");
    matches(
        sandbox.git("notes --ref=slsart show"),
        str![[r#"
Reviewed-by: Eve
slsart/1 service=orders path=. stage=prod region=us-east-1 package=be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609 size=1298 framework=osls@4.3.1 recorded=2026-01-05T09:07:00Z
"#]],
    );
    assert_eq!(sandbox.git("notes --ref=slsart list").lines().count(), 1);
    sandbox.change("Answer two");
    sandbox.record("prod");
    assert_eq!(sandbox.git("notes --ref=slsart list").lines().count(), 2);
    sandbox.slsart("verify --all -q").is(str![[r#"
✓ intact   4894d86  e4ccfcce  orders · prod · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
warning: the note of 12a1bee has a line that this git-slsart can't read: Reviewed-by: Eve

"#]]);
    sandbox.git("notes --ref=slsart remove HEAD");
    sandbox.slsart("log -n 5").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  10 minutes ago  Add the service
── stderr ──
warning: the note of 12a1bee has a line that this git-slsart can't read: Reviewed-by: Eve

"#]]);
}

#[test]
fn notes_of_two_machines_merge_line_by_line() {
    let sandbox = Sandbox::recorded();
    sandbox.git("clone --quiet --mirror . ../other.git");
    sandbox.record("dev");
    sandbox.build("dist", "qa");
    sandbox.slsart("-C ../other.git record ../dist -q").succeeded();
    sandbox.git("fetch --quiet ../other.git refs/notes/slsart:refs/notes/other 'refs/slsart/packages/*:refs/slsart/packages/*'");
    sandbox.git("notes --ref=slsart merge --quiet -s cat_sort_uniq other");
    sandbox.slsart("log").is(str![[r#"
12a1bee  7f5762db  orders · qa · us-east-1    1.3 kB  3 minutes ago  Add the service
12a1bee  b0c1c91a  orders · dev · us-east-1   1.3 kB  4 minutes ago  Add the service
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  6 minutes ago  Add the service

"#]]);
    sandbox.slsart("verify --all -q").is(str![[r#"
✓ intact   12a1bee  7f5762db  orders · qa · us-east-1
✓ intact   12a1bee  b0c1c91a  orders · dev · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    // A merge is a commit as any other.
    sandbox.record("stage-2");
    sandbox.slsart("log -s stage-2").is(str![[r#"
12a1bee  a3a032e3  orders · stage-2 · us-east-1  1.3 kB  1 minute ago  Add the service

"#]]);
    sandbox.fsck();
}

#[test]
fn gc_keeps_every_package() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    // The second commit is on no branch any more.
    sandbox.git("reset --quiet --hard HEAD~");
    sandbox.git("reflog expire --expire=now --expire-unreachable=now --all");
    sandbox.git("gc --quiet --prune=now --aggressive");
    assert_eq!(sandbox.git("count-objects"), "0 objects, 0 kilobytes");
    sandbox.slsart("verify --all -q").is(str![[r#"
✓ intact   c126563  e4ccfcce  orders · prod · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
1  ● live  deploy  succeeded  c126563  Answer two  6 minutes ago in [N] s by Dana

"#]]);
    sandbox.slsart("rollback :/Answer -s prod -n").is(str![[r#"
Live      c126563  Answer two  deployed 7 minutes ago by Dana
Restore   c126563  Answer two  package e4ccfcce · 1.3 kB · 8 minutes ago · osls 4.3.1
  = 1 resource unchanged
! by the history, this package is live already

"#]]);
    let gone =
        sandbox.slsart("log --all --json").json()["packages"][0]["commit"].as_str().unwrap().to_owned();
    sandbox.slsart(&format!("rollback {gone} -s prod --yes")).prints(str![[r#"
Live      c126563  Answer two on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])

"#]]);
    sandbox.git("pack-refs --all");
    sandbox.record("dev");
    sandbox.slsart("verify --all -q").succeeded();
}
