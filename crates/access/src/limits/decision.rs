//! The decision on a request, and its headers in a response.

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The name of the limit: `key`, `default` or `authentication`.
    pub policy: &'static str,
    /// The most requests in a window.
    pub limit: u32,
    /// The length of a window in seconds.
    pub window_seconds: u32,
    /// The number of further requests that would pass now.
    pub remaining: u32,
    /// The seconds after which more requests pass, for `RateLimit`, `X-RateLimit-Reset` and `Retry-After`; at least 1.
    pub reset_seconds: u32,
    /// True if the request passes.
    pub allowed: bool,
}

/// Returns the value of the header `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11.
pub fn rate_limit_header(decision: &Decision) -> String {
    let Decision { policy, remaining, reset_seconds, .. } = decision;
    format!("\"{policy}\";r={remaining};t={reset_seconds}")
}

/// Returns the value of the header `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11.
pub fn policy_header(decision: &Decision) -> String {
    let Decision { policy, limit, window_seconds, .. } = decision;
    format!("\"{policy}\";q={limit};w={window_seconds}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lists_of_structured_fields() {
        let decision = Decision {
            policy: "key",
            limit: 100,
            window_seconds: 60,
            remaining: 99,
            reset_seconds: 30,
            allowed: true,
        };
        assert_eq!(rate_limit_header(&decision), r#""key";r=99;t=30"#);
        assert_eq!(policy_header(&decision), r#""key";q=100;w=60"#);
    }
}
