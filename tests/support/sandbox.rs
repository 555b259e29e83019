//! A scratch repository with a small service, and the program run in it: in an environment that holds nothing of the
//! developer's, with a clock that goes on by a minute from call to call, so that what is printed is the same every time.
//!
//! The service is `tests/fixtures/service`; its framework is a stand-in, installed by a real `npm ci` once and copied then.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use snapbox::{Assert, IntoData};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::room::Room;
use crate::schemas::Promise;

/// What the clock shows before the first call: 2026-01-05 09:00 UTC.
const START: i64 = 1_767_603_600;

/// How long a call may take: longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A directory of its own for one test: `repo`, and beside it a home and a cache.
pub(crate) struct Sandbox {
    root: TempDir,
    clock: AtomicI64,
    /// Variables that the test adds to every call.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// How a call ended.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    root: String,
}

impl Sandbox {
    /// A sandbox whose `repo` is an empty directory.
    pub(crate) fn bare() -> Self {
        static ROOM: OnceLock<Room> = OnceLock::new();
        // Outside this repository, for tests of what is in none.
        let place = &ROOM.get_or_init(|| Room::make(&std::env::temp_dir())).path;
        let root = TempDir::with_prefix_in("slsart-", place).unwrap();
        for name in ["repo", "home"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root, clock: AtomicI64::new(START), variables: Vec::new() }
    }

    /// A sandbox whose `repo` is a git repository without a commit.
    pub(crate) fn empty() -> Self {
        let this = Self::bare();
        this.git("init --quiet --initial-branch=main");
        this
    }

