//! json-cycle's references: an object or array that occurred before is written as `{"$ref": "$[\"a\"][0]"}`. Owns resolving references.
//!
//! The form is that of `retrocycle` in the `json-cycle` package's `cycle.js`: only a `$ref` with such a path is a reference, so `{"$ref":
//! "#/definitions/a"}` of a JSON schema stays.

use serde_json::Value;

/// The most references on the way to one value.
const MAX_HOPS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

pub(super) fn target(value: &Value) -> Option<Vec<Step>> {
    parse(value.as_object()?.get("$ref")?.as_str()?)
}

/// Reads `$["a"][0]`.
fn parse(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let (step, length) = if inner.starts_with('"') {
            let length = quoted_length(inner)?;
            (Step::Key(serde_json::from_str(&inner[..length]).ok()?), length)
        } else {
            let length = inner.find(']')?;
            let digits = &inner[..length];
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (Step::Index(digits.parse().ok()?), length)
        };
        steps.push(step);
        rest = inner[length..].strip_prefix(']')?;
    }
    Some(steps)
}

/// The length of the JSON string at the start of `text`, with its quotes.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn child<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    }
}

/// The real place of the value at `path`: the path with all references resolved.
pub(super) fn locate(root: &Value, path: Vec<Step>) -> Option<Vec<Step>> {
    let mut path = path;
    for _ in 0..MAX_HOPS {
        let mut value = root;
        let mut jump = None;
        for (depth, step) in path.iter().enumerate() {
            value = child(value, step)?;
            if let Some(target) = target(value) {
                jump = Some((depth + 1, target));
                break;
            }
        }
        let Some((done, mut target)) = jump else { return Some(path) };
        target.extend(path.drain(done..));
        path = target;
    }
    None
}

pub(super) fn keys_to_steps(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

/// The value at the keys `path`, with references followed.
pub(super) fn follow<'v>(root: &'v Value, path: &[&str]) -> Option<&'v Value> {
    locate(root, keys_to_steps(path))?.iter().try_fold(root, child)
}

pub(super) fn at_mut<'v>(root: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })
}

/// A copy of `value` with every reference replaced by its target in `root`; at most `budget` values, and no circle. An error is the
/// failing reference.
pub(super) fn unfold(root: &Value, value: &Value, budget: usize) -> Result<Value, String> {
    let mut unfolding = Unfolding { root, budget, depth: 0 };
    unfolding.copy(value)
}

struct Unfolding<'v> {
    root: &'v Value,
    budget: usize,
    depth: usize,
}

impl Unfolding<'_> {
    /// Deeper than a file can nest (`serde_json` stops at 128), and shallow enough for any stack: a circle ends here.
    const MAX_DEPTH: usize = 256;

    fn copy(&mut self, value: &Value) -> Result<Value, String> {
        if self.budget == 0 || self.depth >= Self::MAX_DEPTH {
            return Err("(too many values)".to_owned());
        }
        self.budget -= 1;
        self.depth += 1;
        let copied = match value {
            Value::Object(object) => match target(value) {
                Some(path) => self.copy_target(path, &object["$ref"])?,
                None => object
                    .iter()
                    .map(|(k, v)| Ok((k.clone(), self.copy(v)?)))
                    .collect::<Result<_, String>>()?,
            },
            Value::Array(array) => array.iter().map(|v| self.copy(v)).collect::<Result<_, String>>()?,
            scalar => scalar.clone(),
        };
        self.depth -= 1;
        Ok(copied)
    }

    fn copy_target(&mut self, path: Vec<Step>, reference: &Value) -> Result<Value, String> {
        let broken = || reference.as_str().unwrap_or_default().to_owned();
        let root = self.root;
        let place = locate(root, path).ok_or_else(broken)?;
        let value = place.iter().try_fold(root, child).ok_or_else(broken)?;
        self.copy(value).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_json_cycles_paths_are_references() {
        assert_eq!(
            target(&json!({"$ref": r#"$["a \"b]"][12]"#})),
            Some(vec![Step::Key("a \"b]".to_owned()), Step::Index(12)])
        );
        assert_eq!(target(&json!({"$ref": "$"})), Some(vec![]));
        for other in [
            "#/definitions/a",
            "",
            "$.a",
            "$[",
            "$[a]",
            "$[\"a]",
            "$[\"a\"",
            "$[-1]",
            "$[\"a\"]x",
            "$[99999999999999999999]",
        ] {
            assert_eq!(target(&json!({ "$ref": other })), None, "{other}");
        }
        assert_eq!(target(&json!({"$ref": 1})), None);
    }

    #[test]
    fn references_are_followed_on_the_way_and_at_the_end() {
        let root =
            json!({"a": {"b": [{"c": 1}]}, "x": {"$ref": "$[\"a\"]"}, "y": {"$ref": "$[\"x\"][\"b\"][0]"}});
        assert_eq!(follow(&root, &["y", "c"]), Some(&json!(1)));
        assert_eq!(follow(&root, &["x", "b"]), Some(&json!([{"c": 1}])));
        assert_eq!(follow(&root, &["x", "z"]), None);
    }

    #[test]
    fn circles_end() {
        let root = json!({"a": {"$ref": "$[\"b\"]"}, "b": {"$ref": "$[\"a\"]"}, "c": {"d": {"$ref": "$[\"c\"]"}}, "e": {"$ref": "$"}});
        assert_eq!(follow(&root, &["a"]), None);
        assert_eq!(unfold(&root, &root["c"], 1000), Err("$[\"c\"]".to_owned()));
        assert_eq!(unfold(&root, &root["a"], 1000), Err("$[\"b\"]".to_owned()));
        assert!(unfold(&root, &root["e"], 1_000_000).is_err());
    }

    #[test]
    fn a_bomb_of_references_is_bounded() {
        let mut root = json!({"l0": ["x", "x", "x", "x", "x", "x", "x", "x"]});
        for level in 1..20 {
            let reference = json!({"$ref": format!("$[\"l{}\"]", level - 1)});
            root[format!("l{level}")] = json!([reference, reference, reference, reference]);
        }
        assert!(unfold(&root, &root["l19"], 10_000).is_err());
        assert!(unfold(&root, &root["l2"], 10_000).is_ok());
    }
}
