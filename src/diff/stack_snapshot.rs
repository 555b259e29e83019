//! One side of a comparison: a recorded package, or another template, such as the live stack's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::judge::{Judgement, judge};
use super::template::{Template, compare};
use crate::error::Result;
use crate::package::manifest::FileEntry;
use crate::service::{State, StateError};
use crate::store::StoredPackage;

/// One side of a comparison. An unknown property is no difference.
pub struct StackSnapshot<'r> {
    pub(super) template: Template,
    pub(super) package: Option<StoredPackage<'r>>,
}

impl<'r> StackSnapshot<'r> {
    /// A recorded package.
    pub fn of_package(package: &StoredPackage<'r>) -> Result<Self> {
        // A package for another cloud, or of a service without resources, has none.
        let template = match package.state()?.template() {
            Ok(template) => Template::new(&template),
            Err(StateError::Missing(_)) => Template::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { template, package: Some(package.clone()) })
    }

    pub fn of_template(template: &Value) -> Self {
        Self { template: Template::new(template), package: None }
    }

    /// The same package with the template that its deployment left: a plugin or a console may have changed it. Outputs that the
    /// package lacks are left out: plugins add some at every deploy.
    pub fn with_template(self, template: &Value) -> Self {
        Self { template: Template::new(template).without_outputs_beyond(&self.template), ..self }
    }

    /// Whether `template` is its own, except for values that change with every packaging, and outputs that plugins add.
    pub fn has_template(&self, template: &Value) -> bool {
        self.template.is_live_as(&Template::new(template))
    }

    pub fn has_code(&self) -> bool {
        self.package.is_some()
    }

    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Judges what the change to `after` would delete or replace.
    pub fn judge(&self, after: &StackSnapshot<'_>) -> Vec<Judgement> {
        let change = compare(&self.template, &after.template);
        judge(&self.template, &after.template, &change)
    }

    pub(super) fn state(&self) -> Option<&State> {
        self.package.as_ref()?.state().ok()
    }

    pub(super) fn function_names(&self) -> BTreeMap<String, String> {
        let functions = self.state().map(State::functions).unwrap_or_default();
        functions.into_iter().filter_map(|function| Some((function.deployed_name?, function.name))).collect()
    }

    /// The archive of the package for an S3 key: it is uploaded under its last name.
    pub(super) fn archive(&self, key: &str) -> Option<(&StoredPackage<'r>, &FileEntry)> {
        let package = self.package.as_ref()?;
        let name = |path: &'_ str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let wanted = name(key);
        let file = package.manifest.files.iter().find(|file| name(&file.path) == wanted)?;
        Some((package, file))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_template_brings_its_resources_and_no_outputs_of_its_own() {
        let own = json!({"Resources": {"A": {"Type": "T"}}, "Outputs": {"Url": {"Value": "a"}}});
        let live = json!({
            "Resources": {"A": {"Type": "T"}, "Table": {"Type": "AWS::DynamoDB::Table"}},
            "Outputs": {"Url": {"Value": "b"}, "DomainName": {"Value": "c"}},
        });
        let side = StackSnapshot::of_template(&own).with_template(&live);
        assert_eq!(side.template().ids().collect::<Vec<_>>(), ["A", "Table"]);
        let judged = side.judge(&StackSnapshot::of_template(&own));
        assert_eq!((judged.len(), judged[0].is_blocked()), (1, true));
        let outputs = compare(side.template(), StackSnapshot::of_template(&own).template()).outputs;
        assert_eq!(outputs.iter().map(|output| output.id.as_str()).collect::<Vec<_>>(), ["Url"]);
    }
}
