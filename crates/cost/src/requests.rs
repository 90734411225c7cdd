//! A workload as the calculations take it: decimal numbers, at any number of requests.

use rust_decimal::Decimal;

use crate::assumptions::Assumptions;
use crate::workload::Workload;

/// Decimals kept of a number of writes. A share such as a third has no end; the rest is too small to cost anything.
const DECIMALS: u32 = 12;

/// The requests of a month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requests {
    pub(crate) products: Decimal,
    pub(crate) writes: Decimal,
    pub(crate) searches: Decimal,
    /// GB of memory of a function.
    memory: Decimal,
    /// Seconds of a write.
    write_seconds: Decimal,
    /// Seconds of a search.
    search_seconds: Decimal,
}

impl Requests {
    /// Returns the requests of a workload.
    pub(crate) fn new(workload: &Workload, assumptions: &Assumptions) -> Self {
        let seconds = |assumed: u32| seconds(workload.duration.map_or(assumed.into(), Into::into));
        Self {
            products: workload.products.into(),
            writes: workload.writes.into(),
            searches: workload.searches.into(),
            memory: Decimal::from(workload.memory) / Decimal::from(1024),
            write_seconds: seconds(assumptions.write_milliseconds),
            search_seconds: seconds(assumptions.search_milliseconds),
        }
    }

    /// Returns the same mix of writes and searches with this total. Without any requests, all are searches.
    pub(crate) fn with_total(self, total: u64) -> Self {
        let (now, total) = (self.total(), Decimal::from(total));
        let writes = match now.is_zero() {
            true => Decimal::ZERO,
            false => (total * self.writes / now).round_dp(DECIMALS),
        };
        Self { writes, searches: total - writes, ..self }
    }

    /// Returns the number of writes and searches.
    pub(crate) fn total(&self) -> Decimal {
        self.writes + self.searches
    }

    /// Returns the GB-seconds of the functions that answer the requests.
    pub(crate) fn gb_seconds(&self) -> Decimal {
        self.memory * (self.writes * self.write_seconds + self.searches * self.search_seconds)
    }

    /// Returns the GB-seconds of a function with the memory of this workload that runs for a time.
    pub(crate) fn gb_seconds_of(&self, milliseconds: Decimal) -> Decimal {
        self.memory * seconds(milliseconds)
    }
}

fn seconds(milliseconds: Decimal) -> Decimal {
    milliseconds / Decimal::from(1000)
}
