//! Assumptions of a file of prices.

use std::num::NonZeroU32;

use serde::Deserialize;

/// Assumptions about the work behind a write, a search and a change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assumptions {
    pub(crate) product_bytes: u32,
    pub(crate) write_units_per_write: u32,
    pub(crate) read_units_per_write: u32,
    pub(crate) relay_read_units: u32,
    pub(crate) relay_milliseconds: u32,
    pub(crate) queue_requests_per_write: u32,
    pub(crate) empty_receives_a_minute: u32,
    pub(crate) write_milliseconds: u32,
    pub(crate) search_milliseconds: u32,
    pub(crate) changes_per_batch: NonZeroU32,
    pub(crate) batch_milliseconds: u32,
    pub(crate) log_bytes_per_request: u32,
    pub(crate) response_bytes_per_search: u32,
    pub(crate) metrics: u32,
    pub(crate) alarms: u32,
}
