//! Mistakes in a valid `slsart.toml`: names that the repository does not have. Each with its line.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, FILE};
use crate::text::nearest::did_you_mean;

/// The existing names that the file is compared with.
pub struct Known {
    /// The directories of the services of HEAD and of the working tree.
    pub services: Vec<String>,
    pub remotes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub message: String,
    pub hint: String,
    /// Whether it blocks deployments.
    pub blocks: bool,
}

impl Config {
    /// The problems in `text`, by line. An unreadable text has none: reading it reports the error.
    pub fn problems(text: &str, known: &Known) -> Vec<Problem> {
        let (Ok(config), Ok(table)) = (Self::parse(text), DeTable::parse(text)) else { return Vec::new() };
        let table = table.into_inner();
        let mut problems = Vec::new();
        let mut add = |value: &Spanned<DeValue<'_>>, message: String, hint: String, blocks: bool| {
            let line = text[..value.span().start].matches('\n').count() + 1;
            problems.push(Problem { line, message, hint, blocks });
        };
        let of = |section: &str, key: &str| table.get(section)?.get_ref().get(key);
        let services = table.get("services").and_then(|services| services.get_ref().as_array());
        for value in services.into_iter().flatten() {
            let path = value.get_ref().as_str().unwrap_or_default();
            if !known.services.iter().any(|service| service == path) {
                let meant = did_you_mean(path, known.services.iter().cloned());
                let list = || match known.services.as_slice() {
                    [] => "commit a serverless.yml there, or remove the line".to_owned(),
                    all => format!("services: {}", all.join(", ")),
                };
                add(
                    value,
                    format!("there is no service in the directory '{path}'"),
                    meant.unwrap_or_else(list),
                    false,
                );
            }
        }
        for (section, blocks) in [("share", false), ("lock", true)] {
            let Some(value) = of(section, "remote") else { continue };
            let name = value.get_ref().as_str().unwrap_or_default();
            if !["auto", "none"].contains(&name) && !known.remotes.iter().any(|remote| remote == name) {
                let meant = did_you_mean(name, known.remotes.iter().cloned());
                let way = || format!("to add it: git remote add {name} URL");
                add(
                    value,
                    format!("[{section}] names the remote '{name}', which does not exist"),
                    meant.unwrap_or_else(way),
                    blocks,
                );
            }
        }
        if let (Some(region), Some(value)) = (&config.defaults.region, of("defaults", "region"))
            && let Some(hint) = region.slip()
        {
            add(value, format!("'{region}' does not look like an AWS region"), hint, false);
        }
        if config.secrets.action == Some(crate::package::secrets::SecretAction::Encrypt)
            && config.secrets.recipients.is_empty()
            && let Some(value) = of("secrets", "action")
        {
            let hint = "list the readers' public keys: recipients = [\"age1…\", \"ssh-ed25519 AAAA…\"]";
            add(
                value,
                "[secrets] has action = \"encrypt\" but no recipients: nothing can be recorded".to_owned(),
                hint.to_owned(),
                false,
            );
        }
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE}:{}: {}", self.line, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let known =
            Known { services: vec!["services/orders".to_owned()], remotes: vec!["origin".to_owned()] };
        let problems = Config::problems(text, &known).into_iter();
        problems.map(|problem| format!("{problem} ({})", problem.hint)).collect()
    }

    #[test]
    fn what_the_repository_does_not_have_is_named_with_its_line() {
        let text = "services = [\n  \"services/orders\",\n  \"services/ordres\",\n]\n[defaults]\nregion = \"east\"\n\
                    [share]\nremote = \"orgin\"\n[lock]\nremote = \"locks\"\n[secrets]\naction = \"encrypt\"\n";
        assert_eq!(
            problems(text),
            [
                "slsart.toml:3: there is no service in the directory 'services/ordres' (did you mean services/orders?)",
                "slsart.toml:6: 'east' does not look like an AWS region (regions are named as in eu-west-1)",
                "slsart.toml:8: [share] names the remote 'orgin', which does not exist (did you mean origin?)",
                "slsart.toml:10: [lock] names the remote 'locks', which does not exist (to add it: git remote add locks URL)",
                "slsart.toml:12: [secrets] has action = \"encrypt\" but no recipients: nothing can be recorded (list the readers' public keys: recipients = [\"age1…\", \"ssh-ed25519 AAAA…\"])",
            ]
        );
    }

    #[test]
    fn what_is_right_has_no_problem_and_what_does_not_read_is_another_matter() {
        let text = "services = [\"services/orders\"]\n[defaults]\nregion = \"us-gov-west-1\"\n[share]\nremote = \"auto\"\n\
                    [lock]\nremote = \"none\"\n[secrets]\naction = \"encrypt\"\nrecipients = [\"age1x\"]\n";
        assert_eq!(problems(text), [""; 0]);
        assert_eq!(problems("services = [1]\n"), [""; 0]);
    }
}
