//! `yarn.lock` of yarn 1: entries of two-space indented lines, `key value`, each word plain or a JSON string. The one parser
//! on crates.io drops fields and panics on some input; the format is these few lines.

use std::collections::BTreeMap;

use super::Request;
use super::package::{LockedPackage, Unreadable};
use super::paths::{is_version, join, name_and_rest};

#[derive(Debug, Default)]
pub struct YarnLock {
    entries: Vec<YarnEntry>,
    /// The entry of each `name@range`.
    keys: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct YarnEntry {
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
}

impl YarnLock {
    pub fn parse(content: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(content).map_err(Unreadable::new)?;
        let mut lock = Self::default();
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim_start_matches(' ');
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let bad = || Unreadable::new(format_args!("line {} is not one of a yarn.lock", number + 1));
            match line.len() - trimmed.len() {
                0 => {
                    let keys = trimmed.trim_end().strip_suffix(':').and_then(words).ok_or_else(bad)?;
                    let at = lock.entries.len();
                    lock.keys.extend(keys.into_iter().map(|key| (key, at)));
                    lock.entries.push(YarnEntry::default());
                }
                2 => {
                    let entry = lock.entries.last_mut().ok_or_else(bad)?;
                    if let Some([key, value]) = words(trimmed.trim_end()).as_deref() {
                        let value = Some(value.clone());
                        match key.as_str() {
                            "version" => entry.version = value,
                            "resolved" => entry.resolved = value,
                            "integrity" => entry.integrity = value,
                            _ => {}
                        }
                    }
                }
                // Dependencies of the package.
                _ => {}
            }
        }
        Ok(lock)
    }

    /// The package `name` for the nearest of `requests` that asks for it; if none does, the only one of that name.
    pub fn find(&self, requests: &[Request], name: &str) -> Option<LockedPackage> {
        let asked = requests.iter().find_map(|request| {
            let range = request.range(name)?;
            // A path in the lockfile is relative to it, and one in package.json to that.
            let path = ["file:", "link:"].into_iter().find_map(|scheme| {
                let path = range.strip_prefix(scheme)?;
                Some(format!("{name}@{scheme}{}", join(&request.directory, path)))
            });
            let keys = [Some(format!("{name}@{range}")), path];
            keys.into_iter().flatten().find_map(|key| self.keys.get_key_value(&key))
        });
        let (key, at) = asked.or_else(|| self.only(name))?;
        let entry = self.entries.get(*at)?;
        let (_, range) = name_and_rest(key)?;
        let link = range.strip_prefix("link:").map(str::to_owned);
        let alias = range.strip_prefix("npm:").and_then(name_and_rest);
        Some(LockedPackage {
            package: alias.map(|(name, _)| name.to_owned()),
            // For links, yarn invents one.
            version: entry.version.clone().filter(|version| link.is_none() && is_version(version)),
            resolved: entry.resolved.clone(),
            integrity: entry.integrity.clone(),
            link,
            ..LockedPackage::default()
        })
    }

    fn only(&self, name: &str) -> Option<(&String, &usize)> {
        let mut all = self.keys.range(format!("{name}@")..).take_while(|(key, _)| key.starts_with(name));
        let mut all = all.by_ref().filter(|(key, _)| name_and_rest(key).is_some_and(|(own, _)| own == name));
        let first = all.next()?;
        all.all(|other| other.1 == first.1).then_some(first)
    }
}

fn words(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut quoted = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            all.push(quoted.next()?.ok()?);
            rest = rest.get(quoted.byte_offset()..)?;
        } else {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            all.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches([' ', ',']);
    }
    (!all.is_empty()).then_some(all)
}
