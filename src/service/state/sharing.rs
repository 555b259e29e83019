//! What a stack shares with others of its account and region: its exports (`Outputs.*.Export.Name`) and its imports (`Fn::ImportValue`,
//! anywhere). Owns computing a name from the template alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{State, StateError};

/// Stands for the account in a name: a template does not have it, and stacks that share something have the same.
const ACCOUNT: &str = "${AWS::AccountId}";
const DEEPEST: usize = 16;
const SECTIONS: &[&str] = &["Resources", "Outputs", "Conditions"];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sharing {
    /// Its exports, with their values in the template.
    pub exports: BTreeMap<String, Value>,
    pub imports: BTreeSet<String>,
    /// What the template alone can't say, in words.
    pub unknown: Vec<String>,
}

impl State {
    /// What the package's stack shares; nothing without a template, as for another cloud.
    pub fn sharing(&self) -> Result<Sharing, StateError> {
        let template = match self.template() {
            Ok(template) => template,
            Err(StateError::Missing(_)) => return Ok(Sharing::default()),
            Err(error) => return Err(error),
        };
        let stack = self.stack_name();
        let given = self.value(&["service", "provider", "stackParameters"]).and_then(Value::as_array);
        let given = given.into_iter().flatten().filter_map(|one| {
            let name = one["ParameterKey"].as_str()?;
            Some((name.to_owned(), one["ParameterValue"].clone()))
        });
        Ok(Sharing::of(&template, stack.as_deref(), self.region(), &given.collect()))
    }
}

impl Sharing {
    /// What a template shares. `stack`, `region`: of its stack. `given`: the parameters that a deploy sets.
    pub fn of(
        template: &Value,
        stack: Option<&str>,
        region: Option<&str>,
        given: &BTreeMap<String, Value>,
    ) -> Self {
        let names = Names { template, stack, region, given };
        let mut found = Self::default();
        for (id, output) in template["Outputs"].as_object().into_iter().flatten() {
            let Some(name) = output.get("Export").and_then(|export| export.get("Name")) else { continue };
            match names.work_out(name, 0) {
                Some(name) => {
                    if output.get("Condition").is_some() {
                        found.unknown.push(format!("whether it exports {name} depends on a condition"));
                    }
                    found.exports.insert(name, output["Value"].clone());
                }
                None => found.unknown.push(format!("the export name of its output {id}")),
            }
        }
        let mut nameless = 0;
        let mut take = |name: &Value| match names.work_out(name, 0) {
            Some(name) => drop(found.imports.insert(name)),
            None => nameless += 1,
        };
        for section in SECTIONS {
            each_import(&template[*section], &mut take);
        }
        if nameless > 0 {
            found.unknown.push(format!("the names of {nameless} of its imports"));
        }
        let mut resources = template["Resources"].as_object().into_iter().flatten();
        if resources.any(|(_, resource)| resource["Type"] == "AWS::CloudFormation::Stack") {
            found.unknown.push("what its nested stacks export and import".to_owned());
        }
        found
    }
}

fn each_import<'v>(value: &'v Value, take: &mut dyn FnMut(&'v Value)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if key == "Fn::ImportValue" {
                    take(value);
                }
                each_import(value, take);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_import(item, take)),
        _ => {}
    }
}

struct Names<'t> {
    template: &'t Value,
    stack: Option<&'t str>,
    region: Option<&'t str>,
    given: &'t BTreeMap<String, Value>,
}

impl Names<'_> {
    /// A value's text; none if the template alone can't say.
    fn work_out(&self, value: &Value, depth: usize) -> Option<String> {
        let object = match value {
            Value::String(text) => return Some(text.clone()),
            Value::Number(number) => return Some(number.to_string()),
            Value::Bool(is) => return Some(is.to_string()),
            Value::Object(object) if object.len() == 1 && depth < DEEPEST => object,
            _ => return None,
        };
        let (function, argument) = object.iter().next()?;
        let inner = |value: &Value| self.work_out(value, depth + 1);
        match (function.as_str(), argument) {
            ("Ref", Value::String(name)) => self.reference(name, depth),
            ("Fn::Sub", Value::String(text)) => self.substituted(text, &Value::Null, depth),
            ("Fn::Sub", Value::Array(parts)) => {
                self.substituted(parts.first()?.as_str()?, parts.get(1).unwrap_or(&Value::Null), depth)
            }
            ("Fn::Join", Value::Array(parts)) => {
                let [Value::String(between), Value::Array(parts)] = parts.as_slice() else { return None };
                Some(parts.iter().map(inner).collect::<Option<Vec<_>>>()?.join(between))
            }
            ("Fn::FindInMap", Value::Array(keys)) => {
                let [map, top, second] = keys.as_slice() else { return None };
                let [map, top, second] = [inner(map)?, inner(top)?, inner(second)?];
                inner(self.template["Mappings"].get(map)?.get(top)?.get(second)?)
            }
            _ => None,
        }
    }

    /// The value of a `Ref`: a pseudo parameter, or a parameter of the template.
    fn reference(&self, name: &str, depth: usize) -> Option<String> {
        let text = match name {
            "AWS::StackName" => self.stack?,
            "AWS::Region" => self.region?,
            "AWS::Partition" => partition(self.region?).0,
            "AWS::URLSuffix" => partition(self.region?).1,
            "AWS::AccountId" => ACCOUNT,
            _ => {
                let parameter = self.template["Parameters"].get(name)?;
                // For a Systems Manager parameter, the template has only its name.
                let is_elsewhere =
                    parameter["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::SSM"));
                let value = self.given.get(name).or_else(|| parameter.get("Default"));
                return value.filter(|_| !is_elsewhere).and_then(|value| self.work_out(value, depth + 1));
            }
        };
        Some(text.to_owned())
    }

    /// The text of a `Fn::Sub`; `own` are its own variables.
    fn substituted(&self, text: &str, own: &Value, depth: usize) -> Option<String> {
        let mut parts = text.split("${");
        let mut all = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}')?;
            let name = name.trim();
            match (name.strip_prefix('!'), own.get(name)) {
                (Some(literal), _) => all.push_str(&format!("${{{literal}}}")),
                (None, Some(value)) => all.push_str(&self.work_out(value, depth + 1)?),
                (None, None) => all.push_str(&self.reference(name, depth)?),
            }
            all.push_str(rest);
        }
        Some(all)
    }
}

