//! What `status` prints for people.

use std::fmt;

use jiff::Timestamp;

use super::super::jobs::JobRow;
use super::super::mark::Marked;
use super::super::write_narrowed;
use super::{Attempt, HeadCommit, NeverPackaged, Packaged, RemoteRow, StatusReport, TargetReport};
use crate::sharing::{self, PackageRef};
use crate::store::deployments::Outcome;
use crate::text::command::slsart;
use crate::text::style::{BOLD, COMMIT, DIM, GOOD, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, bytes, count, line, person, short};

/// The most packages that are named of those that a remote lacks.
const MAX_NAMED: usize = 5;

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(HeadCommit { short, subject, .. }) = &self.head {
            writeln!(f, "{BOLD}HEAD{BOLD:#}      {COMMIT}{short}{COMMIT:#}  {}", line(subject))?;
        }
        if self.targets.is_empty() {
            writeln!(f, "{DIM}no packages and no deployments here; {}{DIM:#}", self.first)?;
        }
        for section in &self.targets {
            section.write(f, self)?;
        }
        for NeverPackaged { path, service, make } in &self.unpackaged {
            let name = service.as_ref().map_or_else(|| path.to_string(), ToString::to_string);
            writeln!(f, "{BOLD}{name}{BOLD:#}\n  - HEAD  {DIM}never packaged: {make}{DIM:#}")?;
        }
        write_narrowed(f, self.service.as_deref(), "status")?;
        for remote in &self.remotes {
            remote.write(f, self.now)?;
        }
        if self.lfs.object_count > 0 {
            let objects = count(self.lfs.object_count, "object");
            let size = bytes(self.lfs.size);
            writeln!(f, "{BOLD}LFS{BOLD:#}       {objects}, {size}, that no remote is known to have")?;
        }
        for job in &self.jobs {
            job.write(f, self.now)?;
        }
        Ok(())
    }
}

impl TargetReport {
    fn write(&self, f: &mut fmt::Formatter<'_>, report: &StatusReport) -> fmt::Result {
        writeln!(f, "{BOLD}{}{BOLD:#}", self.target)?;
        match &self.live {
            Some(live) => {
                let Attempt { short, subject, by, started, .. } = live;
                let when = ago(live.ended.unwrap_or(*started), report.now);
                let how = if live.action == "deploy" { "deployed" } else { "rolled back to" };
                let (by, subject) = (line(person(by)), line(subject));
                let mut table = Table::new([
                    Column::left(),
                    Column::left().style(COMMIT),
                    Column::ragged().cut(),
                    Column::ragged().rank(1).style(DIM),
                    Column::ragged().after(" ").rank(3).style(DIM),
                    Column::ragged().after("; ").rank(2).style(DIM),
                ]);
                let mark = format!("  {GOOD}●{GOOD:#} live");
                let subject = format!("{subject}{}", banned(live.banned.as_ref()));
                let (how, by) = (format!("{how} {when}"), format!("by {by}"));
                table.line([mark, short.clone(), subject, how, by, self.distance()]);
                fmt::Display::fmt(&table, f)?;
            }
            None => writeln!(f, "  {DIM}○ live  no deployment recorded{DIM:#}")?,
        }
        if let Some(later) = &self.later {
            let Attempt { action, short, by, started, .. } = later;
            let (by, when) = (line(person(by)), ago(*started, report.now));
            let how = match later.outcome {
                outcome if outcome == Outcome::Started.name() => "has not finished and may still run",
                _ => "did not finish",
            };
            let doubt = if self.live.is_some() { ": what is live is not certain" } else { "" };
            writeln!(
                f,
                "  {WARNING}!{WARNING:#} {action} of {COMMIT}{short}{COMMIT:#} by {by}, begun {when}, {how}{doubt}"
            )?;
        }
        match (&self.package, &report.head) {
            _ if self.renamed_to.is_some() => {
                let name = self.renamed_to.iter().map(ToString::to_string).collect::<String>();
                writeln!(
                    f,
                    "  {WARNING}!{WARNING:#} HEAD  {DIM}names this service {name}, which has another stack{DIM:#}"
                )?;
            }
            (Some(Packaged { package, size, dirty, banned: ban, .. }), _) => {
                let (banned, mark) = (banned(ban.as_ref()), if ban.is_some() { '!' } else { '✓' });
                let style = if ban.is_some() { WARNING } else { GOOD };
                let dirty = if *dirty { format!("  {WARNING}dirty{WARNING:#}") } else { String::new() };
                let (package, size) = (short(package, 8), bytes(*size));
                writeln!(f, "  {style}{mark}{style:#} HEAD  package {package} · {size}{dirty}{banned}")?;
            }
            (None, Some(head)) if report.jobs.iter().any(|job| job.packages(&head.commit)) => {
                writeln!(f, "  - HEAD  {DIM}not packaged yet: a background job is packaging it{DIM:#}")?;
            }
            (None, Some(_)) => match &self.make {
                Some(make) => writeln!(f, "  - HEAD  {DIM}not packaged: {make}{DIM:#}")?,
                None => writeln!(f, "  - HEAD  {DIM}does not have this service{DIM:#}")?,
            },
            (None, None) => {}
        }
        if self.unread_count > 0 {
            let unread = count(self.unread_count, "record");
            writeln!(f, "  {WARNING}!{WARNING:#} {unread} can't be read, damaged or of a newer git-slsart")?;
        }
        Ok(())
    }