    /// A sandbox with one commit, "Add the service", on `main`.
    pub(crate) fn new() -> Self {
        // Made once in a process, and copied.
        static TEMPLATE: OnceLock<Sandbox> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let this = Self::empty();
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/service"), &this.path(""));
            this.commit("Add the service");
            this
        });
        let this = Self::bare();
        copy(&template.path(""), &this.path(""));
        this.clock.store(template.clock.load(Ordering::SeqCst), Ordering::SeqCst);
        this
    }

    /// The same, its service's packages installed in the working tree, as a developer has them.
    pub(crate) fn installed() -> Self {
        static TEMPLATE: OnceLock<Sandbox> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let this = Self::new();
            this.run("npm", ["ci", "--silent", "--no-audit", "--no-fund"]).succeeded();
            this
        });
        let this = Self::new();
        copy(&template.path("node_modules"), &this.path("node_modules"));
        this
    }

    /// A sandbox with one commit and its package for `prod`.
    pub(crate) fn recorded() -> Self {
        let this = Self::new();
        this.record("prod");
        this
    }

    /// A path in the repository; empty for its top.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let repo = self.root.path().join("repo");
        if relative.is_empty() { repo } else { repo.join(relative) }
    }

    /// A path beside the repository.
    pub(crate) fn beside(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a file of the repository that can be run.
    pub(crate) fn write_program(&self, relative: &str, content: &str) {
        self.write(relative, content);
        fs::set_permissions(self.path(relative), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Reads a file of the repository.
    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Commits everything in the working tree.
    ///
    /// # Returns
    /// The commit's id.
    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git("add --all");
        self.run("git", ["commit", "--quiet", "--no-verify", "--allow-empty", "-m", subject]).succeeded();
        self.git("rev-parse HEAD")
    }

    /// Commits what is in the index.
    pub(crate) fn commit_index(&self, subject: &str) {
        self.run("git", ["commit", "--quiet", "--no-verify", "-m", subject]).succeeded();
    }

    /// A commit that changes the service's code.
    pub(crate) fn change(&self, subject: &str) -> String {
        self.write("handler.js", format!("exports.hello = async () => {subject:?};\n"));
        self.commit(subject)
    }

    /// Writes a package directory beside the repository, as `serverless package --package DIR` would, of the code in the
    /// working tree.
    pub(crate) fn build(&self, name: &str, stage: &str) -> PathBuf {
        self.build_of(name, "orders", stage, "us-east-1")
    }

    /// The same, for a service and region.
    pub(crate) fn build_of(&self, name: &str, service: &str, stage: &str, region: &str) -> PathBuf {
        let directory = self.beside(name);
        fs::create_dir_all(&directory).unwrap();
        let prefix = format!("serverless/{service}/{stage}/1767603600000-2026-01-05T09:00:00.000Z");
        let content = include_str!("../fixtures/service/tools/osls/state.json")
            .replace("@PREFIX@", &prefix)
            .replace("@SERVICE@", service)
            .replace("@STAGE@", stage)
            .replace("@REGION@", region);
        fs::write(directory.join("serverless-state.json"), &content).unwrap();
        fs::write(directory.join("cloudformation-template-update-stack.json"), "{}\n").unwrap();
        let code = fs::read(self.path("handler.js")).unwrap_or_default();
        fs::write(directory.join(format!("{service}.zip")), zip_of(&[("handler.js", &code)])).unwrap();
        directory
    }

    /// Records a package of HEAD's code for `stage`.
    pub(crate) fn record(&self, stage: &str) -> Outcome {
        let name = format!("build-{}", self.clock.load(Ordering::SeqCst));
        self.build(&name, stage);
        self.slsart(&format!("record -q ../{name}")).succeeded()
    }

    /// Runs `git slsart` with arguments as they would be typed.
    #[track_caller]
    pub(crate) fn slsart(&self, line: &str) -> Outcome {
        self.slsart_with(line, &[])
    }

    /// The same as [`Self::slsart`], without the clock going on: as often as it takes until something has happened.
    #[track_caller]
    pub(crate) fn look(&self, line: &str) -> Outcome {
        let outcome = self.slsart(line);
        self.clock.fetch_sub(60, Ordering::SeqCst);
        outcome
    }

    /// The same as [`Self::slsart`], with variables.
    #[track_caller]
    pub(crate) fn slsart_with(&self, line: &str, variables: &[(&str, &str)]) -> Outcome {
        let mut command = self.slsart_command(line);
        self.outcome(command.envs(variables.iter().copied()))
    }

    /// The command of [`Self::slsart`], to be started otherwise.
    pub(crate) fn slsart_command(&self, line: &str) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-slsart"));
        command.args(shlex::split(line).unwrap());
        command
    }

    /// Runs git, which must succeed.
    ///
    /// # Returns
    /// What it printed, without the last newline.
    pub(crate) fn git(&self, line: &str) -> String {
        let outcome = self.run("git", shlex::split(line).unwrap()).succeeded();
        outcome.stdout.trim_end().to_owned()
    }

    /// Turns every packed object into a file of its own, for tests that damage one.
    pub(crate) fn unpack(&self) {
        self.shell(
            "mkdir ../packs && mv .git/objects/pack/pack-* ../packs
             for pack in ../packs/*.pack; do git unpack-objects -q < $pack || exit; done
             chmod -R +w ../packs && rm -r ../packs",
        )
        .succeeded();
    }

    /// Runs any program in the repository.
    pub(crate) fn run(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Outcome {
        self.outcome(self.command(program).args(arguments))
    }

    /// Runs a shell script in the repository.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        self.run("sh", ["-ec", script])
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn outcome(&self, command: &mut Command) -> Outcome {
        let promise = Promise::of(command);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let outcome = Outcome::of(child, self);
        if let Some(promise) = promise {
            promise.hold(Some(outcome.code), &outcome.stdout, &outcome.stderr);
        }
        outcome
    }

    /// A command in the repository, in this sandbox's environment, a minute later than the last.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests run the program, and what a user would run beside it"
    )]
    pub(crate) fn command(&self, program: &str) -> Command {
        let now = self.clock.fetch_add(60, Ordering::SeqCst) + 60;
        let mut command = Command::new(program);
        let date = format!("@{now} +0000");
        let program_directory = Path::new(env!("CARGO_BIN_EXE_git-slsart")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let quick = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/quick");
        let first = [program_directory.to_owned(), quick];
        let paths = first.into_iter().chain(std::env::split_paths(&path));
        command.env_clear().current_dir(self.path("")).envs([
            ("HOME", self.beside("home").as_os_str()),
            ("XDG_CACHE_HOME", self.beside("home/cache").as_os_str()),
            ("PATH", &std::env::join_paths(paths).unwrap()),
            ("LANG", "C.UTF-8".as_ref()),
            ("TZ", "UTC".as_ref()),
            ("GIT_CONFIG_NOSYSTEM", "1".as_ref()),
            ("GIT_AUTHOR_NAME", "Dana".as_ref()),
            ("GIT_AUTHOR_EMAIL", "dana@example.org".as_ref()),
            ("GIT_COMMITTER_NAME", "Dana".as_ref()),
            ("GIT_COMMITTER_EMAIL", "dana@example.org".as_ref()),
            ("GIT_AUTHOR_DATE", date.as_ref()),
            ("GIT_COMMITTER_DATE", date.as_ref()),
            ("SLSART_NOW", jiff::Timestamp::from_second(now).unwrap().to_string().as_ref()),
            ("SLSART_OFFLINE", "1".as_ref()),
            ("STAND_IN_LOG", self.beside("runs").as_os_str()),
            ("QUICK_NPM", Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm").as_os_str()),
            ("npm_config_update_notifier", "false".as_ref()),
            ("npm_config_offline", "true".as_ref()),
        ]);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What the stand-in for the framework was run with: a line of JSON a run, the temporary directory taken out.
    pub(crate) fn runs(&self) -> String {
        let text = fs::read_to_string(self.beside("runs")).unwrap_or_default();
        steady(&self.taken_out(&text))
    }

    /// `text` with the sandbox's directory as `[ROOT]`.
    pub(crate) fn taken_out(&self, text: &str) -> String {
        text.replace(self.root.path().to_str().unwrap(), "[ROOT]")
    }

    /// Starts a command whose framework hangs, and waits until it does.
    pub(crate) fn hanging(&self, line: &str) -> Child {
        let mut command = self.slsart_command(line);
        command.env("STAND_IN", "hang").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        self.wait_until_hanging();
        child
    }

    /// Waits until a framework hangs, and has said which process it is.
    pub(crate) fn wait_until_hanging(&self) {
        let mark = self.beside("runs.hanging");
        wait_until("the framework hangs", || fs::read(&mark).is_ok_and(|pid| !pid.is_empty()));
    }

    /// What git and the file system say of the repository, to compare before and after: a line a ref, a line a file with its
    /// mode and content.
    pub(crate) fn fingerprint(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.git("for-each-ref").lines().map(str::to_owned).collect();
        for entry in WalkDir::new(self.path("")).sort_by_file_name() {
            let entry = entry.unwrap();
            let relative = entry.path().strip_prefix(self.path("")).unwrap().to_str().unwrap();
            let skipped = ["node_modules", ".git/objects", ".git/logs"];
            if skipped.iter().any(|name| relative.starts_with(name)) || relative.ends_with(".sample") {
                continue;
            }
            let metadata = entry.path().symlink_metadata().unwrap();
            let content = if metadata.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let mode = metadata.permissions().mode();
            lines.push(format!("{mode:o} {relative} {:?}", String::from_utf8_lossy(&content)));
        }
        lines
    }

    /// Fails when the repository is not as it was.
    #[track_caller]
    pub(crate) fn is_as_before(&self, before: &[String]) {
        let now = self.fingerprint();
        let gone = before.iter().filter(|line| !now.contains(line)).map(|line| format!("- {line}\n"));
        let new = now.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}\n"));
        let changes: String = gone.chain(new).collect();
        assert!(changes.is_empty(), "{changes}");
    }

    /// Fails unless the repository is whole for git itself.
    pub(crate) fn fsck(&self) {
        let outcome = self.run("git", ["fsck", "--full", "--strict", "--no-dangling"]).succeeded();
        assert!(!outcome.stderr.contains("error"), "{outcome}");
    }

    /// The worktrees that git knows: one, unless something was left behind.
    pub(crate) fn worktrees(&self) -> usize {
        self.git("worktree list").lines().count()
    }
}

impl Outcome {
    fn new(output: &Output, root: &Path) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let status = output.status;
        Self {
            code: status.code().or(status.signal().map(|signal| 128 + signal)).unwrap(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            root: root.to_str().unwrap().to_owned(),
        }
    }

    /// How a command that was started ended.
    pub(crate) fn of(child: Child, sandbox: &Sandbox) -> Self {
        // What never ends is ended: the test fails on its code, and the others go on.
        let id = rustix::process::Pid::from_child(&child);
        let (ended, end) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(ended);
        Self::new(&output, sandbox.root.path())
    }

    /// Fails unless it succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Compares what a user sees with a snapshot in the test (`SNAPSHOTS=overwrite` writes it), without what every plan and
    /// deployment says alike: a change of that touches only the tests of [`Self::is_all`].
    #[track_caller]
    pub(crate) fn is(&self, expected: impl IntoData) {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|text| without_routine(text));
        matches(self.seen(&stdout, &stderr), expected);
    }

    /// Compares all that a user sees with a snapshot in the test.
    #[track_caller]
    pub(crate) fn is_all(&self, expected: impl IntoData) {
        matches(self.to_string(), expected);
    }

    /// Compares what it printed on standard output with a snapshot; it must have succeeded.
    #[track_caller]
    pub(crate) fn prints(&self, expected: impl IntoData) {
        assert_eq!(self.code, 0, "{self}");
        matches(steady(&self.stdout.replace(&self.root, "[ROOT]")), expected);
    }

    /// Standard output as it is, then standard error and the exit code where they say anything.
    fn seen(&self, stdout: &str, stderr: &str) -> String {
        let mut text = stdout.to_owned();
        if !stderr.is_empty() {
            text = format!("{text}── stderr ──\n{stderr}");
        }
        if self.code != 0 {
            text = format!("{text}── exit {} ──\n", self.code);
        }
        steady(&text.replace(&self.root, "[ROOT]"))
    }

    /// The standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.seen(&self.stdout, &self.stderr))
    }
}

/// Compares a text with a snapshot in the test.
#[track_caller]
pub(crate) fn matches(actual: impl AsRef<str>, expected: impl IntoData) {
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    assert.eq(actual.as_ref().to_owned(), expected);
}

/// A zip of stored files, the same bytes for the same content.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Waits for a condition that another process brings about.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Copies a directory with its links and modes.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else if entry.file_type().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What is particular to a case: without what each plan, the deployment after it and each `check` say where all is well.
fn without_routine(text: &str) -> String {
    let is_plan = text.contains("\nChecks\n");
    let is_check = ["✓ clean ", "✗ clean "].iter().any(|first| text.starts_with(first));
    let (mut kept, mut within_plan, mut label) = (String::new(), false, "");
    for line in text.lines() {
        // A line that begins with spaces belongs to the label above it.
        let word = line.split_once("  ").map_or(line, |(word, _)| word);
        let continues = word.is_empty();
        if !continues {
            label = word;
        }
        within_plan |= is_plan && label == "Target";
        let passes = line.trim_start().starts_with('✓') && !line.starts_with("✓ package");
        let is_offline = line.contains("SLSART_OFFLINE");
        let is_routine = match label {
            _ if is_check => passes || is_offline,
            _ if !within_plan => false,
            "Target" | "Plugins" => true,
            "Live" => {
                !line.trim_start_matches("Live").trim_start().starts_with(|c: char| c.is_ascii_hexdigit())
            }
            "Plan" => is_offline,
            "Checks" => !continues || passes || is_offline,
            "Deploy" | "Restore" | "Order" => false,
            // The phases, and what the framework prints.
            _ => !["error:", "hint:", "! "].iter().any(|mark| label.starts_with(mark)),
        };
        if !is_routine {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Takes out what depends on this machine, or on how fast it is.
fn steady(text: &str) -> String {
    let mut text = text
        .replace(versions(), "[NODE]")
        .replace(&format!("{} {}", std::env::consts::OS, std::env::consts::ARCH), "[SYSTEM]");
    text = without_object(&without_worktree(&text));
    for (name, end) in
        [("worktree ", ""), ("plugins ", ""), ("deploy ", ""), (" in ", " s"), ("\"milliseconds\": ", "")]
    {
        text = without_number(&text, name, end);
    }
    text
}

/// `text` with the ids of missing and damaged objects as `[ID]`: a manifest names versions, a record how long things took.
fn without_object(text: &str) -> String {
    let mut parts = text.split("the object ");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        result.push_str(if part.len() - rest.len() == 40 { "the object [ID]" } else { "the object " });
        result.push_str(if part.len() - rest.len() == 40 { rest } else { part });
    }
    result
}

/// `text` with the disposable worktrees in it as `[WORKTREE]`.
fn without_worktree(text: &str) -> String {
    let mut parts = text.split("[ROOT]/home/cache/git-slsart/worktrees/");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split_once('/').map_or("", |(_, name)| name);
        let rest = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        result.push_str("[WORKTREE]");
        result.push_str(rest);
    }
    result
}

/// `text` with the number between `before` and `after` as `[N]`.
fn without_number(text: &str, before: &str, after: &str) -> String {
    let mut parts = text.split(before);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_number = rest.len() < part.len() && rest.starts_with(after);
        result.push_str(before);
        result.push_str(&if is_number { format!("[N]{rest}") } else { part.to_owned() });
    }
    result
}

/// The version of node on this machine.
fn versions() -> &'static str {
    static NODE: OnceLock<String> = OnceLock::new();
    NODE.get_or_init(|| {
        let outcome = Sandbox::bare().run("node", ["--version"]).succeeded();
        outcome.stdout.trim().trim_start_matches('v').to_owned()
    })
}
