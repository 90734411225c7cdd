//! A test double of S3 with one bucket in memory.
//!
//! It accepts presigned URLs only: it computes each signature as "Authenticating Requests: Using Query Parameters" of the S3 reference
//! says, and refuses a request that differs from the signed one. Some emulators of S3 accept any signature.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use jiff::Timestamp;
use ring::{digest, hmac};
use tokio::task::JoinHandle;

/// The name of the bucket.
pub(crate) const S3_BUCKET: &str = "noren-images";
/// The secret of `aws_setup::Aws::local`.
const SECRET: &str = "local";

/// A running server, which stops when dropped.
pub(crate) struct S3 {
    pub(crate) url: String,
    bucket: Arc<Bucket>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Bucket {
    objects: Mutex<BTreeMap<String, Object>>,
    /// The number of coming requests to refuse with 503.
    failures: Mutex<usize>,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    headers: HeaderMap,
    stored_at: Timestamp,
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let bucket = Arc::<Bucket>::default();
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let router = Router::new().fallback(handle).with_state(Arc::clone(&bucket));
        let server = tokio::spawn(runtime::server::serve(listener, router, std::future::pending()));
        Self { url, bucket, server }
    }

    /// Refuses the next requests with 503.
    pub(crate) fn fail_next(&self, requests: usize) {
        *self.bucket.failures.lock().unwrap_or_else(PoisonError::into_inner) = requests;
    }

    /// Returns the keys of all objects.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.bucket.objects.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Returns an object's `Content-Type` and `Cache-Control` headers.
    pub(crate) fn headers_of(&self, key: &str) -> [String; 2] {
        let objects = self.bucket.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = &objects[key].headers;
        [CONTENT_TYPE, CACHE_CONTROL].map(|name| headers[name].to_str().expect("a header is text").to_owned())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn refused(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}

async fn handle(State(bucket): State<Arc<Bucket>>, request: Request) -> Response {
    {
        let mut failures = bucket.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if *failures > 0 {
            *failures -= 1;
            return refused(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
        }
    }
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default().to_owned();
    if let Err(code) = check_signature(&head, &query) {
        return refused(StatusCode::FORBIDDEN, code);
    }
    let Ok(bytes) = to_bytes(body, 16 * 1024 * 1024).await else {
        return refused(StatusCode::BAD_REQUEST, "EntityTooLarge");
    };
    let path = decoded(head.uri.path());
    let Some(key) = path.strip_prefix(&format!("/{S3_BUCKET}")) else {
        return refused(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let mut objects = bucket.objects.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(key) = key.strip_prefix('/').filter(|key| !key.is_empty()) else {
        return list(&objects, &query);
    };
    match head.method {
        Method::PUT if head.headers.contains_key(IF_NONE_MATCH) && objects.contains_key(key) => {
            refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
        }
        Method::PUT => {
            let object = Object { bytes, headers: head.headers, stored_at: Timestamp::now() };
            objects.insert(key.to_owned(), object);
            StatusCode::OK.into_response()
        }
        Method::DELETE => {
            objects.remove(key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::GET | Method::HEAD => match objects.get(key) {
            Some(object) if head.method == Method::HEAD => Response::builder()
                .header("content-length", object.bytes.len())
                .body(Body::empty())
                .expect("a response"),
            Some(object) => object.bytes.clone().into_response(),
            None => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn list(objects: &BTreeMap<String, Object>, query: &str) -> Response {
    let optional = |name: &str| parameter(query, name).map(|value| decoded(&value)).unwrap_or_default();
    let (prefix, after) = (optional("prefix"), optional("start-after"));
    let limit: usize = optional("max-keys").parse().expect("it is a number");
    let matching = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let contents: Vec<String> = matching
        .map(|(key, object)| {
            format!("<Contents><Key>{key}</Key><LastModified>{}</LastModified></Contents>", object.stored_at)
        })
        .collect();
    let is_truncated = contents.len() > limit;
    let contents = contents[..contents.len().min(limit)].concat();
    format!("<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{contents}</ListBucketResult>")
        .into_response()
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value.to_owned())
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("it is percent-encoded"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("it is UTF-8")
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the request equals the signed one and that its signature has not expired.
fn check_signature(head: &axum::http::request::Parts, query: &str) -> Result<(), &'static str> {
    let required = |name: &str| parameter(query, name).map(|value| decoded(&value)).ok_or("AccessDenied");
    let (credential, date, signature) =
        (required("X-Amz-Credential")?, required("X-Amz-Date")?, required("X-Amz-Signature")?);
    let expires: i64 = required("X-Amz-Expires")?.parse().map_err(|_| "AccessDenied")?;
    let time = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", &date).and_then(|time| time.to_datetime());
    let time =
        time.and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time)).map_err(|_| "AccessDenied")?;
    if Timestamp::now().as_second() > time.as_second() + expires {
        return Err("AccessDenied");
    }
    let names = required("X-Amz-SignedHeaders")?;
    let mut headers = String::new();
    for name in names.split(';') {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        headers.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let mut pairs: Vec<&str> =
        query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature=")).collect();
    pairs.sort_unstable();
    let canonical_request = format!(
        "{}\n{}\n{}\n{headers}\n{names}\nUNSIGNED-PAYLOAD",
        head.method,
        head.uri.path(),
        pairs.join("&")
    );
    let (_, scope) = credential.split_once('/').ok_or("AccessDenied")?;
    let hash = hex(digest::digest(&digest::SHA256, canonical_request.as_bytes()));
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let mac = |key: &[u8], data: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data.as_bytes());
    let secret = format!("AWS4{SECRET}").into_bytes();
    let signing_key = scope.split('/').fold(secret, |key, part| mac(&key, part).as_ref().to_vec());
    if hex(mac(&signing_key, &string_to_sign)) == signature { Ok(()) } else { Err("SignatureDoesNotMatch") }
}
