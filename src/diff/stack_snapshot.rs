//! One of the two things that are compared: a recorded package, or a template that came from elsewhere, such as the live stack's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::judge::{Judgement, judge};
use super::template::{Template, compare};
use crate::error::{Error, Result};
use crate::package::manifest::FileEntry;
use crate::service::{MAX_STATE_BYTES, STATE_FILE, State, StateError};
use crate::store::StoredPackage;

/// One side of a comparison. What is not known of it is no difference.
pub struct StackSnapshot<'r> {
    /// Its template.
    pub(super) template: Template,
    /// What the framework says of it.
    pub(super) state: Option<State>,
    /// The package that holds its code.
    pub(super) package: Option<StoredPackage<'r>>,
}

impl<'r> StackSnapshot<'r> {
    /// A recorded package.
    ///
    /// # Errors
    /// When its state can't be read.
    pub fn of_package(package: &StoredPackage<'r>) -> Result<Self> {
        let state = package.read(STATE_FILE, MAX_STATE_BYTES as u64)?;
        let state = State::parse(&state).map_err(|error| unreadable(&error))?;
        // A package for another cloud, or of a service without resources, has none.
        let template = match state.template() {
            Ok(template) => Template::new(&template),
            Err(StateError::Missing(_)) => Template::default(),
            Err(error) => return Err(unreadable(&error)),
        };
        Ok(Self { template, state: Some(state), package: Some(package.clone()) })
    }

    /// A template alone, such as that of a live stack.
    pub fn of_template(template: &Value) -> Self {
        Self { template: Template::new(template), state: None, package: None }
    }

    /// The same package with the template that its deployment left: a plugin may have changed it at the deploy, and somebody else
    /// since. Outputs that the package has not are none of it: plugins add some at every deploy.
    pub fn with_template(self, template: &Value) -> Self {
        Self { template: Template::new(template).without_outputs_beyond(&self.template), ..self }
    }

    /// Whether `template` is its own, but for what every packaging makes anew and for outputs that plugins add.
    pub fn has_template(&self, template: &Value) -> bool {
        self.template.is_live_as(&Template::new(template))
    }

    /// Whether its code is known.
    pub fn has_code(&self) -> bool {
        self.package.is_some()
    }

    /// Its template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Judges what going from this side to `after` would delete or replace.
    pub fn judge(&self, after: &StackSnapshot<'_>) -> Vec<Judgement> {
        let change = compare(&self.template, &after.template);
        judge(&self.template, &after.template, &change)
    }

    /// The names that the config has for functions, by their names in Lambda.
    pub(super) fn function_names(&self) -> BTreeMap<String, String> {
        let functions = self.state.as_ref().map(State::functions).unwrap_or_default();
        functions.into_iter().filter_map(|function| Some((function.deployed_name?, function.name))).collect()
    }

    /// The archive of the package that a deploy uploads to an S3 key: it is uploaded under its last name.
    pub(super) fn archive(&self, key: &str) -> Option<(&StoredPackage<'r>, &FileEntry)> {
        let package = self.package.as_ref()?;
        let name = |path: &'_ str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let wanted = name(key);
        let file = package.manifest.files.iter().find(|file| name(&file.path) == wanted)?;
        Some((package, file))
    }
}

fn unreadable(error: &StateError) -> Error {
    let hint = error.hint();
    Error::refused(error.to_string()).hints(hint)
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
