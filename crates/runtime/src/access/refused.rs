//! The response to a refused request.

use access::Refusal;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use crate::Problem;

/// The challenge of a 401 and a 403: RFC 6750, section 3.
const CHALLENGE: &str = "Bearer realm=\"noren\"";

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, error) = match &refusal {
            Refusal::Unavailable(error) => {
                tracing::error!(error = %error.chain(), "credentials cannot be checked");
                return Self::unavailable(refusal.to_string());
            }
            Refusal::NoCredentials(_) => (StatusCode::UNAUTHORIZED, String::new()),
            Refusal::Invalid | Refusal::Expired | Refusal::Revoked => (
                StatusCode::UNAUTHORIZED,
                format!(", error=\"invalid_token\", error_description=\"{refusal}\""),
            ),
            Refusal::LacksScope(scope) => {
                (StatusCode::FORBIDDEN, format!(", error=\"insufficient_scope\", scope=\"{scope}\""))
            }
        };
        let challenge = HeaderValue::try_from(format!("{CHALLENGE}{error}"));
        let challenge = challenge.unwrap_or_else(|_| HeaderValue::from_static(CHALLENGE));
        Self::new(status, refusal.to_string()).with_header(WWW_AUTHENTICATE, challenge)
    }
}