    /// How far HEAD is from what is live.
    fn distance(&self) -> String {
        let commits = |number: usize| count(number, "commit");
        match (self.ahead_count, self.behind_count) {
            (Some(0), Some(0)) => "it is HEAD".to_owned(),
            (Some(ahead), Some(0)) => format!("HEAD is {} ahead", commits(ahead)),
            (Some(0), Some(behind)) => format!("HEAD is {} behind", commits(behind)),
            (Some(ahead), Some(behind)) => {
                format!("HEAD is {} ahead and {} behind", commits(ahead), commits(behind))
            }
            _ => String::new(),
        }
    }
}

fn banned(ban: Option<&Marked>) -> String {
    ban.map(|_| format!("  {WARNING}banned{WARNING:#}")).unwrap_or_default()
}

impl RemoteRow {
    fn write(&self, f: &mut fmt::Formatter<'_>, now: Timestamp) -> fmt::Result {
        let Self { remote, packages, chains, .. } = self;
        let name = line(remote);
        if !self.known {
            return writeln!(
                f,
                "{BOLD}{name:<9}{BOLD:#} {DIM}its packages are not known here; to ask: {}{DIM:#}",
                slsart(["fetch", &name])
            );
        }
        let seen = self.seen.map(|seen| format!(", as of {}", ago(seen, now))).unwrap_or_default();
        let of = |prefix: &str| chains.iter().filter(|name| name.starts_with(prefix)).count();
        let things = [
            (packages.len(), "package"),
            (of("refs/slsart/deployments/"), "history"),
            (of("refs/slsart/bans/"), "ban"),
            (of("refs/slsart/pins/"), "pin"),
        ];
        let things = things.into_iter().filter(|(number, _)| *number > 0);
        let things: Vec<String> =
            things.map(|(number, thing)| count(number, thing).replace("historys", "histories")).collect();
        if things.is_empty() {
            return writeln!(f, "{BOLD}{name:<9}{BOLD:#} {DIM}up to date{seen}{DIM:#}");
        }
        let can_push = self.undecided_count < packages.len() || !chains.is_empty();
        let push = slsart(["push", &name]);
        let push = if can_push { format!("; to push: {push}") } else { String::new() };
        let things = things.join(", ");
        writeln!(f, "{BOLD}{name:<9}{BOLD:#} {WARNING}lacks{WARNING:#} {things}{DIM}{seen}{push}{DIM:#}")?;
        if self.undecided_count > 0 {
            let verb = if self.undecided_count == 1 { "holds" } else { "hold" };
            writeln!(
                f,
                "          {WARNING}!{WARNING:#} {} of them {verb} secrets, and cannot be pushed before you decide",
                self.undecided_count
            )?;
            for way in sharing::ways_to_decide(&self.undecided) {
                writeln!(f, "            {DIM}{way}{DIM:#}")?;
            }
        }
        for PackageRef { commit, package, target, .. } in packages.iter().take(MAX_NAMED) {
            let commit = short(commit, 7);
            writeln!(f, "          {COMMIT}{commit}{COMMIT:#}  {}  {target}", package.short())?;
        }
        if packages.len() > MAX_NAMED {
            writeln!(f, "          {DIM}and {} more{DIM:#}", packages.len() - MAX_NAMED)?;
        }
        Ok(())
    }
}

impl JobRow {
    fn write(&self, f: &mut fmt::Formatter<'_>, now: Timestamp) -> fmt::Result {
        let subject = line(&self.subject);
        let state = self.state.name();
        let mut table = Table::new([
            Column::left().style(BOLD),
            Column::left().style(COMMIT),
            Column::ragged().cut(),
            Column::ragged().cut().style(DIM),
        ]);
        let how = format!("{state}: {}", self.how(now));
        table.line(["Job     ".to_owned(), self.short.clone(), subject.into_owned(), how]);
        fmt::Display::fmt(&table, f)?;
        if self.orphaned {
            writeln!(
                f,
                "          {WARNING}!{WARNING:#} its child processes still run; to stop them: git slsart jobs stop"
            )?;
        } else if self.error.is_some() {
            writeln!(f, "          {DIM}why: {}{DIM:#}", slsart(["jobs", "log", &self.short]))?;
        }
        Ok(())
    }
}
