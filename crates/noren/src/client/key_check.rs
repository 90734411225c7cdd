//! Checks a key with a service, for `noren login`.

use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Response as HttpResponse, StatusCode};

use super::service::Service;
use crate::failure::Failure;

/// Routes that need credentials, in the order in which they are tried: only `noren-query` and `noren serve` have searches, every
/// service has metrics.
const PATHS: [&str; 2] = ["/products/search", "/metrics"];

/// The result of checking a key with a service.
#[derive(Debug)]
pub enum KeyCheck {
    /// The service accepts the key, or needs none. The scopes of the key do not matter.
    Known,
    /// The service does not know the key.
    Refused(String),
    /// The response says nothing about the key: it is of another program, or of a service that cannot check keys at the moment.
    Unchecked(String),
}

impl Service {
    /// Asks the service whether it knows its key.
    ///
    /// # Errors
    /// If there is no response.
    pub async fn check_key(&self) -> Result<KeyCheck, Failure> {
        let [search, metrics] = PATHS;
        match judge(&self.get_head(search).await?) {
            // `noren-command` and `noren-sync` have no such route.
            KeyCheck::Unchecked(_) => Ok(judge(&self.get_head(metrics).await?)),
            known_or_refused => Ok(known_or_refused),
        }
    }
}

fn judge(response: &HttpResponse) -> KeyCheck {
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let challenge = header(WWW_AUTHENTICATE.as_str());
    match response.status() {
        StatusCode::UNAUTHORIZED => KeyCheck::Refused(reason(challenge)),
        StatusCode::OK if is_of_noren(header(CONTENT_TYPE.as_str())) => KeyCheck::Known,
        // The scope is missing, so the key itself was accepted.
        StatusCode::FORBIDDEN if challenge.contains("insufficient_scope") => KeyCheck::Known,
        // Only requests with known keys count against this limit.
        StatusCode::TOO_MANY_REQUESTS if header("ratelimit-policy").starts_with("\"key\"") => KeyCheck::Known,
        StatusCode::TOO_MANY_REQUESTS => KeyCheck::Unchecked(
            "it had too many requests from this address; try again in a minute".to_owned(),
        ),
        status if status.is_server_error() => {
            KeyCheck::Unchecked(format!("it answered with status {}; try again", status.as_u16()))
        }
        status => KeyCheck::Unchecked(format!(
            "it answered with status {}; is this the address of a noren service",
            status.as_u16()
        )),
    }
}

/// Returns true for the content types of searches and metrics. The login page of a proxy is HTML.
fn is_of_noren(content_type: &str) -> bool {
    ["application/json", "text/plain", "application/openmetrics-text"]
        .iter()
        .any(|known| content_type.starts_with(known))
}

/// Returns the description of a challenge: RFC 6750, section 3.
fn reason(challenge: &str) -> String {
    let description = challenge.split_once("error_description=\"").and_then(|(_, rest)| rest.split_once('"'));
    description.map_or_else(|| "it asks for other credentials".to_owned(), |(text, _)| text.to_owned())
}
