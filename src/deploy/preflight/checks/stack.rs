//! Whether the stack takes an update as it stands. Pure: the answer is handed to it.

use super::Check;
use super::check::unanswered;
use crate::aws::{AwsError, Stack};
use crate::deploy::observe::stack_status::command;

const NAME: &str = "stack";

/// The check of the stack `name`. `deployed`: whether the history says that something is live.
pub(super) fn check(
    stack: &Result<Option<Stack>, AwsError>,
    name: &str,
    region: &str,
    deployed: bool,
) -> Check {
    match stack {
        Err(error) => unanswered(NAME, error),
        Ok(None) if deployed => Check::warning(
            NAME,
            format!("there is no {name} in {region}, though the history says that one was deployed: it would be made anew"),
        )
        .hinted("are these the credentials that it was deployed with?"),
        Ok(None) => Check::ok(NAME, format!("{name} is not there yet, and will be made")),
        Ok(Some(stack)) => standing(&stack.status, name, region),
    }
}

/// What each status means for an update (`CloudFormation` user guide, "Stack status codes" and "Stack failure options"). What is made
/// with `disableRollback` may be left in `CREATE_FAILED` or `UPDATE_FAILED`, and takes an update. `REVIEW_IN_PROGRESS` is refused by the
/// framework itself (`createStack` in `lib/plugins/aws/deploy/lib/create-stack.js`), all others by `CloudFormation`.
fn standing(status: &str, name: &str, region: &str) -> Check {
    let blocks = |means: &str, way: &str| {
        let hint = command(way, name, region);
        Check::blocks(NAME, format!("{name} is in {status}: {means}"), hint)
    };
    let unmade = "it was never made whole, and takes no update; once it is deleted, a deploy makes it anew";
    match status {
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "IMPORT_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Check::ok(NAME, format!("{name} takes an update ({status})")),
        "CREATE_FAILED" | "UPDATE_FAILED" => {
            Check::warning(NAME, format!("{name} is in {status}: what failed before was left half-way"))
        }
        "UPDATE_ROLLBACK_FAILED" => blocks(
            "an update failed, taking it back failed too, and it takes no other until that is done",
            "continue-update-rollback",
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => blocks(unmade, "delete-stack"),
        "DELETE_FAILED" => blocks("it was to be deleted, and takes no update", "delete-stack"),
        "REVIEW_IN_PROGRESS" => {
            blocks("only a change set was made of it, and the framework refuses that", "delete-stack")
        }
        "CREATE_IN_PROGRESS" => blocks("it is being made", "wait stack-create-complete"),
        "ROLLBACK_IN_PROGRESS" => blocks("what failed is being taken back", "wait stack-rollback-complete"),
        "DELETE_IN_PROGRESS" => blocks("it is being deleted", "wait stack-delete-complete"),
        "UPDATE_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
            blocks("an update of it is under way", "wait stack-update-complete")
        }
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            blocks("an update of it is being taken back", "wait stack-rollback-complete")
        }
        _ if status.ends_with("_IN_PROGRESS") => {
            blocks("something is under way that has to end first", "describe-stacks")
        }
        "IMPORT_ROLLBACK_FAILED" => {
            blocks("an import failed, and was not taken back", "describe-stack-events")
        }
        _ => Check::warning(
            NAME,
            format!("{name} is in {status}: whether it takes an update is not known here"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Verdict;
    use super::*;

    fn of(status: &str) -> Check {
        let stack = Stack {
            name: "orders-prod".to_owned(),
            id: String::new(),
            status: status.to_owned(),
            reason: None,
            changed: None,
            outputs: BTreeMap::new(),
        };
        check(&Ok(Some(stack)), "orders-prod", "eu-west-1", true)
    }

    #[test]
    fn every_status_of_cloudformation_has_its_verdict() {
        for (verdict, all) in [
            (
                Verdict::Ok,
                "CREATE_COMPLETE UPDATE_COMPLETE IMPORT_COMPLETE UPDATE_ROLLBACK_COMPLETE IMPORT_ROLLBACK_COMPLETE",
            ),
            (Verdict::Warning, "CREATE_FAILED UPDATE_FAILED SOMETHING_NEW"),
            (
                Verdict::Blocks,
                "CREATE_IN_PROGRESS DELETE_FAILED DELETE_IN_PROGRESS IMPORT_IN_PROGRESS IMPORT_ROLLBACK_FAILED \
                 IMPORT_ROLLBACK_IN_PROGRESS REVIEW_IN_PROGRESS ROLLBACK_COMPLETE ROLLBACK_FAILED ROLLBACK_IN_PROGRESS \
                 UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS \
                 UPDATE_ROLLBACK_FAILED UPDATE_ROLLBACK_IN_PROGRESS",
            ),
        ] {
            for status in all.split_whitespace() {
                let check = of(status);
                assert_eq!(check.verdict, verdict, "{status}");
                assert!(check.message.contains(status), "{check:?}");
                let way = check.hint.unwrap_or_default();
                assert_eq!(
                    verdict == Verdict::Blocks,
                    way.starts_with("aws cloudformation "),
                    "{status}: {way}"
                );
            }
        }
        assert_eq!(
            of("UPDATE_ROLLBACK_FAILED").hint.unwrap(),
            "aws cloudformation continue-update-rollback --stack-name orders-prod --region eu-west-1"
        );
    }

    #[test]
    fn a_stack_that_is_not_there_is_only_odd_where_one_was_deployed() {
        assert_eq!(check(&Ok(None), "o", "r", false).verdict, Verdict::Ok);
        assert_eq!(check(&Ok(None), "o", "r", true).verdict, Verdict::Warning);
        assert_eq!(check(&Err(AwsError::Throttled), "o", "r", true).verdict, Verdict::Warning);
    }
}
