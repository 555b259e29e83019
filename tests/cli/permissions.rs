//! `docs/permissions.md`: the page names every AWS API call in the source, and each command makes only those in its row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;
use crate::server::{Answer, Server};

/// AWS has a stack, whose functions and layers it does not show.
const ANSWERS: &[Answer<'_>] = &[
    (
        "Action=GetCallerIdentity",
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>",
    ),
    (
        "Action=DescribeStacks",
        200,
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>orders-prod</StackName>\
         <StackId>orders-prod</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>UPDATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
    ),
    (
        "Action=GetTemplate",
        200,
        "<GetTemplateResponse><GetTemplateResult><TemplateBody>{}</TemplateBody></GetTemplateResult></GetTemplateResponse>",
    ),
    (
        "Action=ListStackResources",
        200,
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/></ListStackResourcesResult>\
         </ListStackResourcesResponse>",
    ),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The first table: each command, with the actions of its row.
fn rows() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("docs/permissions.md");
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let table = page.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let mut rows = BTreeMap::new();
    for line in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').collect();
        let actions: BTreeSet<String> = code(cells[3]).into_iter().collect();
        rows.extend(code(cells[1]).into_iter().map(|command| (command, actions.clone())));
    }
    rows
}

/// The IAM action of a call of the SDK.
fn action(service: &str, call: &str) -> String {
    if call == "head_object" {
        return "s3:GetObject".to_owned();
    }
    let words = call.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    format!("{service}:{}", words.collect::<String>())
}

/// The actions of all calls in the source.
fn called() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws");
    let mut found = BTreeSet::new();
    for file in fs::read_dir(directory).unwrap() {
        let text: String = fs::read_to_string(file.unwrap().path()).unwrap().split_whitespace().collect();
        for service in ["sts", "cloudformation", "ecr", "lambda", "s3"] {
            for (at, call) in text.match_indices(&format!("self.{service}.")) {
                let name = text[at + call.len()..].split('(').next().unwrap();
                found.insert(action(service, name));
            }
        }
    }
    found
}

/// The IAM action of a request.
fn requested(request: &str) -> String {
    let parts = [
        ("Action=GetCallerIdentity", "sts:GetCallerIdentity"),
        ("/functions/", "lambda:GetFunction"),
        ("/layers/", "lambda:GetLayerVersion"),
        ("HEAD /", "s3:GetObject"),
    ];
    let known =
        parts.iter().find(|(words, _)| request.contains(words)).map(|(_, action)| (*action).to_owned());
    known.unwrap_or_else(|| {
        let name = request.split("Action=").nth(1).unwrap_or(request).split('&').next().unwrap();
        format!("cloudformation:{name}")
    })
}

#[test]
fn the_page_has_every_call_in_the_source_and_no_other() {
    let named: BTreeSet<String> = rows().into_values().flatten().collect();
    assert_eq!(named, called());
    assert!(called().len() > 5, "the source is read: {:?}", called());
}

#[test]
fn a_command_makes_the_calls_of_its_row_only() {
    let server = Server::start(ANSWERS);
    let mut sandbox = Sandbox::installed();
    let variables = [
        ("SLSART_OFFLINE", ""),
        ("AWS_ENDPOINT_URL", server.address.as_str()),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    sandbox.record("prod");
    sandbox.variables.extend(variables.map(|(name, value)| (name, value.to_owned())));
    let rows = rows();
    let mut seen = 0;
    for command in [
        "check",
        "deploy --dry-run",
        "deploy",
        "live",
        "diff --live",
        "rollback --dry-run HEAD",
        "rollback HEAD",
    ] {
        let yes = if matches!(command, "deploy" | "rollback HEAD") { "--yes" } else { "" };
        sandbox.slsart(&format!("{command} -s prod {yes}"));
        let row = command.trim_end_matches(" HEAD");
        for request in server.requests().into_iter().skip(seen) {
            assert!(rows[row].contains(&requested(&request)), "{command}: {request}");
        }
        assert!(server.requests().len() > seen, "{command} asks nothing");
        seen = server.requests().len();
    }
    for command in
        ["status", "history", "log", "show HEAD", "extract HEAD -o ../out", "verify HEAD", "pin HEAD"]
    {
        sandbox.slsart(&format!("{command} -s prod"));
    }
    assert_eq!(server.requests().len(), seen, "{:?}", server.requests());
}
