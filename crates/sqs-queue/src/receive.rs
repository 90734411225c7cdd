//! Receiving: a long poll for the first messages, then short polls for the rest.

use std::time::Duration;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use domain::ports::{Delivery, PortError};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::client::{CONCURRENT_CALLS, MAX_ENTRIES, waiting};
use crate::message::{TRACEPARENT, read_delivery};
use crate::queue::SqsQueue;
use crate::queue_info::call_error;

/// The longest wait of one call that SQS allows.
const MAX_WAIT_SECONDS: u64 = 20;
/// The pause between two short polls in the last second of a wait. SQS waits for whole seconds only, and abandoning a waiting call
/// would leave the messages that it receives hidden.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// The time for which more messages are gathered after the first.
const MAX_GATHERING: Duration = Duration::from_millis(500);
/// Bytes of bodies after which no more messages are gathered.
const MAX_BYTES: usize = 32 << 20;

/// Received messages, and the total size of their bodies.
#[derive(Default)]
struct Gathered {
    deliveries: Vec<Delivery>,
    bytes: usize,
}

impl SqsQueue {
    /// Receives up to `max` messages as soon as there is one. Returns an empty list if there is none within `wait`.
    pub(crate) async fn receive_any(
        &self,
        url: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let first = self.receive_once(url, max, left.as_secs().min(MAX_WAIT_SECONDS)).await?;
            if !first.deliveries.is_empty() {
                return Ok(self.gather(url, first, max).await);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            if left < Duration::from_secs(1) {
                sleep(left.min(SHORT_PAUSE)).await;
            }
        }
    }

    /// Adds the messages of further calls: in each round up to twice as many concurrent ones, as long as a round returns at least half
    /// of the messages that it could.
    async fn gather(&self, url: &str, first: Gathered, max: usize) -> Vec<Delivery> {
        let started = Instant::now();
        let mut received = first.deliveries.len();
        let Gathered { mut deliveries, mut bytes } = first;
        let mut calls: usize = 1;
        while received * 2 >= calls * MAX_ENTRIES
            && deliveries.len() < max
            && bytes < MAX_BYTES
            && started.elapsed() < MAX_GATHERING
            && !deliveries.iter().any(Delivery::is_suspect)
        {
            let rest = max - deliveries.len();
            calls = (calls * 2).min(CONCURRENT_CALLS).min(rest.div_ceil(MAX_ENTRIES));
            let receive = |call: usize| self.receive_once(url, rest - call * MAX_ENTRIES, 0);
            received = 0;
            for result in join_all((0..calls).map(receive)).await {
                // The messages of a failed call become visible again later. Those received so far must not be lost because of it.
                let more = result.unwrap_or_default();
                received += more.deliveries.len();
                bytes += more.bytes;
                deliveries.extend(more.deliveries);
            }
        }
        deliveries
    }

    async fn receive_once(&self, url: &str, max: usize, seconds: u64) -> Result<Gathered, PortError> {
        let call = self
            .client
            .receive_message()
            .queue_url(url)
            // Both numbers are at most 20.
            .max_number_of_messages(max.min(MAX_ENTRIES) as i32)
            .wait_time_seconds(seconds as i32)
            .message_attribute_names(TRACEPARENT)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .customize()
            .config_override(waiting(Duration::from_secs(seconds)));
        let response =
            call.send().await.map_err(|error| call_error(url, "receiving from the queue", error))?;
        let messages = response.messages.unwrap_or_default();
        let bytes = messages.iter().map(|message| message.body().map_or(0, str::len)).sum();
        Ok(Gathered { deliveries: messages.iter().filter_map(read_delivery).collect(), bytes })
    }
}
