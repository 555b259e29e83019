//! Chooses the packages to prune. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::package::manifest::Target;
use crate::package::storage::Size;
use crate::store::{Filter, NotedPackage};

/// Chooses packages that meet all given conditions.
#[derive(Debug, Clone, Default)]
pub struct PrunePolicy {
    /// All but so many of each target's newest.
    pub keep_last: Option<usize>,
    pub older_than: Option<Age>,
    pub larger_than: Option<Size>,
}

#[derive(Debug, Clone, Copy)]
pub struct Age(Span);

#[derive(Debug, thiserror::Error)]
#[error("write an age in days, weeks, months or years: 90d, 12w, 6mo, 1y")]
pub struct NotAnAge;

impl FromStr for Age {
    type Err = NotAnAge;

    fn from_str(text: &str) -> Result<Self, NotAnAge> {
        let span: Span = text.parse().map_err(|_| NotAnAge)?;
        let days = Span::new()
            .try_years(span.get_years())
            .and_then(|days| days.try_months(span.get_months()))
            .and_then(|days| days.try_weeks(span.get_weeks()))
            .and_then(|days| days.try_days(span.get_days()))
            .map_err(|_| NotAnAge)?;
        // `6m` are minutes, which is never meant.
        let is_age = span.is_positive() && span.fieldwise() == days.fieldwise();
        if is_age { Ok(Self(span)) } else { Err(NotAnAge) }
    }
}

impl Age {
    /// The time so long before `now`; `None` if out of range.
    fn before(self, now: Timestamp) -> Option<Timestamp> {
        now.to_zoned_datetime(TimeZone::UTC).checked_sub(self.0).ok().map(|then| then.timestamp())
    }
}

impl PrunePolicy {
    /// Of `all` packages, those that `filter` means and that fit all that is given. What was pruned already counts for nothing in
    /// [`Self::keep_last`], and is chosen whatever that says.
    pub fn choose(&self, mut all: Vec<NotedPackage>, filter: &Filter, now: Timestamp) -> Vec<NotedPackage> {
        all.sort_by_key(|found| (std::cmp::Reverse(found.line.recorded), found.line.package));
        let oldest = self.older_than.map(|age| age.before(now).unwrap_or(Timestamp::MIN));
        let mut seen: BTreeMap<Target, usize> = BTreeMap::new();
        all.retain(|NotedPackage { line, .. }| {
            let is_old = oldest.is_none_or(|oldest| line.recorded < oldest);
            let is_large = self.larger_than.is_none_or(|size| line.size > size.0);
            let is_spare = line.pruned.is_some() || {
                let newer = seen.entry(line.target.clone()).or_default();
                *newer += 1;
                self.keep_last.is_none_or(|keep| *newer > keep)
            };
            is_old && is_large && is_spare && filter.matches(&line.target)
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Oid;
    use crate::package::manifest::tests::sample;
    use crate::store::PackageLine;

    const DAY: i64 = 86_400;

    fn found(stage: &str, day: i64, size: u64) -> NotedPackage {
        let mut line = PackageLine::of(&sample());
        line.target.stage = stage.parse().unwrap();
        line.recorded = Timestamp::from_second(day * DAY).unwrap();
        line.size = size;
        NotedPackage { commit: Oid::from_str("3").unwrap(), line }
    }

    /// The days of those that are chosen on day 100.
    fn chosen(policy: &PrunePolicy, filter: &Filter, all: &[NotedPackage]) -> Vec<i64> {
        let now = Timestamp::from_second(100 * DAY).unwrap();
        let chosen = policy.choose(all.to_vec(), filter, now).into_iter();
        chosen.map(|found| found.line.recorded.as_second() / DAY).collect()
    }

    #[test]
    fn what_fits_all_that_is_given_is_chosen() {
        let all = [
            found("prod", 10, 5),
            found("prod", 60, 7),
            found("prod", 90, 9),
            found("dev", 20, 8),
            found("dev", 95, 1),
        ];
        let any = Filter::default();
        let last = |keep| PrunePolicy { keep_last: Some(keep), ..PrunePolicy::default() };
        assert_eq!(chosen(&last(1), &any, &all), [60, 20, 10]);
        assert_eq!(chosen(&last(2), &any, &all), [10]);
        assert_eq!(chosen(&last(0), &any, &all).len(), 5);
        let old = PrunePolicy { older_than: Some("50d".parse().unwrap()), ..last(1) };
        assert_eq!(chosen(&old, &any, &all), [20, 10]);
        let large = PrunePolicy { larger_than: Some(Size(7)), ..PrunePolicy::default() };
        assert_eq!(chosen(&large, &any, &all), [90, 20]);
        let dev = Filter { stage: Some("dev".to_owned()), ..Filter::default() };
        assert_eq!(chosen(&PrunePolicy::default(), &dev, &all), [95, 20]);
        // The newest of a target count, whatever else is asked for.
        assert_eq!(chosen(&PrunePolicy { larger_than: Some(Size(4)), ..last(1) }, &dev, &all), [20]);
    }

    #[test]
    fn what_was_pruned_already_takes_nobodys_place() {
        let mut gone = found("prod", 99, 1);
        gone.line.pruned = Some(Timestamp::MAX);
        let policy = PrunePolicy { keep_last: Some(1), ..PrunePolicy::default() };
        assert_eq!(
            chosen(&policy, &Filter::default(), &[gone, found("prod", 10, 1), found("prod", 20, 1)]),
            [99, 10]
        );
    }

    #[test]
    fn an_age_is_no_minutes() {
        for age in ["90d", "12w", "6mo", "1y", "1 year 2 months", "P1Y"] {
            assert!(age.parse::<Age>().is_ok(), "{age}");
        }
        for wrong in ["6m", "1h", "-90d", "0d", "90", "", "d", "1d 2h"] {
            assert!(wrong.parse::<Age>().is_err(), "{wrong}");
        }
    }
}
