//! Holds every `crate::` path in `src/` against the table of layers in `docs/architecture.md`.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use walkdir::WalkDir;

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

/// What each module uses, with the file and line of every use.
fn uses() -> BTreeMap<String, Vec<(String, String)>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let files = WalkDir::new(&src).sort_by_file_name().into_iter().map(Result::unwrap);
    for file in files.filter(|file| file.path().extension().is_some_and(|name| name == "rs")) {
        let relative = file.path().strip_prefix(&src).unwrap().to_str().unwrap();
        let module = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(file.path()).unwrap();
        // Documentation may link to anything.
        let code: String =
            text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
        let root = if module == "main" { "git_slsart::" } else { "crate::" };
        let found = uses.entry(module.clone()).or_default();
        for (at, _) in code.match_indices(root) {
            let place = format!("src/{relative}:{}", code[..at].lines().count());
            found.extend(first_names(&code[at + root.len()..]).into_iter().map(|name| (name, place.clone())));
        }
        if module == "lib" {
            // The root names its modules without a prefix.
            for (at, _) in code.match_indices("::") {
                let before = &code[..at];
                let name =
                    before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if !before[..before.len() - name.len()].ends_with("::") {
                    found.push((name.to_owned(), format!("src/lib.rs:{}", before.lines().count())));
                }
            }
        }
    }
    uses
}

/// The first names of what follows `crate::`: one, or those of a group in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name =
        |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0;
    let mut names = vec![String::new()];
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            other => names.last_mut().unwrap().push(other),
        }
    }
    names.iter().map(|text| name(text)).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_module_uses_only_what_its_row_allows() {
    let (table, uses) = (table(), uses());
    let modules: BTreeSet<&String> = uses.keys().collect();
    assert_eq!(modules, table.keys().collect(), "modules of src/ (left) and rows of the table (right)");
    let mut wrong = Vec::new();
    for (module, used) in &uses {
        for (name, place) in used {
            // A name that is no module is a macro, a constant or a type at the root.
            if table.contains_key(name) && name != module && !table[module].contains(name) {
                wrong.push(format!("{place}: `{module}` uses `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "not in the table of docs/architecture.md:\n{}", wrong.join("\n"));
    let total: usize = uses.values().map(Vec::len).sum();
    assert!(total > 100, "only {total} uses were found: is this test still reading the code?");
}

#[test]
fn the_table_keeps_the_direction() {
    let table = table();
    let domain = [
        "deploy",
        "difference",
        "packaging",
        "setup",
        "workspace",
        "store",
        "toolchain",
        "package",
        "service",
    ];
    for module in
        domain.into_iter().chain(["aws", "git", "process", "config", "context", "error", "progress", "text"])
    {
        for above in ["ui", "commands", "cli"] {
            assert!(!table[module].contains(above), "`{module}` is below `{above}`");
        }
    }
    for edge in ["aws", "git", "process", "ui"] {
        let known: Vec<_> = domain.iter().filter(|module| table[edge].contains(**module)).collect();
        assert!(known.is_empty(), "`{edge}` is an edge, and knows {known:?}");
    }
}

#[test]
fn groups_and_single_paths_are_both_read() {
    assert_eq!(first_names("error::{Error, Result};"), ["error"]);
    assert_eq!(first_names("{error::{Error, Result}, git};"), ["error", "git"]);
}
