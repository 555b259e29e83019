//! What runs in AWS, asked of it once, and whether that is what a package would make run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::{Aws, AwsError, LambdaFunction, Stack};
use crate::deploy::observe::drift::{self, Drift, runs_recorded_code};
use crate::deploy::observe::expected::{Expected, ExpectedFunction};
use crate::deploy::observe::proof::name_of;
use crate::diff::template::Template;

const FUNCTION: &str = "AWS::Lambda::Function";

/// What runs.
pub(in crate::deploy) struct Running {
    /// The functions of the stack's template, by logical id.
    pub(in crate::deploy) functions: BTreeMap<String, LambdaFunction>,
    /// Those that the package has beside them, by their names in Lambda.
    others: BTreeMap<String, LambdaFunction>,
    /// Logical id → name in AWS.
    names: BTreeMap<String, String>,
    /// The stack's template.
    template: Template,
}

impl Running {
    pub(in crate::deploy) fn look(
        aws: &Aws,
        stack: &Stack,
        template: &Value,
        expected: Option<&Expected>,
    ) -> Result<Self, AwsError> {
        let resources = aws.resources(&stack.name)?;
        let pair = |logical: String, physical: Option<String>| Some((logical, physical?));
        let functions: Vec<(String, String)> = resources
            .iter()
            .filter(|resource| resource.kind == FUNCTION)
            .filter_map(|resource| pair(resource.logical.clone(), resource.physical.clone()))
            .collect();
        let names: BTreeMap<String, String> =
            resources.into_iter().filter_map(|resource| pair(resource.logical, resource.physical)).collect();
        let beside = expected.into_iter().flat_map(|expected| &expected.functions);
        let beside = beside.filter(|known| known.function.logical.is_none());
        let others: Vec<String> = beside.map(|known| name_of(known, &names)).collect();
        let all: Vec<String> = functions.iter().map(|(_, name)| name).chain(&others).cloned().collect();
        let mut found = aws.functions(&all)?.into_iter();
        let of_stack = functions.into_iter().zip(found.by_ref());
        let functions = of_stack.filter_map(|((logical, _), function)| Some((logical, function?))).collect();
        let others = others.into_iter().zip(found).filter_map(|(name, function)| Some((name, function?)));
        Ok(Self { functions, others: others.collect(), names, template: Template::new(template) })
    }

    pub(in crate::deploy) fn all(&self) -> impl Iterator<Item = &LambdaFunction> {
        self.functions.values().chain(self.others.values())
    }

    /// The live function that `known` would be.
    fn function(&self, known: &ExpectedFunction) -> Option<&LambdaFunction> {
        match &known.function.logical {
            Some(logical) => self.functions.get(logical),
            None => self.others.get(&name_of(known, &self.names)),
        }
    }

    /// Whether what runs is the code of a package: every function of it, as far as that can be told, and no other. Where no function
    /// tells, the stack's template does.
    pub(in crate::deploy) fn is(&self, expected: &Expected) -> bool {
        let known: BTreeSet<&String> =
            expected.functions.iter().filter_map(|known| known.function.logical.as_ref()).collect();
        let mut told = 0;
        let same = expected.functions.iter().all(|known| match self.function(known) {
            Some(live) => match runs_recorded_code(&known.code, live) {
                Some(same) => {
                    told += 1;
                    same
                }
                None => true,
            },
            // Of a package for another stage, what stands beside the template is under other names.
            None => known.function.logical.is_none() && !self.others.contains_key(&known.function.name),
        });
        same && self.functions.keys().all(|logical| known.contains(logical))
            && (told > 0 || expected.is_template(&self.template))
    }

    pub(in crate::deploy) fn drift(&self, expected: &Expected) -> Vec<Drift> {
        expected.functions.iter().flat_map(|known| drift::of(known, self.function(known))).collect()
    }

    /// The hashes that a package must have among its files', for its code to be what runs.
    pub(in crate::deploy) fn hashes(&self) -> BTreeSet<&str> {
        self.functions
            .values()
            .filter(|function| function.image.is_none())
            .filter_map(|function| function.code_sha256.as_deref())
            .collect()
    }
}