/// The partition of a region, and the suffix of its hosts.
fn partition(region: &str) -> (&'static str, &'static str) {
    match region {
        _ if region.starts_with("cn-") => ("aws-cn", "amazonaws.com.cn"),
        _ if region.starts_with("us-gov-") => ("aws-us-gov", "amazonaws.com"),
        _ => ("aws", "amazonaws.com"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sharing(template: &Value) -> Sharing {
        let given = BTreeMap::from([("Team".to_owned(), json!("blue"))]);
        Sharing::of(template, Some("orders-prod"), Some("eu-west-1"), &given)
    }

    fn name(value: &Value) -> Option<String> {
        let template = json!({
            "Parameters": {
                "Team": { "Type": "String", "Default": "red" },
                "Tier": { "Type": "String", "Default": "gold" },
                "Vpc": { "Type": "String" },
                "Secret": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path" },
            },
            "Mappings": { "Stages": { "eu-west-1": { "short": "ew1" } } },
            "Outputs": { "One": { "Value": 1, "Export": { "Name": value } } },
        });
        let found = sharing(&template);
        assert_eq!(found.exports.is_empty(), !found.unknown.is_empty());
        found.exports.into_keys().next()
    }

    #[test]
    fn a_name_is_worked_out_as_far_as_the_template_tells() {
        let known = [
            (json!("topic"), "topic"),
            (json!({ "Ref": "AWS::StackName" }), "orders-prod"),
            (json!({ "Fn::Sub": "${AWS::StackName}-${ AWS::Region }-x" }), "orders-prod-eu-west-1-x"),
            (json!({ "Fn::Sub": "${AWS::Partition}.${AWS::URLSuffix}" }), "aws.amazonaws.com"),
            (json!({ "Fn::Sub": ["${A}:${!Kept}", { "A": { "Ref": "AWS::Region" } }] }), "eu-west-1:${Kept}"),
            (json!({ "Fn::Sub": "${AWS::AccountId}-x" }), "${AWS::AccountId}-x"),
            (json!({ "Fn::Join": ["-", ["a", { "Ref": "AWS::AccountId" }, 7]] }), "a-${AWS::AccountId}-7"),
            (json!({ "Fn::Sub": "${Team}-${Tier}" }), "blue-gold"),
            (json!({ "Fn::FindInMap": ["Stages", { "Ref": "AWS::Region" }, "short"] }), "ew1"),
        ];
        for (value, expected) in known {
            assert_eq!(name(&value).as_deref(), Some(expected), "{value}");
        }
        let unknown = [
            json!({ "Ref": "Vpc" }),
            json!({ "Ref": "Secret" }),
            json!({ "Ref": "NoParameter" }),
            json!({ "Fn::Sub": "${Table.Arn}" }),
            json!({ "Fn::Sub": "${cut" }),
            json!({ "Fn::If": ["C", "a", "b"] }),
            json!({ "Fn::Join": ["-", { "Ref": "Vpc" }] }),
            json!({ "Fn::FindInMap": ["Stages", "nowhere", "short"] }),
            json!(["a"]),
            json!(null),
        ];
        for value in unknown {
            assert_eq!(name(&value), None, "{value}");
        }
    }

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let found = sharing(&json!({
            "Metadata": { "Note": { "Fn::ImportValue": "no-import" } },
            "Conditions": { "C": { "Fn::Equals": [{ "Fn::ImportValue": "in-condition" }, "x"] } },
            "Resources": {
                "Hello": { "Properties": { "Environment": { "Variables": {
                    "A": { "Fn::ImportValue": { "Fn::Sub": "${AWS::StackName}-a" } },
                    "B": { "Fn::Sub": ["arn:${Name}", { "Name": { "Fn::ImportValue": "inside-sub" } }] },
                    "C": { "Fn::Join": ["", ["x", { "Fn::ImportValue": "inside-join" }]] },
                    "D": "{\"Fn::ImportValue\": \"only-text\"}",
                    "E": { "Fn::ImportValue": { "Ref": "Somewhere" } },
                } } } },
                "Nested": { "Type": "AWS::CloudFormation::Stack" },
            },
            "Outputs": { "Again": { "Value": { "Fn::ImportValue": "in-output" } } },
        }));
        let expected = ["in-condition", "in-output", "inside-join", "inside-sub", "orders-prod-a"];
        assert!(found.imports.iter().eq(expected), "{:?}", found.imports);
        assert_eq!(
            found.unknown,
            ["the names of 1 of its imports", "what its nested stacks export and import"]
        );
    }

    #[test]
    fn an_output_that_may_not_be_there_is_told() {
        let output = json!({ "Condition": "C", "Value": { "Ref": "T" }, "Export": { "Name": "topic" } });
        let found = sharing(&json!({ "Outputs": { "T": output, "Own": { "Value": 1 } } }));
        assert_eq!(found.exports, BTreeMap::from([("topic".to_owned(), json!({ "Ref": "T" }))]));
        assert_eq!(found.unknown, ["whether it exports topic depends on a condition"]);
    }
}
