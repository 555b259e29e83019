//! `git slsart show`, and how every command finds a package by what is typed.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn a_package_in_full() {
    let sandbox = Sandbox::installed();
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    sandbox.slsart("show").is(str![[r#"
Package   d00594d65753b1bb375c447da1a563fbd17e6a654e07d64ce0fdb7b5a9ee0a5f
Target    orders · prod · us-east-1  in .
Commit    12a1bee131fc490e459a58c4a125a830181e8d22  Add the service
Made      in place  recorded 1 minute ago, 2026-01-05T09:05:00Z
With      osls 4.3.1 · node [NODE] · [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  493 B  f1a85c12db6605c4e51…
          orders.zip  153 B  6159d249632b2236e15…
          serverless-state.json  1.1 kB  34cfd1e7e634350a176…

"#]]);
}

#[test]
fn a_package_made_elsewhere_says_so_and_json_is_the_manifest() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("show").is(str![[r#"
Package   be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609
Target    orders · prod · us-east-1  in .
Commit    12a1bee131fc490e459a58c4a125a830181e8d22  Add the service
Made      elsewhere, and recorded  recorded 1 minute ago, 2026-01-05T09:05:00Z
With      osls 4.3.1 · recorded on [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  3 B  ca3d163bab055381827…
          orders.zip  153 B  d05375d10b2f5752f65…
          serverless-state.json  1.1 kB  badb46c4b475d60369b…

"#]]);
    sandbox.slsart("show --json").is(str![[r#"
{
  "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
  "subject": "Add the service",
  "committed": "2026-01-05T09:03:00Z",
  "tree": "32bb72471df32fed90c2452297b52119c136a9c1",
  "dirty": false,
  "package": "be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609",
  "target": {
    "service": "orders",
    "path": ".",
    "stage": "prod",
    "region": "us-east-1"
  },
  "size": 1298,
  "recorded": "2026-01-05T09:05:00Z",
  "made": "recorded",
  "slsart": "0.1.0",
  "os": "linux",
  "arch": "x86_64",
  "node_wanted": {
    "framework": ">=18"
  },
  "lockfile": {
    "path": "package-lock.json",
    "kind": "npm",
    "sha256": "068606cbf3326fb5993ed60761c435784b224a7c89c5fadc6312bba010dd7527"
  },
  "framework": {
    "name": "osls",
    "version": "4.3.1",
    "path": "tools/osls"
  },
  "plugins": [
    {
      "name": "serverless-hello",
      "version": "1.2.0",
      "path": "tools/serverless-hello"
    },
    {
      "name": "./plugins/trace",
      "path": "plugins/trace.js",
      "object": "0ba985d1a4fbf02a1954b4b814eaad19b19001c6"
    }
  ],
  "variables": [
    "DB_URL"
  ],
  "carried": [],
  "files": [
    {
      "path": "cloudformation-template-update-stack.json",
      "size": 3,
      "sha256": "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356",
      "form": "git"
    },
    {
      "path": "orders.zip",
      "size": 153,
      "sha256": "d05375d10b2f5752f6583108632cf43df890cf06abf533d989098191f772f975",
      "form": "git"
    },
    {
      "path": "serverless-state.json",
      "size": 1142,
      "sha256": "badb46c4b475d60369b434e547c81c2dacaccc1d169ce31f226578a672fd734b",
      "form": "git"
    }
  ]
}

"#]]);
}

#[test]
fn a_package_made_with_changes_says_so() {
    let sandbox = Sandbox::installed();
    sandbox.write("handler.js", "exports.hello = async () => 'local';\n");
    sandbox.slsart("package --in-place --allow-dirty -q").succeeded();
    sandbox.slsart("show").is(str![[r#"
Package   51755bb0f821f3e74b7b675ee087b69a0f8768d18a3558a5605981fd54ce0509
Target    orders · dev · us-east-1  in .
Commit    12a1bee131fc490e459a58c4a125a830181e8d22  Add the service
Source    with uncommitted changes  tree 7f72423f3fe4f75a56e277f6fadad39ad243e90c
Made      in place  recorded 1 minute ago, 2026-01-05T09:05:00Z
With      osls 4.3.1 · node [NODE] · [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  491 B  b22d35c798f80ded582…
          orders.zip  155 B  9832fa60c51ba601c76…
          serverless-state.json  1.1 kB  2b15878ecef8c9e5f07…

"#]]);
}

#[test]
fn a_commit_can_be_named_in_any_way_git_understands_and_a_package_by_its_id() {
    let sandbox = Sandbox::recorded();
    let id = sandbox.slsart("show --json").json()["package"].as_str().unwrap().to_owned();
    sandbox.git("tag -m 'The first' v1.0.0");
    sandbox.change("Answer two");
    for name in ["HEAD~", "v1.0.0", "v1.0.0^{commit}", ":/Add", "main@{1}", "HEAD^{/service}", &id, &id[..6]]
    {
        let shown = sandbox.slsart(&format!("show '{name}' --json")).succeeded().json();
        assert_eq!(shown["package"], id.as_str(), "{name}");
    }
}

#[test]
fn a_commit_without_a_package_names_the_nearest_that_have_one() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.change("Answer three");
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: commit 200dcac has no package
hint: the nearest commits that have one: 12a1bee Add the service
hint: to make a package: git slsart package
── exit 5 ──

"#]]);
    sandbox.slsart("show HEAD~ --json").is(str![[r#"
── stderr ──
{
  "error": {
    "kind": "not-recorded",
    "message": "commit c126563 has no package",
    "causes": [],
    "hints": [
      "the nearest commits that have one: 12a1bee Add the service",
      "to make a package: git slsart package c126563"
    ],
    "exit_code": 5
  }
}
── exit 5 ──

"#]]);
    sandbox.record("prod");
    // Those before it come first, then those after it.
    sandbox.slsart("show HEAD~").is(str![[r#"
── stderr ──
error: commit c126563 has no package
hint: the nearest commits that have one: 12a1bee Add the service; 200dcac Answer three
hint: to make a package: git slsart package c126563
── exit 5 ──

"#]]);
}

#[test]
fn a_package_for_another_stage_or_service_is_none_for_this() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("show -s dev").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("show -r eu-west-1").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the region 'eu-west-1'
hint: regions with packages or deployments: us-east-1
hint: to make a package: git slsart package -r eu-west-1
── exit 5 ──

"#]]);
    sandbox.slsart("show --service billing").is(str![[r#"
── stderr ──
error: there is no service 'billing'
hint: services: . (orders)
── exit 5 ──

"#]]);
    sandbox.slsart("extract HEAD -s dev -o ../out").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("verify HEAD -s dev").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("deploy -s dev --yes").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
hint: to package it and deploy it: git slsart deploy HEAD --package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("rollback HEAD -s dev --yes").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
}

#[test]
fn where_nothing_is_recorded_the_way_to_record_is_told() {
    let sandbox = Sandbox::new();
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: commit 12a1bee has no package
hint: to make a package: git slsart package
── exit 5 ──

"#]]);
}

#[test]
fn a_commit_with_packages_for_two_targets_asks_for_one() {
    let sandbox = Sandbox::recorded();
    sandbox.record("dev");
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: that commit has packages for several targets
hint: for orders · dev · us-east-1: git slsart show -s dev
hint: for orders · prod · us-east-1: git slsart show -s prod
── exit 1 ──

"#]]);
    sandbox.slsart("show -s dev --json").succeeded();
}

#[test]
fn a_name_that_is_nothing_is_not_recorded() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("show nowhere").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'nowhere' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    sandbox.slsart("show abcdef").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'abcdef' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    sandbox.slsart("show HEAD:handler.js").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'HEAD:handler.js' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    sandbox.slsart("show ''").is(str![[r#"
── stderr ──
error: a commit is expected here, and the value is empty
── exit 2 ──

"#]]);
    sandbox.slsart("show -- --output=x").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package '--output=x' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one object is shown whole")]
fn plugins_with_all_that_is_recorded_of_them() {
    let sandbox = Sandbox::installed();
    sandbox.write(
        "plugins/trace.js",
        "module.exports = class Trace { constructor() { this.hooks = { 'after:deploy:deploy': 1, 'package:finalize': 1 }; } };\n",
    );
    sandbox.write(".nvmrc", "22\n");
    sandbox.commit("Trace deploys");
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    let shown = sandbox.slsart("show").succeeded().stdout;
    assert!(shown.contains("\nNode      asked for: .nvmrc 22\n"), "{shown}");
    sandbox.slsart("show --plugins").is(str![[r#"
osls 4.3.1  the framework
  path      tools/osls
  files     4d4d88557584ecb66d6a72470e64b80820628f3c
serverless-hello 1.2.0
  path      tools/serverless-hello
  files     9195e024832efee04571cf4407990c8e8dc3554b
  hooks     none
  at deploy none
./plugins/trace
  path      plugins/trace.js
  object    c62d8e06c10241b993578a22fc33d950433d7429
  hooks     after:deploy:deploy, package:finalize
  at deploy after:deploy:deploy

"#]]);
    sandbox.slsart("show --plugins --json").is(str![[r#"
{
  "commit": "640fe5aea410b57e40b79f8dfa50eaa02196a8f5",
  "subject": "Trace deploys",
  "committed": "2026-01-05T09:06:00Z",
  "tree": "9345b6085fa442f07b1b085dbccdac1501f49c2d",
  "dirty": false,
  "package": "b446d85c1e64deded8946e4bbb85ee54112dd35a40dd83eb0eadd1aab6658b0d",
  "target": {
    "service": "orders",
    "path": ".",
    "stage": "prod",
    "region": "us-east-1"
  },
  "size": 1788,
  "recorded": "2026-01-05T09:08:00Z",
  "made": "in-place",
  "slsart": "0.1.0",
  "os": "linux",
  "arch": "x86_64",
  "node": "[NODE]",
  "node_wanted": {
    "nvmrc": "22",
    "framework": ">=18"
  },
  "lockfile": {
    "path": "package-lock.json",
    "kind": "npm",
    "sha256": "068606cbf3326fb5993ed60761c435784b224a7c89c5fadc6312bba010dd7527"
  },
  "framework": {
    "name": "osls",
    "version": "4.3.1",
    "path": "tools/osls",
    "tree": "4d4d88557584ecb66d6a72470e64b80820628f3c"
  },
  "plugins": [
    {
      "name": "serverless-hello",
      "version": "1.2.0",
      "path": "tools/serverless-hello",
      "tree": "9195e024832efee04571cf4407990c8e8dc3554b",
      "hooks": [],
      "deploy_events": []
    },
    {
      "name": "./plugins/trace",
      "path": "plugins/trace.js",
      "object": "c62d8e06c10241b993578a22fc33d950433d7429",
      "hooks": [
        "after:deploy:deploy",
        "package:finalize"
      ],
      "deploy_events": [
        "after:deploy:deploy"
      ]
    }
  ],
  "variables": [
    "DB_URL"
  ],
  "carried": [],
  "files": [
    {
      "path": "cloudformation-template-update-stack.json",
      "size": 493,
      "sha256": "d52a9dd7f404192955bda4c4036e139509536e4a25fbbd7d53310f97b07fc885",
      "form": "git"
    },
    {
      "path": "orders.zip",
      "size": 153,
      "sha256": "6159d249632b2236e15390610e861a089cc9f862fcc96f1728b8c9819aba37cc",
      "form": "git"
    },
    {
      "path": "serverless-state.json",
      "size": 1142,
      "sha256": "5e7cfa0319a0f255c3fcbf36f43906f574d365cafc86071c3bf98eeb583ef6a2",
      "form": "git"
    }
  ]
}

"#]]);
    // Of a package made elsewhere, neither what was installed nor the hooks are known.
    sandbox.record("dev");
    sandbox.slsart("show --plugins -s dev").is(str![[r#"
osls 4.3.1  the framework
  path      tools/osls
serverless-hello 1.2.0
  path      tools/serverless-hello
  hooks     unknown
  at deploy unknown
./plugins/trace
  path      plugins/trace.js
  object    c62d8e06c10241b993578a22fc33d950433d7429
  hooks     unknown
  at deploy unknown

"#]]);
}

#[test]
fn another_lockfile_is_read_and_what_it_does_not_say_is_unknown() {
    let sandbox = Sandbox::installed();
    sandbox.git("rm --quiet --cached package-lock.json");
    sandbox.write(
        "yarn.lock",
        "# yarn lockfile v1\n\nserverless-hello@file:tools/serverless-hello:\n  version \"1.2.0\"\n",
    );
    std::fs::remove_file(sandbox.path("package-lock.json")).unwrap();
    sandbox.commit("Use yarn");
    sandbox.record("prod");
    sandbox.slsart("show --plugins").is(str![[r#"
serverless-hello 1.2.0
  hooks     unknown
  at deploy unknown
./plugins/trace
  path      plugins/trace.js
  object    0ba985d1a4fbf02a1954b4b814eaad19b19001c6
  hooks     unknown
  at deploy unknown

"#]]);
}
