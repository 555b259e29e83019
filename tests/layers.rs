//! Holds the source in `src/` against the table of layers in `docs/architecture.md`, and proves that no two files use each other,
//! in a circle of any length.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "layers/modules.rs"]
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use modules::{Crate, Use};
use walkdir::WalkDir;

static SOURCE: LazyLock<BTreeMap<String, String>> = LazyLock::new(source);
static CRATE: LazyLock<Crate> = LazyLock::new(|| Crate::read(&SOURCE));
static USES: LazyLock<BTreeSet<Use>> = LazyLock::new(|| CRATE.uses());

/// Module → the modules that it may use.
type Layers = BTreeMap<String, BTreeSet<String>>;

/// The table under `## Layers`: the module in the first column, what it may use in the last, all in backticks.
fn table() -> Layers {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let section = text.split("\n## Layers\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        (words(cells[0]).pop_first().unwrap(), words(cells[cells.len() - 1]))
    })
    .collect()
}

/// Every file below `src/` with its text.
fn source() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = WalkDir::new(&src).into_iter().map(|entry| entry.unwrap().into_path());
    files
        .filter(|path| path.extension().is_some_and(|name| name == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect()
}

/// The module at the top that a file belongs to.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The circles: for each, the uses by which its files lead to each other.
fn circles(uses: &BTreeSet<Use>) -> Vec<Vec<&Use>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for used in uses {
        next.entry(&used.from).or_default().insert(&used.to);
    }
    let reached = |from: &str| {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
        while let Some(file) = open.pop() {
            if reached.insert(file) {
                open.extend(next.get(file).into_iter().flatten().copied());
            }
        }
        reached
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reached(file))).collect();
    let both = |a: &str, b: &str| reach[a].contains(b) && reach.get(b).is_some_and(|of| of.contains(a));
    let mut circles: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for used in uses.iter().filter(|used| both(&used.from, &used.to)) {
        let first = reach[used.from.as_str()].iter().find(|file| both(&used.from, file)).unwrap();
        circles.entry(first).or_default().push(used);
    }
    circles.into_values().collect()
}

fn files<'a>(circle: &[&'a Use]) -> BTreeSet<&'a str> {
    circle.iter().map(|used| used.from.as_str()).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut new = String::new();
    for circle in circles(&USES) {
        let files = files(&circle);
        new += &format!("\n{} files:\n", files.len());
        let pairs: BTreeMap<_, &Use> =
            circle.into_iter().map(|used| ((&used.from, &used.to), used)).collect();
        for used in pairs.values() {
            new += &format!("  src/{}:{} uses {} (src/{})\n", used.from, used.line, used.name, used.to);
        }
    }
    assert!(new.is_empty(), "files that use each other:{new}");
}

#[test]
fn every_file_is_read() {
    let read: BTreeSet<String> = CRATE.files().union(&CRATE.tests).cloned().collect();
    let source = SOURCE.keys().cloned().collect();
    assert_eq!(read, source, "files that are read (left) and files of src/ (right)");
    assert!(USES.len() > 1000, "is this test still reading the code?");
}

#[test]
fn every_module_uses_only_what_its_row_allows() {
    let table = table();
    let modules: BTreeSet<&str> = SOURCE.keys().map(|file| top(file)).collect();
    let rows: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(modules, rows, "modules of src/ (left) and rows of the table (right)");
    let wrong = USES.iter().filter(|used| {
        let (from, to) = (top(&used.from), top(&used.to));
        from != to && !table[from].contains(to) && to != "lib"
    });
    let wrong: Vec<String> =
        wrong.map(|used| format!("src/{}:{} uses `{}`", used.from, used.line, used.name)).collect();
    assert!(wrong.is_empty(), "not in the table of docs/architecture.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_keeps_the_direction() {
    let table = table();
    let edges = ["aws", "git", "process", "ui"];
    let leaves = ["config", "context", "error", "progress", "text"];
    let above = ["main", "lib", "cli", "commands"];
    for (module, uses) in &table {
        let is = |names: &[&str]| names.contains(&module.as_str());
        let wrong = |used: &&String| {
            let used = used.as_str();
            let domain = !edges.contains(&used) && !leaves.contains(&used);
            !is(&above) && (above.contains(&used) || used == "ui") || is(&edges) && domain
        };
        let wrong: Vec<&String> = uses.iter().filter(wrong).collect();
        assert!(wrong.is_empty(), "`{module}` can't be above {wrong:?}");
    }
    for pure in ["archive", "package", "secrets", "service"] {
        let wrong: Vec<&&str> = edges.iter().filter(|edge| table[pure].contains(**edge)).collect();
        assert!(wrong.is_empty(), "`{pure}` is pure, and uses {wrong:?}");
    }
}

/// The circles of a crate whose files are `files`, `lib.rs` with the module `a` and `b` added.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let root = ("lib.rs", "pub mod a; mod b;");
    let texts = files.iter().chain([&root]).map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let uses = Crate::read(&texts.collect()).uses();
    circles(&uses).iter().map(|circle| files_of(circle)).collect()
}

