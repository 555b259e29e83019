//! Whether what the package needs from elsewhere is there: objects in S3 that a deploy does not upload, and container images. Pure:
//! the answers are handed to it.

use std::collections::BTreeMap;

use super::Check;
use super::check::unanswered;
use crate::aws::Image;
use crate::deploy::observe::aws_state::{BucketObjects, WantedImage};
use crate::text::words::count;

/// The option that lets a missing object or image pass.
pub const ALLOW: &str = "--allow-missing";

const NAME: &str = "objects";
const IMAGES: &str = "images";

/// A line for each object that is missing and each bucket that can't be looked into, or one for all; none where none are needed.
pub(super) fn check(objects: &BTreeMap<String, BucketObjects>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut there = 0;
    for (bucket, BucketObjects { keys, there: found }) in objects {
        match found {
            Ok(found) => {
                there += found.iter().filter(|there| **there).count();
                let missing = keys.iter().zip(found).filter(|(_, there)| !**there);
                checks.extend(missing.map(|(key, _)| missing_object(&format!("s3://{bucket}/{key}"))));
            }
            Err(error) => {
                let check = unanswered(NAME, error);
                let message =
                    format!("{}: {bucket} must have {}", check.message, count(keys.len(), "object"));
                checks.push(Check { message, ..check });
            }
        }
    }
    if checks.is_empty() && there > 0 {
        checks.push(Check::ok(
            NAME,
            format!("{} that a deploy does not upload: found", count(there, "object")),
        ));
    }
    checks
}

fn missing_object(url: &str) -> Check {
    let hint = "restore it from another object version, or from a backup";
    // A plugin may upload it at the deploy itself.
    Check::blocks(NAME, format!("{url} is missing, and a deploy does not upload it"), hint)
        .allowed_by(ALLOW, url)
}

/// A line for each image that is missing or could not be looked up, else one for all.
pub(super) fn images(images: &[WantedImage]) -> Vec<Check> {
    let mut checks: Vec<Check> = images.iter().filter_map(image).collect();
    if checks.is_empty() && !images.is_empty() {
        checks.push(Check::ok(IMAGES, format!("{} in ECR: found", count(images.len(), "image"))));
    }
    checks
}

/// What is to be said of an image; none where it is there.
fn image(wanted: &WantedImage) -> Option<Check> {
    let WantedImage { uri, image, there } = wanted;
    let check = match there {
        Some(Ok(true)) => return None,
        Some(Ok(false)) => {
            let hint = "push it again under the same digest, or roll back to a package whose image is there";
            return Some(
                Check::blocks(IMAGES, format!("ECR does not have {uri} any more"), hint)
                    .allowed_by(ALLOW, uri),
            );
        }
        Some(Err(error)) => Check::warning(IMAGES, format!("{error}: {uri} must exist")),
        None => Check::warning(IMAGES, format!("{uri} was not looked up")),
    };
    Some(match image {
        Some(image) => check.hinted(ecr_command(image)),
        None => check,
    })
}

/// The command that asks ECR for an image.
fn ecr_command(image: &Image) -> String {
    let Image { registry, region, repository, digest } = image;
    format!(
        "aws ecr describe-images --registry-id {registry} --region {region} --repository-name {repository} \
         --image-ids imageDigest={digest}"
    )
}

#[cfg(test)]
mod tests {
    use super::super::{CheckVerdict, allow};
    use super::*;
    use crate::aws::AwsError;

    fn bucket(keys: &[&str], there: Result<Vec<bool>, AwsError>) -> BucketObjects {
        BucketObjects { keys: keys.iter().map(|key| (*key).to_owned()).collect(), there }
    }

    #[test]
    fn each_missing_object_blocks_and_a_bucket_that_cant_be_looked_into_does_not() {
        assert!(check(&BTreeMap::new()).is_empty());
        let shared = bucket(&["a.zip", "b.zip"], Ok(vec![true, false]));
        let denied = AwsError::Forbidden { action: "look for an object in S3", message: String::new() };
        let secret = bucket(&["c.zip"], Err(denied));
        let all = BTreeMap::from([("shared".to_owned(), shared), ("secret".to_owned(), secret)]);
        let mut checks = check(&all);
        let verdicts: Vec<_> = checks.iter().map(|check| check.verdict).collect();
        assert_eq!(verdicts, [CheckVerdict::Warning, CheckVerdict::Blocks]);
        assert!(checks[0].message.contains("secret must have 1 object"), "{checks:?}");
        assert!(checks[1].message.starts_with("s3://shared/b.zip is missing"), "{checks:?}");
        allow(&mut checks, ALLOW, &["s3://shared/b.zip".to_owned()]);
        assert_eq!(checks[1].verdict, CheckVerdict::Warning);

        let whole = BTreeMap::from([("shared".to_owned(), bucket(&["a.zip"], Ok(vec![true])))]);
        assert_eq!(check(&whole)[0].verdict, CheckVerdict::Ok);
    }

    #[test]
    fn an_image_that_is_gone_blocks_and_one_that_nobody_can_be_asked_for_does_not() {
        let uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/orders@sha256:abc";
        let wanted = |uri: &str, there| WantedImage { uri: uri.to_owned(), image: Image::parse(uri), there };
        assert!(images(&[]).is_empty());
        assert_eq!(images(&[wanted(uri, Some(Ok(true)))])[0].verdict, CheckVerdict::Ok);

        let mut gone = images(&[wanted(uri, Some(Ok(true))), wanted(uri, Some(Ok(false)))]);
        assert_eq!((gone.len(), gone[0].verdict), (1, CheckVerdict::Blocks));
        allow(&mut gone, ALLOW, &[uri.to_owned()]);
        assert_eq!(gone[0].verdict, CheckVerdict::Warning);

        let denied = AwsError::Forbidden { action: "look for an image in ECR", message: String::new() };
        let told = images(&[wanted(uri, Some(Err(denied)))]).remove(0);
        assert_eq!(told.verdict, CheckVerdict::Warning);
        assert_eq!(
            told.hint.unwrap(),
            "aws ecr describe-images --registry-id 123456789012 --region eu-west-1 --repository-name shop/orders \
             --image-ids imageDigest=sha256:abc"
        );
        for other in ["registry.example.org/orders@sha256:abc", "1.dkr.ecr.r.amazonaws.com/$(x)@sha256:abc"] {
            let told = images(&[wanted(other, None)]).remove(0);
            assert_eq!((told.verdict, told.hint), (CheckVerdict::Warning, None));
        }
    }
}
