//! `diff`, and the guard over what a rollback would destroy.

use serde_json::{Value, json};
use snapbox::str;

use crate::sandbox::{Sandbox, zip_of};

/// Records a package of HEAD for `prod` whose state is changed by `edit`, and whose code is `files`.
fn record(sandbox: &Sandbox, name: &str, files: &[(&str, &str)], edit: impl FnOnce(&mut Value, &mut Value)) {
    let directory = sandbox.build(name, "prod");
    let path = directory.join("serverless-state.json");
    let text = std::fs::read_to_string(&path).unwrap();
    // Every packaging has a time of its own.
    let time = format!("{}-2026-01-05T09:00:00.000Z", 1_767_603_600_000_u64 + name.len() as u64);
    let mut state: Value =
        serde_json::from_str(&text.replace("1767603600000-2026-01-05T09:00:00.000Z", &time)).unwrap();
    let mut template = state["service"]["provider"]["compiledCloudFormationTemplate"].take();
    edit(&mut state["service"], &mut template);
    state["service"]["provider"]["compiledCloudFormationTemplate"] = template;
    std::fs::write(&path, state.to_string()).unwrap();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    std::fs::write(directory.join("orders.zip"), zip_of(&files)).unwrap();
    sandbox.slsart(&format!("record -q ../{name}")).succeeded();
}

fn table(properties: &Value) -> Value {
    json!({"Type": "AWS::DynamoDB::Table", "Properties": properties})
}

/// v1, and HEAD with another function, other code and settings, another table and what every packaging makes anew.
fn two_versions() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git("tag v1");
    let version = |hash: &str| format!("HelloLambdaVersion{hash}");
    let of = json!({"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": {
        "FunctionName": {"Ref": "HelloLambdaFunction"}, "CodeSha256": "one",
    }});
    record(
        &sandbox,
        "one",
        &[("handler.js", "one\ntwo\nthree\n"), ("lib/gone.js", "x\n"), ("same.js", "s\n")],
        |_, template| {
            let resources = &mut template["Resources"];
            resources[version(&"a".repeat(40))] = of.clone();
            let hello = &mut resources["HelloLambdaFunction"]["Properties"];
            hello["MemorySize"] = json!(1024);
            hello["Environment"] = json!({"Variables": {"DB_PASSWORD": "hunter2", "OLD": "old-secret"}});
            resources["Orders"] = table(&json!({"TableName": "orders"}));
        },
    );
    sandbox.change("Answer two");
    record(
        &sandbox,
        "second",
        &[("handler.js", "one\n2\nthree\nfour\n"), ("logo.png", "\0\u{1}"), ("same.js", "s\n")],
        |service, template| {
            let resources = &mut template["Resources"];
            let mut of = of.clone();
            of["Properties"]["CodeSha256"] = json!("two");
            resources[version(&"b".repeat(40))] = of;
            let hello = &mut resources["HelloLambdaFunction"]["Properties"];
            hello["MemorySize"] = json!(512);
            hello["Environment"] = json!({"Variables": {"DB_PASSWORD": "hunter3", "NEW": "new-secret"}});
            hello["VpcConfig"] = json!({"SubnetIds": ["subnet-secret"]});
            let mut list = resources["HelloLambdaFunction"].clone();
            list["Properties"]["FunctionName"] = json!("orders-prod-list");
            resources["ListLambdaFunction"] = list;
            resources["Orders"] = table(&json!({"TableName": "orders-2"}));
            resources["CartTable"] = table(&json!({}));
            resources["Topic"] = json!({"Type": "AWS::SNS::Topic"});
            template["Outputs"] = json!({"CartName": {"Value": "x", "Export": {"Name": "cart"}}});
            service["functions"]["list"] = json!({"name": "orders-prod-list", "handler": "handler.list", "events": [{"http": "GET /orders"}]});
        },
    );
    sandbox
}

