//! How a function that is live differs from what a package says of it. Pure.

use serde::Serialize;

use crate::aws::LambdaFunction;
use crate::deploy::observe::expected::{ExpectedCode, ExpectedFunction, digest};

/// A setting of a function that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The function, as the config names it.
    pub function: String,
    /// What differs: `function`, `code`, `memory`, `timeout`, `handler`, `runtime`, `role`, `layers` (how many), `variables`
    /// (their names).
    pub what: &'static str,
    /// What was recorded.
    pub recorded: String,
    /// What is live.
    pub live: String,
}

/// Whether `live` runs the code that is expected; none where the package does not tell.
pub(in crate::deploy) fn runs_recorded_code(code: &ExpectedCode, live: &LambdaFunction) -> Option<bool> {
    match code {
        ExpectedCode::Zip(hash) => Some(live.code_sha256.as_deref() == Some(hash.to_base64().as_str())),
        ExpectedCode::Image(wanted) => Some(live.image.as_deref().and_then(digest) == Some(wanted.as_str())),
        ExpectedCode::Unknown => None,
    }
}

/// What differs; a function that is not there differs in that. What the template leaves to AWS is no difference.
pub(in crate::deploy) fn of(known: &ExpectedFunction, live: Option<&LambdaFunction>) -> Vec<Drift> {
    let function = &known.function;
    let drift = |what, recorded: String, live: String| Drift {
        function: function.name.clone(),
        what,
        recorded,
        live,
    };
    let Some(live) = live else {
        return vec![drift("function", "there".to_owned(), "missing".to_owned())];
    };
    let mut all = Vec::new();
    if runs_recorded_code(&known.code, live) == Some(false) {
        let recorded = match &known.code {
            ExpectedCode::Zip(hash) => hash.to_base64(),
            ExpectedCode::Image(digest) => digest.clone(),
            ExpectedCode::Unknown => String::new(),
        };
        let runs = live.image.as_deref().and_then(digest).or(live.code_sha256.as_deref());
        all.push(drift("code", recorded, runs.unwrap_or("none").to_owned()));
    }
    let number = |value: Option<i64>| value.map(|value| value.to_string());
    let settings = [
        ("memory", number(function.memory), number(live.memory)),
        ("timeout", number(function.timeout), number(live.timeout)),
        ("handler", function.handler.clone(), live.handler.clone()),
        ("runtime", function.runtime.clone(), live.runtime.clone()),
        ("role", function.role.clone(), live.role.clone()),
        ("layers", function.layer_count.map(|count| count.to_string()), Some(live.layers.len().to_string())),
    ];
    for (what, recorded, live) in settings {
        if let Some(recorded) = recorded
            && live.as_ref() != Some(&recorded)
        {
            all.push(drift(what, recorded, live.unwrap_or_else(|| "none".to_owned())));
        }
    }
    if let (Some(recorded), Some(live)) = (&function.variables, &live.variables)
        && recorded != live
    {
        let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        all.push(drift("variables", listed(recorded), listed(live)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Sha256;
    use crate::service::{Code, DeployedFunction};

    fn known() -> ExpectedFunction {
        ExpectedFunction {
            function: DeployedFunction {
                name: "hello".to_owned(),
                logical: Some("HelloLambdaFunction".to_owned()),
                deployed_name: Some("orders-prod-hello".to_owned()),
                code: Code::Elsewhere,
                layers: Vec::new(),
                memory: Some(512),
                timeout: None,
                handler: Some("src/a.hello".to_owned()),
                runtime: Some("nodejs22.x".to_owned()),
                role: None,
                layer_count: Some(1),
                variables: Some(vec!["DB_URL".to_owned()]),
            },
            code: ExpectedCode::Zip(Sha256::of(b"zip")),
        }
    }

    fn live() -> LambdaFunction {
        LambdaFunction {
            code_sha256: Some(Sha256::of(b"zip").to_base64()),
            memory: Some(512),
            timeout: Some(900),
            handler: Some("src/a.hello".to_owned()),
            runtime: Some("nodejs22.x".to_owned()),
            role: Some("arn:aws:iam::123456789012:role/orders".to_owned()),
            layers: vec!["arn:aws:lambda:us-east-1:123456789012:layer:money:3".to_owned()],
            variables: Some(vec!["DB_URL".to_owned()]),
            ..LambdaFunction::default()
        }
    }

    fn names(live: Option<&LambdaFunction>) -> Vec<&'static str> {
        of(&known(), live).iter().map(|drift| drift.what).collect()
    }

    #[test]
    fn only_what_the_record_says_can_drift() {
        assert!(names(Some(&live())).is_empty());
        assert_eq!(names(None), ["function"]);
        let other = LambdaFunction { memory: Some(1024), runtime: Some("nodejs24.x".to_owned()), ..live() };
        assert_eq!(names(Some(&other)), ["memory", "runtime"]);
        let other = LambdaFunction { code_sha256: Some(Sha256::of(b"other").to_base64()), ..live() };
        assert_eq!(names(Some(&other)), ["code"]);
        let other = LambdaFunction { layers: Vec::new(), variables: Some(Vec::new()), ..live() };
        assert_eq!(names(Some(&other)), ["layers", "variables"]);
        // AWS can't always say.
        assert!(names(Some(&LambdaFunction { variables: None, ..live() })).is_empty());
    }
}
