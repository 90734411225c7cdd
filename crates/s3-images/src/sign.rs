//! Signed addresses: whoever has one may send that request, until it expires.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_setup::Aws;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use tokio::sync::Mutex;

use crate::error::RequestError;

/// The time before their expiry at which credentials are replaced.
const RENEWAL: Duration = Duration::from_secs(5 * 60);

/// Signs addresses with the credentials of the process.
pub(crate) struct Signer {
    aws: Aws,
    /// Credentials from a role are fetched, and are valid for some time.
    credentials: Mutex<Option<Credentials>>,
}

impl Signer {
    pub(crate) fn new(aws: &Aws) -> Self {
        Self { aws: aws.clone(), credentials: Mutex::new(None) }
    }

    /// Signs a request with exactly these headers, and `Host`. `address` is encoded.
    pub(crate) async fn sign(
        &self,
        method: &str,
        address: &str,
        headers: &[(&'static str, String)],
        lifetime: Duration,
    ) -> Result<String, RequestError> {
        let identity = self.credentials().await?.into();
        let mut settings = SigningSettings::default();
        // As S3 computes it, unlike the other services.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lifetime);
        let unsigned = |error: Box<dyn std::error::Error + Send + Sync>| RequestError::Unsigned(error);
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.aws.region())
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| unsigned(error.into()))?;
        let names = headers.iter().map(|(name, value)| (*name, value.as_str()));
        // The bytes are sent over TLS; the size and type are in the headers.
        let request = SignableRequest::new(method, address, names, SignableBody::UnsignedPayload);
        let request = request.map_err(|error| unsigned(error.into()))?;
        let signed = sign(request, &parameters.into()).map_err(|error| unsigned(error.into()))?;
        let mut applied =
            http::Request::builder().uri(address).body(()).map_err(|error| unsigned(error.into()))?;
        signed.into_parts().0.apply_to_request_http1x(&mut applied);
        Ok(applied.uri().to_string())
    }

    async fn credentials(&self) -> Result<Credentials, RequestError> {
        let mut held = self.credentials.lock().await;
        let renewal = SystemTime::now() + RENEWAL;
        if let Some(credentials) =
            held.as_ref().filter(|held| held.expiry().is_none_or(|expiry| expiry > renewal))
        {
            return Ok(credentials.clone());
        }
        let provider = self.aws.config().credentials_provider();
        let provider =
            provider.ok_or_else(|| RequestError::Unsigned("there is no source of credentials".into()))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| RequestError::Unsigned(error.into()))?;
        *held = Some(credentials.clone());
        Ok(credentials)
    }
}
