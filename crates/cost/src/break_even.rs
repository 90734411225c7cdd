//! Break-even points: the numbers of requests at which another provider becomes the cheaper one.
//!
//! Between two bounds, such as the end of a free tier, a bill is a straight line over the number of requests. The difference of
//! two bills is one too, so its sign changes at most once, or twice where both are equal at one number. A binary search finds
//! each change exactly.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::dollars::Dollars;
use crate::estimate::{Bill, sizes};
use crate::functions::{lambda_bounds, vercel_bounds, workers_bounds};
use crate::part::Part;
use crate::prices::Prices;
use crate::provider::Provider;
use crate::requests::Requests;
use crate::workload::Workload;

/// The largest number of requests a month that is compared.
const MAX_REQUESTS: u64 = 100_000_000_000;

/// The pairs that are compared.
const PAIRS: [(Provider, Provider); 7] = [
    (Provider::Lambda, Provider::OneMachine),
    (Provider::Workers, Provider::OneMachine),
    (Provider::Vercel, Provider::OneMachine),
    (Provider::AwsStack, Provider::OneMachine),
    (Provider::Lambda, Provider::Workers),
    (Provider::Lambda, Provider::Vercel),
    (Provider::Workers, Provider::Vercel),
];

/// Numbers of requests at which the same provider costs less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first number of requests a month. The range ends before the next one.
    pub from: u64,
    /// The provider that costs less, or `None` if both cost the same.
    pub cheaper: Option<Provider>,
}

/// The comparison of two providers over the number of requests a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakEven {
    /// The providers.
    pub pair: (Provider, Provider),
    /// The ranges, beginning with one from 0.
    pub ranges: Vec<Range>,
    /// The largest number of requests for which both have a bill.
    pub up_to: u64,
}

impl BreakEven {
    /// Compares the providers for any number of requests, with the products and the mix of writes and searches of a workload.
    /// Pairs without a bill for these products are left out.
    pub fn all(workload: &Workload, prices: &Prices) -> Vec<Self> {
        let requests = Requests::new(workload, &prices.assumptions);
        PAIRS.iter().filter_map(|pair| Comparison { pair: *pair, prices, requests }.break_even()).collect()
    }

    /// Returns the number of requests from which the first provider always costs more than the second.
    pub fn first_costs_more_from(&self) -> Option<u64> {
        self.ranges.last().filter(|range| range.cheaper == Some(self.pair.1)).map(|range| range.from)
    }
}

/// Two providers, and the requests whose mix is kept.
struct Comparison<'a> {
    pair: (Provider, Provider),
    prices: &'a Prices,
    requests: Requests,
}

impl Comparison<'_> {
    fn break_even(&self) -> Option<BreakEven> {
        let up_to = self.up_to()?;
        let mut starts: Vec<u64> = self.bounds().into_iter().flat_map(around).collect();
        starts.retain(|start| *start <= up_to);
        starts.extend([0, up_to + 1]);
        starts.sort_unstable();
        starts.dedup();
        let mut ranges: Vec<Range> = Vec::new();
        for segment in starts.windows(2) {
            self.add_ranges(segment[0], segment[1], &mut ranges);
        }
        Some(BreakEven { pair: self.pair, ranges, up_to })
    }

    /// Adds the ranges from `start` to before `end`, between which both bills are straight lines.
    fn add_ranges(&self, mut start: u64, end: u64, ranges: &mut Vec<Range>) {
        while start < end {
            let cheaper = self.cheaper(start);
            if ranges.last().is_none_or(|last| last.cheaper != cheaper) {
                ranges.push(Range { from: start, cheaper });
            }
            start = first(start, end, |total| self.cheaper(total) != cheaper);
        }
    }

    /// Returns the largest number of requests for which both providers have a bill, or `None` if there is not even one for 0.
    fn up_to(&self) -> Option<u64> {
        let end = first(0, MAX_REQUESTS + 1, |total| self.costs(total).is_none());
        end.checked_sub(1)
    }

    fn bounds(&self) -> Vec<Decimal> {
        let bounds = |provider| match provider {
            Provider::AwsStack | Provider::OneMachine => {
                sizes(provider, self.prices).map_or_else(Vec::new, |sizes| sizes.bounds(&self.mix()))
            }
            Provider::Lambda => lambda_bounds(&self.prices.lambda, &self.requests),
            Provider::Workers => workers_bounds(&self.prices.workers),
            Provider::Vercel => vercel_bounds(&self.prices.vercel),
        };
        [bounds(self.pair.0), bounds(self.pair.1)].concat()
    }

    /// Returns requests with the mix that all numbers of requests have, also if the workload has none.
    fn mix(&self) -> Requests {
        match self.requests.total().is_zero() {
            true => self.requests.with_total(1),
            false => self.requests,
        }
    }

    fn cheaper(&self, total: u64) -> Option<Provider> {
        let (first, second) = self.costs(total)?;
        match first.cmp(&second) {
            Ordering::Less => Some(self.pair.0),
            Ordering::Equal => None,
            Ordering::Greater => Some(self.pair.1),
        }
    }

    /// Returns both costs, or `None` if one is unknown. Data to the internet counts only if both bills have it.
    fn costs(&self, total: u64) -> Option<(Dollars, Dollars)> {
        let requests = self.requests.with_total(total);
        let first = Bill::new(self.pair.0, self.prices, &requests)?;
        let second = Bill::new(self.pair.1, self.prices, &requests)?;
        let both = first.part(Part::DataOut).is_some() && second.part(Part::DataOut).is_some();
        let cost = |bill: &Bill| {
            let counted = bill.parts.iter().filter(|(part, _)| both || *part != Part::DataOut);
            counted.map(|(_, amount)| *amount).sum()
        };
        Some((cost(&first), cost(&second)))
    }
}

/// Returns the numbers around a bound. All of them count as bounds, so that rounding cannot misplace one.
fn around(bound: Decimal) -> Vec<u64> {
    let at = bound.trunc().to_u64().unwrap_or(u64::MAX);
    (at.saturating_sub(1)..=at.saturating_add(2)).collect()
}

/// Returns the first number from `start` to before `end` that has a property, or `end`. Numbers without it precede those with it.
fn first(start: u64, end: u64, has: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match has(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

#[cfg(test)]
mod tests;
