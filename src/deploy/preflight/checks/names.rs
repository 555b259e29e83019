//! Whether CloudFormation will find a literal name taken. Pure: what was compared is handed to it.

use serde_json::json;

use super::Check;
use crate::diff::names::{By, Taken};

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
            format!("{id} ({kind}) would be replaced and keep the name '{name}': CloudFormation refuses that"),
        )
        .hinted("commit another name for it, and package that commit"),
        By::Kept => Check::warning(
            NAME,
            format!(
                "{id} ({kind}) was kept when it was removed from the stack: while '{name}' exists, CloudFormation refuses to \
                 create it"
            ),
        )
        .hinted(import(taken, stack, region)),
    }
}

/// How to take a resource back into the stack.
fn import(taken: &Taken, stack: &str, region: &str) -> String {
    let Taken { id, kind, name, identifier, is_identified_by_name, .. } = taken;
    let value = if *is_identified_by_name { name.clone() } else { identifier.to_uppercase() };
    let resource = json!([{
        "ResourceType": kind, "LogicalResourceId": id, "ResourceIdentifier": {*identifier: value},
    }]);
    let aws = |what: &str| format!("aws cloudformation {what} --stack-name {stack} --region {region}");
    format!(
        "import it first: {} --query TemplateBody --output json >import.json, add {id} with `DeletionPolicy: Retain` to that file, \
         then: {} --change-set-name import-{id} --change-set-type IMPORT --capabilities CAPABILITY_NAMED_IAM --template-body \
         file://import.json --resources-to-import '{resource}'",
        aws("get-template"),
        aws("create-change-set"),
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
            by: By::Kept,
        };
        let all =
            [taken("AWS::DynamoDB::Table", "TableName", true), taken("AWS::SQS::Queue", "QueueUrl", false)];
        let hints: Vec<_> =
            check(&all, "o-prod", "eu-west-1").into_iter().filter_map(|check| check.hint).collect();
        assert!(hints[0].contains(r#""ResourceIdentifier":{"TableName":"carts"}"#), "{hints:?}");
        assert!(hints[0].contains("create-change-set --stack-name o-prod --region eu-west-1 "), "{hints:?}");
        assert!(hints[1].contains(r#""ResourceIdentifier":{"QueueUrl":"QUEUEURL"}"#), "{hints:?}");
    }
}
