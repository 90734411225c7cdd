//! The access store in a small DynamoDB table of its own, which all functions and processes of a catalogue share.
//!
//! The table has a partition key `pk` and a sort key `sk`, both strings, no index, and `expires` as its time-to-live attribute:
//!
//! | item | `pk` | `sk` | other attributes |
//! | --- | --- | --- | --- |
//! | key | `keys` | its id | `record` (JSON) |
//! | counter | `count#`, its name, `#` and the second at which its window ends | `count` | `requests`, `expires` |
//!
//! Every read is strongly consistent.
//!
//! **Keys.** All keys are in one partition, so one query lists them. A partition takes 3,000 reads and 1,000 writes a second, which is
//! enough because [`access::Keyring`] caches look-ups. A record is replaced only if it is unchanged since it was read; if another
//! process changed it, it is read again.
//!
//! **Counters.** Each window of each counter is an item in a partition of its own, which takes 1,000 requests a second. Counting is one
//! atomic `ADD` that returns the new value. If the connection breaks before the response, the SDK repeats the call and the request
//! counts twice, so fewer requests pass, never more. `expires` is a day after the window; DynamoDB removes the item some time later.

#![warn(missing_docs)]

mod access_store;
mod records;
mod store;
mod table;

pub use store::DynamoDbAccess;
pub use table::OpenError;
