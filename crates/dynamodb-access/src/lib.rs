//! The access store in a small DynamoDB table of its own, which all functions and processes of a catalogue share.
//!
//! The table has a partition key `pk` and a sort key `sk`, both strings, no index, and `expires` as its time-to-live attribute:
//!
//! | item | `pk` | `sk` | other attributes |
//! | --- | --- | --- | --- |
//! | key | `keys` | its id | `record` (JSON) |
//! | counter | `count#`, its name, `#` and the second at which its window ends | `count` | `requests`, `expires` |
//!
//! Every read is strongly consistent. All keys are in one partition, so that a query lists them. It takes 3,000 reads and 1,000
//! writes a second, and look-ups are remembered by [`access::Keyring`] for some seconds. Each window of each counter is a
//! partition of its own: one item takes 1,000 requests a second.
//!
//! A record is changed on condition that it still is what was read, and read again if another process was quicker. A counter is
//! one atomic `ADD` that returns the new value. If the connection breaks before the response, the SDK repeats it, and the request
//! counts twice: a limit is never exceeded by that. DynamoDB removes a counter some time after `expires`, a day after its window.

#![warn(missing_docs)]

mod access_store;
mod records;
mod store;
mod table;

pub use store::DynamoDbAccess;
pub use table::OpenError;
