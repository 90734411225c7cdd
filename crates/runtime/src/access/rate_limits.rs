//! The headers of rate limits (draft-ietf-httpapi-ratelimit-headers and the older `X-RateLimit-`), and the response 429.

use std::time::Duration;

use access::limits::{Decision, policy_header, rate_limit_header};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::Problem;

/// Returns the response to a request over a limit.
pub(super) fn too_many(decision: &Decision, detail: &str) -> Problem {
    let seconds = decision.reset_seconds;
    let detail = format!("{detail}; the limit is {} in {} s", decision.limit, decision.window_seconds);
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
    let problem = problem.retry_after(Duration::from_secs(seconds.into()));
    headers(decision).into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value))
}

/// Adds the headers that describe a limit and what is left of it.
pub(super) fn add_headers(decision: &Decision, response: &mut HeaderMap) {
    for (name, value) in headers(decision) {
        response.insert(name, value);
    }
}

fn headers(decision: &Decision) -> Vec<(HeaderName, HeaderValue)> {
    let texts = [("ratelimit", rate_limit_header(decision)), ("ratelimit-policy", policy_header(decision))];
    let numbers = [
        ("x-ratelimit-limit", decision.limit),
        ("x-ratelimit-remaining", decision.remaining),
        ("x-ratelimit-reset", decision.reset_seconds),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some((HeaderName::from_static(name), HeaderValue::try_from(text).ok()?)));
    let numbers = numbers.map(|(name, number)| (HeaderName::from_static(name), HeaderValue::from(number)));
    texts.chain(numbers).collect()
}
