//! The workflows in `docs/ci`: every step of every job is run, each job on a machine of its own, whose clone is made as the CI system makes
//! it, against one origin. Steps that are actions are known by a table here; one that is not fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// What the push URL of GitLab's jobs stands for.
const GITLAB: &str = "https://slsart@gitlab.example.org/group/orders.git";

/// A job, as its system runs it.
struct Job {
    name: String,
    /// How many commits are fetched; `None` is all, with the tags.
    depth: Option<u32>,
    steps: Vec<Step>,
    variables: BTreeMap<String, String>,
}

/// A script of a job.
struct Step {
    script: String,
    /// Whether it runs after one that failed, too.
    always: bool,
    variables: BTreeMap<String, String>,
}

/// The machines of a CI system, beside the repository of the sandbox that is somebody's.
struct Runner {
    sandbox: Sandbox,
    origin: PathBuf,
    machines: std::cell::Cell<usize>,
    /// Variables that the system and its settings give every job.
    variables: BTreeMap<String, String>,
}

impl Runner {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let origin = sandbox.beside("origin.git");
        sandbox.git("init --quiet --bare --initial-branch=main ../origin.git");
        // As GitHub and GitLab have it.
        sandbox.git("--git-dir=../origin.git config uploadpack.allowAnySHA1InWant true");
        sandbox.git("remote add origin ../origin.git");
        sandbox.git("push --quiet origin main");
        Self { sandbox, origin, machines: std::cell::Cell::new(0), variables: BTreeMap::new() }
    }

    /// A commit on main, which a pipeline starts for.
    fn commit(&self, subject: &str) {
        self.sandbox.change(subject);
        self.sandbox.git("push --quiet origin main");
    }

    /// Runs a job on a new machine.
    ///
    /// # Returns
    /// Whether it succeeded, and what it printed.
    fn run(&self, job: &Job, variables: &[(&str, &str)]) -> (bool, String) {
        self.machines.set(self.machines.get() + 1);
        let machine = self.sandbox.beside(&format!("machine-{}", self.machines.get()));
        let [home, clone] = ["home", "clone"].map(|name| machine.join(name));
        fs::create_dir_all(home.join(".slsart/bin")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_git-slsart"));
        std::os::unix::fs::symlink(program, home.join(".slsart/bin/git-slsart")).unwrap();
        // The tool that an earlier job of GitLab's leaves in the clone.
        fs::create_dir_all(clone.join(".slsart/bin")).unwrap();
        std::os::unix::fs::symlink(program, clone.join(".slsart/bin/git-slsart")).unwrap();
        let url = format!("file://{}", self.origin.to_str().unwrap());
        fs::write(home.join(".gitconfig"), format!("[url \"{url}\"]\n\tinsteadOf = {GITLAB}\n")).unwrap();
        let commit = self.sandbox.git("rev-parse origin/main");
        let refspecs = match job.depth {
            Some(depth) => format!("--no-tags --depth={depth} origin +{commit}:refs/remotes/origin/main"),
            None => "origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'".to_owned(),
        };
        let checkout = format!(
            "git init --quiet --initial-branch=nothing .
             git remote add origin {url}
             git config --local gc.auto 0
             git fetch --quiet --prune --no-recurse-submodules {refspecs}
             git checkout --quiet --force --detach {commit}"
        );
        let path_file = machine.join("path");
        fs::write(&path_file, "").unwrap();
        let mut printed = String::new();
        let mut succeeded = true;
        let checkout = Step { script: checkout, always: false, variables: BTreeMap::new() };
        for step in std::iter::once(&checkout).chain(&job.steps) {
            if !succeeded && !step.always {
                continue;
            }
            let mut command = self.sandbox.command("bash");
            let added = fs::read_to_string(&path_file).unwrap();
            let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
            let paths = added.lines().rev().map(PathBuf::from).collect::<Vec<_>>();
            // The program is where the job puts it, and nowhere else.
            let usual = std::env::split_paths(path.unwrap()).skip(1);
            let path = std::env::join_paths(paths.into_iter().chain(usual)).unwrap();
            for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
                command.env_remove(name);
            }
            command
                .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.script])
                .current_dir(&clone)
                .env("PATH", path)
                .env("HOME", &home)
                .env("XDG_CACHE_HOME", home.join("cache"))
                .env("GITHUB_PATH", &path_file)
                .env("CI_PROJECT_DIR", &clone)
                .envs(&self.variables)
                .envs(&job.variables)
                .envs(&step.variables)
                .envs(variables.iter().copied());
            let outcome = self.sandbox.outcome(&mut command);
            printed += &format!("$ {}\n{outcome}", step.script);
            succeeded &= outcome.code == 0;
        }
        (succeeded, printed)
    }

    #[track_caller]
    fn succeeds(&self, job: &Job, variables: &[(&str, &str)]) -> String {
        let (succeeded, printed) = self.run(job, variables);
        assert!(succeeded, "{}: {printed}", job.name);
        printed
    }

    /// The target's deployments, as somebody on a third machine sees them: what was done, how it ended, to which commit, by whom and
    /// why; oldest first.
    fn history(&self) -> Vec<[String; 5]> {
        self.sandbox.slsart("fetch -q").succeeded();
        let history = self.sandbox.slsart("history -s prod --json").json();
        let rows = history["targets"][0]["deployments"].as_array().unwrap().iter().rev();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        rows.map(|row| ["action", "outcome", "subject", "by", "reason"].map(|name| text(row, name))).collect()
    }

    /// Packages, deploys and rolls back by the jobs of a workflow, and sees that it is so.
    fn releases(&self, jobs: &BTreeMap<String, Job>) {
        let [package, deploy, rollback] = ["package", "deploy", "rollback"].map(|name| &jobs[name]);
        self.succeeds(package, &[]);
        self.succeeds(deploy, &[]);
        self.sandbox.git("tag v1");
        self.sandbox.git("push --quiet origin v1");
        self.commit("Answer two");
        self.succeeds(package, &[]);
        // Somebody runs the job again: what is there stays.
        let refs = || self.sandbox.git("--git-dir=../origin.git for-each-ref refs/slsart refs/notes");
        let before = refs();
        self.succeeds(package, &[]);
        assert_eq!(refs(), before);
        let (succeeded, printed) = self.run(deploy, &[("STAND_IN", "fail")]);
        assert!(!succeeded, "{printed}");
        self.succeeds(deploy, &[]);
        // The button, without a name, with one, and with what is none.
        self.succeeds(rollback, &[("REF", ""), ("REASON", "checkout 500s")]);
        let second = self.sandbox.git("rev-parse --short HEAD");
        self.succeeds(rollback, &[("REF", &second), ("REASON", "it was \"the\" $(database)")]);
        self.succeeds(rollback, &[("REF", "v1"), ("REASON", "or not")]);
        for wrong in ["--no-lock", "$(touch ../pwned)"] {
            let (succeeded, printed) = self.run(rollback, &[("REF", wrong), ("REASON", "a try")]);
            assert!(!succeeded, "{wrong}: {printed}");
        }
        let expected = [
            ["deploy", "succeeded", "Add the service"],
            ["deploy", "failed", "Answer two"],
            ["deploy", "succeeded", "Answer two"],
            ["rollback", "succeeded", "Add the service"],
            ["rollback", "succeeded", "Answer two"],
            ["rollback", "succeeded", "Add the service"],
        ];
        let history = self.history();
        let done: Vec<[&str; 3]> =
            history.iter().map(|[a, b, c, ..]| [a, b, c].map(String::as_str)).collect();
        assert_eq!(done, expected);
        let reasons: Vec<&str> = history[3..].iter().map(|row| row[4].as_str()).collect();
        assert_eq!(reasons, ["checkout 500s", "it was \"the\" $(database)", "or not"]);
        assert!(history.iter().all(|row| row[3] == "kim <kim@example.org>"), "{history:?}");
        assert!(history[0][4].starts_with("https://"), "{history:?}");
        // Nothing was packaged but by the package jobs, and no lock is left.
        let packaged = self.sandbox.runs().lines().filter(|run| run.contains("\"package\"")).count();
        assert_eq!(packaged, 2, "{}", self.sandbox.runs());
        assert_eq!(self.sandbox.git("--git-dir=../origin.git for-each-ref refs/slsart-locks"), "");
        assert_eq!(self.sandbox.run("find", ["..", "-name", "pwned"]).stdout, "");
        self.sandbox.run("git", ["--git-dir=../origin.git", "fsck", "--full", "--strict"]).succeeded();
    }
}

