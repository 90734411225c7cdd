//! Shared set-up of the AWS adapters: region, credentials, one connection pool, time-outs, retries, and the mapping of
//! SDK errors.
//!
//! Region, credentials and endpoints come from the variables and files that every AWS tool reads: `AWS_REGION`,
//! `AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_DYNAMODB` and so on.
//!
//! **Time-outs.** A connection is established within 1 s, one attempt takes at most 5 s, and a call with all its attempts
//! at most 15 s. An adapter whose callers cannot wait that long sets shorter ones with [`timeouts`].
//!
//! **Retries.** The SDK makes up to 4 attempts of a call that failed in a way that passes. [`backoff`] is for the retries
//! that it does not make.
//!
//! **Tables.** With the feature `dynamodb`, `dynamodb_table` creates the tables of the adapters for DynamoDB.

#![warn(missing_docs)]

#[cfg(feature = "dynamodb")]
pub mod dynamodb_table;
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

pub use errors::{FailedCall, failed_call, is_refusal, kind_of, port_error};
pub use retry::backoff;

/// The time limit of establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit of one attempt of a call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit of a call with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
/// Attempts that the SDK makes of a call that was throttled, cut off or answered with a 5xx, including the first.
const SDK_ATTEMPTS: u32 = 4;
/// The upper bound of the pause before the SDK's second attempt; it doubles with each attempt.
const FIRST_SDK_PAUSE: Duration = Duration::from_millis(100);
/// The upper bound of every pause between two attempts of the SDK.
const MAX_SDK_PAUSE: Duration = Duration::from_secs(1);
/// The time limit of finding credentials at the start.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(10);

/// The region for local servers, which accept any.
const LOCAL_REGION: &str = "us-east-1";

/// Region, credentials and connections: created once per process and shared by its adapters.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    region: String,
}

/// The reason why AWS cannot be used. Each text is one line that says what to set.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No region is configured.
    #[error("no AWS region is configured; set AWS_REGION, or AWS_PROFILE to a profile that names one")]
    NoRegion,
    /// The region cannot be a part of the name of a host.
    #[error("`{region}` is not an AWS region; set AWS_REGION to one such as eu-west-1")]
    Region {
        /// The configured region.
        region: String,
    },
    /// The address of a server is not one of HTTP.
    #[error(
        "{variable}={value} is not an address; write it as http://127.0.0.1:8000, or unset it to use AWS"
    )]
    Endpoint {
        /// The variable that names the server.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// No credentials were found, or the configured source does not provide any.
    #[error(
        "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (a local server takes any), \
         set AWS_PROFILE, or run with a role"
    )]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Aws {
    /// Loads the region and credentials. Sends no request if they come from variables or files.
    ///
    /// # Errors
    /// [`SetupError`] if there is no region, or no credentials within 10 s, or if an address of a server is invalid.
    pub async fn load() -> Result<Self, SetupError> {
        check_endpoints(|variable| std::env::var(variable).ok())?;
        let config = loader().load().await;
        Self::with_credentials(config).await
    }

    /// Uses a local server at `endpoint`, which accepts any credentials. Ignores the environment's region and credentials.
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
        // An empty variable counts as unset.
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or(SetupError::NoRegion)?;
        if !is_host_label(&region) {
            return Err(SetupError::Region { region });
        }
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

    /// Returns the configuration from which clients of the SDK are built.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Returns the region, for error messages that say where something was not found.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// Variables that name a server instead of AWS. The SDK reports a wrong value only with the first call.
const ENDPOINTS: [&str; 4] =
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS"];

/// Checks the addresses of the servers. An empty variable counts as unset.
fn check_endpoints(value_of: impl Fn(&str) -> Option<String>) -> Result<(), SetupError> {
    for variable in ENDPOINTS {
        let value = value_of(variable).unwrap_or_default();
        let host = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"));
        let is_valid = host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace));
        if !value.is_empty() && !is_valid {
            return Err(SetupError::Endpoint { variable, value });
        }
    }
    Ok(())
}

/// Returns true if `text` can be a part of the name of a host, as the region is.
fn is_host_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns true if `text` can be the name of a DynamoDB table, or its ARN. DynamoDB rejects another name as it rejects a table with
/// other keys.
pub fn is_table_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    ((3..=255).contains(&text.len()) && text.bytes().all(is_allowed)) || text.starts_with("arn:")
}

/// Returns the loader with the connections, time-outs and retries that all clients use.
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

/// Builds the time-outs of one attempt and of a call with all its attempts. The connect time-out is always 1 s.
pub fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_of_http() {
        let check =
            |value: &str| check_endpoints(|name| (name == "AWS_ENDPOINT_URL_SQS").then(|| value.to_owned()));
        for valid in ["", "http://127.0.0.1:9324", "https://sqs.example"] {
            assert!(check(valid).is_ok(), "{valid}");
        }
        for invalid in ["nonsense", "127.0.0.1:9324", "http://", "http://a b", "ftp://a"] {
            let error = check(invalid).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("AWS_ENDPOINT_URL_SQS={invalid} is not an address")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_region_is_a_part_of_the_name_of_a_host() {
        for (region, valid) in
            [("eu-west-1", true), ("local", true), ("eu west", false), ("-a", false), ("", false)]
        {
            assert_eq!(is_host_label(region), valid, "{region}");
        }
    }
}
