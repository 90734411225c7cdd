//! The log of requests.

use std::num::NonZeroU64;
use std::str::FromStr;

use clap::Args;

/// Logging.
#[derive(Debug, Clone, Args)]
pub struct Logging {
    /// Requests that have a line in the log: all, off, or sampled:N for one in N; those that fail with 5xx always have one
    #[arg(long, env = "NOREN_ACCESS_LOG", value_name = "all|off|sampled:N", default_value = "all")]
    pub access_log: AccessLog,
    /// Stage of the deployment, such as prod, in the logs and metrics of functions
    #[arg(long, env = "NOREN_STAGE", value_name = "NAME", default_value = "", hide_default_value = true)]
    pub stage: String,
}

/// The requests that have a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// Those that fail
    Off,
    /// One in this number, and those that fail
    Sampled(NonZeroU64),
    /// All
    All,
}

impl FromStr for AccessLog {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "all" => Ok(Self::All),
            _ => {
                let one_in = text.strip_prefix("sampled:").and_then(|number| number.parse().ok());
                one_in
                    .map(Self::Sampled)
                    .ok_or_else(|| "write all, off, or sampled:100 for one request in a hundred".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_one_request_in_a_number() {
        for (text, expected) in [
            ("all", Some(AccessLog::All)),
            ("off", Some(AccessLog::Off)),
            ("sampled:100", NonZeroU64::new(100).map(AccessLog::Sampled)),
            ("sampled:0", None),
            ("sampled:", None),
            ("sampled:-1", None),
            ("ALL", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }
}
