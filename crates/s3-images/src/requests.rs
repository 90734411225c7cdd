//! Requests to one bucket.

use std::time::Duration;

use aws_setup::Aws;
use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::error::{OpenError, RequestError};
use crate::sign::Signer;

/// The time limit of establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest time without a byte of a response.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for which the address of one of this crate's own requests is valid.
const LIFETIME: Duration = Duration::from_secs(60);
/// Attempts of a request after the first one.
const RETRIES: usize = 2;

/// A bucket.
pub(crate) struct Bucket {
    client: Client,
    signer: Signer,
    /// The address of the bucket, without a slash at the end.
    address: String,
}

impl Bucket {
    pub(crate) fn new(aws: &Aws, bucket: &str) -> Result<Self, OpenError> {
        // Fails only if another part of the process has installed a provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let own_server = own_server(aws);
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A redirect would go to another region, for which the signature is not valid.
            .redirect(Policy::none())
            .user_agent(concat!("noren/", env!("CARGO_PKG_VERSION")));
        if own_server.is_some() {
            // It is usually on this machine, where a proxy would not find it.
            client = client.no_proxy();
        }
        let client = client.build().map_err(OpenError::Client)?;
        let endpoint = own_server.unwrap_or_else(|| endpoint_in(aws.region()));
        let address = format!("{}/{bucket}", endpoint.trim_end_matches('/'));
        Ok(Self { client, signer: Signer::new(aws), address })
    }

    /// Returns the signed address of an object.
    pub(crate) async fn signed_put(
        &self,
        object: &str,
        headers: &[(&'static str, String)],
        lifetime: Duration,
    ) -> Result<String, RequestError> {
        self.signer.sign("PUT", &self.address_of(object), headers, lifetime).await
    }

    pub(crate) async fn put(
        &self,
        object: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<(), RequestError> {
        self.send(Method::PUT, &self.address_of(object), headers, body).await.map(drop)
    }

    /// Returns the response with an object, or `None` if there is none.
    pub(crate) async fn get(&self, object: &str) -> Result<Option<Response>, RequestError> {
        found(self.send(Method::GET, &self.address_of(object), &[], Bytes::new()).await)
    }

    pub(crate) async fn exists(&self, object: &str) -> Result<bool, RequestError> {
        let head = self.send(Method::HEAD, &self.address_of(object), &[], Bytes::new()).await;
        Ok(found(head)?.is_some())
    }

    pub(crate) async fn delete(&self, object: &str) -> Result<(), RequestError> {
        found(self.send(Method::DELETE, &self.address_of(object), &[], Bytes::new()).await).map(drop)
    }

    /// Returns a page of the list of objects that begin with `prefix`: those after the object `after`, if there is one.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Bytes, RequestError> {
        let mut address =
            format!("{}?list-type=2&max-keys={limit}&prefix={}", self.address, encoded(prefix, false));
        if let Some(after) = after {
            address.push_str("&start-after=");
            address.push_str(&encoded(after, false));
        }
        let response = self.send(Method::GET, &address, &[], Bytes::new()).await?;
        response.bytes().await.map_err(RequestError::unreachable)
    }

    fn address_of(&self, object: &str) -> String {
        format!("{}/{}", self.address, encoded(object, true))
    }

    /// Sends a request, and again if that may help. Each of them may be repeated: an object has the same bytes forever.
    async fn send(
        &self,
        method: Method,
        address: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response, RequestError> {
        let attempt = async || self.send_once(&method, address, headers, body.clone()).await;
        let pauses = ExponentialBuilder::new().with_jitter().with_min_delay(Duration::from_millis(100));
        attempt.retry(pauses.with_max_times(RETRIES)).when(RequestError::is_transient).await
    }

    async fn send_once(
        &self,
        method: &Method,
        address: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response, RequestError> {
        let url = self.signer.sign(method.as_str(), address, headers, LIFETIME).await?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|error| RequestError::Unsigned(error.into()))?;
            map.insert(HeaderName::from_static(name), value);
        }
        let request = self.client.request(method.clone(), url).headers(map).body(body);
        let response = request.send().await.map_err(RequestError::unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        Err(RequestError::of_status(status, &body))
    }
}

/// Returns `None` for an object that does not exist. If the bucket does not exist, the response names it, except to `HEAD`.
fn found<T>(result: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(RequestError::Status { status: StatusCode::NOT_FOUND, text })
            if !text.contains("NoSuchBucket") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the address of another server than AWS, if one is configured.
fn own_server(aws: &Aws) -> Option<String> {
    let own = std::env::var("AWS_ENDPOINT_URL_S3").ok().filter(|url| !url.is_empty());
    own.or_else(|| aws.config().endpoint_url().map(str::to_owned))
}

/// Returns the address of S3 in a region.
fn endpoint_in(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://s3.{region}.amazonaws.com{suffix}")
}

/// Encodes a text for a path, or for a value of a query string, as Signature Version 4 requires.
fn encoded(text: &str, is_path: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            b'/' if is_path => encoded.push('/'),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encoded("images/a:b~c/x_1-2.png", true), "images/a%3Ab~c/x_1-2.png");
        assert_eq!(encoded("images/a:b/", false), "images%2Fa%3Ab%2F");
    }

    #[test]
    fn a_missing_object_is_no_error_and_a_missing_bucket_is_one() {
        let of =
            |text: &str| found::<()>(Err(RequestError::of_status(StatusCode::NOT_FOUND, text.as_bytes())));
        assert!(matches!(of("<Error><Code>NoSuchKey</Code></Error>"), Ok(None)));
        assert!(matches!(of(""), Ok(None)));
        assert!(of("<Error><Code>NoSuchBucket</Code></Error>").is_err());
    }

    #[tokio::test]
    async fn an_address_is_signed_for_its_method_and_headers() {
        let bucket = Bucket::new(&Aws::local("http://127.0.0.1:9").await.unwrap(), "shop").unwrap();
        let size = [("content-length", "5".to_owned())];
        let signed = async |object: &str, headers: &[(&'static str, String)]| {
            bucket.signed_put(object, headers, Duration::from_secs(900)).await.unwrap()
        };
        let url = signed("images/a:b/x.png", &size).await;
        assert!(url.starts_with("http://127.0.0.1:9/shop/images/a%3Ab/x.png?"), "{url}");
        for part in ["X-Amz-Expires=900", "X-Amz-SignedHeaders=content-length%3Bhost", "X-Amz-Signature="] {
            assert!(url.contains(part), "{part}: {url}");
        }
        let signature = |url: &str| url.rsplit("X-Amz-Signature=").next().map(str::to_owned);
        assert_ne!(signature(&url), signature(&signed("images/a:b/x.png", &[]).await));
        assert_ne!(signature(&url), signature(&signed("images/a:b/y.png", &size).await));
    }
}
