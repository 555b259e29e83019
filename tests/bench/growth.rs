//! What keeping twelve releases of a real service costs, beside git-lfs, restic, borg and one git blob a zip: growth of the
//! store, time and memory, all in the same run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// One run of a program.
#[derive(Debug, Clone, Copy)]
struct Run {
    seconds: f64,
    /// The most memory that it held, in MiB.
    memory: f64,
}

/// What a keeper of packages cost.
struct Cost {
    name: &'static str,
    /// The first release, in bytes.
    first: u64,
    /// Each further one, in bytes.
    further: f64,
    store_first: Run,
    /// The median of the further ones.
    store: Run,
    restore: Run,
}

/// Something that keeps releases.
struct Keeper {
    name: &'static str,
    /// Makes it ready in the directory.
    prepare: fn(&Workshop),
    /// Keeps the release in `package`.
    keep: fn(&Workshop, &Path, usize) -> Run,
    /// Done when all are kept, and not counted in any time.
    settle: fn(&Workshop),
    /// Gives release `usize` back.
    give: fn(&Workshop, usize) -> Run,
    /// What it keeps everything in.
    stores: &'static [&'static str],
}

/// A directory for one keeper.
struct Workshop {
    root: TempDir,
    service: PathBuf,
    /// How many releases there are.
    count: usize,
}

const RELEASES: usize = 12;

const KEEPERS: &[Keeper] = &[
    Keeper { settle: nothing, ..SLSART },
    Keeper { name: "git slsart, gc at the end", settle: gc, ..SLSART },
    Keeper {
        name: "git slsart, gc each time",
        keep: |shop, package, release| {
            let run = slsart_keep(shop, package, release);
            gc(shop);
            run
        },
        ..SLSART
    },
    Keeper {
        name: "one blob a zip, gc",
        prepare: Workshop::init,
        keep: commit,
        settle: gc,
        give: check_out,
        stores: &[".git/objects"],
    },
    Keeper {
        name: "git-lfs",
        prepare: |shop| {
            shop.init();
            shop.shell("git lfs install --local && git lfs track '*.zip' && git add .gitattributes && git commit -qm lfs");
        },
        keep: commit,
        settle: nothing,
        give: check_out,
        stores: &[".git/objects", ".git/lfs"],
    },
    Keeper {
        name: "restic",
        prepare: |shop| shop.shell("restic init -q -r store"),
        keep: |shop, package, release| {
            shop.put(package);
            shop.run(&["restic", "backup", "-q", "-r", "store", "--tag", &release.to_string(), "package"])
        },
        settle: nothing,
        give: |shop, release| {
            shop.run(&[
                "restic",
                "restore",
                "-q",
                "-r",
                "store",
                "--tag",
                &release.to_string(),
                "latest",
                "--target",
                "out",
            ])
        },
        stores: &["store"],
    },
    Keeper {
        name: "borg (zstd)",
        prepare: |shop| shop.shell("borg init -e none store"),
        keep: |shop, package, release| {
            shop.put(package);
            shop.run(&["borg", "create", "-C", "zstd", &format!("store::{release}"), "package"])
        },
        settle: nothing,
        give: |shop, release| {
            fs::create_dir_all(shop.root.path().join("out")).expect("the directory can be made");
            shop.run(&["sh", "-c", &format!("cd out && borg extract ../store::{release}")])
        },
        stores: &["store"],
    },
];

const SLSART: Keeper = Keeper {
    name: "git slsart",
    prepare: Workshop::init,
    keep: slsart_keep,
    settle: nothing,
    give: |shop, release| {
        shop.run(&[
            env!("CARGO_BIN_EXE_git-slsart"),
            "extract",
            "-q",
            "-o",
            "out",
            &format!("release-{release}"),
        ])
    },
    stores: &[".git/objects"],
};

fn slsart_keep(shop: &Workshop, package: &Path, release: usize) -> Run {
    shop.put(package);
    shop.run(&[
        env!("CARGO_BIN_EXE_git-slsart"),
        "record",
        "-q",
        "--storage",
        "git",
        "package",
        &format!("release-{release}"),
    ])
}

fn commit(shop: &Workshop, package: &Path, _: usize) -> Run {
    shop.put(package);
    shop.run(&["sh", "-c", "git add --force package && git commit --quiet --message package"])
}

fn check_out(shop: &Workshop, release: usize) -> Run {
    let back = shop.count - release;
    shop.run(&[
        "git",
        "-c",
        "advice.detachedHead=false",
        "worktree",
        "add",
        "-q",
        "--detach",
        "out",
        &format!("HEAD~{back}"),
    ])
}

fn gc(shop: &Workshop) {
    shop.shell("git gc --quiet");
}

fn nothing(_: &Workshop) {}