fn workflow(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(name);
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The value of GitHub's expressions in `text`.
fn evaluated(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    let value = match expression.trim() {
        "inputs.stage || 'prod'" | "inputs.stage" => "prod",
        "github.actor" => "kim",
        "env.SLSART_VERSION" => "0.1.0",
        "runner.os" => "Linux",
        // What the button was given is given by the test.
        "inputs.ref" | "inputs.reason" => "",
        "vars.AWS_ROLE_ARN" => "arn:aws:iam::123456789012:role/deploy",
        "vars.AWS_REGION" => "us-east-1",
        unknown => panic!("an expression that no runner of this test knows: {unknown}"),
    };
    format!("{before}{value}{}", evaluated(after))
}

#[test]
fn the_workflow_for_github_actions_packages_deploys_and_rolls_back() {
    let workflow = workflow("github-actions.yml");
    let mut jobs = BTreeMap::new();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        assert_eq!(job["permissions"]["contents"], "write", "notes, histories and locks are pushed");
        let mut depth = Some(1);
        let mut steps = Vec::new();
        let mut has_credentials = false;
        for step in job["steps"].as_array().unwrap() {
            if let Some(action) = step["uses"].as_str() {
                match action.split('@').next().unwrap() {
                    "actions/checkout" => {
                        assert!(steps.is_empty());
                        depth = step["with"]["fetch-depth"]
                            .as_u64()
                            .map_or(Some(1), |depth| u32::try_from(depth).ok().filter(|depth| *depth > 0));
                    }
                    "actions/setup-node" | "actions/cache" => {}
                    "aws-actions/configure-aws-credentials" => {
                        assert_eq!(job["permissions"]["id-token"], "write", "{name}");
                        has_credentials = true;
                    }
                    unknown => panic!("an action that no runner of this test knows: {unknown}"),
                }
                continue;
            }
            let script = step["run"].as_str().unwrap();
            assert!(!script.contains("${{"), "what is put into a script is code: {script}");
            let always = match step["if"].as_str() {
                None => false,
                Some("always()") => true,
                Some(unknown) => panic!("a condition that no runner of this test knows: {unknown}"),
            };
            let given =
                |name: &String| step["env"][name].as_str().is_some_and(|text| text.contains("inputs."));
            let mut variables = texts(&step["env"]);
            variables.retain(|name, _| !given(name));
            steps.push(Step { script: script.to_owned(), always, variables });
        }
        assert_eq!(has_credentials, name != "package", "{name}");
        let variables = texts(&workflow["env"]).into_iter().chain(texts(&job["env"]));
        let variables = variables.map(|(name, text)| (name, evaluated(&text))).collect();
        jobs.insert(name.clone(), Job { name: name.clone(), depth, steps, variables });
    }
    let mut runner = Runner::new();
    let all = [
        ("GITHUB_SERVER_URL", "https://github.example.org"),
        ("GITHUB_REPOSITORY", "group/orders"),
        ("GITHUB_RUN_ID", "7"),
        ("CI", "true"),
    ];
    runner.variables.extend(all.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // GitHub's own address for who acts is not the test's.
    for job in jobs.values_mut() {
        for text in job.variables.values_mut() {
            *text = text.replace("kim@users.noreply.github.com", "kim@example.org");
        }
    }
    runner.releases(&jobs);
}

/// A job of GitLab's with what it extends, as GitLab merges them: keys of maps one by one, all else whole.
fn extended(workflow: &Value, name: &str) -> Value {
    let mut job = workflow[name].clone();
    if let Some(base) = job["extends"].as_str() {
        let mut merged = extended(workflow, base);
        for (key, value) in job.as_object().unwrap() {
            match (merged.get_mut(key), value) {
                (Some(Value::Object(all)), Value::Object(own)) => {
                    all.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                _ => merged[key] = value.clone(),
            }
        }
        job = merged;
    }
    job
}

#[test]
fn the_workflow_for_gitlab_packages_deploys_and_rolls_back() {
    let workflow = workflow("gitlab-ci.yml");
    let lines = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    let mut jobs = BTreeMap::new();
    let words = ["stages", "variables", "workflow"];
    let names = workflow.as_object().unwrap().keys();
    for name in names.filter(|name| !words.contains(&name.as_str()) && !name.starts_with('.')) {
        let job = extended(&workflow, name);
        if name == "slsart" {
            // It builds what the others are given; here that is there already, and its script does nothing.
            assert!(lines(&job["script"])[0].starts_with("[ -x .slsart/bin/git-slsart ] || cargo install "));
            continue;
        }
        // One shell runs them all.
        let script = [lines(&job["before_script"]), lines(&job["script"])].concat().join("\n");
        let mut variables = texts(&workflow["variables"]);
        variables.extend(texts(&job["variables"]));
        variables.retain(|_, text| !text.contains('$'));
        let depth = variables["GIT_DEPTH"].parse().ok().filter(|depth| *depth > 0);
        let steps = vec![Step { script, always: false, variables: BTreeMap::new() }];
        jobs.insert(name.clone(), Job { name: name.clone(), depth, steps, variables });
    }
    let mut runner = Runner::new();
    let all = [
        ("CI_SERVER_FQDN", "gitlab.example.org"),
        ("CI_PROJECT_PATH", "group/orders"),
        ("CI_PIPELINE_URL", "https://gitlab.example.org/group/orders/-/pipelines/7"),
        ("GITLAB_USER_NAME", "kim"),
        ("GITLAB_USER_EMAIL", "kim@example.org"),
        ("SLSART_TOKEN", "glpat-not-one"),
        ("AWS_ID_TOKEN", "not.a.token"),
    ];
    runner.variables.extend(all.map(|(name, value)| (name.to_owned(), value.to_owned())));
    runner.releases(&jobs);
    // The token is nowhere on the machines.
    let found =
        runner.sandbox.shell("grep -rlF glpat-not-one .. --include=config --include=.gitconfig || true");
    assert_eq!(found.stdout, "");
}
