//! Names that CloudFormation will find taken: it creates a resource before it deletes another, and never adopts an existing one. Pure.

use serde_json::Value;

use super::judge::{Fate, Judgement, keeps};
use super::tables;
use super::template::Template;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub id: String,
    pub kind: String,
    pub name: String,
    /// The property that an import identifies it by.
    pub identifier: &'static str,
    /// Whether that is the name.
    pub is_identified_by_name: bool,
    /// Its definition, with a policy that keeps it.
    pub definition: Value,
    pub by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Replaced,
    /// A resource that a policy kept when it was removed from the stack.
    Kept,
}

/// The resources that `after` adds to `before` with a literal name.
pub fn added(before: &Template, after: &Template) -> Vec<Taken> {
    let new = after.ids().filter(|id| before.resource(id).is_none());
    new.filter_map(|id| named(after, id, By::Kept)).collect()
}

/// The resources of `after` that replace one of the same literal name.
pub fn replaced(before: &Template, after: &Template, judgements: &[Judgement]) -> Vec<Taken> {
    let all = judgements.iter().filter(|one| one.fate == Fate::Replaced);
    let taken = all.filter_map(|one| named(after, &one.id, By::Replaced));
    let is_same = |taken: &Taken| {
        named(before, &taken.id, By::Replaced)
            .is_some_and(|old| (&old.kind, &old.name) == (&taken.kind, &taken.name))
    };
    taken.filter(is_same).collect()
}

/// Whether a resource of the type and name of `taken` was kept when it was removed; `None` if `earlier`, an earlier deployment's template,
/// has none.
pub fn was_kept(taken: &Taken, earlier: &Template) -> Option<bool> {
    let is_it = |id: &&str| {
        named(earlier, id, By::Kept).is_some_and(|old| old.kind == taken.kind && old.name == taken.name)
    };
    let policy = &earlier.resource(earlier.ids().find(is_it)?)?["DeletionPolicy"];
    Some(policy.as_str().is_some_and(|policy| keeps(policy, None)))
}

fn named(template: &Template, id: &str, by: By) -> Option<Taken> {
    let kind = template.kind(id).to_owned();
    let (property, identifier) = tables::name(&kind)?;
    let mut definition = template.resource(id)?.clone();
    let Value::String(name) = &definition["Properties"][property] else { return None };
    let (id, name) = (id.to_owned(), name.clone());
    definition.as_object_mut()?.entry("DeletionPolicy").or_insert_with(|| "Retain".into());
    let is_identified_by_name = property == identifier;
    Some(Taken { id, kind, name, identifier, is_identified_by_name, definition, by })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::judge::judge;
    use super::super::template::compare;
    use super::*;

    fn table(name: &Value, key: &str, policy: Option<&str>) -> Template {
        let mut table = json!({"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name}});
        table["Properties"]["KeySchema"] = json!([{"AttributeName": key, "KeyType": "HASH"}]);
        table["Properties"]["TableClass"] = json!("STANDARD");
        if let Some(policy) = policy {
            table["DeletionPolicy"] = json!(policy);
        }
        Template::new(&json!({"Resources": {"Carts": table}}))
    }

    #[test]
    fn a_literal_name_that_comes_back_is_taken_where_a_policy_kept_it() {
        let (nothing, carts) = (Template::default(), table(&json!("carts"), "id", None));
        let taken = added(&nothing, &carts);
        assert_eq!((taken.len(), taken[0].name.as_str(), taken[0].identifier), (1, "carts", "TableName"));
        let kept = |template: &Template| was_kept(&taken[0], template);
        assert_eq!(kept(&table(&json!("carts"), "id", Some("Retain"))), Some(true));
        assert_eq!(kept(&table(&json!("carts"), "id", Some("Delete"))), Some(false));
        assert_eq!(kept(&carts), Some(false));
        assert_eq!(kept(&table(&json!("orders"), "id", Some("Retain"))), None);
        assert_eq!(kept(&nothing), None);
    }

    #[test]
    fn a_name_that_cloudformation_makes_is_free() {
        let computed = json!({"Fn::Sub": "carts-${AWS::Region}"});
        assert_eq!(added(&Template::default(), &table(&computed, "id", None)), []);
        assert_eq!(added(&Template::default(), &table(&Value::Null, "id", None)), []);
    }

    #[test]
    fn a_replacement_that_keeps_its_literal_name_is_refused() {
        let bucket = |name: &str, lock: bool| {
            let properties = json!({"BucketName": name, "ObjectLockEnabled": lock});
            let resource = json!({"Type": "AWS::S3::Bucket", "Properties": properties});
            Template::new(&json!({"Resources": {"Files": resource}}))
        };
        let of = |before: &Template, after: &Template| {
            replaced(before, after, &judge(before, after, &compare(before, after)))
        };
        let queue = |name: &str, fifo: bool| {
            let properties = json!({"QueueName": name, "FifoQueue": fifo});
            let resource = json!({"Type": "AWS::SQS::Queue", "Properties": properties});
            Template::new(&json!({"Resources": {"Jobs": resource}}))
        };
        let taken = of(&queue("jobs", false), &queue("jobs", true));
        assert_eq!((taken.len(), taken[0].by, taken[0].is_identified_by_name), (1, By::Replaced, false));
        assert_eq!(of(&queue("jobs", false), &queue("work", true)), []);
        assert_eq!(of(&bucket("files", false), &bucket("files", false)), []);
    }
}
