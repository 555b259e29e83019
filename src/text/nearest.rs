//! Suggestions for a name that does not exist.

use strsim::damerau_levenshtein;

const MAX_NAMES: usize = 3;

/// The names among `known` that are like `wanted`, the most alike first: those that begin with it, those that are a slip or two away, and
/// paths that end with it.
pub fn nearest(wanted: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let lower = wanted.to_lowercase();
    let length = lower.chars().count();
    let slips = (length / 3).min(3);
    let mut near: Vec<(usize, String)> = known
        .into_iter()
        .filter_map(|name| {
            let other = name.to_lowercase();
            let distance = damerau_levenshtein(&lower, &other);
            let is_near = distance <= slips && distance < length;
            let is_end = length > 0 && other.strip_suffix(&lower).is_some_and(|before| before.ends_with('/'));
            (is_near || is_end || length > 1 && other.starts_with(&lower)).then_some((distance, name))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(MAX_NAMES).collect()
}

/// `did you mean prod?`, if a name is similar.
pub fn did_you_mean(wanted: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let names = nearest(wanted, known);
    let (last, first) = names.split_last()?;
    Some(match first {
        [] => format!("did you mean {last}?"),
        _ => format!("did you mean {} or {last}?", first.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(wanted: &str, known: &[&str]) -> String {
        did_you_mean(wanted, known.iter().map(|name| (*name).to_owned())).unwrap_or_default()
    }

    #[test]
    fn a_slip_and_a_beginning_are_like_the_name() {
        assert_eq!(meant("prdo", &["dev", "prod"]), "did you mean prod?");
        assert_eq!(meant("PROD", &["dev", "prod"]), "did you mean prod?");
        assert_eq!(meant("v1.4", &["v1.4.1", "v1.4.0", "v2"]), "did you mean v1.4.0 or v1.4.1?");
        assert_eq!(meant("ordres", &["orders", "topics"]), "did you mean orders?");
        assert_eq!(meant("b", &["services/a", "services/b", "b2"]), "did you mean services/b?");
        assert_eq!(meant("us-esat-1", &["us-east-1", "eu-west-1"]), "did you mean us-east-1?");
    }

    #[test]
    fn what_is_not_alike_is_not_proposed() {
        for (wanted, known) in [("qa", "dev"), ("q", "dev"), ("", "dev"), ("staging", "prod"), ("v1", "v2x")]
        {
            assert_eq!(meant(wanted, &[known]), "", "{wanted} {known}");
        }
    }
}
