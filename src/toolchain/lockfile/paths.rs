//! Paths and addresses in lockfiles. Touches no file.

/// `directory` and those above it, nearest first; the last is empty, the lockfile's own.
pub(super) fn ancestors(directory: &str) -> impl Iterator<Item = &str> {
    fn parent<'p>(place: &&'p str) -> Option<&'p str> {
        match place.rsplit_once('/') {
            Some((parent, _)) => Some(parent.trim_end_matches('/')),
            None => Some("").filter(|_| !place.is_empty()),
        }
    }
    std::iter::successors(Some(directory.trim_matches('/')), parent)
}

/// `relative` to `directory`, without `.` and `..` except leading ones.
pub fn join(directory: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// An address without its secrets: user and password, and a query, which may hold a token. git's user name (`git@`) stays.
pub(super) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some(("git", _)) | None => authority,
        Some((_, host)) => host,
    };
    let (path, fragment) = match tail.split_once('#') {
        Some((path, fragment)) => (path, format!("#{fragment}")),
        None => (tail, String::new()),
    };
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    format!("{scheme}://{host}{path}{fragment}")
}

/// Splits `@scope/name@rest`.
pub(super) fn name_and_rest(text: &str) -> Option<(&str, &str)> {
    let start = usize::from(text.starts_with('@'));
    let at = start + text.get(start..)?.find('@')?;
    Some((&text[..at], &text[at + 1..])).filter(|(name, _)| !name.is_empty())
}

/// Whether this is a version rather than an address, a path or a range: a digit and a dot.
pub(super) fn is_version(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    digits > 0 && text.as_bytes().get(digits) == Some(&b'.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_lockfile() {
        assert_eq!(join("services/orders", "../../linked"), "linked");
        assert_eq!(join("", "./a//b/"), "a/b");
        assert_eq!(join("a", "../../up"), "../up");
        assert_eq!(ancestors("services/orders").collect::<Vec<_>>(), ["services/orders", "services", ""]);
        assert_eq!(ancestors("").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn credentials_are_left_out() {
        for (address, plain) in [
            ("https://dana:s3cret@npm.example.org/a.tgz?token=x#abc", "https://npm.example.org/a.tgz#abc"),
            ("https://token@npm.example.org", "https://npm.example.org"),
            ("git+ssh://git@example.org/a.git#1", "git+ssh://git@example.org/a.git#1"),
            ("file:vendor/a.tgz", "file:vendor/a.tgz"),
        ] {
            assert_eq!(without_credentials(address), plain);
        }
    }

    #[test]
    fn a_name_may_have_a_scope() {
        assert_eq!(name_and_rest("@a/b@npm:1"), Some(("@a/b", "npm:1")));
        assert_eq!(name_and_rest("b@1"), Some(("b", "1")));
        for bad in ["b", "@a/b", "@", "", "@é"] {
            assert_eq!(name_and_rest(bad), None, "{bad}");
        }
    }
}
