//! The product store in one DynamoDB table.
//!
//! The table has a partition key `pk` and a sort key `sk`, both strings, no index, and `expires` as its time-to-live
//! attribute:
//!
//! | item | `pk` | `sk` | other attributes |
//! | --- | --- | --- | --- |
//! | product or tombstone | `P#` and one of 64 shards | its id | `version`, `action`, `sku`, `product` (JSON) or `deletedAt` |
//! | sku | `S#` and the sku | `S` | `product`: the id of its owner |
//! | idempotency record | `A#` and the idempotency key | `A` | `fingerprint`, `answer` (the response as JSON), `expires` |
//! | outbox entry | `O#` and one of 16 shards | time, id, version | `traceparent` |
//! | probe | `H` | `H` | `at` |
//!
//! Each write is one transaction over two to five of these items. Every read is strongly consistent.
//!
//! # Products
//!
//! A hash of the id assigns a product to one of 64 partitions, which are sorted by id. A list is therefore a sequence of
//! strongly consistent queries, its cursor is the last id, and it reads nothing but products and tombstones. No partition
//! is hot: each takes 1,000 write units a second, which adds up to some 32,000 products of 1 KB a second.
//!
//! # The outbox
//!
//! Outbox entries are items of their own, in 16 partitions, ordered by time. The alternative, a sparse index over an
//! attribute of the product, needs no second item, but has four disadvantages:
//!
//! 1. Removing the attribute is an update, which costs as much as writing the whole product again.
//! 2. Attributes are removed one product at a time; outbox entries are deleted 25 in one call.
//! 3. An index is eventually consistent.
//! 4. A product has room for one entry, so a second write would hide the first.
//!
//! Write units for a product of *s* KB, rounded up, including the removal of the entry:
//!
//! | write | entries as items | sparse index |
//! | --- | --- | --- |
//! | create, update that keeps the sku | 2*s* + 3 | 2*s* + 2 |
//! | create with a sku | 2*s* + 5 | 3*s* + 4 |
//! | update that changes the sku | 4*s* + 9 | 4*s* + 6 |
//! | delete | 2*s* + 3 | *s* + 3 |
//! | delete that frees a sku | 2*s* + 5 | 2*s* + 5 |
//!
//! Entries as items cost about the same for small products, less for creates of larger ones, and far fewer calls in every
//! case. They carry 5,000 writes a second; beyond that DynamoDB splits hot partitions.
//!
//! For a delete, *s* is the size that the product had; the delete also reads the product once, one read unit for each 4 KB.
//! An idempotency key adds 2. An update first assumes that the sku stays. If it does not, the transaction is cancelled, which
//! costs as much as a committed one, and is repeated with the right sku; the third row includes both. A read costs one read
//! unit for each 4 KB.
//!
//! # Failures
//!
//! A cancelled transaction has a reason for each item. If several conditions failed, the idempotency key takes precedence,
//! then the version, then the sku, as in a store that checks them in this order.
//!
//! `TransactionConflict` and throttling are retried: up to 12 attempts, with random pauses of at most 6 s in all; then the write
//! fails as throttled. A retry carries the token of the first attempt, so that a write whose response was lost does not conflict
//! with itself. The token of a transaction is valid for 10 minutes.
//!
//! Idempotency records expire when `expires` has passed, which reads check: DynamoDB removes expired items only days later.

#![warn(missing_docs)]

mod batch;
mod idempotency;
mod items;
mod list;
mod outbox;
mod product_store;
mod read;
mod store;
mod table;
mod transaction;
mod write;

pub use store::{Clock, DynamoStore};
pub use table::OpenError;