/// Prints a table for each service.
#[expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#[expect(clippy::cast_precision_loss, reason = "they are sizes of files")]
pub(crate) fn print(bed: &Path) {
    for (service, count) in [("whole", RELEASES), ("bundles", RELEASES), ("nine", 2), ("huge", 2)] {
        let releases = bed.join("growth").join(service);
        let size = size_of(&releases.join("1/package"));
        let costs: Vec<Cost> = KEEPERS.iter().map(|keeper| cost(keeper, &releases, count)).collect();
        println!("\n{service}: {count} releases of {:.1} MB", size as f64 / 1e6);
        println!(
            "{:26} {:>9} {:>12} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "", "first", "each further", "of LFS's", "store 1st", "further", "restore", "memory"
        );
        let lfs = costs.iter().find(|cost| cost.name == "git-lfs").map_or(f64::NAN, |cost| cost.further);
        for cost in &costs {
            let memory = [cost.store_first, cost.store, cost.restore].map(|run| run.memory);
            println!(
                "{:26} {:>6.0} kB {:>9.1} kB {:>9} {:>7.2} s {:>7.2} s {:>7.2} s {:>5.0} MB",
                cost.name,
                cost.first as f64 / 1e3,
                cost.further / 1e3,
                format!("1/{:.0}", lfs / cost.further),
                cost.store_first.seconds,
                cost.store.seconds,
                cost.restore.seconds,
                memory.into_iter().fold(0.0, f64::max),
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "they are sizes of files")]
fn cost(keeper: &Keeper, releases: &Path, count: usize) -> Cost {
    let shop = Workshop {
        root: tempfile::tempdir().expect("a temporary directory"),
        service: releases.to_owned(),
        count,
    };
    (keeper.prepare)(&shop);
    let empty = shop.size(keeper.stores);
    let mut runs = Vec::new();
    let mut first = 0;
    for release in 1..=count {
        runs.push((keeper.keep)(&shop, &releases.join(format!("{release}/package")), release));
        if release == 1 {
            // What is settled at the end is compared with what the first is when settled.
            (keeper.settle)(&shop);
            first = shop.size(keeper.stores) - empty;
        }
    }
    (keeper.settle)(&shop);
    let further = (shop.size(keeper.stores) - empty - first) as f64 / (count - 1) as f64;
    let restore = (keeper.give)(&shop, count);
    shop.is_given_back(&releases.join(format!("{count}/package")));
    let store_first = runs.remove(0);
    runs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    Cost { name: keeper.name, first, further, store_first, store: runs[runs.len() / 2], restore }
}

impl Workshop {
    /// A repository with a commit for each release, so that only packages add to it.
    fn init(&self) {
        self.shell("git init --quiet --initial-branch=main && git config user.name Dana && git config user.email dana@example.org");
        for release in 1..=self.count {
            let service = self.service.join("service");
            let source = self.service.join(format!("{release}/src"));
            self.shell(&format!(
                "cp {service}/package.json {service}/package-lock.json {service}/serverless.yml . && cp -r {source} . && git add . && git commit --quiet --message 'release {release}' && git tag release-{release}",
                service = service.display(),
                source = source.display(),
            ));
        }
        self.shell("git gc --quiet");
    }

    /// Puts a release where keepers take it from.
    fn put(&self, package: &Path) {
        self.shell(&format!("rm -rf package && cp -r '{}' package", package.display()));
    }

    fn shell(&self, script: &str) {
        let output = self.command("sh").args(["-ec", script]).output().expect("sh starts");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, line: &[&str]) -> Run {
        let measure = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/measure.py");
        let output = self.command("python3").arg(measure).args(line).output().expect("python3 starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        Run { seconds: numbers[0], memory: numbers[1] / 1024.0 }
    }

    fn command(&self, program: &str) -> Command {
        #[expect(clippy::disallowed_methods, reason = "a benchmark times processes")]
        let mut command = Command::new(program);
        command
            .current_dir(self.root.path())
            .env("HOME", self.root.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("RESTIC_PASSWORD", "x")
            .env("BORG_BASE_DIR", self.root.path().join("borg"));
        command
    }

    fn size(&self, stores: &[&str]) -> u64 {
        stores.iter().map(|store| size_of(&self.root.path().join(store))).sum()
    }

    /// A cost counts only if what was kept comes back.
    fn is_given_back(&self, package: &Path) {
        let out = self.root.path().join("out");
        let find = |root: &Path| {
            walkdir::WalkDir::new(root)
                .into_iter()
                .flatten()
                .find(|entry| entry.path().ends_with("serverless-state.json"))
                .map(|entry| entry.path().parent().expect("it has a parent").to_owned())
        };
        let out = find(&out).expect("the package came back");
        self.shell(&format!("diff -r '{}' '{}'", package.display(), out.display()));
    }
}

fn size_of(directory: &Path) -> u64 {
    let files = walkdir::WalkDir::new(directory).into_iter().flatten();
    files.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|data| data.len()).sum()
}
