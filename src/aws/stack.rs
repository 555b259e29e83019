//! `CloudFormation`: stacks, their templates, resources and events.

use aws_sdk_cloudformation::primitives::DateTime;
use aws_sdk_cloudformation::types::TemplateStage;
use jiff::Timestamp;

use super::{Aws, AwsError, Resource, Stack, StackEvent};

/// Most events that are searched for those of one deployment.
const MAX_EVENTS: usize = 5_000;

impl Aws {
    pub fn stack(&self, name: &str) -> Result<Option<Stack>, AwsError> {
        let question = self.cloudformation.describe_stacks().stack_name(name).send();
        let answer = match self.try_ask("describe the stack", question)? {
            Ok(answer) => answer,
            Err((error, code)) => return none_if(is_absent(code.as_deref(), &error), error),
        };
        Ok(answer.stacks.unwrap_or_default().into_iter().next().map(|stack| Stack {
            name: stack.stack_name.unwrap_or_default(),
            id: stack.stack_id.unwrap_or_default(),
            status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            reason: stack.stack_status_reason,
            changed: stack.last_updated_time.or(stack.creation_time).as_ref().and_then(time),
            outputs: stack
                .outputs
                .unwrap_or_default()
                .into_iter()
                .filter_map(|output| Some((output.output_key?, output.output_value?)))
                .collect(),
        }))
    }

    /// The stack's original template; `None` if there is no such stack.
    pub fn template(&self, name: &str) -> Result<Option<String>, AwsError> {
        let question = self
            .cloudformation
            .get_template()
            .stack_name(name)
            .template_stage(TemplateStage::Original)
            .send();
        match self.try_ask("show the stack's template", question)? {
            Ok(answer) => Ok(answer.template_body),
            Err((error, code)) => none_if(is_absent(code.as_deref(), &error), error),
        }
    }

    /// The resources of a stack, by logical id.
    pub fn resources(&self, stack: &str) -> Result<Vec<Resource>, AwsError> {
        let pages = self.cloudformation.list_stack_resources().stack_name(stack).into_paginator().items();
        let mut all: Vec<Resource> = self
            .ask("list the stack's resources", pages.send().collect::<Result<Vec<_>, _>>())?
            .into_iter()
            .map(|resource| Resource {
                logical: resource.logical_resource_id.unwrap_or_default(),
                physical: resource.physical_resource_id,
                kind: resource.resource_type.unwrap_or_default(),
            })
            .collect();
        all.sort_by(|one, other| one.logical.cmp(&other.logical));
        Ok(all)
    }

    /// The events of a stack since `since`, oldest first.
    pub fn events(&self, stack: &str, since: Timestamp) -> Result<Vec<StackEvent>, AwsError> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let question =
                self.cloudformation.describe_stack_events().stack_name(stack).set_next_token(next.take());
            let page = self.ask("list the stack's events", question.send())?;
            let events = page.stack_events.unwrap_or_default();
            for event in events {
                let time = event.timestamp.as_ref().and_then(time);
                if time.is_some_and(|time| time < since) {
                    next = None;
                    break;
                }
                next.clone_from(&page.next_token);
                found.push(StackEvent {
                    time,
                    resource: event.logical_resource_id.unwrap_or_default(),
                    kind: event.resource_type.unwrap_or_default(),
                    status: event
                        .resource_status
                        .map(|status| status.as_str().to_owned())
                        .unwrap_or_default(),
                    reason: event.resource_status_reason,
                });
            }
            if next.is_none() || found.len() >= MAX_EVENTS {
                found.reverse();
                return Ok(found);
            }
        }
    }
}

/// Whether a refusal means that there is no such stack.
fn is_absent(code: Option<&str>, error: &AwsError) -> bool {
    code == Some("ValidationError") && error.to_string().contains("does not exist")
}

pub(super) fn none_if<T>(absent: bool, error: AwsError) -> Result<Option<T>, AwsError> {
    if absent { Ok(None) } else { Err(error) }
}

fn time(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_nanosecond(time.as_nanos()).ok()
}
