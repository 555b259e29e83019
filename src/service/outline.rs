//! What a config file says before the framework resolves its variables. Owns reading YAML and JSON configs, within bounds; runs nothing,
//! so a config in JavaScript or TypeScript has no outline.

use serde::Serialize;
use serde_json::Value;

use super::names::{Region, ServiceName, Stage};

pub const MAX_CONFIG_BYTES: usize = 4 << 20;

/// The plugins of a service, as `plugins:` has them: a list, or `{modules, localPath}` (`parsePluginsObject` in the framework's
/// `lib/classes/plugin-manager.js`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plugins {
    /// In loading order: names of npm packages, or paths that begin with `./`.
    pub modules: Vec<String>,
    /// The directory where names are searched first; the framework's default is `.serverless_plugins`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_path: Option<String>,
}

impl Plugins {
    /// The npm package of an entry of [`Plugins::modules`]: `@a/b` for `@a/b/plugin`; none for a path. A name without a scope may still be
    /// a file in [`Plugins::local_path`].
    pub fn package(module: &str) -> Option<&str> {
        if module.is_empty() || module.starts_with(['.', '/']) {
            return None;
        }
        let names = if module.starts_with('@') { 2 } else { 1 };
        let end = module.match_indices('/').nth(names - 1).map_or(module.len(), |(at, _)| at);
        Some(&module[..end])
    }

    /// Reads either form; anything else is no plugin, as in the framework.
    pub(super) fn from_value(value: Option<&Value>) -> Self {
        let (list, local_path) = match value {
            Some(Value::Object(form)) => (form.get("modules"), form.get("localPath").and_then(Value::as_str)),
            list => (list, None),
        };
        let names = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        Self { modules: names.map(str::to_owned).collect(), local_path: local_path.map(str::to_owned) }
    }
}

/// What a config says without being run. A value with variables (`${…}`) is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outline {
    pub service: Option<ServiceName>,
    /// The default stage: `provider.stage`, or the literal in `${opt:stage, 'dev'}`, or the framework's own default.
    pub stage: Option<Stage>,
    /// The default region, likewise.
    pub region: Option<Region>,
    /// `frameworkVersion`: the accepted range of framework versions.
    pub framework_version: Option<String>,
    /// The plugins; none if they come from a variable.
    pub plugins: Option<Plugins>,
    /// Whether the framework reads `.env` files for this service (`useDotenv`).
    pub dotenv: bool,
}

impl Outline {
    /// Reads a config file by its name. `None` for one that has to be run (`.js`, `.ts` and the like).
    pub fn of(file_name: &str, text: &str) -> Option<Result<Self, String>> {
        document(file_name, text).map(|read| read.map(|config| Self::of_config(&config)))
    }

    pub(super) fn of_config(config: &Value) -> Self {
        let provider = &config["provider"];
        // A provider may be just a name; the framework then uses its defaults.
        let known = provider.is_object() || provider.as_str().is_some_and(|name| !name.contains("${"));
        let default = |key: &str, framework: &str| match &provider[key] {
            Value::Null => known.then(|| framework.to_owned()),
            value => default_of(value.as_str()?).map(str::to_owned),
        };
        let plugins = &config["plugins"];
        Self {
            service: config["service"].as_str().and_then(literal).and_then(|name| name.parse().ok()),
            stage: default("stage", "dev").and_then(|stage| stage.parse().ok()),
            region: default("region", "us-east-1").and_then(|region| region.parse().ok()),
            framework_version: version(&config["frameworkVersion"]),
            plugins: (!plugins.is_string()).then(|| Plugins::from_value(Some(plugins))),
            dotenv: config["useDotenv"] == true,
        }
    }
}

/// The values of a YAML or JSON file; `None` for other kinds of files. An error is one line.
pub(super) fn document(file_name: &str, text: &str) -> Option<Result<Value, String>> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let read: fn(&str) -> Result<Value, String> = match extension {
        "yml" | "yaml" => yaml,
        "json" => |text| serde_json::from_str(text).map_err(|error| error.to_string()),
        _ => return None,
    };
    if text.len() > MAX_CONFIG_BYTES {
        return Some(Err(format!(
            "it has {} bytes, more than the {MAX_CONFIG_BYTES} that are read",
            text.len()
        )));
    }
    Some(read(text))
}

