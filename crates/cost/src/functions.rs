//! The cost of functions alone, on platforms with free tiers.

use rust_decimal::Decimal;

use crate::dollars::Dollars;
use crate::month::from_daily;
use crate::part::Part;
use crate::prices::{Lambda, Vercel, Workers};
use crate::requests::Requests;

/// Returns the cost of Lambda functions by part.
pub(crate) fn lambda(prices: &Lambda, requests: &Requests) -> Vec<(Part, Dollars)> {
    let billed = above(requests.total(), prices.free_requests);
    let gb_seconds = above(requests.gb_seconds(), prices.free_gb_seconds);
    vec![
        (Part::FunctionRequests, prices.million_requests.times(billed)),
        (Part::FunctionCompute, prices.gb_second.times(gb_seconds)),
    ]
}

/// Returns the cost of Workers. The free plan has a limit for each day; the requests of a month are taken as evenly spread.
pub(crate) fn workers(prices: &Workers, requests: &Requests) -> Vec<(Part, Dollars)> {
    let total = requests.total();
    let cost = match total <= from_daily(prices.free_requests_a_day.into()) {
        true => Dollars::default(),
        false => {
            let billed = above(total, prices.included_requests);
            prices.month.times(Decimal::ONE) + prices.million_requests.times(billed)
        }
    };
    vec![(Part::FunctionRequests, cost)]
}

/// Returns the cost of Vercel Functions.
pub(crate) fn vercel(prices: &Vercel, requests: &Requests) -> Vec<(Part, Dollars)> {
    let billed = above(requests.total(), prices.free_requests);
    vec![(Part::FunctionRequests, prices.million_requests.times(billed))]
}

/// Returns the part of a number that is above the free units.
fn above(number: Decimal, free: u32) -> Decimal {
    (number - Decimal::from(free)).max(Decimal::ZERO)
}

/// Returns the numbers of requests at which the price of a further request changes, with the mix of `requests`.
pub(crate) fn lambda_bounds(prices: &Lambda, requests: &Requests) -> Vec<Decimal> {
    let mut bounds = vec![Decimal::from(prices.free_requests)];
    let sample = requests.with_total(SAMPLE);
    if !sample.gb_seconds().is_zero() {
        bounds.push(Decimal::from(prices.free_gb_seconds) * Decimal::from(SAMPLE) / sample.gb_seconds());
    }
    bounds
}

/// Number of requests from which the mean GB-seconds of one are taken.
const SAMPLE: u64 = 1_000_000;

/// Returns the numbers of requests at which the price of a further request changes.
pub(crate) fn workers_bounds(prices: &Workers) -> Vec<Decimal> {
    vec![from_daily(prices.free_requests_a_day.into()), prices.included_requests.into()]
}

/// Returns the numbers of requests at which the price of a further request changes.
pub(crate) fn vercel_bounds(prices: &Vercel) -> Vec<Decimal> {
    vec![prices.free_requests.into()]
}
