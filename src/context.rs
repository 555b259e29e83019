//! A command's view of the outside: directory, environment, clock, randomness, global options. Data only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::text::command::slsart;

/// A snapshot of the process's environment variables.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of `name`; an empty one counts as unset.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(OsStr::to_str)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    /// A fixed instant, for reproducible output (`SLSART_NOW`).
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        self.now_precise()
            .round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn now_precise(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => instant,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Context {
    /// The directory the command works from (`-C`).
    pub cwd: PathBuf,
    pub environment: Environment,
    pub clock: Clock,
    /// This program's own path, to start background jobs with.
    pub program: PathBuf,
    /// The arguments as they were typed.
    pub arguments: Vec<OsString>,
}

impl Context {
    /// The command line as it was typed, with these options, to paste. They replace those of the same name. `-C` is left out: it is
    /// added where a command is printed.
    pub fn again(&self, options: &[[&str; 2]], flags: &[&str]) -> String {
        let typed: Vec<Cow<'_, str>> = self.arguments.iter().map(|word| word.to_string_lossy()).collect();
        let end = typed.iter().position(|word| word == "--").unwrap_or(typed.len());
        let (before, after) = typed.split_at(end);
        let mut words = Vec::new();
        let mut rest = before.iter().map(AsRef::as_ref);
        while let Some(word) = rest.next() {
            let dropped = options
                .iter()
                .map(|[name, _]| *name)
                .chain(["-C"])
                .find_map(|name| value_follows(word, name));
            match dropped {
                Some(true) => drop(rest.next()),
                Some(false) => {}
                None => words.push(word),
            }
        }
        words.extend(options.iter().flatten().copied().chain(flags.iter().copied()));
        words.extend(after.iter().map(AsRef::as_ref));
        slsart(words)
    }

    /// Random bytes, different at each call.
    pub fn salt(&self) -> Result<[u8; 16], std::io::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(std::io::Error::other)?;
        Ok(salt)
    }

    /// A random duration of up to `most`, so that commands that collide take turns.
    pub fn pause(&self, most: Duration) -> Duration {
        let byte = self.salt().map_or(u8::MAX, |salt| salt[0]);
        most * u32::from(byte) / u32::from(u8::MAX)
    }

    /// The directory for disposable data of this program: `$XDG_CACHE_HOME/git-slsart`, else `~/.cache/git-slsart`,
    /// else one below the system's directory for temporary files.
    ///
    /// It is never below the repository: a worktree there would find the repository's own `node_modules` when one
    /// of its plugins is missing, as node looks in every parent directory.
    pub fn cache_dir(&self) -> PathBuf {
        let base =
            self.environment.value("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || self.environment.value("HOME").map(|home| PathBuf::from(home).join(".cache"));
        base.or_else(home).unwrap_or_else(std::env::temp_dir).join("git-slsart")
    }
}

/// Whether the value of the option `name` is the next word; `None` where `word` is not that option. Options with a long name are
/// known by it too.
fn value_follows(word: &str, name: &str) -> Option<bool> {
    let long = match name {
        "-s" => "--stage",
        "-r" => "--region",
        name => name,
    };
    if word == name || word == long {
        return Some(true);
    }
    let is_joined = word.strip_prefix(long).is_some_and(|rest| rest.starts_with('='));
    let is_short = !name.starts_with("--") && word.starts_with(name);
    (is_joined || is_short).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_repeated_with_other_options() {
        let again = |typed: &str, options: &[[&str; 2]], flags: &[&str]| {
            let arguments = typed.split(' ').map(OsString::from).collect();
            let environment = Environment::default();
            let (cwd, clock, program) = (PathBuf::new(), Clock::System, PathBuf::new());
            Context { cwd, environment, clock, program, arguments }.again(options, flags)
        };
        assert_eq!(again("ban v2 -m a;b", &[["-s", "dev"]], &[]), "git slsart ban v2 -m 'a;b' -s dev");
        for typed in
            ["-C x show v2 -s prod", "-Cx show --stage prod v2", "show v2 --stage=prod", "show v2 -sprod"]
        {
            assert_eq!(again(typed, &[["-s", "dev"]], &[]), "git slsart show v2 -s dev", "{typed}");
        }
        assert_eq!(again("deploy -y -- v2", &[], &["--new-stack"]), "git slsart deploy -y --new-stack -- v2");
    }
}
