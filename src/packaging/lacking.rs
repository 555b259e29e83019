//! Why a program may fail in a worktree but not in the user's working tree: only the latter has ignored files. Suggests the `[carry]`
//! pattern that copies them.

use std::path::Path;

use anstream::adapter::strip_str;
use walkdir::WalkDir;

use super::carry::NEVER;
use crate::config::{Carry, FILE};
use crate::error::{Error, Kind};
use crate::git::{Repository, Source};
use crate::service::{MAX_CONFIG_BYTES, ServicePath};
use crate::workspace::Workspace;

const MAX_FILES: usize = 50_000;

/// Adds a hint to the error of a program that failed in a checkout of `source`: how to copy the ignored files that its last lines, or the
/// service's configuration in the file `config`, refer to.
pub(super) fn explain(
    error: Error,
    workspace: &Workspace<'_>,
    source: Source<'_>,
    path: &ServicePath,
    config: Option<&str>,
) -> Error {
    if !matches!(error.kind, Kind::Child(_)) {
        return error;
    }
    let config =
        config.and_then(|name| source.read(&path.file(name), MAX_CONFIG_BYTES as u64).ok().flatten());
    let config = config.map(|content| String::from_utf8_lossy(&content).into_owned());
    let text = format!("{}\n{}\n{}", error.causes().join("\n"), error.printed, config.unwrap_or_default());
    let text = strip_str(&text).to_string();
    let carry = &workspace.config.carry;
    let patterns = patterns(carry, workspace.repository, source, path, &text);
    let Some(first) = patterns.first() else { return error };
    let all = carry.paths.iter().chain(&patterns).map(|pattern| format!("{pattern:?}"));
    error.hint(format!(
        "'{first}' is ignored by git, so a worktree does not have it; to copy it from your working tree, in {FILE} under [carry]: \
         paths = [{}]",
        all.collect::<Vec<_>>().join(", ")
    ))
}

/// The patterns for the ignored files that `text` refers to and a checkout of `source` lacks: a directory, with a final `/`, if git
/// ignores all of it.
fn patterns(
    carry: &Carry,
    repository: &Repository,
    source: Source<'_>,
    path: &ServicePath,
    text: &str,
) -> Vec<String> {
    let (Some(top), Ok(carried)) = (repository.work_tree_if_any(), carry.matcher()) else {
        return Vec::new();
    };
    let directory = path.under(top);
    let ignored = |relative: &Path| {
        repository.is_ignored(directory.strip_prefix(top).unwrap_or(&directory).join(relative).as_path())
    };
    let mut patterns = Vec::new();
    let walk = WalkDir::new(&directory).min_depth(1).sort_by_file_name().into_iter();
    let entered = walk.filter_entry(|entry| !NEVER.iter().any(|name| entry.file_name() == *name));
    for entry in entered.flatten().take(MAX_FILES) {
        let Ok(relative) = entry.path().strip_prefix(&directory) else { continue };
        let Some(name) = relative.to_str().filter(|_| entry.file_type().is_file()) else { continue };
        let is_known = || source.entry(&path.file(name)).is_ok_and(|found| found.is_some());
        if !refers(text, name) || carried.is_match(relative) || !ignored(relative) || is_known() {
            continue;
        }
        // From the top: a directory whose every file is ignored is ignored by itself.
        let above: Vec<_> = relative.ancestors().skip(1).filter(|above| *above != Path::new("")).collect();
        let pattern = above
            .iter()
            .rev()
            .find(|above| ignored(above))
            .map_or_else(|| name.to_owned(), |above| format!("{}/", above.display()));
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// Whether `text` names the file `name`: with its extension, or, as `require` and a handler do, after a directory and without one.
fn refers(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let stands = |word: &str, is_stem: bool| {
        text.match_indices(word).any(|(start, _)| {
            let (before, after) = (&text[..start], &text[start + word.len()..]);
            let before = before.chars().next_back();
            let begins = !before.is_some_and(|letter| is_part(letter) || matches!(letter, '.' | '!'));
            let extended = !is_stem && after.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_part));
            let ends = !extended && !after.starts_with(|letter: char| is_part(letter) || letter == '/');
            begins && ends && (!is_stem || word.contains('/') || before == Some('/'))
        })
    };
    let stem =
        ["js", "cjs", "mjs", "ts", "json"].iter().find_map(|kind| name.strip_suffix(kind)?.strip_suffix('.'));
    stands(name, false) || stem.is_some_and(|stem| stands(stem, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_programs_and_configurations_do() {
        let named = [
            ("ENOENT: no such file or directory, open '/cache/w1/keys.json'", "keys.json"),
            ("custom: ${file(./secrets.yml):prod}", "secrets.yml"),
            ("custom: ${file(secrets.yml)}", "secrets.yml"),
            ("Error: Cannot find module './generated/schema'", "generated/schema.js"),
            ("Error: Cannot find module './schema'", "schema.json"),
            ("handler: build/index.handler", "build/index.js"),
        ];
        for (text, name) in named {
            assert!(refers(text, name), "{text}: {name}");
        }
        let others = [
            ("open 'other-keys.json'", "keys.json"),
            ("custom: ${file(./secrets.yml.example)}", "secrets.yml"),
            ("patterns: ['!secrets.yml']", "secrets.yml"),
            ("the schema of the table", "schema.json"),
            ("build/index/other", "build/index.js"),
        ];
        for (text, name) in others {
            assert!(!refers(text, name), "{text}: {name}");
        }
    }
}
