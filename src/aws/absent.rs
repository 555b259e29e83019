//! Replaces AWS in a build without it: it is never asked.

use jiff::Timestamp;

use super::{AwsError, AwsSettings, Image, LambdaFunction, Resource, Stack, StackEvent};

pub enum Aws {}

impl Aws {
    pub fn connect(_: &AwsSettings) -> Result<Self, AwsError> {
        Err(AwsError::NotBuilt)
    }

    pub fn account(&self) -> Result<String, AwsError> {
        match *self {}
    }

    pub fn stack(&self, _: &str) -> Result<Option<Stack>, AwsError> {
        match *self {}
    }

    pub fn template(&self, _: &str) -> Result<Option<String>, AwsError> {
        match *self {}
    }

    pub fn resources(&self, _: &str) -> Result<Vec<Resource>, AwsError> {
        match *self {}
    }

    pub fn events(&self, _: &str, _: Timestamp) -> Result<Vec<StackEvent>, AwsError> {
        match *self {}
    }

    pub fn functions(&self, _: &[String]) -> Result<Vec<Option<LambdaFunction>>, AwsError> {
        match *self {}
    }

    pub fn layers(&self, _: &[String]) -> Result<Vec<Option<String>>, AwsError> {
        match *self {}
    }

    pub fn have_images(&self, _: &[Image]) -> Result<Vec<Result<bool, AwsError>>, AwsError> {
        match *self {}
    }

    pub fn have_objects(&self, _: &[(String, String)]) -> Result<Vec<bool>, AwsError> {
        match *self {}
    }
}
