//! Whether what the package needs from elsewhere is there: objects in S3 that a deploy does not upload, and container images. Pure:
//! the answers are handed to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Check;
use super::check::{listed, unanswered};
use crate::deploy::answers::Objects;
use crate::text::words::count;

/// The option that lets a missing object pass.
pub const ALLOW: &str = "--allow-missing";

const NAME: &str = "objects";
const IMAGES: &str = "images";

/// A line for each object that is missing and each bucket that can't be looked into, or one for all; none where none are needed.
pub(super) fn check(objects: &BTreeMap<String, Objects>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut there = 0;
    for (bucket, Objects { keys, there: found }) in objects {
        match found {
            Ok(found) => {
                there += found.iter().filter(|there| **there).count();
                let missing = keys.iter().zip(found).filter(|(_, there)| !**there);
                checks.extend(missing.map(|(key, _)| missing_object(&format!("s3://{bucket}/{key}"))));
            }
            Err(error) => {
                let check = unanswered(NAME, error);
                let message =
                    format!("{}: {bucket} has to have {}", check.message, count(keys.len(), "object"));
                checks.push(Check { message, ..check });
            }
        }
    }
    if checks.is_empty() && there > 0 {
        checks.push(Check::ok(
            NAME,
            format!("{} that a deploy does not upload: there", count(there, "object")),
        ));
    }
    checks
}

fn missing_object(url: &str) -> Check {
    let hint = "put it back from another version of it, or from a backup";
    // A plugin may upload it at the deploy itself.
    Check::blocks(NAME, format!("{url} is missing, and a deploy does not upload it"), hint)
        .allowed_by(ALLOW, url)
}

/// Which of the images that `template` names by digest are none of `live`, the live template's: whether ECR still has them is not
/// asked. None where there are none of those.
pub(super) fn images(template: &Value, live: Option<&Value>) -> Option<Check> {
    let of = |template: &Value| -> BTreeSet<String> {
        let resources = template["Resources"].as_object().into_iter().flatten();
        let image = |resource: &Value| resource["Properties"]["Code"]["ImageUri"].as_str().map(str::to_owned);
        resources.filter_map(|(_, resource)| image(resource)).collect()
    };
    let known = live.map(of).unwrap_or_default();
    let unknown: Vec<String> =
        of(template).into_iter().filter(|image| image.contains('@') && !known.contains(image)).collect();
    let first = unknown.first()?;
    let names: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let check = Check::warning(
        IMAGES,
        format!("ECR is not asked whether it still has what is not live: {}", listed(&names)),
    );
    Some(match ecr_command(first) {
        Some(command) => check.hinted(command),
        None => check,
    })
}

/// The command that asks ECR for an image: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@DIGEST`.
fn ecr_command(image: &str) -> Option<String> {
    let (host, rest) = image.split_once('/')?;
    let (repository, digest) = rest.split_once('@')?;
    let mut parts = host.split('.');
    let (account, dkr, ecr, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':'))
    };
    let is_ecr = dkr == "dkr"
        && ecr.starts_with("ecr")
        && [account, region, repository, digest].iter().all(|text| plain(text));
    is_ecr.then(|| {
        format!(
            "aws ecr describe-images --registry-id {account} --region {region} --repository-name {repository} \
             --image-ids imageDigest={digest}"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Verdict, allow};
    use super::*;
    use crate::aws::AwsError;

    fn bucket(keys: &[&str], there: Result<Vec<bool>, AwsError>) -> Objects {
        Objects { keys: keys.iter().map(|key| (*key).to_owned()).collect(), there }
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
        assert_eq!(verdicts, [Verdict::Warning, Verdict::Blocks]);
        assert!(checks[0].message.contains("secret has to have 1 object"), "{checks:?}");
        assert!(checks[1].message.starts_with("s3://shared/b.zip is missing"), "{checks:?}");
        allow(&mut checks, ALLOW, &["s3://shared/b.zip".to_owned()]);
        assert_eq!(checks[1].verdict, Verdict::Warning);

        let whole = BTreeMap::from([("shared".to_owned(), bucket(&["a.zip"], Ok(vec![true])))]);
        assert_eq!(check(&whole)[0].verdict, Verdict::Ok);
    }

    #[test]
    fn an_image_that_is_not_live_comes_with_the_question_for_ecr() {
        let of = |image: &str| json!({"Resources": {"F": {"Properties": {"Code": {"ImageUri": image}}}}});
        let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/orders@sha256:abc";
        let told = images(&of(image), None).unwrap();
        assert_eq!(told.verdict, Verdict::Warning);
        assert_eq!(
            told.hint.unwrap(),
            "aws ecr describe-images --registry-id 123456789012 --region eu-west-1 --repository-name shop/orders \
             --image-ids imageDigest=sha256:abc"
        );
        assert!(images(&of(image), Some(&of(image))).is_none());
        assert!(images(&of("registry.example.org/orders:latest"), None).is_none());
        assert!(images(&of("registry.example.org/orders@sha256:abc"), None).unwrap().hint.is_none());
        assert!(images(&of("1.dkr.ecr.r.amazonaws.com/$(x)@sha256:abc"), None).unwrap().hint.is_none());
    }
}
