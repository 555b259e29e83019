//! What is checked before a deployment starts, as the plan shows it: the stand-in for the framework must not run where something
//! blocks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use snapbox::str;

use crate::sandbox::{Outcome, Sandbox};

/// After the last date of the runtime of the stand-in's package, and before.
const LATE: &str = "2027-07-01T00:00:00Z";
const IN_TIME: &str = "2027-06-30T23:59:59Z";

/// A commit that is packaged in place.
fn packaged(variables: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.write(".gitignore", "node_modules/\n.serverless/\n.env*\nkeys/\n");
    sandbox.commit("Ignore what is made");
    sandbox.slsart_with("package --in-place -s prod -q", variables).succeeded();
    sandbox
}

/// The check of this name in a plan.
fn check(outcome: &Outcome, name: &str) -> Option<(String, String)> {
    let plan = outcome.json();
    let checks = plan["checks"].as_array().unwrap().iter();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let found = checks.filter(|check| check["name"] == name).collect::<Vec<_>>();
    assert!(found.len() <= 1, "{outcome}");
    found.first().map(|check| (text(check, "verdict"), text(check, "message")))
}

/// A node that says it is of version `version`, where nvm keeps it, and writes down what it runs.
///
/// # Returns
/// The `PATH` with its directory first.
fn nvm(sandbox: &Sandbox, version: &str) -> String {
    let programs = sandbox.beside(&format!("home/.nvm/versions/node/v{version}/bin"));
    fs::create_dir_all(&programs).unwrap();
    let real = sandbox.shell("command -v node").succeeded();
    let log = sandbox.beside("node.log");
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = --version ] && exec echo v{version}\necho \"$*\" >> '{}'\nexec '{}' \"$@\"\n",
        log.display(),
        real.stdout.trim()
    );
    let node = programs.join("node");
    fs::write(&node, script).unwrap();
    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", programs.display(), sandbox.shell("echo $PATH").stdout.trim())
}

#[test]
fn the_recorded_node_runs_everything_where_a_version_manager_has_it() {
    let sandbox = Sandbox::installed();
    let path = nvm(&sandbox, "99.1.0");
    sandbox.slsart_with("package --in-place -s prod -q", &[("PATH", &path)]).succeeded();
    fs::remove_file(sandbox.beside("node.log")).unwrap();

    let plan = sandbox.slsart("deploy -s prod -n --json");
    let expected = ("ok".to_owned(), "99.1.0 from ~/.nvm, as recorded".to_owned());
    assert_eq!(check(&plan, "node"), Some(expected), "{plan}");
    let deploy = sandbox.slsart_with("deploy -s prod --yes", &[("QUICK_NPM", "")]).succeeded();
    assert!(deploy.stderr.contains("\nUsing node 99.1.0 from ~/.nvm\n"), "{deploy}");
    let log = fs::read_to_string(sandbox.beside("node.log")).unwrap();
    for run in ["process.report", "npm ci --include=dev", ".bin/osls deploy --package"] {
        assert!(log.contains(run), "{run}? {log}");
    }

    // Without it, another first number is told, and stops nothing.
    fs::remove_dir_all(sandbox.beside("home/.nvm")).unwrap();
    let deploy = sandbox.slsart("deploy -s prod --yes").succeeded();
    let warned = "  ! node       [NODE] is here and 99.1.0 made the package\n";
    assert!(deploy.to_string().contains(warned), "{deploy}");
    assert!(!deploy.stderr.contains("Using node"), "{deploy}");
}

