//! Lambda: the code and settings of functions and layers.

use jiff::Timestamp;

use super::refusal::refusal;
use super::{Aws, AwsError, LambdaFunction};

impl Aws {
    /// The functions of these names, in their order; `None` for one that does not exist.
    ///
    /// By `GetFunction`, which gives an image's digest and allows a hundred requests a second, where others share fifteen (Lambda's
    /// quotas).
    pub fn functions(&self, names: &[String]) -> Result<Vec<Option<LambdaFunction>>, AwsError> {
        let questions = names.iter().map(|name| self.lambda.get_function().function_name(name).send());
        let answers = self.ask_all(questions.collect::<Vec<_>>())?;
        let read =
            |answer: Result<aws_sdk_lambda::operation::get_function::GetFunctionOutput, _>| match answer {
                Ok(answer) => {
                    let Some(it) = answer.configuration else { return Ok(None) };
                    Ok(Some(LambdaFunction {
                        name: it.function_name.unwrap_or_default(),
                        code_sha256: it.code_sha256,
                        image: answer.code.and_then(|code| code.resolved_image_uri),
                        runtime: it.runtime.map(|runtime| runtime.as_str().to_owned()),
                        handler: it.handler,
                        memory: it.memory_size.map(i64::from),
                        timeout: it.timeout.map(i64::from),
                        role: it.role,
                        variables: variables(it.environment),
                        changed: it.last_modified.as_deref().and_then(changed),
                        layers: it
                            .layers
                            .unwrap_or_default()
                            .into_iter()
                            .filter_map(|layer| layer.arn)
                            .collect(),
                    }))
                }
                Err(error) => absent(refusal(&error, "show a function", self.profile())),
            };
        answers.into_iter().map(read).collect()
    }

    /// The SHA-256, in base64, of each of these layer versions, named by ARN; `None` for one that does not exist.
    pub fn layers(&self, arns: &[String]) -> Result<Vec<Option<String>>, AwsError> {
        let question = |arn: &String| {
            // By name and number rather than by ARN: that is the same for AWS, and all that local stand-ins support.
            let (name, number) = arn.rsplit_once(':').unwrap_or((arn, ""));
            let request = self.lambda.get_layer_version().layer_name(name);
            request.set_version_number(number.parse().ok()).send()
        };
        let answers = self.ask_all(arns.iter().map(question).collect::<Vec<_>>())?;
        let read = |answer: Result<
            aws_sdk_lambda::operation::get_layer_version::GetLayerVersionOutput,
            _,
        >| match answer {
            Ok(answer) => Ok(answer.content.and_then(|content| content.code_sha256)),
            Err(error) => absent(refusal(&error, "show a layer", self.profile())),
        };
        answers.into_iter().map(read).collect()
    }
}

/// The names of variables; their values, which may be secrets, stay here. None if AWS could not decrypt them.
fn variables(environment: Option<aws_sdk_lambda::types::EnvironmentResponse>) -> Option<Vec<String>> {
    let Some(environment) = environment else { return Some(Vec::new()) };
    if environment.error.is_some() {
        return None;
    }
    let mut names: Vec<String> = environment.variables.unwrap_or_default().into_keys().collect();
    names.sort();
    Some(names)
}

fn absent<T>((error, code): (AwsError, Option<String>)) -> Result<Option<T>, AwsError> {
    super::stack::none_if(code.as_deref() == Some("ResourceNotFoundException"), error)
}

/// Lambda's own form of a time: `2026-11-23T03:12:43.000+0000`.
fn changed(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_times_are_read() {
        assert_eq!(changed("2026-11-23T03:12:43.000+0000").unwrap().to_string(), "2026-11-23T03:12:43Z");
        assert_eq!(changed("2026-11-23T03:12:43Z").unwrap().to_string(), "2026-11-23T03:12:43Z");
        assert_eq!(changed("yesterday"), None);
    }
}
