//! A repository with a real service, on a machine of its own: an empty home, an empty cache, no configuration but the test's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::bed::{Bed, LiveFunction};
use crate::call::Call;
use crate::trace::{self, Event};

/// The stage that tests package for and deploy to.
pub(crate) const STAGE: &str = "prod";

const GIT_CONFIG: &str = "\
[user]
name = Dana
email = dana@example.com
[init]
defaultBranch = main
";

/// A repository and the machine it is on.
pub(crate) struct Project {
    scratch: TempDir,
    /// The service's name, the test's own.
    pub(crate) name: String,
    /// The service's directory in the repository; empty for its top.
    directory: String,
    variables: BTreeMap<String, String>,
}

impl Project {
    /// A repository whose top is the bed's `service`, renamed to `name`, and nothing committed yet.
    pub(crate) fn new(service: &str, name: &str) -> Self {
        Self::lay(service, name, "", &[])
    }

    /// The same, with the service's packages installed, as a developer has them.
    pub(crate) fn installed(service: &str, name: &str) -> Self {
        Self::lay(service, name, "", &["--installed"])
    }

    /// The same as [`Self::new`], with the service in a directory of the repository.
    pub(crate) fn within(directory: &str, service: &str, name: &str) -> Self {
        Self::lay(service, name, directory, &[])
    }

    fn lay(service: &str, name: &str, directory: &str, options: &[&str]) -> Self {
        let this = Self::bare(name, directory);
        let mut command = Command::new(Bed::part("service"));
        command.arg(service).arg(this.service()).args(options);
        this.laid(command, service.rsplit('/').next().unwrap())
    }

    /// A monorepo for a package manager, whose one service is in a directory of it. The manager is on PATH.
    pub(crate) fn monorepo(manager: &str, name: &str) -> Self {
        let this = Self::bare(name, "services/shop");
        let program = PathBuf::from(&this.variables["SLSART_BED"]).join("managers").join(manager);
        // npm has no folder of its own.
        let this = if program.exists() { this.installer(&program) } else { this.with_real_npm() };
        let mut command = Command::new(Bed::part("managers/lay"));
        command.arg(manager).arg(this.top());
        this.laid(command, "shop")
    }

    /// A machine with an empty repository, for a test that makes its own.
    pub(crate) fn machine(name: &str) -> Self {
        Self::bare(name, "")
    }

    fn bare(name: &str, directory: &str) -> Self {
        let (scratch, variables) = (Bed::shared().scratch(), BTreeMap::new());
        let this = Self { scratch, name: name.to_owned(), directory: directory.to_owned(), variables };
        let this = this.on_this_machine();
        let [home, top] = [this.beside("home"), this.top()];
        fs::create_dir(&home).unwrap();
        fs::create_dir(&top).unwrap();
        fs::write(home.join(".gitconfig"), GIT_CONFIG).unwrap();
        this.git("init --quiet");
        this
    }

    fn laid(self, mut command: Command, before: &str) -> Self {
        let done = command.env_clear().envs(&self.variables).status().unwrap();
        assert!(done.success(), "cannot lay {command:?}");
        let service = |name: &str| format!("service: {name}\n");
        self.edit("serverless.yml", &service(before), &service(&self.name));
        self
    }

    /// Sets what every program of this machine is to have in its environment.
    fn on_this_machine(mut self) -> Self {
        let bed = Bed::shared();
        let beside = |name: &str| self.beside(name).to_str().unwrap().to_owned();
        let own = [
            ("HOME", beside("home")),
            ("XDG_CACHE_HOME", beside("cache")),
            ("SLSART_TRACE", beside("trace")),
            ("AWS_ENDPOINT_URL", bed.endpoint()),
            ("LANG", "C.UTF-8".to_owned()),
        ];
        self.variables.clone_from(&bed.variables);
        self.variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
        self.installer(&Bed::part("quick"))
    }

    /// Has npm itself install, where the installer matters, and not the bed's short cut.
    pub(crate) fn with_real_npm(self) -> Self {
        let node = PathBuf::from(&Bed::shared().variables["SLSART_BED_PATH"]);
        self.installer(&node)
    }

