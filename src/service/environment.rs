//! The environment variables that a config refers to, and their values for the framework. Owns the search through a config and the files
//! that it includes with `${file(…)}`; opens no file itself.

mod dotenv;
mod javascript;
mod values;
mod variables;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::names::Stage;
use super::outline::{MAX_CONFIG_BYTES, document};
use variables::FoundNames;

pub use values::Values;

/// The most files that one config may include.
const MAX_FILES: usize = 256;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EnvironmentNames {
    pub names: BTreeSet<String>,
    /// Included files that could not be read: they may refer to more.
    pub unread: BTreeSet<String>,
}

/// The environment variables that the config file `config`, and every file that it includes, refers to.
///
/// In YAML and JSON these are `${env:NAME}` with any fallback or nesting; in JavaScript and TypeScript also `process.env.NAME`,
/// `process.env['NAME']` and `const { NAME } = process.env`. Paths are relative to the service's directory, as in the framework
/// (`lib/configuration/variables/sources/file.js`); `read` gives a file's text, and decides what may be read. With `stage`, a path such as
/// `config/${sls:stage}.yml` is known; other paths with variables are left out.
pub fn environment_names(
    config: &str,
    stage: Option<&Stage>,
    mut read: impl FnMut(&str) -> Option<String>,
) -> EnvironmentNames {
    let mut all = EnvironmentNames::default();
    let mut seen = BTreeSet::from([config.to_owned()]);
    let mut waiting = vec![config.to_owned()];
    while let Some(file) = waiting.pop() {
        let Some(text) = read(&file).filter(|text| text.len() <= MAX_CONFIG_BYTES) else {
            all.unread.insert(file);
            continue;
        };
        let found = search(&file, &text, stage);
        all.names.extend(found.names);
        for file in found.files {
            if seen.len() < MAX_FILES && seen.insert(file.clone()) {
                waiting.push(file);
            }
        }
    }
    all
}

fn search<'s>(file: &str, text: &str, stage: Option<&'s Stage>) -> FoundNames<'s> {
    let mut found = FoundNames::new(stage.map(Stage::as_str));
    match document(file, text) {
        Some(Ok(value)) => search_values(&value, &mut found),
        // What does not read as YAML may still be told apart as text.
        Some(Err(_)) => found.search(text, true),
        None => {
            // In a JavaScript template, `\${` writes a variable of the framework.
            found.search(text, false);
            javascript::search(text, &mut found.names);
        }
    }
    found
}

fn search_values(value: &Value, found: &mut FoundNames) {
    match value {
        Value::String(text) => found.search(text, true),
        Value::Array(array) => array.iter().for_each(|inner| search_values(inner, found)),
        Value::Object(object) => object.iter().for_each(|(key, inner)| {
            found.search(key, true);
            search_values(inner, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(files: &[(&str, &str)], stage: Option<&str>) -> (Vec<String>, Vec<String>) {
        let stage = stage.map(|stage| stage.parse().unwrap());
        let read =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let all = environment_names(files[0].0, stage.as_ref(), read);
        (all.names.into_iter().collect(), all.unread.into_iter().collect())
    }

    fn of(file: &str, text: &str) -> Vec<String> {
        names(&[(file, text)], None).0
    }

    #[test]
    fn names_are_found_with_fallbacks_and_nesting_but_not_in_comments() {
        let text = r"
# ${env:COMMENT}
a: ${env:A}
b: x${env:B, 'none, env:NOT'}-${opt:b, env:C, self:custom.${env:D}}
c: ${env:${self:custom.dynamic}}
d: {$ref: 1, '${env:KEY}': !Sub '${AWS::Region}-${env:E, null}'}
e: \${env:ESCAPED}
f: ${strToBool(${env:F, 'false'})}
g: ${ env:G ,  ''}
";
        assert_eq!(of("serverless.yml", text), ["A", "B", "C", "D", "E", "F", "G", "KEY"]);
    }

    #[test]
    fn javascript_is_searched_as_text() {
        let text = r"
const { H, I: i = 'x', ...rest } = process.env;
const { J } = process.env ?? {};
module.exports = { service: 'a', custom: { a: '${env:A}', b: `\${env:B}-${process.env.C}`, c: process.env['D'], e: process.env?.E,
  f: process.env[`F`], g: process.env[name], myprocess: myprocess.env.NOT, h: process.environment.NOT2, n: process . env . NOT3 } };
";
        assert_eq!(of("serverless.ts", text), ["A", "B", "C", "D", "E", "F", "H", "I", "J"]);
    }

    #[test]
    fn files_that_the_config_takes_in_are_searched_once() {
        let files = [
            (
                "serverless.yml",
                "a: ${file(./config/${opt:stage, 'dev'}.yml):x, ''}\nb: ${file(b.js):y}\nc: ${file(${self:custom.f})}\nd: ${file(gone.yml)}",
            ),
            (
                "config/prod.yml",
                "x: ${env:PROD}\ny: ${file(./serverless.yml)}\nz: ${file(config/prod.yml):y}",
            ),
            ("b.js", "module.exports = process.env.FROM_JS"),
        ];
        let (found, unread) = names(&files, Some("prod"));
        assert_eq!(found, ["FROM_JS", "PROD"]);
        assert_eq!(unread, ["gone.yml"]);
        let (found, _) = names(&files, None);
        assert_eq!(found, ["FROM_JS"]);
    }

    #[test]
    fn yaml_that_does_not_read_is_searched_as_text() {
        assert_eq!(of("serverless.yml", "a: [${env:A}"), ["A"]);
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(text in "\\PC*", odd in "([$]\\{|\\}|env:|file\\(|\\)|,|'|\"|[\\\\]|process.env|[\\[\\]{}.=]|[A-Zé ]){0,40}") {
            for name in ["a.yml", "a.js", "a.json", "a"] {
                let _ = of(name, &text);
                let _ = of(name, &odd);
            }
        }
    }
}
