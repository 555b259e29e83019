//! What AWS says of a target before a deployment: each thing asked once, and shared by the plan, the guard and all checks. That an
//! missing answer is an answer too, and no error. Compares nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::{Aws, AwsError, Image, Stack};
use crate::deploy::observe::expected::usual_stack;
use crate::deploy::observe::session;
use crate::error::{Error, Result};
use crate::package::Manifest;
use crate::service::{Bucket, State};
use crate::workspace::Workspace;

/// The logical id of the framework's own bucket, and the stack's output that has its name (`getDeploymentBucketLogicalId` and
/// `getDeploymentBucketOutputLogicalId` in `lib/plugins/aws/lib/naming.js`).
const OWN_BUCKET: (&str, &str) = ("ServerlessDeploymentBucket", "ServerlessDeploymentBucketName");

/// What AWS says of a target.
#[derive(Debug)]
pub struct AwsState {
    /// The stack's name.
    pub name: String,
    /// The number of the account that the credentials are for.
    pub account: Result<String, AwsError>,
    /// The stack; `None` where there is none.
    pub stack: Result<Option<Stack>, AwsError>,
    /// The stack's template as it was given to AWS; `None` where there is no stack.
    pub template: Result<Option<Value>, AwsError>,
    /// The container images that the package names by digest, and the live template does not.
    pub images: Vec<WantedImage>,
    /// The objects that the package needs and a deploy does not upload, by bucket.
    pub objects: BTreeMap<String, BucketObjects>,
}

/// A container image that has to be there.
#[derive(Debug)]
pub struct WantedImage {
    /// As the template names it.
    pub uri: String,
    /// Where it is; none where that is not ECR.
    pub image: Option<Image>,
    /// Whether it is there; `None` where AWS was not asked.
    pub there: Option<Result<bool, AwsError>>,
}

/// Objects of one bucket.
#[derive(Debug)]
pub struct BucketObjects {
    /// Their keys.
    pub keys: Vec<String>,
    /// Whether each is there, in the order of the keys.
    pub there: Result<Vec<bool>, AwsError>,
}

impl AwsState {
    /// Asks what is to be known before the package of `manifest` and `state` is deployed.
    ///
    /// # Errors
    /// When the user stops it, or the state is damaged; never for what AWS answers.
    pub fn ask(workspace: &Workspace<'_>, manifest: &Manifest, state: &State) -> Result<Self> {
        let target = &manifest.target;
        let name = state.stack_name().unwrap_or_else(|| usual_stack(target));
        let mut asking = Asking(session::connect(workspace.context, target, state.profile()));
        if asking.0.is_ok() {
            workspace.progress.phase("Asking AWS what is live");
        }
        let account = asking.ask(Aws::account);
        let stack = asking.ask(|aws| aws.stack(&name));
        let template = match &stack {
            Ok(None) => Ok(None),
            _ => asking.ask(|aws| template(aws, &name)),
        };
        let mut images = images(state, template.as_ref().ok().and_then(Option::as_ref));
        asking.ask_for_images(&mut images, target.region.as_str());
        let files: BTreeSet<String> = manifest.files.iter().map(|file| file.path.clone()).collect();
        // A package of a service without resources, or for another cloud, has no template.
        let wanted = match state.template() {
            Ok(_) => state.foreign_objects(&files)?,
            Err(_) => BTreeSet::new(),
        };
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (bucket, key) in wanted {
            if let Some(bucket) = bucket_name(bucket, stack.as_ref().ok().and_then(Option::as_ref)) {
                keys.entry(bucket).or_default().push(key);
            }
        }
        let mut objects = BTreeMap::new();
        for (bucket, keys) in keys {
            let all: Vec<_> = keys.iter().map(|key| (bucket.clone(), key.clone())).collect();
            let there = asking.ask(|aws| aws.have_objects(&all));
            objects.insert(bucket, BucketObjects { keys, there });
        }
        if let Err(AwsError::Interrupted) = asking.0 {
            return Err(Error::interrupted());
        }
        Ok(Self { name, account, stack, template, images, objects })
    }

    /// Why nothing at all was answered; `None` where something was.
    pub fn silence(&self) -> Option<&AwsError> {
        self.account.as_ref().err().filter(|error| error.is_general())
    }
}

/// Who asks; once AWS can't be asked or gives no answer at all, nothing more is: each question would wait as long in vain.
struct Asking(Result<Aws, AwsError>);

impl Asking {
    fn ask<T>(&mut self, question: impl FnOnce(&Aws) -> Result<T, AwsError>) -> Result<T, AwsError> {
        let answer = question(self.0.as_ref().map_err(Clone::clone)?);
        if let Err(error) = &answer
            && error.is_general()
        {
            self.0 = Err(error.clone());
        }
        answer
    }

    /// Asks for all images at once. Lambda takes one only from a registry in its own region, which is the one that is asked.
    fn ask_for_images(&mut self, images: &mut [WantedImage], region: &str) {
        let mut asked: Vec<_> = images
            .iter_mut()
            .filter_map(|wanted| {
                let image = wanted.image.clone().filter(|image| image.region == region)?;
                Some((image, &mut wanted.there))
            })
            .collect();
        if asked.is_empty() {
            return;
        }
        let all: Vec<Image> = asked.iter().map(|(image, _)| image.clone()).collect();
        let answers = self.ask(|aws| aws.have_images(&all));
        for (at, (_, there)) in asked.iter_mut().enumerate() {
            **there = match &answers {
                Ok(answers) => answers.get(at).cloned(),
                Err(error) => Some(Err(error.clone())),
            };
        }
    }
}

/// The template of a stack, as it was given to AWS; none where there is no such stack.
pub(in crate::deploy) fn template(aws: &Aws, stack: &str) -> Result<Option<Value>, AwsError> {
    let Some(text) = aws.template(stack)? else { return Ok(None) };
    let unreadable =
        |_| AwsError::Other { action: "show the stack's template", message: "it is no JSON".to_owned() };
    serde_json::from_str(&text).map(Some).map_err(unreadable)
}

/// The images that the package names by digest and `live`, the live stack's template, does not.
fn images(state: &State, live: Option<&Value>) -> Vec<WantedImage> {
    let of = |template: &Value| -> BTreeSet<String> {
        let resources = template["Resources"].as_object().into_iter().flatten();
        let image = |resource: &Value| resource["Properties"]["Code"]["ImageUri"].as_str().map(str::to_owned);
        resources.filter_map(|(_, resource)| image(resource)).collect()
    };
    let known = live.map(of).unwrap_or_default();
    let wanted = state.template().map(|template| of(&template)).unwrap_or_default();
    let wanted = wanted.into_iter().filter(|image| image.contains('@') && !known.contains(image));
    wanted.map(|uri| WantedImage { image: Image::parse(&uri), uri, there: None }).collect()
}

/// The bucket's name; none for one that only AWS can name.
fn bucket_name(bucket: Bucket, stack: Option<&Stack>) -> Option<String> {
    match bucket {
        Bucket::Named(name) => Some(name),
        Bucket::Own(id) if id == OWN_BUCKET.0 => stack?.outputs.get(OWN_BUCKET.1).cloned(),
        Bucket::Own(_) => None,
    }
}
