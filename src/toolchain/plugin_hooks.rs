//! Which lifecycle events each plugin hooks: asked of the framework itself, once, after packaging. It never fails: hooks that can't be
//! found out are unknown.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::framework::Installed;
use super::plugins::DEFAULT_LOCAL_PATH;
use crate::process::Patience;
use crate::service::Plugins;

const SCRIPT: &str = include_str!("plugin_hooks.cjs");
/// The prefix of its line: plugins may print anything.
const SIGN: &str = "slsart-hooks ";
const LIMIT: Duration = Duration::from_secs(20);
/// Most events of a plugin, and most characters of an event, that are recorded.
const MAX_EVENTS: usize = 500;
const MAX_CHARACTERS: usize = 200;

pub type PluginHooks = BTreeMap<String, Vec<String>>;

pub fn read(
    framework: &Installed,
    service: &Path,
    plugins: &Plugins,
    arguments: Vec<OsString>,
) -> PluginHooks {
    if plugins.modules.is_empty() {
        return PluginHooks::new();
    }
    let listed = serde_json::Value::from(plugins.modules.clone()).to_string();
    let local_path = plugins.local_path.as_deref().unwrap_or(DEFAULT_LOCAL_PATH);
    let run = framework
        .node()
        .args(["-e", SCRIPT, "--"])
        .arg(framework.directory.as_os_str())
        .args([listed.as_str(), local_path])
        .args(arguments)
        // If it were not stopped, it would only print its help.
        .arg("--help")
        .env("SLS_TELEMETRY_DISABLED", "1")
        .env("SLS_NOTIFICATIONS_MODE", "off")
        .current_dir(service);
    let output = run.end_within(LIMIT, Patience::UntilInterrupted).ok().flatten();
    let output = output.map(|ended| ended.stdout).unwrap_or_default();
    parse(&output)
}

fn parse(output: &[u8]) -> PluginHooks {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().find_map(|line| line.strip_prefix(SIGN)).unwrap_or_default();
    let mut hooks: PluginHooks = serde_json::from_str(line).unwrap_or_default();
    for events in hooks.values_mut() {
        events.retain(|event| event.len() <= MAX_CHARACTERS && !event.contains(char::is_control));
        events.truncate(MAX_EVENTS);
    }
    hooks
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_scripts_own_line_counts() {
        let output = b"loading\nslsart-hooks {\"p\": [\"after:deploy:deploy\", \"a\\nb\"]}\nbye\n";
        assert_eq!(parse(output)["p"], ["after:deploy:deploy"]);
        for bad in [&b""[..], b"slsart-hooks [1]", b"slsart-hooks {\"p\": 1}", b"\xff"] {
            assert!(parse(bad).is_empty());
        }
    }

    fn service(files: &[(&str, &str)]) -> (tempfile::TempDir, Installed) {
        let root = tempfile::tempdir().unwrap();
        let package = (
            "node_modules/osls/package.json",
            r#"{"name": "osls", "version": "9.9.9", "bin": {"osls": "cli.js"}}"#,
        );
        for (path, text) in files.iter().chain([&package, &("node_modules/.bin/osls", "")]) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let framework = super::super::framework::find(root.path(), &".".parse().unwrap()).unwrap();
        (root, framework)
    }

    fn plugins(names: &[&str]) -> Plugins {
        let modules = names.iter().map(|name| (*name).to_owned()).collect();
        Plugins { modules, local_path: Some("local".to_owned()) }
    }

    #[test]
    fn the_framework_loads_its_plugins_and_is_stopped_before_it_does_more() {
        let (root, framework) = service(&[
            (
                "node_modules/osls/lib/classes/plugin-manager.js",
                "module.exports = class {
                   plugins = [];
                   async loadAllPlugins(names) {
                     for (const name of names) {
                       const Plugin = require(name);
                       Plugin._serverlessExternalPluginName = name;
                       this.plugins.push(new Plugin());
                     }
                     await new Promise((done) => setTimeout(done, 10));
                     for (const plugin of this.plugins) await plugin.asyncInit();
                   }
                 };",
            ),
            (
                "node_modules/osls/cli.js",
                "const Manager = require('./lib/classes/plugin-manager.js');
                 const manager = new Manager();
                 manager.loadAllPlugins([process.argv[2], process.argv[3]]).then(() => require('fs').writeFileSync('ran', ''));",
            ),
            (
                "node_modules/p/index.js",
                "module.exports = class { async asyncInit() { this.hooks = { 'deploy:finalize': () => {} }; } };",
            ),
        ]);
        let modules = root.path().join("node_modules/p").to_str().unwrap().to_owned();
        // The stand-in takes the plugins from its arguments.
        let hooks = read(&framework, root.path(), &plugins(&["p"]), vec![modules.clone().into()]);
        assert!(!root.path().join("ran").exists());
        // The second argument is --help, which is no plugin: then each is loaded by itself.
        assert_eq!(hooks["p"], [""; 0]);
        let hooks = read(
            &framework,
            root.path(),
            &plugins(&["p"]),
            vec![modules.clone().into(), modules.clone().into()],
        );
        assert_eq!(hooks[&modules], ["deploy:finalize"]);
        assert!(!root.path().join("ran").exists());
    }

    #[test]
    fn plugins_are_loaded_by_themselves_where_the_framework_cannot_be_asked() {
        let (root, framework) = service(&[
            (
                "node_modules/serverless-x/index.js",
                "module.exports = class { constructor(serverless) { serverless.service.custom.x.push(1);
                   console.log('hello'); this.hooks = { 'after:deploy:deploy': () => {}, initialize: () => {} }; } };",
            ),
            ("local/own.js", "exports.default = class { get hooks() { return {}; } };"),
            ("plugins/bad.js", "throw new Error('bad');"),
        ]);
        let names = plugins(&["serverless-x", "own", "./plugins/bad", "absent"]);
        let hooks = read(&framework, root.path(), &names, Vec::new());
        assert_eq!(hooks["serverless-x"], ["after:deploy:deploy", "initialize"]);
        assert_eq!(hooks["own"], [""; 0]);
        assert_eq!(hooks.len(), 2, "{hooks:?}");
    }
}
