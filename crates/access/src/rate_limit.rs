//! A limit of requests.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Object;

/// A number of requests in a time. The access store counts in windows that begin at multiples of their length since 1970, so all
/// processes agree on the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Object<Fields>")]
pub struct RateLimit {
    /// The most requests in a window, at least 1.
    pub requests: u32,
    /// The length of a window in seconds, at least 1.
    pub window_seconds: u32,
}

/// The fields of a limit, which are read from an object alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    requests: u32,
    window_seconds: u32,
}

impl From<Object<Fields>> for RateLimit {
    fn from(Object(Fields { requests, window_seconds }): Object<Fields>) -> Self {
        Self { requests, window_seconds }
    }
}

/// The error for a text that is not a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a number of requests and one of seconds, such as 600/60")]
pub struct InvalidRateLimit;

impl RateLimit {
    /// Returns true if the limit has at least one request and one second.
    pub(crate) fn is_valid(self) -> bool {
        self.requests > 0 && self.window_seconds > 0
    }
}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    /// Reads a number of requests and one of seconds, such as `600/60`.
    fn from_str(text: &str) -> Result<Self, InvalidRateLimit> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let (requests, seconds) = text.split_once('/').ok_or(InvalidRateLimit)?;
        Ok(Self {
            requests: number(requests).ok_or(InvalidRateLimit)?,
            window_seconds: number(seconds).ok_or(InvalidRateLimit)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_requests_in_seconds() {
        assert_eq!("600/60".parse(), Ok(RateLimit { requests: 600, window_seconds: 60 }));
        for text in ["600", "600/", "/60", "0/60", "600/0", "-1/60", "600/60/2", "a/b"] {
            assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text}");
        }
    }
}
