//! Whether the stack can be updated in its current state. Pure: the answer is handed to it.

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
            format!("{name} does not exist in {region}, but the history has a deployment to it: the stack would be created again"),
        )
        .hinted("check that these are the credentials of that deployment"),
        Ok(None) => Check::ok(NAME, format!("{name} does not exist yet; it will be created")),
        Ok(Some(stack)) => standing(&stack.status, name, region),
    }
}

/// What each status means for an update (`CloudFormation` user guide, "Stack status codes" and "Stack failure options"). What is made
/// with `disableRollback` may be left in `CREATE_FAILED` or `UPDATE_FAILED`, and can be updated. `REVIEW_IN_PROGRESS` is
/// refused by the
/// framework itself (`createStack` in `lib/plugins/aws/deploy/lib/create-stack.js`), all others by `CloudFormation`.
fn standing(status: &str, name: &str, region: &str) -> Check {
    let blocks = |means: &str, way: &str| {
        let hint = command(way, name, region);
        Check::blocks(NAME, format!("{name} is in {status}: {means}"), hint)
    };
    let unmade =
        "it was never created completely, and can't be updated; delete it, and a deploy creates it again";
    match status {
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "IMPORT_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Check::ok(NAME, format!("{name} can be updated ({status})")),
        "CREATE_FAILED" | "UPDATE_FAILED" => {
            Check::warning(NAME, format!("{name} is in {status}: an earlier update stopped half-way"))
        }
        "UPDATE_ROLLBACK_FAILED" => blocks(
            "an update failed and its rollback failed too; no other update is possible until that is finished",
            "continue-update-rollback",
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => blocks(unmade, "delete-stack"),
        "DELETE_FAILED" => blocks("its deletion failed, and it can't be updated", "delete-stack"),
        "REVIEW_IN_PROGRESS" => {
            blocks("it has only a change set so far, and the framework refuses to update it", "delete-stack")
        }
        "CREATE_IN_PROGRESS" => blocks("it is being created", "wait stack-create-complete"),
        "ROLLBACK_IN_PROGRESS" => {
            blocks("its failed creation is being rolled back", "wait stack-rollback-complete")
        }
        "DELETE_IN_PROGRESS" => blocks("it is being deleted", "wait stack-delete-complete"),
        "UPDATE_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
            blocks("an update of it is under way", "wait stack-update-complete")
        }
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            blocks("an update of it is being rolled back", "wait stack-rollback-complete")
        }
        _ if status.ends_with("_IN_PROGRESS") => {
            blocks("another operation on it must finish first", "describe-stacks")
        }
        "IMPORT_ROLLBACK_FAILED" => {
            blocks("an import failed, and was not rolled back", "describe-stack-events")
        }
        _ => Check::warning(
            NAME,
            format!("{name} is in {status}, which git slsart does not know: an update may be impossible"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::CheckVerdict;
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
                CheckVerdict::Ok,
                "CREATE_COMPLETE UPDATE_COMPLETE IMPORT_COMPLETE UPDATE_ROLLBACK_COMPLETE IMPORT_ROLLBACK_COMPLETE",
            ),
            (CheckVerdict::Warning, "CREATE_FAILED UPDATE_FAILED SOMETHING_NEW"),
            (
                CheckVerdict::Blocks,
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
                    verdict == CheckVerdict::Blocks,
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
        assert_eq!(check(&Ok(None), "o", "r", false).verdict, CheckVerdict::Ok);
        assert_eq!(check(&Ok(None), "o", "r", true).verdict, CheckVerdict::Warning);
        assert_eq!(check(&Err(AwsError::Throttled), "o", "r", true).verdict, CheckVerdict::Warning);
    }
}
