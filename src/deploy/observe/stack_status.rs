//! What the status of a stack means, and what to do about it. Pure.

/// What a stack's status means for what is live, and what to do (`CloudFormation` user guide, "Stack status codes").
pub(in crate::deploy) fn standing(status: &str, stack: &str, region: &str) -> String {
    let aws = |what: &str| command(what, stack, region);
    let (means, next) = match status {
        "UPDATE_ROLLBACK_COMPLETE" => {
            ("CloudFormation rolled the update back: what was live before is live again", None)
        }
        "UPDATE_ROLLBACK_FAILED" => (
            "the rollback of the update failed as well, and the stack can't be updated until it is finished",
            Some(aws("continue-update-rollback")),
        ),
        "DELETE_COMPLETE" => ("it was deleted meanwhile, and nothing is live", None),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => {
            ("it was never created completely, and can only be deleted", Some(aws("delete-stack")))
        }
        "CREATE_FAILED" | "UPDATE_FAILED" => {
            ("its update stopped half-way, as `disableRollback` asks; it can be deployed again", None)
        }
        _ if status.ends_with("_IN_PROGRESS") => {
            ("CloudFormation is still working on it; to follow it", Some(aws("describe-stacks")))
        }
        _ => ("see what AWS says of it", Some(aws("describe-stacks"))),
    };
    let next = next.map(|next| format!(": {next}")).unwrap_or_default();
    format!("the stack {stack} is in {status}: {means}{next}")
}

/// A command of AWS's own command line for a stack.
pub(in crate::deploy) fn command(what: &str, stack: &str, region: &str) -> String {
    format!("aws cloudformation {what} --stack-name {stack} --region {region}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_stuck_comes_with_the_command_that_frees_it() {
        let stuck = standing("UPDATE_ROLLBACK_FAILED", "orders-prod", "eu-west-1");
        assert!(
            stuck.ends_with(
                "aws cloudformation continue-update-rollback --stack-name orders-prod --region eu-west-1"
            ),
            "{stuck}"
        );
        assert!(standing("ROLLBACK_COMPLETE", "o", "r").contains("delete-stack"));
        assert!(
            standing("UPDATE_ROLLBACK_COMPLETE", "o", "r").ends_with("what was live before is live again")
        );
        assert!(standing("UPDATE_IN_PROGRESS", "o", "r").contains("still working on it"));
    }
}
