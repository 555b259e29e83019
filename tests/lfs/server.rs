//! The LFS server of this process, and remotes for a sandbox. Each test has a repository of its own name on the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::sandbox::{Sandbox, wait_until};

pub(crate) struct Server {
    address: String,
    directory: TempDir,
    /// It ends when this closes: with this process, however that ends.
    _input: ChildStdin,
}

impl Server {
    /// The server of this process.
    fn shared() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    #[expect(clippy::disallowed_methods, reason = "tests start what they need")]
    #[expect(
        clippy::zombie_processes,
        reason = "it outlives this process by a moment, and is nobody's child then"
    )]
    fn start() -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bed = std::env::var_os("SLSART_BED").map_or_else(|| repository.join("target/bed"), PathBuf::from);
        let text = fs::read_to_string(bed.join("bed.env")).unwrap_or_default();
        let python = text.lines().find_map(|line| line.strip_prefix("SLSART_BED_LFS_PYTHON="));
        let python = python.unwrap_or_else(|| panic!("no LFS server in {}: run `make setup`", bed.display()));
        let directory = TempDir::with_prefix("slsart-lfs-").unwrap();
        let announcement = directory.path().join("address");
        let mut server = Command::new(python)
            .arg(repository.join("tests/bed/lfs.py"))
            .args([&announcement, directory.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the LFS server listens", || announcement.exists());
        let address = fs::read_to_string(announcement).unwrap();
        Self { address, directory, _input: server.stdin.take().unwrap() }
    }
}

/// A repository on the server.
pub(crate) struct Remote {
    directory: PathBuf,
    name: &'static str,
}

impl Remote {
    /// Gives the sandbox an `origin` beside it, with its LFS objects on the HTTP server.
    pub(crate) fn http(sandbox: &Sandbox, name: &'static str) -> Self {
        let server = Server::shared();
        sandbox.git("init --quiet --bare --initial-branch=main ../server.git");
        sandbox.git("remote add origin ../server.git");
        sandbox.git(&format!("config remote.origin.lfsurl http://{}/tests/{name}", server.address));
        sandbox.git("config lfs.locksverify false");
        // Else it goes on trying for half a minute.
        sandbox.git("config lfs.transfer.maxretries 1");
        Self { directory: server.directory.path().join("tests"), name }
    }

    /// The objects that it has.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        crate::objects(&self.directory.join(self.name))
    }

    /// Loses them.
    pub(crate) fn lose(&self) {
        for path in self.objects() {
            fs::remove_file(path).unwrap();
        }
    }

    /// Makes trouble for transfers, as `tests/bed/lfs.py` lists it.
    pub(crate) fn trouble(&self, what: &str) {
        fs::create_dir_all(&self.directory).unwrap();
        fs::write(self.fault(), what).unwrap();
    }

    /// Ends it.
    pub(crate) fn well_again(&self) {
        fs::remove_file(self.fault()).unwrap();
    }

    /// Whether a transfer hangs.
    pub(crate) fn hangs(&self) -> bool {
        self.fault().with_extension("hanging").exists()
    }

    fn fault(&self) -> PathBuf {
        self.directory.join(format!("{}.fault", self.name))
    }
}

/// Gives the sandbox an `origin` beside it, over `file://`.
///
/// # Returns
/// Where it keeps LFS objects.
pub(crate) fn file_remote(sandbox: &Sandbox) -> PathBuf {
    sandbox.git("init --quiet --bare --initial-branch=main ../server.git");
    sandbox.git(&format!("remote add origin file://{}", sandbox.beside("server.git").display()));
    sandbox.git("config lfs.transfer.maxretries 1");
    sandbox.beside("server.git/lfs/objects")
}

/// Sends the package as a user does: with stock commands.
pub(crate) fn push(sandbox: &Sandbox) {
    let name = crate::package(sandbox);
    sandbox.git(&format!("lfs push origin {name}"));
    sandbox.git(&format!("push --quiet --no-verify origin main refs/notes/slsart +{name}"));
}
