//! The edge to AWS: the only place that talks to it, and it only reads. Synchronous outward; every call has a timeout that a user at a
//! terminal would wait for. Knows nothing of packages or services.
//!
//! A build without the feature `aws` has the same functions, and [`Aws::connect`] fails.

#[cfg(not(feature = "aws"))]
mod absent;
#[cfg(feature = "aws")]
mod bucket;
#[cfg(feature = "aws")]
mod client;
mod error;
#[cfg(feature = "aws")]
mod image;
#[cfg(feature = "aws")]
mod lambda;
#[cfg(feature = "aws")]
mod refusal;
#[cfg(feature = "aws")]
mod stack;

#[cfg(all(test, feature = "aws"))]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

#[cfg(not(feature = "aws"))]
pub use absent::Aws;
#[cfg(feature = "aws")]
pub use client::Aws;
pub use error::AwsError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    pub region: String,
    pub login: Login,
    /// A replacement for AWS's address. S3's buckets are then named in paths, not in host names: local stand-ins need it.
    pub endpoint: Option<String>,
    /// The same for S3 alone.
    pub s3_endpoint: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// As AWS's own tools find them: environment, default profile, SSO, web identity, container, instance.
    Chain,
    /// This profile of `~/.aws`, whatever the environment has.
    Profile(String),
    Keys {
        id: String,
        secret: String,
        token: Option<String>,
    },
}

impl std::fmt::Debug for Login {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chain => f.write_str("Chain"),
            Self::Profile(name) => write!(f, "Profile({name:?})"),
            Self::Keys { id, .. } => write!(f, "Keys({id:?})"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub name: String,
    pub id: String,
    pub status: String,
    /// AWS's reason for that status.
    pub reason: Option<String>,
    pub changed: Option<Timestamp>,
    pub outputs: BTreeMap<String, String>,
}

/// An event of a resource of a stack, or of the stack itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub time: Option<Timestamp>,
    /// The resource's logical id; the stack's own name for the stack itself.
    pub resource: String,
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub logical: String,
    /// Its name in AWS: a function's name, a layer version's ARN, a bucket's name.
    pub physical: Option<String>,
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LambdaFunction {
    pub name: String,
    /// The SHA-256 of its zip, in base64; for an image, a hash of AWS's own.
    pub code_sha256: Option<String>,
    pub image: Option<String>,
    pub runtime: Option<String>,
    pub handler: Option<String>,
    /// In MB.
    pub memory: Option<i64>,
    /// In seconds.
    pub timeout: Option<i64>,
    pub changed: Option<Timestamp>,
    pub layers: Vec<String>,
    pub role: Option<String>,
    /// Sorted; none if AWS does not say.
    pub variables: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    pub registry: String,
    pub region: String,
    pub repository: String,
    pub digest: String,
}

impl Image {
    /// Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@DIGEST`; none for another registry, or for a tag.
    pub fn parse(uri: &str) -> Option<Self> {
        let (host, rest) = uri.split_once('/')?;
        let (repository, digest) = rest.split_once('@')?;
        let mut parts = host.split('.');
        let (registry, dkr, ecr, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':'))
        };
        let is_ecr = dkr == "dkr"
            && ecr.starts_with("ecr")
            && [registry, region, repository, digest].iter().all(|text| is_plain(text));
        let owned = str::to_owned;
        is_ecr.then(|| Self {
            registry: owned(registry),
            region: owned(region),
            repository: owned(repository),
            digest: owned(digest),
        })
    }
}
