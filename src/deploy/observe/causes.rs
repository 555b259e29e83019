//! Known reasons of failed deployments, told by the words of AWS or of the framework. Pure, one table.

/// A reason that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deploy) struct Cause {
    /// The words that tell it, any of them, in lower case.
    words: &'static [&'static str],
    /// What it means.
    pub(in crate::deploy) means: &'static str,
    /// What to do.
    pub(in crate::deploy) advice: &'static str,
}

/// The first known reason that `text` has the words of.
pub(in crate::deploy) fn recognise(text: &str) -> Option<&'static Cause> {
    let text = text.to_lowercase();
    CAUSES.iter().find(|cause| cause.words.iter().any(|words| text.contains(words)))
}

/// In this order: the more particular before those that they come with.
const CAUSES: &[Cause] = &[
    // Lambda, PublishVersion; serverless/serverless issues 7822, 8392, 9001.
    Cause {
        words: &["a version for this lambda function exists"],
        means: "the template asks for a new version of a function, but its code is that of the latest version",
        advice: "deploy another package first and this one after it, or package with `versionFunctions: false`",
    },
    // S3, "Error responses"; what the framework's clean-up took away (oss-serverless `cleanup-s3-bucket.js`).
    Cause {
        words: &["nosuchkey", "the specified key does not exist"],
        means: "the template names an archive that is no longer in S3",
        advice: "package the commit again, so that it is uploaded anew: git slsart package REF",
    },
    // Lambda, CreateFunction and UpdateFunctionConfiguration: InvalidParameterValueException.
    Cause {
        words: &[
            "is no longer supported for creating or updating aws lambda functions",
            "no longer supported for creating",
            "value at 'runtime' failed to satisfy constraint",
        ],
        means: "Lambda no longer accepts this runtime",
        advice: "a recorded package can't change its runtime: raise it in a new commit, and package that",
    },
    // CloudFormation user guide, "Troubleshooting: update rollback failed".
    Cause {
        words: &["update_rollback_failed"],
        means: "an earlier update failed, and its rollback failed too: the stack can't be updated until that is resolved",
        advice: "aws cloudformation continue-update-rollback --stack-name STACK",
    },
    // CloudFormation user guide, "Troubleshooting"; ROLLBACK_COMPLETE of a stack that was never made.
    Cause {
        words: &[
            "rollback_complete state and can not be updated",
            "rollback_failed state and can not be updated",
        ],
        means: "the stack was never created completely",
        advice: "delete it, and deploy again: aws cloudformation delete-stack --stack-name STACK",
    },
    Cause {
        words: &["_in_progress state and can not be updated"],
        means: "another update of the stack is running",
        advice: "wait until it has ended, and try again",
    },
    // "Common errors" of AWS's API references; osls 4 `AWS_CREDENTIALS_NOT_FOUND`.
    Cause {
        words: &[
            "expiredtoken",
            "token included in the request is expired",
            "token has expired",
            "sso session",
        ],
        means: "the AWS credentials have expired",
        advice: "log in again, for SSO: aws sso login",
    },
    Cause {
        words: &[
            "credentials not found",
            "could not load credentials",
            "unable to locate credentials",
            "token included in the request is invalid",
            "unrecognizedclientexception",
            "doesn't seem to be configured",
        ],
        means: "the framework found no valid AWS credentials",
        advice: "set AWS_PROFILE or log in, then check: aws sts get-caller-identity",
    },
    Cause {
        words: &["throttling", "rate exceeded", "toomanyrequestsexception", "too many requests"],
        means: "AWS throttled the requests",
        advice: "wait a few minutes, and try again",
    },
    // CloudFormation user guide, "Exports".
    Cause {
        words: &["cannot be deleted as it is in use by", "cannot be updated as it is in use by"],
        means: "another stack imports an export that this one would remove",
        advice: "roll the importing stack back first",
    },
    Cause {
        words: &["no export named"],
        means: "this stack imports an export that no longer exists",
        advice: "first roll back the stack that exported it",
    },
    // Lambda quotas: CodeStorageExceededException.
    Cause {
        words: &["codestorageexceeded", "code storage limit exceeded"],
        means: "Lambda's storage for code is full",
        advice: "delete old versions: serverless prune, or the plugin serverless-prune-plugin",
    },
    Cause {
        words: &["already exists in stack", "alreadyexists", "already exists"],
        means: "a resource with that name exists already, in another stack or outside of any",
        advice: "delete or import it, then try again; an earlier update may have retained it",
    },
    Cause {
        words: &["accessdenied", "is not authorized to perform", "unauthorizedoperation"],
        means: "the credentials may not do what the template needs",
        advice: "see who deploys: aws sts get-caller-identity",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as AWS and the framework write them.
    const SAID: &[(&str, &str)] = &[
        (
            "A version for this Lambda function exists ( 4 ). Modify the function to create a new version.",
            "new version of a function",
        ),
        (
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist. (Service: Lambda, Status Code: 400)",
            "no longer in S3",
        ),
        (
            "Resource handler returned message: \"The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions. (Service: Lambda, Status Code: 400)\"",
            "no longer accepts this runtime",
        ),
        (
            "Stack:arn:aws:cloudformation:us-east-1:1:stack/o/2 is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
            "its rollback failed too",
        ),
        ("Stack:arn:… is in ROLLBACK_COMPLETE state and can not be updated.", "never created completely"),
        ("Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated.", "is running"),
        ("ExpiredToken: The security token included in the request is expired", "have expired"),
        (
            "AWS provider credentials not found. Learn how to set up AWS provider credentials",
            "no valid AWS credentials",
        ),
        ("AWS profile \"ops\" doesn't seem to be configured", "no valid AWS credentials"),
        (
            "Rate exceeded (Service: AmazonApiGateway; Status Code: 429; Error Code: TooManyRequestsException)",
            "throttled",
        ),
        (
            "Export orders-TableArn cannot be deleted as it is in use by billing-prod",
            "that this one would remove",
        ),
        ("No export named orders-TableArn found", "no longer exists"),
        ("Code storage limit exceeded. (Service: Lambda, Status Code: 400)", "storage for code"),
        ("carts already exists in stack arn:aws:cloudformation:…", "in another stack"),
        ("User: arn:aws:iam::1:user/x is not authorized to perform: lambda:CreateFunction", "may not do"),
    ];

    #[test]
    fn known_words_are_recognised() {
        for (said, means) in SAID {
            let cause = recognise(said).unwrap_or_else(|| panic!("{said}"));
            assert!(cause.means.contains(means), "{said}: {cause:?}");
        }
        assert_eq!(recognise("Value of property Variables must be an object"), None);
        assert_eq!(recognise(""), None);
    }
}
