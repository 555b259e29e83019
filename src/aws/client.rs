//! The clients of the services, their timeouts, and waiting for asynchronous answers.
//!
//! The SDK's own credential chain reads the process's environment and `~/.aws` by itself; what this program reads from the environment
//! comes in with [`AwsSettings`].

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::refusal::{Refusal, refusal};
use super::{AwsError, AwsSettings, Login};
use crate::process::interrupt;

const CONNECT: Duration = Duration::from_secs(3);
/// The timeout of one attempt.
const TRY: Duration = Duration::from_secs(8);
/// The timeout of a request with all its attempts.
const QUESTION: Duration = Duration::from_secs(20);
/// Attempts in all.
const TRIES: u32 = 3;
/// Concurrent requests: Lambda allows a hundred `GetFunction` a second for an account.
const AT_ONCE: usize = 8;
/// How soon a signal is noticed.
const HEARING: Duration = Duration::from_millis(50);

/// AWS in one region, with one identity.
pub struct Aws {
    runtime: Runtime,
    profile: Option<String>,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) ecr: aws_sdk_ecr::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) s3: aws_sdk_s3::Client,
}

impl Aws {
    /// Prepares the client. Nothing is sent yet, but a profile may run a program for its credentials at the first request.
    pub fn connect(settings: &AwsSettings) -> Result<Self, AwsError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| AwsError::Other { action: "be asked", message: error.to_string() })?;
        let config = waited(&runtime, configuration(settings))?;
        let elsewhere = settings.s3_endpoint.as_ref().or(settings.endpoint.as_ref());
        let mut s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(elsewhere.is_some());
        if let Some(endpoint) = &settings.s3_endpoint {
            s3 = s3.endpoint_url(endpoint);
        }
        Ok(Self {
            runtime,
            profile: match &settings.login {
                Login::Profile(name) => Some(name.clone()),
                Login::Chain | Login::Keys { .. } => None,
            },
            sts: aws_sdk_sts::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
        })
    }

    /// The credentials' account number.
    pub fn account(&self) -> Result<String, AwsError> {
        let action = "say whose credentials these are";
        let answer = self.ask(action, self.sts.get_caller_identity().send())?;
        answer.account.ok_or_else(|| AwsError::Other { action, message: "it names no account".to_owned() })
    }

    pub(super) fn ask<T, E: Refusal>(
        &self,
        action: &'static str,
        question: impl Future<Output = Result<T, E>>,
    ) -> Result<T, AwsError> {
        self.try_ask(action, question)?.map_err(|(error, _)| error)
    }

    /// One answer, or the code of a refusal beside the error, for a caller to whom it means "does not exist".
    pub(super) fn try_ask<T, E: Refusal>(
        &self,
        action: &'static str,
        question: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, (AwsError, Option<String>)>, AwsError> {
        let answer = waited(&self.runtime, question)?;
        Ok(answer.map_err(|error| refusal(&error, action, self.profile.as_deref())))
    }

    /// The answers to all requests, in their order; several run at once.
    pub(super) fn ask_all<T, E, Q>(
        &self,
        questions: impl IntoIterator<Item = Q>,
    ) -> Result<Vec<Result<T, E>>, AwsError>
    where
        T: Send + 'static,
        E: Send + 'static,
        Q: Future<Output = Result<T, E>> + Send + 'static,
    {
        let mut waiting = questions.into_iter().enumerate();
        let all = async {
            let mut answers = Vec::new();
            let mut running = JoinSet::new();
            let start = |running: &mut JoinSet<_>, (index, question): (usize, Q)| {
                running.spawn(async move { (index, question.await) });
            };
            waiting.by_ref().take(AT_ONCE).for_each(|question| start(&mut running, question));
            while let Some(ended) = running.join_next().await {
                waiting.next().into_iter().for_each(|question| start(&mut running, question));
                // The SDK neither cancels nor panics; a missing answer shows in the count.
                answers.extend(ended);
            }
            answers
        };
        let mut answers = waited(&self.runtime, all)?;
        answers.sort_by_key(|(index, _)| *index);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// The profile in use, for messages.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }
}

async fn configuration(settings: &AwsSettings) -> SdkConfig {
    let region = Region::new(settings.region.clone());
    let http = http();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .http_client(http.clone())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(TRY)
                .operation_timeout(QUESTION)
                .build(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES));
    if let Ok(name) = AppName::new("git-slsart") {
        loader = loader.app_name(name);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let provider = ProviderConfig::without_region().with_region(Some(region)).with_http_client(http);
    loader = match &settings.login {
        Login::Chain => {
            let chain = DefaultCredentialsChain::builder().configure(provider).build().await;
            loader.credentials_provider(SharedCredentialsProvider::new(chain))
        }
        Login::Profile(name) => {
            let profile =
                ProfileFileCredentialsProvider::builder().profile_name(name).configure(&provider).build();
            loader.profile_name(name).credentials_provider(SharedCredentialsProvider::new(profile))
        }
        Login::Keys { id, secret, token } => {
            loader.credentials_provider(Credentials::new(id, secret, token.clone(), None, "git-slsart"))
        }
    };
    loader.load().await
}

/// HTTPS by rustls, with the system's certificates.
fn http() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Waits for `work`, and checks for signals meanwhile.
fn waited<T>(runtime: &Runtime, work: impl Future<Output = T>) -> Result<T, AwsError> {
    runtime.block_on(async {
        let mut work = pin!(work);
        loop {
            if let Ok(answer) = timeout(HEARING, work.as_mut()).await {
                return Ok(answer);
            }
            interrupt::check().map_err(|_| AwsError::Interrupted)?;
        }
    })
}