/// Takes out of the manifest of the only package what the framework asks for, as packages recorded before have it.
fn forget_engines(sandbox: &Sandbox) {
    sandbox
        .shell(
            "ref=$(git for-each-ref --format='%(refname)' refs/slsart/packages)
             git show $ref:manifest.toml | grep -v '^framework = \">=18\"' > ../manifest
             blob=$(git hash-object -w ../manifest)
             tree=$(git ls-tree $ref | sed \"s/blob .*\tmanifest.toml/blob $blob\tmanifest.toml/\" | git mktree)
             git update-ref $ref $(git commit-tree -p $ref^ -m package $tree)",
        )
        .succeeded();
}

#[test]
fn a_node_that_the_framework_refuses_is_refused_in_the_plan() {
    let sandbox = packaged(&[]);
    let path = nvm(&sandbox, "16.20.2");
    let old = [("PATH", path.as_str()), ("NVM_DIR", "/nowhere")];
    sandbox.slsart_with("deploy -s prod --yes", &old).is(str![[r#"
── stderr ──
Deploy    d37701c  Ignore what is made  package b446d85c · 1.8 kB · 3 minutes ago · node [NODE] · osls 4.3.1
  ✗ node       osls 4.3.1 runs on node >=18, and 16.20.2 is here
error: osls 4.3.1 runs on node >=18, and 16.20.2 is here
hint: use that node, or have a version manager install it, such as: nvm install [NODE]
── exit 1 ──

"#]]);
    // Of a package that was recorded before, the lockfile says it.
    forget_engines(&sandbox);
    let plan = sandbox.slsart_with("deploy -s prod -n --json", &old);
    let refused = ("blocks".to_owned(), "osls 4.3.1 runs on node >=18, and 16.20.2 is here".to_owned());
    assert_eq!(check(&plan, "node"), Some(refused), "{plan}");
    assert_eq!(sandbox.runs().lines().count(), 1, "only packaging ran: {}", sandbox.runs());
}

#[test]
fn a_node_that_only_the_installed_framework_refuses_stops_before_it_starts() {
    let sandbox = Sandbox::installed();
    let mut lockfile: Value = serde_json::from_str(&sandbox.read("package-lock.json")).unwrap();
    lockfile["packages"]["tools/osls"].as_object_mut().unwrap().remove("engines").unwrap();
    sandbox.write("package-lock.json", lockfile.to_string());
    sandbox.write(".gitignore", "node_modules/\n.serverless/\n");
    sandbox.commit("Lock less");
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    forget_engines(&sandbox);
    let path = nvm(&sandbox, "16.20.2");
    let deploy = sandbox.slsart_with("deploy -s prod --yes", &[("PATH", &path), ("NVM_DIR", "/nowhere")]);
    for said in [
        "  ! node       16.20.2 is here and",
        "Checking plugins and package\nerror: osls 4.3.1 runs on node >=18, and 16.20.2 is here\n",
        "hint: the framework was not started: nothing was changed in AWS\n",
    ] {
        assert!(deploy.stderr.contains(said), "{said}? {deploy}");
    }
    assert!(!sandbox.runs().contains("\"deploy\""), "{}", sandbox.runs());
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn variables_that_differ_are_told_by_name_and_never_by_value() {
    let sandbox = packaged(&[("DB_URL", "postgres://one-secret")]);
    let variables = |value: &[(&str, &str)]| {
        let plan = sandbox.slsart_with("deploy -s prod -n --json", value).succeeded();
        assert!(!plan.stdout.contains("secret"), "{plan}");
        check(&plan, "variables").unwrap()
    };
    let ok = |message: &str| ("ok".to_owned(), message.to_owned());
    let warning = |message: &str| ("warning".to_owned(), message.to_owned());
    assert_eq!(variables(&[("DB_URL", "postgres://one-secret")]), ok("as when packaging (DB_URL)"));
    assert_eq!(
        variables(&[("DB_URL", "postgres://another-secret")]),
        warning("DB_URL changed since packaging")
    );
    assert_eq!(variables(&[]), warning("DB_URL set when packaging and not here"));
    // Where the environment has none, a file does; a stage's own stands in for the other.
    sandbox.write(".env", "DB_URL=postgres://one-secret\n");
    assert_eq!(variables(&[]), ok("as when packaging (DB_URL)"));
    sandbox.write(".env.prod", "DB_URL='postgres://a-third-secret'\n");
    assert_eq!(variables(&[]), warning("DB_URL changed since packaging"));

    let manifest = sandbox
        .shell("git show $(git for-each-ref --format='%(refname)' refs/slsart/packages):manifest.toml");
    assert!(manifest.stdout.contains("[environment.marks]\nDB_URL = \""), "{manifest}");
    assert!(!manifest.stdout.contains("-secret"), "{manifest}");
}

#[test]
fn a_variable_that_had_no_value_is_new_and_a_package_made_elsewhere_knows_none() {
    let sandbox = packaged(&[]);
    let plan = sandbox.slsart_with("deploy -s prod -n --json", &[("DB_URL", "x")]).succeeded();
    let expected = ("warning".to_owned(), "DB_URL set here and not when packaging".to_owned());
    assert_eq!(check(&plan, "variables"), Some(expected));
    let sandbox = Sandbox::recorded();
    let plan = sandbox.slsart_with("deploy -s prod -n --json", &[("DB_URL", "x")]).succeeded();
    assert_eq!(check(&plan, "variables"), None);
}

#[test]
fn files_that_were_carried_must_be_there() {
    let sandbox = Sandbox::installed();
    sandbox.write(".gitignore", "node_modules/\n.serverless/\n.env*\nkeys/\n");
    sandbox.write("slsart.toml", "[carry]\npaths = [\".env.*\", \"keys/\"]\n");
    sandbox.commit("Carry keys");
    for file in [".env.prod", "keys/a.pem", "keys/b.pem"] {
        sandbox.write(file, "");
    }
    sandbox.slsart("package -s prod -q").succeeded();
    let carried = || check(&sandbox.slsart("deploy -s prod -n --json").succeeded(), "carried").unwrap();
    assert_eq!(carried(), ("ok".to_owned(), "3 ignored files: .env.prod, keys/a.pem, keys/b.pem".to_owned()));
    fs::remove_file(sandbox.path("keys/b.pem")).unwrap();
    let missing = "carried when packaging, and not here now: keys/b.pem";
    assert_eq!(carried(), ("warning".to_owned(), missing.to_owned()));
}

#[test]
fn a_runtime_that_is_over_blocks_and_can_be_allowed() {
    let sandbox = packaged(&[]);
    let before = sandbox.fingerprint();
    let late = [("SLSART_NOW", LATE)];
    let deploy = sandbox.slsart_with("deploy -s prod --yes", &late);
    deploy.is(str![[r#"
── stderr ──
Deploy    d37701c  Ignore what is made  package b446d85c · 1.8 kB · 1 year ago · node [NODE] · osls 4.3.1
  ✗ runtimes   Lambda no longer updates functions with nodejs22.x, since 2027-07-01: HelloLambdaFunction
error: Lambda no longer updates functions with nodejs22.x, since 2027-07-01: HelloLambdaFunction
hint: by the dates of cfn-lint 1.58.0, taken 2026-11-27; to go on all the same: --allow-runtime nodejs22.x
── exit 1 ──

"#]]);
    let plan = sandbox.slsart_with("deploy -s prod -n --json", &late);
    assert_eq!(plan.code, 1, "a dry run ends as the run would: {plan}");
    let (verdict, message) = check(&plan, "runtimes").unwrap();
    assert_eq!(verdict, "blocks");
    let error: Value = serde_json::from_str(&plan.stderr).unwrap();
    assert_eq!(error["error"]["message"], message.as_str());
    sandbox.slsart_with("check -s prod -q", &late).is(str![[r#"
✓ package    packaged for orders · prod · us-east-1 (b446d85c)
✗ runtimes   Lambda no longer updates functions with nodejs22.x, since 2027-07-01: HelloLambdaFunction
  hint:     by the dates of cfn-lint 1.58.0, taken 2026-11-27; to go on all the same: --allow-runtime nodejs22.x
── stderr ──
error: 1 of 13 checks failed
── exit 1 ──

"#]]);
    sandbox.is_as_before(&before);

    let in_time = sandbox.slsart_with("deploy -s prod -n --json", &[("SLSART_NOW", IN_TIME)]).succeeded();
    let (verdict, message) = check(&in_time, "runtimes").unwrap();
    assert_eq!(verdict, "warning", "{message}");

    let option = "deploy -s prod --yes --allow-runtime nodejs22.x";
    let allowed = sandbox.slsart_with(option, &late).succeeded();
    assert!(allowed.stderr.contains("(allowed by --allow-runtime)"), "{allowed}");
    // Not needed, it changes nothing.
    sandbox.slsart(&format!("{option} -q")).succeeded();
}

#[test]
fn several_that_block_are_told_at_once() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.path("package-lock.json")).unwrap();
    sandbox.commit("Remove the lockfile");
    sandbox.record("prod");
    sandbox.slsart_with("rollback HEAD -s prod --yes", &[("SLSART_NOW", LATE)]).is(str![[r#"
── stderr ──
Restore   a17b3ad  Remove the lockfile  package be694c54 · 1.3 kB · 1 year ago
  ✗ runtimes   Lambda no longer updates functions with nodejs22.x, since 2027-07-01: HelloLambdaFunction
  ✗ toolchain  the commit has no lockfile for the service: its plugins are unknown
error: Lambda no longer updates functions with nodejs22.x, since 2027-07-01: HelloLambdaFunction; the commit has no lockfile for the service: its plugins are unknown
hint: by the dates of cfn-lint 1.58.0, taken 2026-11-27; to go on all the same: --allow-runtime nodejs22.x
hint: commit the lockfile of your package manager, such as package-lock.json, and package that commit
── exit 1 ──

"#]]);
    sandbox.slsart("history").is(str![[r#"
nothing was deployed by git slsart here

"#]]);
}

#[test]
fn a_rollback_shows_where_its_plugins_come_from() {
    let sandbox = packaged(&[]);
    let toolchain = |action: &str| {
        check(&sandbox.slsart(&format!("{action} HEAD -s prod -n --json")).succeeded(), "toolchain").unwrap()
    };
    assert_eq!(toolchain("deploy").0, "ok");
    let warned = "npm will install the plugins from package-lock.json: there is no toolchain here";
    assert_eq!(toolchain("rollback"), ("warning".to_owned(), warned.to_owned()));
    sandbox.slsart("toolchain save HEAD -q").succeeded();
    let (verdict, message) = toolchain("rollback");
    assert_eq!(verdict, "ok");
    assert!(message.starts_with("the plugins will be restored (toolchain "), "{message}");
}
