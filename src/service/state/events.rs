//! The events of each function in the config: routes, schedules, queues. Owns their short form, without values that may be secret or
//! another account's.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::State;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Event {
    pub kind: String,
    /// The route or rate, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

impl State {
    pub fn events(&self, function: &str) -> Vec<Event> {
        let list = self.value(&["service", "functions", function, "events"]).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(event).collect()
    }
}

fn event(value: &Value) -> Option<Event> {
    // An event without settings is just its kind: `alexaSkill`.
    if let Some(kind) = value.as_str() {
        return Some(Event { kind: kind.to_owned(), on: None });
    }
    let (kind, settings) = value.as_object()?.iter().next()?;
    let text = |key: &str| settings[key].as_str();
    let on = match kind.as_str() {
        "http" | "httpApi" => match settings.as_str() {
            Some(route) => Some(route.to_owned()),
            None => text("path").map(|path| {
                let path =
                    if path.starts_with('/') || path == "*" { path.to_owned() } else { format!("/{path}") };
                format!("{} {path}", text("method").unwrap_or("*").to_uppercase())
            }),
        },
        "websocket" => settings.as_str().or(text("route")).map(str::to_owned),
        "schedule" => {
            let rates = settings["rate"]
                .as_array()
                .map(|rates| rates.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
            settings.as_str().or(text("rate")).map(str::to_owned).or(rates)
        }
        _ => None,
    };
    Some(Event { kind: kind.clone(), on })
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            Some(on) => write!(f, "{} {on}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn routes_and_rates_are_said_and_what_may_be_secret_is_not() {
        for (config, said) in [
            (json!({"http": "GET /orders"}), "http GET /orders"),
            (
                json!({"http": {"path": "orders/{id}", "method": "post", "cors": true}}),
                "http POST /orders/{id}",
            ),
            (json!({"httpApi": {"path": "/a", "method": "get"}}), "httpApi GET /a"),
            (json!({"httpApi": "*"}), "httpApi *"),
            (json!({"websocket": {"route": "$connect"}}), "websocket $connect"),
            (json!({"schedule": "rate(1 hour)"}), "schedule rate(1 hour)"),
            (
                json!({"schedule": {"rate": ["rate(1 hour)", "cron(0 12 * * ? *)"], "input": {"key": "secret"}}}),
                "schedule rate(1 hour), cron(0 12 * * ? *)",
            ),
            (json!({"sqs": "arn:aws:sqs:eu-west-1:123:orders"}), "sqs"),
            (json!({"http": {"method": "get"}}), "http"),
            (json!("alexaSkill"), "alexaSkill"),
        ] {
            assert_eq!(event(&config).unwrap().to_string(), said);
        }
        assert_eq!(event(&json!(1)), None);
        assert_eq!(event(&json!({})), None);
    }
}
