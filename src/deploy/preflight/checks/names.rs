//! Whether CloudFormation will find a literal name taken. Pure: what was compared is handed to it.

use serde_json::json;

use super::Check;
use crate::diff::names::{By, Taken};
use crate::text::command::{command, quoted};

const NAME: &str = "names";

/// A warning for each name that is taken.
pub(in crate::deploy) fn check(taken: &[Taken], stack: &str, region: &str) -> Vec<Check> {
    taken.iter().map(|one| warning(one, stack, region)).collect()
}

fn warning(taken: &Taken, stack: &str, region: &str) -> Check {
    let Taken { id, kind, name, .. } = taken;
    match taken.by {
        By::Replaced => Check::warning(
            NAME,
            format!(
                "{id} ({kind}) would be replaced and keep the name '{name}': CloudFormation refuses that"
            ),
        )
        .hinted("commit another name for it, and package that commit"),
        By::Kept => {
            let message = format!(
                "{id} ({kind}) was kept when it was removed from the stack: while '{name}' exists, CloudFormation refuses to \
                 create it"
            );
            let identifier = taken.identifier;
            if taken.is_identified_by_name {
                let import = import(taken, name, stack, region);
                Check::warning(NAME, message).hinted(format!("import it first: {import}"))
            } else {
                let value = identifier.to_uppercase();
                let import = import(taken, &value, stack, region);
                Check::warning(
                    NAME,
                    format!(
                        "{message}. To import it: 1. Look up its {identifier}. 2. Run this command with that for {value}: {import}"
                    ),
                )
            }
        }
    }
}

/// A shell's command line that takes a resource back into the stack. An import may change nothing else, so its template is the live one with
/// the resource.
fn import(taken: &Taken, value: &str, stack: &str, region: &str) -> String {
    let Taken { id, kind, identifier, definition, .. } = taken;
    let resource = json!([{
        "ResourceType": kind, "LogicalResourceId": id, "ResourceIdentifier": {*identifier: value},
    }]);
    let name = format!("import-{id}");
    let of_stack = ["--stack-name", stack, "--region", region];
    let aws =
        |words: &[&str]| command(["aws", "cloudformation"].iter().chain(words).chain(&of_stack).copied());
    let change_set = |words: &[&str]| aws(&[words, &["--change-set-name", &name]].concat());
    let with_resource = format!(
        "const live = JSON.parse(require(\"fs\").readFileSync(0)); live.Resources[{}] = {definition}; \
         console.log(JSON.stringify(live))",
        json!(id)
    );
    format!(
        "{} --change-set-type IMPORT --capabilities CAPABILITY_NAMED_IAM --resources-to-import {} --template-body \"$({} | {})\" && {} && \
         {} && {}",
        change_set(&["create-change-set"]),
        quoted(&resource.to_string()),
        aws(&["get-template", "--query", "TemplateBody", "--output", "json"]),
        command(["node", "-e", &with_resource]),
        change_set(&["wait", "change-set-create-complete"]),
        change_set(&["execute-change-set"]),
        aws(&["wait", "stack-import-complete"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_import_names_the_resource_as_cloudformation_wants_it() {
        let taken = |kind: &str, identifier, is_identified_by_name| Taken {
            id: "Carts".to_owned(),
            kind: kind.to_owned(),
            name: "carts".to_owned(),
            identifier,
            is_identified_by_name,
            definition: json!({"Type": kind}),
            by: By::Kept,
        };
        let all =
            [taken("AWS::DynamoDB::Table", "TableName", true), taken("AWS::SQS::Queue", "QueueUrl", false)];
        let found = check(&all, "o-prod", "eu-west-1");
        let hint = found[0].hint.as_deref().unwrap();
        assert!(hint.contains(r#""ResourceIdentifier":{"TableName":"carts"}"#), "{hint}");
        assert!(hint.contains(" --stack-name o-prod --region eu-west-1 --change-set-type IMPORT "), "{hint}");
        // What can't be pasted as it stands is no hint.
        assert_eq!(found[1].hint, None);
        let message = &found[1].message;
        assert!(
            message.contains("1. Look up its QueueUrl. 2. Run this command with that for QUEUEURL: aws "),
            "{message}"
        );
        assert!(message.contains(r#""ResourceIdentifier":{"QueueUrl":"QUEUEURL"}"#), "{message}");
    }
}