/// Reads YAML as the framework does (js-yaml with `CloudFormation`'s tags): tags are ignored, and aliases are bounded.
fn yaml(text: &str) -> Result<Value, String> {
    let mut options = serde_saphyr::Options::default();
    options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::LastWins;
    options.alias_limits.max_total_replayed_events = 200_000;
    options.with_snippet = false;
    let read: Result<Value, _> = serde_saphyr::from_str_with_options(text, options);
    read.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

fn literal(text: &str) -> Option<&str> {
    (!text.contains("${")).then_some(text)
}

/// A text's value without options: itself, or the literal in `${opt:NAME, 'literal'}`.
fn default_of(text: &str) -> Option<&str> {
    let Some(variable) = text.trim().strip_prefix("${opt:").and_then(|rest| rest.strip_suffix('}')) else {
        return literal(text);
    };
    let (_, fallback) = variable.split_once(',')?;
    let fallback = fallback.trim();
    let quoted = |quote: char| {
        fallback.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote))
    };
    literal(quoted('\'').or_else(|| quoted('"'))?)
}

/// A version range is text, or a number if the quotes were left out.
fn version(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => literal(text).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outline(text: &str) -> Outline {
        Outline::of("serverless.yml", text).unwrap().unwrap()
    }

    #[test]
    fn a_config_with_cloudformations_tags_and_anchors_is_read() {
        let read = outline(
            r"
service: orders
frameworkVersion: '4'
useDotenv: true
plugins: &plugins [serverless-esbuild, ./plugins/trace]
provider: {name: aws, stage: '${opt:stage, ''prod''}', region: eu-west-1}
custom:
  base: &base {a: 1}
  merged: {<<: *base, b: 2}
  again: *plugins
resources:
  Resources:
    Table: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Sub '${AWS::StackName}-t', X: !GetAtt [A, Arn], Y: !GetAtt A.Arn}}
  Outputs:
    A: {Value: !If [C, !Ref Table, !Ref 'AWS::NoValue'], Count: !Ref 12, Sub: !Sub ['${x}', {x: !ImportValue y}], B: !Base64 YQ==}
",
        );
        assert_eq!(read.service.unwrap().as_str(), "orders");
        assert_eq!(read.stage.unwrap().as_str(), "prod");
        assert_eq!(read.region.unwrap().as_str(), "eu-west-1");
        assert_eq!(read.framework_version.as_deref(), Some("4"));
        assert_eq!(read.plugins.unwrap().modules, ["serverless-esbuild", "./plugins/trace"]);
        assert!(read.dotenv);
    }

    #[test]
    fn what_variables_make_is_unknown_and_what_is_absent_is_the_frameworks_default() {
        let read = outline(
            "service: ${self:custom.name}\nprovider: {name: aws, region: '${opt:region, self:custom.region}'}\nplugins: ${file(p.yml)}",
        );
        assert_eq!((read.service, read.region, read.plugins), (None, None, None));
        assert_eq!(read.stage.unwrap().as_str(), "dev");

        let read = outline("service: a-b\nprovider: ${file(provider.yml)}\nframeworkVersion: 3.40");
        assert_eq!((read.stage, read.region), (None, None));
        assert_eq!(read.framework_version.as_deref(), Some("3.4"));
        assert_eq!(read.plugins, Some(Plugins::default()));

        let read = outline("service: a-b\nprovider: aws\nplugins: {modules: [a], localPath: ./p}");
        assert_eq!(read.region.unwrap().as_str(), "us-east-1");
        assert_eq!(
            read.plugins,
            Some(Plugins { modules: vec!["a".to_owned()], local_path: Some("./p".to_owned()) })
        );
    }

    #[test]
    fn a_plugin_is_from_a_package_or_a_path() {
        for (module, package) in [
            ("serverless-esbuild", Some("serverless-esbuild")),
            ("serverless-x/lib/plugin", Some("serverless-x")),
            ("@a/b", Some("@a/b")),
            ("@a/b/plugin", Some("@a/b")),
            ("./plugins/trace.js", None),
            ("../shared", None),
            ("/opt/plugin", None),
            ("", None),
        ] {
            assert_eq!(Plugins::package(module), package, "{module}");
        }
    }

    #[test]
    fn only_yaml_and_json_have_an_outline() {
        assert_eq!(Outline::of("serverless.ts", "export default {}"), None);
        let json = Outline::of("serverless.json", r#"{"service": "a-b", "provider": {"name": "aws"}}"#)
            .unwrap()
            .unwrap();
        assert_eq!(json.service.unwrap().as_str(), "a-b");
        let error = Outline::of("serverless.yml", "a: [").unwrap().unwrap_err();
        assert!(!error.contains('\n'), "{error}");
        assert!(Outline::of("serverless.yml", &" ".repeat(MAX_CONFIG_BYTES + 1)).unwrap().is_err());
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text = format!("{text}a{level}: &a{level} [{aliases}]\n");
        }
        assert!(Outline::of("serverless.yml", &text).unwrap().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*", yaml in "[-a-z:{}\\[\\],&*!<|>#'\" \n0-9$~.]{0,80}") {
            for name in ["serverless.yml", "serverless.json"] {
                let _ = Outline::of(name, &text);
                let _ = Outline::of(name, &yaml);
            }
        }
    }
}