#[test]
fn everything_that_differs_is_told_and_no_value_that_may_be_secret() {
    let sandbox = two_versions();
    sandbox.slsart("diff v1 -s prod").is(str![[r#"
From  12a1bee  v1  package aeb53813 · orders · prod · us-east-1
To    35040f8  Answer two  package 35f6f3e5 · orders · prod · us-east-1

~ function hello          code (3 files, +2 −2), memory 1024 → 512, environment +NEW −OLD ~DB_PASSWORD, VpcConfig
+ function list
+ event http GET /orders  of list
+ table CartTable         AWS::DynamoDB::Table
~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
+ topic Topic             AWS::SNS::Topic
+ output CartName
= 1 resource unchanged

orders.zip
  ~ handler.js  +2 −1
  - lib/gone.js  +0 −1
  + logo.png  not text

1 commit
  + 35040f8  Answer two

"#]]);
    sandbox.slsart("diff HEAD v1 --stat").is(str![[r#"
From  35040f8  Answer two  package 35f6f3e5 · orders · prod · us-east-1
To    12a1bee  v1  package aeb53813 · orders · prod · us-east-1

~ function hello          code (3 files, +2 −2), memory 512 → 1024, environment +OLD −NEW ~DB_PASSWORD, VpcConfig
- function list
- event http GET /orders  of list
- table CartTable         AWS::DynamoDB::Table  would be DELETED  blocked
~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
- topic Topic             AWS::SNS::Topic
- output CartName         other stacks can import it
= 1 resource unchanged

1 commit undone

"#]]);
    for line in ["diff v1", "diff v1 --code", "diff HEAD v1 --json", "diff v1 --code --json"] {
        let shown = sandbox.slsart(line).succeeded().to_string();
        for secret in ["hunter", "old-secret", "new-secret", "subnet-secret"] {
            assert!(!shown.contains(secret), "{line} shows {secret}: {shown}");
        }
    }
}

#[test]
fn the_lines_of_code_that_differ_are_shown() {
    let sandbox = two_versions();
    sandbox.slsart("diff v1 --code").is(str![[r#"
From  12a1bee  v1  package aeb53813 · orders · prod · us-east-1
To    35040f8  Answer two  package 35f6f3e5 · orders · prod · us-east-1

~ function hello          code (3 files, +2 −2), memory 1024 → 512, environment +NEW −OLD ~DB_PASSWORD, VpcConfig
+ function list
+ event http GET /orders  of list
+ table CartTable         AWS::DynamoDB::Table
~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
+ topic Topic             AWS::SNS::Topic
+ output CartName
= 1 resource unchanged

orders.zip
  ~ handler.js  +2 −1
    @@ -1,3 +1,4 @@
     one
    -two
    +2
     three
    +four
  - lib/gone.js  +0 −1
    @@ -1 +0,0 @@
    -x
  + logo.png  not text

1 commit
  + 35040f8  Answer two

"#]]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one object is shown whole")]
fn json_of_a_difference() {
    let sandbox = two_versions();
    sandbox.slsart("diff HEAD v1 --json").is(str![[r#"
{
  "before": {
    "commit": "35040f885b4af1ed9d3f260f469eb65a08387061",
    "label": "Answer two",
    "package": "35f6f3e50895bff379099457e177f1e3af5d0a4cce929dedffd70207c03969be",
    "target": {
      "service": "orders",
      "path": ".",
      "stage": "prod",
      "region": "us-east-1"
    }
  },
  "after": {
    "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
    "label": "v1",
    "package": "aeb53813bd12dfde25eb08668335361ef073954e6d633564f4a129061cc88d2e",
    "target": {
      "service": "orders",
      "path": ".",
      "stage": "prod",
      "region": "us-east-1"
    }
  },
  "functions": [
    {
      "name": "hello",
      "id": "HelloLambdaFunction",
      "change": "changed",
      "code": {
        "archive": "orders.zip",
        "file_count": 3,
        "added": 2,
        "removed": 2
      },
      "settings": {
        "memory": {
          "before": "512",
          "after": "1024"
        }
      },
      "environment": {
        "added": [
          "OLD"
        ],
        "removed": [
          "NEW"
        ],
        "changed": [
          "DB_PASSWORD"
        ]
      },
      "properties": [
        "VpcConfig"
      ]
    },
    {
      "name": "list",
      "id": "ListLambdaFunction",
      "change": "removed",
      "settings": {},
      "environment": {
        "added": [],
        "removed": [],
        "changed": []
      },
      "properties": []
    }
  ],
  "layers": [],
  "events": [
    {
      "function": "list",
      "kind": "http",
      "on": "GET /orders",
      "change": "removed"
    }
  ],
  "resources": [
    {
      "id": "CartTable",
      "type": "AWS::DynamoDB::Table",
      "change": "removed",
      "properties": [],
      "attributes": []
    },
    {
      "id": "Orders",
      "type": "AWS::DynamoDB::Table",
      "change": "changed",
      "properties": [
        "TableName"
      ],
      "attributes": []
    },
    {
      "id": "Topic",
      "type": "AWS::SNS::Topic",
      "change": "removed",
      "properties": [],
      "attributes": []
    }
  ],
  "judgements": [
    {
      "id": "CartTable",
      "type": "AWS::DynamoDB::Table",
      "fate": "deleted",
      "verdict": "blocked",
      "because": [],
      "holds": "items"
    },
    {
      "id": "ListLambdaFunction",
      "type": "AWS::Lambda::Function",
      "fate": "deleted",
      "verdict": "harmless",
      "because": []
    },
    {
      "id": "Orders",
      "type": "AWS::DynamoDB::Table",
      "fate": "replaced",
      "verdict": "blocked",
      "because": [
        "TableName"
      ],
      "holds": "items"
    },
    {
      "id": "Topic",
      "type": "AWS::SNS::Topic",
      "fate": "deleted",
      "verdict": "harmless",
      "because": []
    }
  ],
  "outputs": [
    {
      "id": "CartName",
      "change": "removed",
      "exported": true
    }
  ],
  "unchanged": 1,
  "archives": [
    {
      "path": "orders.zip",
      "files": [
        {
          "path": "handler.js",
          "change": "changed",
          "added": 1,
          "removed": 2
        },
        {
          "path": "lib/gone.js",
          "change": "added",
          "added": 1,
          "removed": 0
        },
        {
          "path": "logo.png",
          "change": "removed"
        }
      ]
    }
  ],
  "plugins": [],
  "tools": [],
  "variables": {
    "added": [],
    "removed": [],
    "changed": []
  },
  "commits": {
    "added": 0,
    "removed": 1,
    "named": [
      {
        "commit": "35040f885b4af1ed9d3f260f469eb65a08387061",
        "subject": "Answer two",
        "removed": true
      }
    ]
  }
}

"#]]);
}

#[test]
fn a_package_made_again_differs_in_nothing() {
    let sandbox = two_versions();
    sandbox.slsart("diff v1 v1 -s prod").is(str![[r#"
From  12a1bee  v1  package aeb53813 · orders · prod · us-east-1
To    12a1bee  v1  package aeb53813 · orders · prod · us-east-1

= 3 resources unchanged

"#]]);
    // Recorded for another commit, with another time and hash.
    sandbox.change("Nothing");
    let files = [("handler.js", "one\n2\nthree\nfour\n"), ("logo.png", "\0\u{1}"), ("same.js", "s\n")];
    record(&sandbox, "a", &files, |_, _| ());
    sandbox.change("Nothing again");
    record(&sandbox, "another", &files, |_, _| ());
    sandbox.slsart("diff HEAD~1 HEAD").is(str![[r#"
From  a987452  Nothing  package 38a0457f · orders · prod · us-east-1
To    e5848ca  Nothing again  package 6c131909 · orders · prod · us-east-1

= 1 resource unchanged

1 commit
  + e5848ca  Nothing again

"#]]);
    sandbox.slsart("diff HEAD~1 HEAD --plugins").is(str![[r#"
From  a987452  Nothing  package 38a0457f · orders · prod · us-east-1
To    e5848ca  Nothing again  package 6c131909 · orders · prod · us-east-1

plugins, framework and node are the same

"#]]);
}

/// v1 went live, and then HEAD.
fn both_live() -> Sandbox {
    let sandbox = two_versions();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    sandbox.slsart("deploy -s prod --yes -q --allow-delete Orders").succeeded();
    sandbox
}

#[test]
fn a_deploy_that_would_replace_data_is_refused() {
    let sandbox = two_versions();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    sandbox.slsart("deploy -s prod --yes").is(str![[r#"
── stderr ──
Live      12a1bee  v1  deployed 1 minute ago by Dana
Deploy    35040f8  Answer two  package 35f6f3e5 · 2.3 kB · 2 minutes ago · osls 4.3.1
  ~ function hello          code (3 files, +2 −2), memory 1024 → 512, environment +NEW −OLD ~DB_PASSWORD, VpcConfig
  + function list
  + event http GET /orders  of list
  + table CartTable         AWS::DynamoDB::Table
  ~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
  + topic Topic             AWS::SNS::Topic
  + output CartName
  = 1 resource unchanged
error: this deploy would replace 1 stateful resource
hint: lost with it: Orders (items)
hint: back it up first; this option then deletes it with all data: --allow-delete Orders
── exit 1 ──

"#]]);
    let plan = sandbox.slsart("deploy -s prod -n --json").json();
    assert_eq!(plan["changes"]["against"], "the last recorded deployment");
    let judged = plan["changes"]["judgements"].as_array().unwrap();
    let blocked: Vec<_> =
        judged.iter().filter(|one| one["verdict"] == "blocked").map(|one| &one["id"]).collect();
    assert_eq!(blocked, ["Orders"]);
}

#[test]
fn a_rollback_that_would_delete_data_is_refused() {
    let sandbox = both_live();
    let before = sandbox.runs();
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
── stderr ──
Live      35040f8  Answer two  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package aeb53813 · 1.5 kB · 7 minutes ago · osls 4.3.1
  ~ function hello          code (3 files, +2 −2), memory 512 → 1024, environment +OLD −NEW ~DB_PASSWORD, VpcConfig
  - function list
  - event http GET /orders  of list
  - table CartTable         AWS::DynamoDB::Table  would be DELETED  blocked
  ~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
  - topic Topic             AWS::SNS::Topic
  - output CartName         other stacks can import it
  = 1 resource unchanged
error: this rollback would delete or replace 2 stateful resources
hint: lost with them: CartTable (items), Orders (items)
hint: back them up first; this option then deletes them with all data: --allow-delete CartTable --allow-delete Orders
── exit 1 ──

"#]]);
    sandbox.slsart("rollback -s prod --yes --json").is(str![[r#"
── stderr ──
{
  "error": {
    "kind": "refused",
    "message": "this rollback would delete or replace 2 stateful resources",
    "causes": [],
    "hints": [
      "lost with them: CartTable (items), Orders (items)",
      "back them up first; this option then deletes them with all data: --allow-delete CartTable --allow-delete Orders"
    ],
    "exit_code": 1
  }
}
── exit 1 ──

"#]]);
    sandbox.slsart("rollback -s prod --dry-run").is(str![[r#"
Live      35040f8  Answer two  deployed 3 minutes ago by Dana
Restore   12a1bee  v1  package aeb53813 · 1.5 kB · 9 minutes ago · osls 4.3.1
  ~ function hello          code (3 files, +2 −2), memory 512 → 1024, environment +OLD −NEW ~DB_PASSWORD, VpcConfig
  - function list
  - event http GET /orders  of list
  - table CartTable         AWS::DynamoDB::Table  would be DELETED  blocked
  ~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
  - topic Topic             AWS::SNS::Topic
  - output CartName         other stacks can import it
  = 1 resource unchanged
── stderr ──
error: this rollback would delete or replace 2 stateful resources
hint: lost with them: CartTable (items), Orders (items)
hint: back them up first; this option then deletes them with all data: --allow-delete CartTable --allow-delete Orders
── exit 1 ──

"#]]);
    assert_eq!(sandbox.runs(), before, "the framework ran");
}

#[test]
fn what_would_be_deleted_is_allowed_by_name_and_each_has_to_be() {
    let sandbox = both_live();
    let before = sandbox.runs();
    sandbox.slsart("rollback -s prod --yes --allow-delete CartTable").is(str![[r#"
── stderr ──
Live      35040f8  Answer two  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package aeb53813 · 1.5 kB · 7 minutes ago · osls 4.3.1
  ~ function hello          code (3 files, +2 −2), memory 512 → 1024, environment +OLD −NEW ~DB_PASSWORD, VpcConfig
  - function list
  - event http GET /orders  of list
  - table CartTable         AWS::DynamoDB::Table  would be DELETED  allowed
  ~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  blocked
  - topic Topic             AWS::SNS::Topic
  - output CartName         other stacks can import it
  = 1 resource unchanged
error: this rollback would replace 1 stateful resource
hint: lost with it: Orders (items)
hint: back it up first; this option then deletes it with all data: --allow-delete CartTable --allow-delete Orders
── exit 1 ──

"#]]);
    sandbox.slsart("rollback -s prod --yes --allow-delete Cart").is(str![[r#"
── stderr ──
error: there is no resource 'Cart' to be deleted
hint: --allow-delete takes a logical id of this plan's blocked resources: CartTable, Orders
── exit 2 ──

"#]]);
    assert_eq!(sandbox.runs(), before, "the framework ran");
    sandbox.slsart("rollback -s prod --yes --allow-delete CartTable --allow-delete Orders").is(str![[r#"
Live      12a1bee  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback 35f6f3e5 -s prod
── stderr ──
Live      35040f8  Answer two  deployed 3 minutes ago by Dana
Restore   12a1bee  v1  package aeb53813 · 1.5 kB · 9 minutes ago · osls 4.3.1
  ~ function hello          code (3 files, +2 −2), memory 512 → 1024, environment +OLD −NEW ~DB_PASSWORD, VpcConfig
  - function list
  - event http GET /orders  of list
  - table CartTable         AWS::DynamoDB::Table  would be DELETED  allowed
  ~ table Orders            AWS::DynamoDB::Table  TableName  would be REPLACED (TableName)  allowed
  - topic Topic             AWS::SNS::Topic
  - output CartName         other stacks can import it
  = 1 resource unchanged

"#]]);
}

#[test]
fn what_a_failed_deployment_may_have_made_is_not_deleted_unseen() {
    let sandbox = two_versions();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    let line = "deploy -s prod --yes -q --allow-delete Orders";
    assert_eq!(sandbox.slsart_with(line, &[("STAND_IN", "fail")]).code, 3);
    // As far as the history knows, v1 is live; the table may be there all the same.
    sandbox.slsart("rollback v1 -s prod --yes").is(str![[r#"
── stderr ──
Live      12a1bee  v1  deployed 2 minutes ago by Dana
Restore   12a1bee  v1  package aeb53813 · 1.5 kB · 7 minutes ago · osls 4.3.1
  = 3 resources unchanged
  ! CartTable  AWS::DynamoDB::Table  would be DELETED, if the later deployment went through  blocked
  ! Orders  AWS::DynamoDB::Table  would be REPLACED, if the later deployment went through  blocked
! the deploy of 35040f8 by Dana, begun 1 minute ago, did not finish: what is live is not certain
! by the history, this package is live already
error: this rollback would delete or replace 2 stateful resources
hint: lost with them: CartTable (items), Orders (items)
hint: back them up first; this option then deletes them with all data: --allow-delete CartTable --allow-delete Orders
── exit 1 ──

"#]]);
}

#[test]
fn a_policy_that_keeps_the_data_lets_it_pass() {
    let sandbox = Sandbox::new();
    record(&sandbox, "one", &[("handler.js", "1")], |_, _| ());
    sandbox.git("tag v1");
    sandbox.change("Keep a table");
    record(&sandbox, "second", &[("handler.js", "1")], |_, template| {
        template["Resources"]["CartTable"] = table(&json!({}));
        template["Resources"]["CartTable"]["DeletionPolicy"] = json!("Retain");
    });
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
Live      12a1bee  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback 03a04c67 -s prod
── stderr ──
Live      5c712a6  Keep a table  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package c024fca3 · 970 B · 8 minutes ago · osls 4.3.1
  - table CartTable  AWS::DynamoDB::Table  would leave the stack, kept by DeletionPolicy: Retain
  = 1 resource unchanged

"#]]);
}

#[test]
fn where_nothing_is_known_to_be_live_nothing_can_be_allowed() {
    let sandbox = two_versions();
    sandbox.slsart("deploy v1 -s prod --yes --allow-delete Orders").is(str![[r#"
── stderr ──
error: what is live is unknown, so nothing is known to be deleted
hint: leave out --allow-delete
── exit 2 ──

"#]]);
}