    fn installer(mut self, npm: &Path) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_git-slsart")).parent().unwrap();
        let node = &Bed::shared().variables["SLSART_BED_PATH"];
        let system = std::env::var("PATH").unwrap();
        let path = [binary.to_str().unwrap(), npm.to_str().unwrap(), node, &system].join(":");
        self.variables.insert("PATH".to_owned(), path);
        self
    }

    /// Sets a variable for all calls from here on.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What every program of this machine has in its environment.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The top of the repository.
    pub(crate) fn top(&self) -> PathBuf {
        self.scratch.path().join("repository")
    }

    /// The service's directory.
    pub(crate) fn service(&self) -> PathBuf {
        self.top().join(&self.directory)
    }

    /// A path beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The stack of the service.
    pub(crate) fn stack(&self) -> String {
        format!("{}-{STAGE}", self.name)
    }

    /// Writes a file of the service.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.service().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Replaces text in a file of the service. The text must be there.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.service().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replace(from, to));
    }

    /// Runs git, its arguments split as a shell does; returns what it printed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &str) -> String {
        let arguments = shlex::split(arguments).unwrap();
        Call::new("git", &self.top(), &self.variables).arguments(arguments).succeeds().stdout
    }

    /// Runs a shell script at the repository's top.
    #[track_caller]
    pub(crate) fn shell(&self, script: &str, arguments: &[&str]) {
        let words = ["-c", script, "sh"].into_iter().chain(arguments.iter().copied());
        Call::new("sh", &self.top(), &self.variables).arguments(words).succeeds();
    }

    /// Writes a zip with one file of the service in it.
    pub(crate) fn zip(&self, path: &str, entry: &str, content: &str) {
        let path = self.service().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        zip.start_file(entry, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
        zip.finish().unwrap();
    }

    /// Commits everything, and tags the commit with its message.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) {
        self.git("add --all");
        self.git(&format!("commit --quiet --message '{message}'"));
        self.git(&format!("tag '{message}'"));
    }

    /// `git slsart` with arguments split as a shell does; it runs when the call is told how it ends.
    pub(crate) fn slsart(&self, arguments: &str) -> Call {
        let arguments = shlex::split(arguments).unwrap();
        Call::new("git", &self.top(), &self.variables).arguments(["slsart".to_owned()]).arguments(arguments)
    }

    /// The same without git in between, for a test that sends signals.
    pub(crate) fn slsart_itself(&self, arguments: &str) -> Call {
        let arguments = shlex::split(arguments).unwrap();
        Call::new(env!("CARGO_BIN_EXE_git-slsart"), &self.top(), &self.variables).arguments(arguments)
    }

    /// Runs the framework that is installed in the working tree.
    #[track_caller]
    pub(crate) fn framework(&self, arguments: &str) {
        let program = self.service().join("node_modules/.bin/osls");
        let arguments = shlex::split(arguments).unwrap();
        Call::new(program.to_str().unwrap(), &self.service(), &self.variables)
            .arguments(arguments)
            .succeeds();
    }

    /// Commits everything under the tag `tag`, packages the commit and deploys the package.
    #[track_caller]
    pub(crate) fn release(&self, tag: &str) {
        self.commit(tag);
        self.slsart(&format!("package -s {STAGE}")).succeeds();
        self.slsart(&format!("deploy -s {STAGE} --yes")).succeeds();
    }

    /// The deployments, newest first, as in `rollback v1 succeeded (live)`.
    #[track_caller]
    pub(crate) fn history(&self) -> Vec<String> {
        let history = self.slsart(&format!("history -s {STAGE} --json")).succeeds().json();
        let sections = history["targets"].as_array().unwrap();
        assert_eq!(sections.len(), 1, "{history:#}");
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let line = |row: &Value| {
            let live = if row["live"] == true { " (live)" } else { "" };
            format!("{} {} {}{live}", text(row, "action"), text(row, "subject"), text(row, "outcome"))
        };
        sections[0]["deployments"].as_array().unwrap().iter().map(line).collect()
    }

    /// The functions that AWS has of the service, by their names in it.
    pub(crate) fn live(&self) -> BTreeMap<String, LiveFunction> {
        Bed::shared().functions(&format!("{}-", self.stack()))
    }

    /// Takes the lifecycle events that the local plugin saw since they were last taken.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        trace::take(&self.beside("trace"))
    }

    /// The lifecycle events since they were last taken, left where they are.
    pub(crate) fn events(&self) -> Vec<Event> {
        trace::read(&self.beside("trace"))
    }

    /// What commands have left of their disposable checkouts: directories, their locks and git's entries.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let listed = self.git("worktree list --porcelain");
        let entries =
            listed.lines().filter_map(|line| line.strip_prefix("worktree ")).skip(1).map(str::to_owned);
        let caches = fs::read_dir(self.beside("cache/git-slsart/worktrees")).into_iter().flatten();
        let files = caches.flat_map(|cache| fs::read_dir(cache.unwrap().path()).unwrap());
        let files = files.map(|file| file.unwrap().path());
        // The lock that all commands of a repository share stays, empty.
        let files = files.filter(|file| file.file_name() != Some("sweeping".as_ref()));
        entries.chain(files.map(|file| file.display().to_string())).collect()
    }
}
