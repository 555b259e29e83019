//! The edge to AWS: the only place that talks to it, and it only reads. Synchronous outward; every call ends, with an answer or
//! without, in the time that a person at a terminal waits. Knows nothing of packages or services.
//!
//! A build without the feature `aws` has the same functions, and [`Aws::connect`] says that it can't.

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

/// What is to be known before AWS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub region: String,
    pub login: Login,
    /// Where AWS is instead of where it usually is. S3's buckets are then named in paths, not in host names: stand-ins for AWS that
    /// are reached by an address need it.
    pub endpoint: Option<String>,
    /// The same for S3 alone.
    pub s3_endpoint: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// From wherever AWS's own tools take them: environment, default profile, SSO, web identity, container, instance.
    Chain,
    /// From this profile of `~/.aws`, whatever the environment has.
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

/// A stack of `CloudFormation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub name: String,
    /// Its id, an ARN.
    pub id: String,
    /// Its status, such as `UPDATE_COMPLETE`.
    pub status: String,
    /// Why it has that status, where AWS says.
    pub reason: Option<String>,
    /// When it was last updated, or else created.
    pub changed: Option<Timestamp>,
    pub outputs: BTreeMap<String, String>,
}

/// Something that happened to a resource of a stack, or to the stack itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub time: Option<Timestamp>,
    /// The resource's logical id; the stack's own name for the stack itself.
    pub resource: String,
    pub kind: String,
    /// Its status from then on, such as `UPDATE_FAILED`.
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

/// A function of Lambda, its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    pub name: String,
    /// The SHA-256 of its zip, in base64; of an image, of AWS's own making.
    pub code_sha256: Option<String>,
    /// The image that it runs, by digest.
    pub image: Option<String>,
    pub runtime: Option<String>,
    pub handler: Option<String>,
    /// Its memory, in MB.
    pub memory: Option<i64>,
    /// Its time limit, in seconds.
    pub timeout: Option<i64>,
    /// When its code or configuration was last changed.
    pub changed: Option<Timestamp>,
    /// The ARNs of its layers' versions.
    pub layers: Vec<String>,
    pub role: Option<String>,
    /// The names of its environment variables, sorted; none where AWS does not say.
    pub variables: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    pub registry: String,
    pub region: String,
    pub repository: String,
    /// The digest, `sha256:…`.
    pub digest: String,
}

impl Image {
    /// Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@DIGEST`; none for another registry's, or one that is named by a tag.
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
