//! Ports that record each call as a span of the request's trace, and its duration as part of `Server-Timing`.
//!
//! A service puts these around the adapters that it is given, so that no adapter knows of traces, and all of them have the same spans.
//! Calls outside of a request, such as the polling of a queue, make no spans, except that the relay's sends follow the traces of the
//! requests whose changes they send.
//!
//! | span | calls | attributes |
//! | --- | --- | --- |
//! | `store.read`, `store.write` | of a store | `db.system`, `db.operation.name`, `noren.records` |
//! | `queue.send` | of a queue | `messaging.system`, `messaging.operation.name`, `messaging.batch.message_count` |
//! | `index.search` | of the reading side of an index | `db.system`, `db.operation.name`, `noren.searches`, `noren.found` |
//! | `index.apply` | of the writing side of an index | `db.system`, `db.operation.name`, `noren.changes`, `noren.applied`, `noren.stale`, `noren.refused` |
//!
//! An error is in `error.type` and `otel.status_description`. The names are those of
//! <https://opentelemetry.io/docs/specs/semconv/database/> and <https://opentelemetry.io/docs/specs/semconv/messaging/>.

#![warn(missing_docs)]

mod call;
mod index;
mod queue;
mod store;

pub use index::{ObservedIndex, ObservedWriter};
pub use queue::ObservedQueue;
pub use store::ObservedStore;
