//! An estimate as JSON, for programs. Amounts are numbers with two decimals.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::break_even::BreakEven;
use crate::dollars::Dollars;
use crate::estimate::{Bill, Estimate};
use crate::part::Part;
use crate::prices::Prices;
use crate::provider::Provider;
use crate::sizes::SizeName;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    as_of: String,
    currency: &'static str,
    region: &'a str,
    workload: WorkloadReport,
    providers: Vec<ProviderReport<'a>>,
    break_evens: Vec<BreakEvenReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkloadReport {
    products: u64,
    writes: u64,
    searches: u64,
    requests: u64,
    memory_megabytes: u64,
    write_milliseconds: u64,
    search_milliseconds: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProviderReport<'a> {
    provider: Provider,
    /// Null if there is neither a domain nor a machine, or none is large enough.
    size: Option<&'a SizeName>,
    parts: Parts<'a>,
    /// Null if no size is large enough.
    total: Option<Dollars>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BreakEvenReport {
    providers: [Provider; 2],
    up_to: u64,
    ranges: Vec<RangeReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RangeReport {
    from: u64,
    /// Null if both cost the same.
    cheaper: Option<Provider>,
}

/// The parts of a bill as an object, in their order.
struct Parts<'a>(&'a [(Part, Dollars)]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (part, amount) in self.0 {
            map.serialize_entry(part, amount)?;
        }
        map.end()
    }
}

/// Returns an estimate and its break-evens as JSON.
///
/// # Errors
/// Never: the report has no maps with keys other than names.
pub fn report(
    estimate: &Estimate,
    break_evens: &[BreakEven],
    prices: &Prices,
) -> Result<String, serde_json::Error> {
    let workload = &estimate.workload;
    let milliseconds = |assumed: u32| workload.duration.map_or(assumed.into(), |duration| duration.get());
    serde_json::to_string_pretty(&Report {
        as_of: prices.as_of(),
        currency: prices.currency.code(),
        region: prices.region(),
        workload: WorkloadReport {
            products: workload.products.get(),
            writes: workload.writes.get(),
            searches: workload.searches.get(),
            requests: workload.writes.get() + workload.searches.get(),
            memory_megabytes: workload.memory.get(),
            write_milliseconds: milliseconds(prices.assumptions.write_milliseconds),
            search_milliseconds: milliseconds(prices.assumptions.search_milliseconds),
        },
        providers: estimate
            .columns
            .iter()
            .map(|column| provider(column.provider, column.bill.as_ref()))
            .collect(),
        break_evens: break_evens.iter().map(break_even).collect(),
    })
}

fn provider(provider: Provider, bill: Option<&Bill>) -> ProviderReport<'_> {
    ProviderReport {
        provider,
        size: bill.and_then(|bill| bill.size.as_ref()),
        parts: Parts(bill.map_or(&[], |bill| &bill.parts)),
        total: bill.map(Bill::total),
    }
}

fn break_even(break_even: &BreakEven) -> BreakEvenReport {
    let range = |range: &crate::break_even::Range| RangeReport { from: range.from, cheaper: range.cheaper };
    BreakEvenReport {
        providers: [break_even.pair.0, break_even.pair.1],
        up_to: break_even.up_to,
        ranges: break_even.ranges.iter().map(range).collect(),
    }
}

#[cfg(test)]
mod tests;