fn files_of(circle: &[&Use]) -> Vec<String> {
    files(circle).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_circle_is_found_however_a_file_is_named() {
    let b = "pub struct B; pub fn made(a: crate::a::A) {}";
    for a in [
        "use crate::b::B; pub struct A;",
        "use crate::{other, b::{inner::{C}, B}}; pub struct A;",
        "use super::b::B as Other; pub struct A;",
        "use crate::b; pub struct A; fn f() -> b::B { todo!() }",
        "use crate::b::{self as other}; pub struct A(other::B);",
        "pub struct A; fn f() { if let 0..crate::b::MAX = 1 {} }",
        "pub struct A; fn f() { println!(\"{}\", crate::b::made(A)) }",
        "pub struct A; mod inner { fn f() { super::super::b::made(crate::a::A) } }",
        "pub struct A; mod inner { use super::*; fn f() { made(A) } } use crate::b::made;",
        "#[derive(Serialize)] pub struct A { #[serde(with = \"crate::b::made\")] field: u8 }",
        "pub use crate::b::B; pub struct A(B);",
        "use self::alias::B; use crate::b as alias; pub struct A;",
    ] {
        assert_eq!(circles_of(&[("a.rs", a), ("b.rs", b)]), [["a.rs", "b.rs"]], "{a}");
    }
}

#[test]
fn circles_of_three_and_those_through_re_exports_are_found() {
    let three = [
        ("a/mod.rs", "mod c; pub use c::C; pub struct A(crate::b::B);"),
        ("a/c.rs", "pub struct C(super::A);"),
        ("b.rs", "pub struct B(crate::a::C);"),
    ];
    assert_eq!(circles_of(&three), [["a/c.rs", "a/mod.rs", "b.rs"]]);
    let through = [("a/mod.rs", "mod c; pub use c::C;"), ("a/c.rs", "pub struct C(crate::b::B);"), three[2]];
    assert_eq!(circles_of(&through), [["a/c.rs", "b.rs"]]);
    let within =
        [("a/mod.rs", "mod c; pub fn f() { c::g() }"), ("a/c.rs", "pub fn g() { super::f() }"), ("b.rs", "")];
    assert_eq!(circles_of(&within), [["a/c.rs", "a/mod.rs"]]);
}

#[test]
fn what_is_no_circle_is_not_taken_for_one() {
    let b = "pub struct B(crate::a::A);";
    for a in [
        "pub struct A;",
        "/// See [`B`](crate::b::B) and `crate::b::B`.\npub struct A; ",
        "pub struct A; const TEXT: &str = \"use crate::b::B;\";",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(test)] use crate::b::B; #[cfg(doc)] use crate::b::{B as C};",
        "pub use crate::b::B; pub struct A;",
        "pub struct A; fn f(b: C) { b.b::<u8>(); std::b::f() }",
        "use std::b::B; pub struct A(B);",
        "use crate::b; pub struct A;",
    ] {
        assert!(circles_of(&[("a.rs", a), ("b.rs", b)]).is_empty(), "{a}");
    }
    // Two children of a module, of which one uses the other, and the module both.
    let tree = [
        ("a/mod.rs", "mod c; mod d; pub use c::C; pub use d::D; fn f(_: D) {}"),
        ("a/c.rs", "pub struct C;"),
        ("a/d.rs", "pub struct D(super::C);"),
        ("b.rs", ""),
    ];
    assert!(circles_of(&tree).is_empty());
}
