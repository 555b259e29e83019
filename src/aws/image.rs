//! ECR: whether container images exist.

use aws_sdk_ecr::error::SdkError;
use aws_sdk_ecr::operation::describe_images::{DescribeImagesError, DescribeImagesOutput};
use aws_sdk_ecr::types::ImageIdentifier;

use super::refusal::refusal;
use super::{Aws, AwsError, Image};

impl Aws {
    /// Whether each of these images exists, in their order; or why that is unknown.
    pub fn have_images(&self, images: &[Image]) -> Result<Vec<Result<bool, AwsError>>, AwsError> {
        let question = |image: &Image| {
            let wanted = ImageIdentifier::builder().image_digest(&image.digest).build();
            let request = self.ecr.describe_images().registry_id(&image.registry);
            request.repository_name(&image.repository).image_ids(wanted).send()
        };
        let answers = self.ask_all(images.iter().map(question).collect::<Vec<_>>())?;
        let read = |answer: Result<DescribeImagesOutput, SdkError<DescribeImagesError>>| match answer {
            Ok(_) => Ok(true),
            Err(error) => match refusal(&error, "look for an image in ECR", self.profile()) {
                (_, Some(code)) if GONE.contains(&code.as_str()) => Ok(false),
                (error, _) => Err(error),
            },
        };
        Ok(answers.into_iter().map(read).collect())
    }
}

/// The codes of `DescribeImages` for a missing image (its "Errors" in ECR's API reference).
const GONE: [&str; 2] = ["ImageNotFoundException", "RepositoryNotFoundException"];
