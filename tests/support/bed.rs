//! The test bed that `make setup` made, and the local AWS that all tests of a process share. Each test has a service of its
//! own name, so that they don't meet there. Knows nothing of git slsart.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::call::text;
use crate::room::Room;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(10);

/// The bed, with its AWS running.
pub(crate) struct Bed {
    /// What is to be set for whatever runs the framework or npm.
    pub(crate) variables: BTreeMap<String, String>,
    aws: LocalAws,
    /// Where tests have their directories.
    room: Room,
}

struct LocalAws {
    address: String,
    /// It ends when this closes: with this process, however that ends.
    _input: ChildStdin,
}

/// A function as AWS has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveFunction {
    /// Of its code.
    pub(crate) code_sha256: String,
    /// Of the code of each of its layers.
    pub(crate) layers: Vec<String>,
    /// In MB.
    pub(crate) memory: u64,
}

impl Bed {
    /// The bed of this process.
    ///
    /// # Panics
    /// When there is none: a test that can't run has not passed.
    pub(crate) fn shared() -> &'static Self {
        static BED: OnceLock<Bed> = OnceLock::new();
        BED.get_or_init(|| {
            let directory =
                std::env::var_os("SLSART_BED").map_or_else(|| repository().join("target/bed"), PathBuf::from);
            let Ok(text) = fs::read_to_string(directory.join("bed.env")) else {
                panic!("no test bed in {}: run `make setup`", directory.display());
            };
            let mut variables: BTreeMap<_, _> = text
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let aws = LocalAws::start(&variables["SLSART_BED_PYTHON"]);
            let room = Room::make(Path::new(env!("CARGO_TARGET_TMPDIR")));
            if let Some(flavours) = stock(&room, &directory.join("flavours")) {
                variables.insert("SLSART_BED_FLAVOURS".to_owned(), flavours);
            }
            Self { variables, aws, room }
        })
    }

    /// Where the local AWS listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.aws.address)
    }

    /// A disposable directory, where the bed's files can be hard-linked to.
    pub(crate) fn scratch(&self) -> TempDir {
        tempfile::Builder::new().prefix("e2e-").tempdir_in(&self.room.path).unwrap()
    }

    /// A file or directory of `tests/bed`.
    pub(crate) fn part(name: &str) -> PathBuf {
        repository().join("tests/bed").join(name)
    }

    /// The functions whose names begin so, by the rest of their names.
    pub(crate) fn functions(&self, prefix: &str) -> BTreeMap<String, LiveFunction> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let function = |value: &Value| LiveFunction {
            code_sha256: text(&value["code_sha256"]),
            layers: value["layers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|layer| text(&layer["code_sha256"]))
                .collect(),
            memory: value["memory"].as_u64().unwrap(),
        };
        let found = self.look(&["functions", prefix]);
        let found = found.as_object().unwrap().iter();
        found.map(|(name, value)| (name[prefix.len()..].to_owned(), function(value))).collect()
    }

    /// What a function answers.
    pub(crate) fn invoke(&self, function: &str, event: &str) -> Value {
        self.look(&["invoke", function, event])["answer"].clone()
    }

    /// The S3 keys that a stack's live template names and its bucket lacks.
    pub(crate) fn missing_keys(&self, stack: &str) -> Value {
        self.look(&["template-s3-missing", stack])
    }

    /// Every key in the deployment bucket of a stack.
    pub(crate) fn keys(&self, stack: &str) -> Value {
        self.look(&["s3-keys", stack])
    }

    /// The custom domains, each with what its paths map to.
    pub(crate) fn domains(&self) -> Value {
        self.look(&["domains"])
    }

    /// The tables whose names begin so, each with the attributes of its key.
    pub(crate) fn tables(&self, prefix: &str) -> BTreeMap<String, Value> {
        let found = self.look(&["tables"]);
        let all = found.as_object().unwrap().clone().into_iter();
        all.filter(|(name, _)| name.starts_with(prefix)).collect()
    }

    /// Changes something as a deploy would not.
    pub(crate) fn change(&self, arguments: &[&str]) {
        self.look(arguments);
    }

    fn look(&self, arguments: &[&str]) -> Value {
        let output = Command::new(&self.variables["SLSART_BED_PYTHON"])
            .arg(Self::part("awsctl.py"))
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "awsctl {arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Copies what the bed has installed of the frameworks, where links to it would lead to another file system.
fn stock(room: &Room, flavours: &Path) -> Option<String> {
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    if device(&room.path) == device(flavours) {
        return None;
    }
    let to = room.path.join("flavours");
    fs::create_dir(&to).unwrap();
    for name in ["osls4", "serverless3", "greeter"] {
        let copied = Command::new("cp").arg("-a").arg(flavours.join(name)).arg(&to).status().unwrap();
        assert!(copied.success(), "cannot copy {name}");
    }
    Some(to.to_str().unwrap().to_owned())
}

impl LocalAws {
    fn start(python: &str) -> Self {
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (file, log) = (directory.path().join("address"), directory.path().join("log"));
        let mut output = File::options().read(true).append(true).create_new(true).open(&log).unwrap();
        let mut process = Command::new(python)
            .arg(Bed::part("aws.py"))
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output.try_clone().unwrap())
            .spawn()
            .unwrap();
        wait_until("the local AWS listens", || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "the local AWS ended: {}", text(&mut output));
            file.exists()
        });
        let address = fs::read_to_string(file).unwrap().trim().to_owned();
        let input = process.stdin.take().unwrap();
        thread::spawn(move || {
            // Without it every test fails, each in a way of its own.
            let status = process.wait().unwrap();
            eprintln!("the local AWS ended before the tests did: {status}\n{}", text(&mut output));
        });
        Self { address, _input: input }
    }
}

/// Waits for a condition, and fails when it doesn't come.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
