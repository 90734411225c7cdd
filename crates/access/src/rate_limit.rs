//! A limit of requests.

use serde::{Deserialize, Serialize};

/// A number of requests in a window of time. Windows of a length begin at multiples of it since 1970, so that all processes
/// count in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// The most requests in a window, at least 1.
    pub requests: u32,
    /// The length of a window in seconds, at least 1.
    pub window_seconds: u32,
}
