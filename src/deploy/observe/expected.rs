//! What a package makes live: for each function and layer its code, as AWS reports it. Read from the stored package, so that
//! what a copy of it is changed in can't matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diff::template::Template;
use crate::error::Result;
use crate::package::Sha256;
use crate::package::manifest::Target;
use crate::service::{Code, DeployedFunction, State};
use crate::store::StoredPackage;

/// What should be live.
#[derive(Debug, Clone)]
pub(in crate::deploy) struct Expected {
    /// The stack's name.
    pub(in crate::deploy) stack: String,
    /// The profile that the config names.
    pub(in crate::deploy) profile: Option<String>,
    /// The functions.
    pub(in crate::deploy) functions: Vec<ExpectedFunction>,
    /// The layers: logical id and hash.
    pub(in crate::deploy) layers: BTreeMap<String, Sha256>,
    /// The template; null where the package has none.
    pub(in crate::deploy) template: Value,
}

/// What a function should be.
#[derive(Debug, Clone)]
pub(in crate::deploy) struct ExpectedFunction {
    /// What the package says of it.
    pub(in crate::deploy) function: DeployedFunction,
    /// What it should run.
    pub(in crate::deploy) code: ExpectedCode,
}

/// What a function should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deploy) enum ExpectedCode {
    /// A zip of this hash.
    Zip(Sha256),
    /// An image of this digest.
    Image(String),
    /// Nothing that the package tells.
    Unknown,
}

/// The stack that `package` is deployed to; where the package does not say it, the usual one.
pub fn stack_of(package: &StoredPackage<'_>) -> String {
    Expected::of(package).map_or_else(|_| usual_stack(&package.manifest.target), |expected| expected.stack)
}

impl Expected {
    /// What `package` makes live.
    pub(in crate::deploy) fn of(package: &StoredPackage<'_>) -> Result<Self> {
        let hashes = package.manifest.files.iter().map(|file| (file.path.clone(), file.sha256)).collect();
        let target = &package.manifest.target;
        let usual = || format!("{}-{}", target.service, target.stage);
        Ok(Self::read(package.state()?, &hashes, usual)?)
    }

    /// Whether a template is the package's, but for what every packaging makes anew and for outputs that plugins add.
    pub(in crate::deploy) fn is_template(&self, live: &Template) -> bool {
        Template::new(&self.template).is_live_as(live)
    }

    fn read(
        state: &State,
        hashes: &BTreeMap<String, Sha256>,
        usual_stack: impl FnOnce() -> String,
    ) -> Result<Self, crate::service::StateError> {
        let files: BTreeSet<String> = hashes.keys().cloned().collect();
        let functions = state.deployed_functions(&files)?.into_iter().map(|function| ExpectedFunction {
            code: match &function.code {
                Code::File(file) => {
                    hashes.get(file).map_or(ExpectedCode::Unknown, |hash| ExpectedCode::Zip(*hash))
                }
                Code::Image(uri) => {
                    digest(uri).map_or(ExpectedCode::Unknown, |digest| ExpectedCode::Image(digest.to_owned()))
                }
                Code::Elsewhere => ExpectedCode::Unknown,
            },
            function,
        });
        let functions = functions.collect();
        let layers = state.deployed_layers(&files)?.into_iter().filter_map(|(logical, code)| match code {
            Code::File(file) => Some((logical, *hashes.get(&file)?)),
            Code::Image(_) | Code::Elsewhere => None,
        });
        Ok(Self {
            stack: state.stack_name().unwrap_or_else(usual_stack),
            profile: state.profile().map(str::to_owned),
            functions,
            layers: layers.collect(),
            template: state.template().unwrap_or_default(),
        })
    }
}

/// The digest in an image's name: `sha256:…`, none where it is named by a tag.
pub(in crate::deploy) fn digest(image: &str) -> Option<&str> {
    image.rsplit_once('@').map(|(_, digest)| digest)
}

/// The name of a target's stack, unless the config says otherwise.
pub(in crate::deploy) fn usual_stack(target: &Target) -> String {
    format!("{}-{}", target.service, target.stage)
}
