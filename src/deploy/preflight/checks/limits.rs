//! Sizes that AWS does not take, and that no account can have raised. `LiveObservation` up on 2026-11-27:
//!
//! - `CloudFormation`, <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>: 500 resources a
//!   template, and 1 MB of a template in S3, which it refuses as "Template may not exceed 1000000 bytes in size". cfn-lint 1.58.0 has
//!   the same two numbers (`LIMITS` in its `helpers.py`).
//! - Lambda, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>: 250 MB unzipped, layers included, which it refuses
//!   as "Unzipped size must be smaller than 262144000 bytes". The 50 MB of a zip hold for direct uploads, and the framework uploads
//!   by way of S3.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Check;
use crate::text::words::{bytes, count};

/// Most bytes of a template.
const TEMPLATE_BYTES: usize = 1_000_000;
/// Most resources in a template.
const RESOURCES: usize = 500;
/// Most bytes of a function's code with all its layers, unzipped.
const UNZIPPED_BYTES: u64 = 262_144_000;

const NAME: &str = "limits";

/// A line for each limit that is passed, or one for all. `unzipped` are the unzipped sizes of the package's archives, in bytes, by
/// their names.
pub(super) fn check(template: &Value, unzipped: &BTreeMap<String, u64>) -> Vec<Check> {
    // The archive whose S3 key the code names; one that is not in the package has a size that is not known here.
    let size_of = |code: &Value| {
        let file = code["S3Key"].as_str().and_then(|key| key.rsplit('/').next());
        file.and_then(|file| unzipped.get(file)).copied().unwrap_or(0)
    };
    let mut checks = Vec::new();
    let blocks = |message: String, hint: &str| Check::blocks(NAME, message, hint);
    // The framework uploads it without spaces.
    let size = template.to_string().len();
    if size > TEMPLATE_BYTES {
        let message =
            format!("the template has {size} bytes, and CloudFormation accepts at most {TEMPLATE_BYTES}");
        checks.push(blocks(message, "split the service"));
    }
    let resources = template["Resources"].as_object().map_or(0, serde_json::Map::len);
    if resources > RESOURCES {
        let message =
            format!("the template has {resources} resources, and CloudFormation accepts at most {RESOURCES}");
        checks.push(blocks(message, "split the service"));
    }
    let mut largest = 0;
    for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
        if resource["Type"] != "AWS::Lambda::Function" {
            continue;
        }
        let properties = &resource["Properties"];
        let mut total = size_of(&properties["Code"]);
        for layer in properties["Layers"].as_array().into_iter().flatten() {
            // Of a layer of another stack, the size is not known here.
            let own = layer["Ref"].as_str().map(|id| &template["Resources"][id]["Properties"]["Content"]);
            total = total.saturating_add(own.map_or(0, size_of));
        }
        if total > UNZIPPED_BYTES {
            let message =
                format!("{id} has {total} bytes unzipped, and Lambda accepts at most {UNZIPPED_BYTES}");
            checks.push(blocks(message, "exclude files that it does not need, or use a container image"));
        }
        largest = largest.max(total);
    }
    if checks.is_empty() {
        let template = bytes(u64::try_from(size).unwrap_or(u64::MAX));
        let resources = count(resources, "resource");
        checks.push(Check::ok(
            NAME,
            format!("{resources}, template {template}, largest function {} unzipped", bytes(largest)),
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::CheckVerdict;
    use super::*;

    fn messages(template: &Value, size: u64) -> Vec<String> {
        let unzipped = ["f.zip", "l.zip"].map(|name| (name.to_owned(), size)).into();
        let checks = check(template, &unzipped);
        assert!(
            checks
                .iter()
                .all(|check| (check.verdict == CheckVerdict::Ok)
                    == (checks.len() == 1 && check.hint.is_none()))
        );
        checks.into_iter().map(|check| check.message).collect()
    }

    fn with_layer() -> Value {
        json!({ "Resources": {
            "F": { "Type": "AWS::Lambda::Function", "Properties": {
                "Code": { "S3Key": "p/f.zip" }, "Layers": [{ "Ref": "L" }, "arn:aws:lambda:elsewhere"] } },
            "G": { "Type": "AWS::Lambda::Function", "Properties": { "Code": { "S3Key": "q/elsewhere.zip" } } },
            "L": { "Type": "AWS::Lambda::LayerVersion", "Properties": { "Content": { "S3Key": "p/l.zip" } } },
        }})
    }

    #[test]
    fn a_functions_code_counts_with_its_layers() {
        let half = UNZIPPED_BYTES / 2;
        assert!(messages(&with_layer(), half)[0].ends_with("largest function 262 MB unzipped"));
        assert_eq!(
            messages(&with_layer(), half + 1),
            [format!("F has {} bytes unzipped, and Lambda accepts at most 262144000", 2 * half + 2)]
        );
    }

    #[test]
    fn a_template_has_limits_of_its_own() {
        let resources = |count: usize| {
            let all: serde_json::Map<_, _> = (0..count).map(|n| (format!("R{n}"), json!({}))).collect();
            json!({ "Resources": all })
        };
        assert!(messages(&resources(500), 0)[0].starts_with("500 resources, template "));
        assert_eq!(
            messages(&resources(501), 0),
            ["the template has 501 resources, and CloudFormation accepts at most 500"]
        );
        let long = json!({ "Resources": {}, "Description": "x".repeat(1_000_000) });
        assert!(messages(&long, 0)[0].ends_with("bytes, and CloudFormation accepts at most 1000000"));
        assert!(messages(&Value::Null, 0)[0].starts_with("0 resources"));
    }
}
