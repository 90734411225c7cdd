//! The change queue on SQS: a standard queue with a dead-letter queue.
//!
//! # Messages
//!
//! The body of a message is the change as JSON, and `traceparent` is a message attribute. A batch has at most 10 messages
//! and 256 KiB; SQS accepts more now, other servers do not.
//!
//! # Dead letters
//!
//! A message whose processing fails after its last receive is copied to the dead-letter queue, with the reason and the receive
//! count as message attributes, and then removed. If nobody reports the failure, as with Lambda or a crashed consumer, the queue's
//! redrive policy moves the message and records no reason.
//!
//! # Weaker guarantees than on one machine
//!
//! 1. Dead letters are read by receiving them, so two concurrent readers may each see only a part.
//! 2. Statistics are approximate, and a message that waits for its retry counts as in flight.
//! 3. SQS reports the age of the oldest message to CloudWatch only.
//!
//! # A queue that goes missing
//!
//! A call that finds no queue looks it up again. If missing queues are created, the queue and its dead-letter queue are
//! created as at the start and the call is repeated; otherwise it fails with an error that names the queue. A new queue lacks
//! the messages of the old one. Its tags record that until every record has been enqueued again (see `refill`).
//!
//! # Calls
//!
//! A receive is one long poll, followed by concurrent short polls as long as these return at least half of the messages that
//! they could. Calls go to the configured endpoint, whatever host a queue's URL names.
//!
//! One attempt of a call takes at most 3 s, and a call with all its attempts at most 5 s, plus the time that a receive waits
//! for messages. If SQS is unreachable, a write therefore waits at most 5 s for it. The write succeeds nevertheless, and the
//! relay sends its change later.

#![warn(missing_docs)]

mod batch;
mod change_queue;
mod client;
mod create;
mod dead_letters;
mod message;
mod queue;
mod queue_info;
mod receive;
mod refill;
mod send;
mod tags;

pub use message::read_envelope;
pub use queue::SqsQueue;
pub use queue_info::{OpenError, VISIBILITY};
