//! What the adapters of AWS share: region, credentials, one pool of connections, time-outs, retries, and what an error
//! of the SDK means.
//!
//! Region, credentials and endpoints come from the variables and files that every AWS tool reads: `AWS_REGION`,
//! `AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_DYNAMODB` and so on.

#![warn(missing_docs)]

mod errors;
mod retry;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

pub use errors::{is_refusal, kind_of, port_error};
pub use retry::Backoff;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one attempt of a call may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the SDK tries a call that failed in a way that passes: throttled, cut off, answered with a 5xx.
const SDK_ATTEMPTS: u32 = 4;
/// The pause before the SDK's second attempt, at most; it doubles.
const FIRST_SDK_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two attempts of the SDK.
const MAX_SDK_PAUSE: Duration = Duration::from_secs(1);
/// How long finding credentials may take at the start.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(10);

/// The region of local servers, which do not mind.
const LOCAL_REGION: &str = "us-east-1";

/// Region, credentials and connections, made once a process and shared by its adapters.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    region: String,
}

/// Why AWS cannot be used. Each text is one line that says what to set.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No region is configured.
    #[error("no AWS region is configured; set AWS_REGION, or AWS_PROFILE to a profile that names one")]
    NoRegion,
    /// No credentials were found, or the source that was configured does not give any.
    #[error(
        "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (a local server takes any), \
         set AWS_PROFILE, or run with a role"
    )]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Aws {
    /// Finds the region and credentials. This sends nothing where they come from variables or files.
    ///
    /// # Errors
    /// [`SetupError`]
    pub async fn load() -> Result<Self, SetupError> {
        let config = loader().load().await;
        Self::with_credentials(config).await
    }

    /// A local server at this address, which takes any credentials. Nothing of the environment is read.
    ///
    /// # Errors
    /// [`SetupError`]
    pub async fn local(endpoint: &str) -> Result<Self, SetupError> {
        let credentials = Credentials::new("local", "local", None, None, "local");
        let region = Region::from_static(LOCAL_REGION);
        let config = loader().endpoint_url(endpoint).region(region).credentials_provider(credentials);
        Self::with_credentials(config.load().await).await
    }

    async fn with_credentials(config: SdkConfig) -> Result<Self, SetupError> {
        // A variable that is set to nothing counts as one that is not set.
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or(SetupError::NoRegion)?;
        let credentials = async {
            let provider = config.credentials_provider().ok_or("no source of credentials is configured")?;
            match tokio::time::timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials()).await {
                Ok(found) => found.map(drop).map_err(Into::into),
                Err(elapsed) => Err(elapsed.into()),
            }
        };
        credentials.await.map_err(SetupError::NoCredentials)?;
        Ok(Self { config, region })
    }

    /// What the clients of the SDK are made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The region, for texts that say where something was not found.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// How every client of ours connects, waits and tries again.
fn loader() -> ConfigLoader {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let retries = RetryConfig::standard()
        .with_max_attempts(SDK_ATTEMPTS)
        .with_initial_backoff(FIRST_SDK_PAUSE)
        .with_max_backoff(MAX_SDK_PAUSE);
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
        .retry_config(retries)
}

/// The time-outs of one attempt, and of a call with all its attempts.
pub fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
