//! The client: its time-outs, and the limits of its calls.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_setup::{Aws, timeouts};

/// The most entries that one call of SQS accepts or returns.
pub(crate) const MAX_ENTRIES: usize = 10;
/// The most concurrent calls of SQS for one call of the port.
pub(crate) const CONCURRENT_CALLS: usize = 16;

/// The time limit of one attempt of a call, excluding the time that it waits for messages.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time limit of a call with all its attempts. While the queue is unreachable, each write waits for this long before it
/// leaves its change to the relay.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Creates the client for all calls.
pub(crate) fn client(aws: &Aws) -> Client {
    Client::from_conf(with_timeouts(Builder::from(aws.config()), Duration::ZERO).build())
}

/// Returns the configuration of a receive call that waits up to `wait` for messages.
pub(crate) fn waiting(wait: Duration) -> Builder {
    with_timeouts(Builder::new(), wait)
}

fn with_timeouts(config: Builder, wait: Duration) -> Builder {
    config.timeout_config(timeouts(ATTEMPT_TIMEOUT + wait, OPERATION_TIMEOUT + wait))
}
