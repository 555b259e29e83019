//! A repository with many recorded packages, made by `git fast-import` in seconds, as the format document has it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use git_slsart::package::manifest::{
    Carried, FORMAT, FileEntry, Manifest, NodeWanted, Origin, Package, SourceEntry, Target, Tools, Variables,
};
use git_slsart::package::{PackageId, Sha256};
use git_slsart::store::PackageLine;
use tempfile::TempDir;

const STATE: &str = include_str!("../fixtures/state/service.json");

/// A repository with a package for each of its commits.
pub(crate) struct Recorded {
    root: TempDir,
}

impl Recorded {
    /// A repository of `count` commits, each with a package and all of them packed, as after `git gc`.
    pub(crate) fn make(count: usize) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let this = Self { root };
        this.git(&["init", "--quiet", "--initial-branch=main"]);
        this.import(&commits(count));
        let commits = this.commits();
        this.import(&packages(&commits));
        this.git(&["update-ref", "refs/tags/middle", &commits[count / 2].id]);
        this.git(&["reset", "--quiet", "--hard"]);
        this.git(&["gc", "--quiet"]);
        this
    }

    /// Runs git slsart here.
    pub(crate) fn slsart(&self, arguments: &[&str]) {
        self.run(env!("CARGO_BIN_EXE_git-slsart"), arguments);
    }

    /// Runs git here.
    pub(crate) fn git(&self, arguments: &[&str]) {
        self.run("git", arguments);
    }

    /// Gives package directories, each unlike the others.
    pub(crate) fn fresh_package(&self) -> impl Fn() -> PathBuf + use<> {
        let count = Cell::new(0);
        let base = self.root.path().join(".git");
        move || {
            let number = count.replace(count.get() + 1);
            let directory = base.join(format!("fresh-{number}-{}", std::process::id()));
            fs::create_dir_all(&directory).expect("the directory can be made");
            fs::write(directory.join("serverless-state.json"), STATE).expect("the file can be written");
            fs::write(directory.join("orders.zip"), zip(number)).expect("the file can be written");
            directory
        }
    }

    fn command(&self, program: &str) -> Command {
        #[expect(clippy::disallowed_methods, reason = "a benchmark times processes")]
        let mut command = Command::new(program);
        command.current_dir(self.root.path()).env("HOME", self.root.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Dana")
                .env(format!("GIT_{role}_EMAIL"), "dana@example.org");
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().expect("the program starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?} failed: {text}");
    }

    /// The commits of `main`, oldest first.
    fn commits(&self) -> Vec<Commit> {
        let log = self.command("git").args(["log", "--reverse", "--format=%H %T", "main"]).output();
        let log = String::from_utf8_lossy(&log.expect("git starts").stdout).into_owned();
        let commit = |line: &str| {
            let (id, tree) = line.split_once(' ').expect("two ids");
            Commit { id: id.to_owned(), tree: tree.to_owned() }
        };
        log.lines().map(commit).collect()
    }

    /// Feeds a stream to fast-import.
    fn import(&self, stream: &str) {
        let mut child = self
            .command("git")
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("git starts");
        let mut input = child.stdin.take().expect("the pipe was asked for");
        let stream = stream.to_owned();
        let writer = std::thread::spawn(move || input.write_all(stream.as_bytes()));
        let status = child.wait().expect("git ends");
        writer.join().expect("the thread ends").expect("git reads");
        assert!(status.success());
    }
}

/// A source commit.
struct Commit {
    id: String,
    tree: String,
}

const WHO: &str = "Dana <dana@example.org>";

fn commits(count: usize) -> String {
    let mut stream = String::new();
    for number in 0..count {
        let config = "service: orders\nprovider:\n  name: aws\n";
        let message = format!("release {number}");
        let mark = number + 1;
        let _ = write!(
            stream,
            "commit refs/heads/main\nmark :{mark}\ncommitter {WHO} {} +0000\ndata {}\n{message}\nM 644 inline serverless.yml\ndata {}\n{config}\nM 644 inline n\ndata {}\n{number}\n",
            1_700_000_000 + number,
            message.len(),
            config.len(),
            number.to_string().len(),
        );
    }
    stream
}

fn packages(commits: &[Commit]) -> String {
    let mut stream = String::new();
    for (number, commit) in commits.iter().enumerate() {
        let zip = format!("zip {number}");
        let manifest = manifest(commit, &zip);
        let commit = &commit.id;
        let text = manifest.to_toml().expect("it can be written");
        let _ = write!(
            stream,
            "commit refs/slsart/packages/{commit}/{}\ncommitter {WHO} {} +0000\ndata 7\npackage\nfrom {commit}\ndeleteall\nM 644 inline manifest.toml\ndata {}\n{text}\nM 644 inline files/orders.zip\ndata {}\n{zip}\nM 644 inline files/serverless-state.json\ndata 2\n{{}}\n",
            manifest.package.id,
            1_700_000_000 + number,
            text.len(),
            zip.len(),
        );
    }
    let _ = write!(stream, "commit refs/notes/slsart\ncommitter {WHO} 1700000000 +0000\ndata 5\nnotes\n");
    for (number, commit) in commits.iter().enumerate() {
        let line = format!("{}\n", PackageLine::of(&manifest(commit, &format!("zip {number}"))));
        let (directory, name) = commit.id.split_at(2);
        let _ = write!(stream, "M 644 inline {directory}/{name}\ndata {}\n{line}\n", line.len());
    }
    stream
}

fn manifest(commit: &Commit, zip: &str) -> Manifest {
    let entry = |path: &str, content: &[u8]| FileEntry {
        path: path.to_owned(),
        size: content.len() as u64,
        sha256: Sha256::of(content),
    };
    let files = vec![entry("orders.zip", zip.as_bytes()), entry("serverless-state.json", b"{}")];
    let id = PackageId::of(files.iter().map(|file| (file.path.as_str(), file.size, file.sha256)));
    Manifest {
        format: FORMAT,
        package: Package {
            id,
            size: files.iter().map(|file| file.size).sum(),
            recorded: "2026-01-01T00:00:00Z".parse().expect("it is a time"),
            made: Origin::Recorded,
        },
        source: SourceEntry { commit: commit.id.clone(), tree: commit.tree.clone(), dirty: false },
        target: Target {
            service: "orders".parse().expect("it is a name"),
            path: ".".parse().expect("it is a path"),
            stage: "prod".parse().expect("it is a stage"),
            region: "us-east-1".parse().expect("it is a region"),
        },
        tools: Tools {
            slsart: "0.1.0".to_owned(),
            framework: None,
            node: None,
            package_manager: None,
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
        },
        framework: None,
        node: NodeWanted::default(),
        lockfile: None,
        environment: Variables::default(),
        carried: Carried::default(),
        scan: None,
        secrets: Vec::new(),
        plugins: Vec::new(),
        files,
    }
}

/// A zip of one stored entry that holds `number`.
fn zip(number: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("handler.js", stored).expect("a zip in memory");
    write!(writer, "exports.handler = async () => {number}").expect("a zip in memory");
    writer.finish().expect("a zip in memory").into_inner()
}
