//! S3: whether objects exist.

use super::refusal::{Refusal as _, refusal};
use super::{Aws, AwsError};

impl Aws {
    /// Whether each of these objects, given as bucket and key, exists, in their order.
    pub fn have_objects(&self, objects: &[(String, String)]) -> Result<Vec<bool>, AwsError> {
        let questions =
            objects.iter().map(|(bucket, key)| self.s3.head_object().bucket(bucket).key(key).send());
        let answers = self.ask_all(questions.collect::<Vec<_>>())?;
        let read = |answer: Result<aws_sdk_s3::operation::head_object::HeadObjectOutput, _>| match answer {
            Ok(_) => Ok(true),
            Err(error) => {
                let error: aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::head_object::HeadObjectError> =
                    error;
                match error.service() {
                    Some((_, _, 404)) => Ok(false),
                    _ => Err(refusal(&error, "look for an object in S3", self.profile()).0),
                }
            }
        };
        answers.into_iter().map(read).collect()
    }
}
