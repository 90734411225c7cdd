//! Receiving: a long poll for the first messages, then short ones for as many as there are.

use std::time::Duration;

use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use aws_setup::{port_error, timeouts};
use domain::ports::{Delivery, PortError};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::message::{TRACEPARENT, read_delivery};
use crate::place::Place;
use crate::{ATTEMPT_TIMEOUT, CONCURRENT_CALLS, MAX_ENTRIES, OPERATION_TIMEOUT, SqsQueue};

/// The longest that SQS waits in one call.
const MAX_WAIT_SECONDS: u64 = 20;
/// How often a queue is asked in the last second of a wait: SQS waits in whole seconds only, and to give up a call that
/// waits would leave its messages hidden.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// How long messages are gathered once there are some.
const MAX_GATHERING: Duration = Duration::from_millis(500);
/// The most bytes of bodies that are gathered, roughly.
const MAX_BYTES: usize = 32 << 20;

/// Messages with the bytes of their bodies.
#[derive(Default)]
struct Gathered {
    deliveries: Vec<Delivery>,
    bytes: usize,
}

impl SqsQueue {
    pub(crate) async fn receive_any(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let until = Instant::now() + wait;
        let place = self.place().await?;
        loop {
            let seconds = until.saturating_duration_since(Instant::now()).as_secs().min(MAX_WAIT_SECONDS);
            let first = self.receive_once(place, max, seconds).await?;
            if !first.deliveries.is_empty() {
                return Ok(self.gather(place, first, max).await);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            if left < Duration::from_secs(1) {
                sleep(left.min(SHORT_PAUSE)).await;
            }
        }
    }

    /// Adds what else there is, with more calls at a time for as long as they come back at least half full.
    async fn gather(&self, place: &Place, first: Gathered, max: usize) -> Vec<Delivery> {
        let begun = Instant::now();
        let mut came = first.deliveries.len();
        let Gathered { mut deliveries, mut bytes } = first;
        let mut calls: usize = 1;
        while came * 2 >= calls * MAX_ENTRIES
            && deliveries.len() < max
            && bytes < MAX_BYTES
            && begun.elapsed() < MAX_GATHERING
        {
            let rest = max - deliveries.len();
            calls = (calls * 2).min(CONCURRENT_CALLS).min(rest.div_ceil(MAX_ENTRIES));
            let each = |call: usize| self.receive_once(place, rest - call * MAX_ENTRIES, 0);
            came = 0;
            for answer in join_all((0..calls).map(each)).await {
                // What fails here comes again; what was received already is worth more now.
                let more = answer.unwrap_or_default();
                came += more.deliveries.len();
                bytes += more.bytes;
                deliveries.extend(more.deliveries);
            }
        }
        deliveries
    }

    async fn receive_once(&self, place: &Place, max: usize, seconds: u64) -> Result<Gathered, PortError> {
        let (max, waiting) = (max.min(MAX_ENTRIES), Duration::from_secs(seconds));
        let call = self
            .client
            .receive_message()
            .queue_url(&place.url)
            // Both are at most 20.
            .max_number_of_messages(max as i32)
            .wait_time_seconds(seconds as i32)
            .message_attribute_names(TRACEPARENT)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .customize()
            .config_override(
                Builder::new()
                    .timeout_config(timeouts(ATTEMPT_TIMEOUT + waiting, OPERATION_TIMEOUT + waiting)),
            );
        let answer = call.send().await.map_err(|error| port_error("receiving from the queue", error))?;
        let messages = answer.messages.unwrap_or_default();
        let bytes = messages.iter().map(|message| message.body().map_or(0, str::len)).sum();
        Ok(Gathered { deliveries: messages.iter().filter_map(read_delivery).collect(), bytes })
    }
}
