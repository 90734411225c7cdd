//! The use of a catalogue in a month.

use crate::quantity::{Megabytes, Milliseconds, Monthly, Products};

/// The use of a catalogue in a month. Each write and each search is one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Number of products.
    pub products: Products,
    /// Number of writes a month.
    pub writes: Monthly,
    /// Number of searches a month.
    pub searches: Monthly,
    /// Memory of the functions, in MB.
    pub memory: Megabytes,
    /// Duration of each request in a function, in milliseconds; `None` uses the assumptions of the prices for writes and searches.
    pub duration: Option<Milliseconds>,
}
