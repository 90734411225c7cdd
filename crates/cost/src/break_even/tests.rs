use proptest::prelude::*;

use super::*;
use crate::quantity::{Megabytes, Milliseconds, Monthly, Products};

fn workload(writes: u64, searches: u64, memory: u64, duration: Option<u64>) -> Workload {
    Workload {
        products: Products::new(10_000).unwrap(),
        writes: Monthly::new(writes).unwrap(),
        searches: Monthly::new(searches).unwrap(),
        memory: Megabytes::new(memory).unwrap(),
        duration: duration.map(|duration| Milliseconds::new(duration).unwrap()),
    }
}

fn ranges(workload: &Workload, pair: (Provider, Provider)) -> Vec<(u64, Option<Provider>)> {
    let all = BreakEven::all(workload, &Prices::embedded().unwrap());
    let found = all.into_iter().find(|break_even| break_even.pair == pair).unwrap();
    found.ranges.into_iter().map(|range| (range.from, range.cheaper)).collect()
}

#[test]
fn workers_and_vercel_overtake_each_other_where_their_plans_say() {
    let workload = workload(0, 1, 512, None);
    let found = ranges(&workload, (Provider::Workers, Provider::Vercel));
    // Both are free up to 100,000. 3,041,667 a month is more than 100,000 a day. Then 0.4 (n - 0.1) = 5 + 0.3 (n - 10) at 20.4
    // million.
    let expected = [
        (0, None),
        (100_001, Some(Provider::Workers)),
        (3_041_667, Some(Provider::Vercel)),
        (20_400_000, None),
        (20_400_001, Some(Provider::Workers)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_machine_costs_less_than_functions_from_a_number_that_can_be_calculated_by_hand() {
    // 730 x (0.0168 + 0.005) + 10 x 0.08 = 16.714 a month.
    let workload = workload(0, 1, 512, Some(2_000));
    let machine = Some(Provider::OneMachine);
    // (16.714 / 0.40 + 0.1) million = 41,885,000, where both cost the same.
    let vercel = [(0, Some(Provider::Vercel)), (41_885_000, None), (41_885_001, machine)];
    assert_eq!(ranges(&workload, (Provider::Vercel, Provider::OneMachine)), vercel);
    // (11.714 / 0.30 + 10) million = 49,046,666.7.
    let workers = [(0, Some(Provider::Workers)), (49_046_667, machine)];
    assert_eq!(ranges(&workload, (Provider::Workers, Provider::OneMachine)), workers);
    // One GB-second a request: 16.714 = 0.0000166667 (n - 400,000) + 0.0000002 (n - 1,000,000) at n = 1,398,061.7.
    let lambda = [(0, Some(Provider::Lambda)), (1_398_062, machine)];
    assert_eq!(ranges(&workload, (Provider::Lambda, Provider::OneMachine)), lambda);
}

#[test]
fn a_machine_always_costs_less_than_the_stack() {
    let pair = (Provider::AwsStack, Provider::OneMachine);
    assert_eq!(ranges(&workload(1, 10, 512, None), pair), [(0, Some(Provider::OneMachine))]);
}

#[test]
fn products_that_no_machine_holds_leave_out_its_pairs() {
    let products = Products::new(10_000_000).unwrap();
    let workload = Workload { products, ..workload(1, 10, 512, None) };
    let all = BreakEven::all(&workload, &Prices::embedded().unwrap());
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|break_even| break_even.pair.1 != Provider::OneMachine));
}

/// Returns the comparison of a pair for a workload, and finds the sign at any number of requests.
fn comparison<'a>(workload: &Workload, prices: &'a Prices, pair: (Provider, Provider)) -> Comparison<'a> {
    Comparison { pair, prices, requests: Requests::new(workload, &prices.assumptions) }
}

proptest! {
    #[test]
    fn each_range_begins_where_the_cheaper_provider_changes(
        writes in 0..1_000_000_u64,
        searches in 0..1_000_000_u64,
        memory in 128..=10_240_u64,
        duration in proptest::option::of(1..=900_000_u64),
        samples in proptest::collection::vec(any::<proptest::sample::Index>(), 20),
    ) {
        let prices = Prices::embedded().unwrap();
        let workload = workload(writes, searches, memory, duration);
        for pair in PAIRS {
            let comparison = comparison(&workload, &prices, pair);
            let BreakEven { ranges, up_to, .. } = comparison.break_even().unwrap();
            prop_assert_eq!(ranges[0].from, 0);
            for range in &ranges {
                prop_assert_eq!(comparison.cheaper(range.from), range.cheaper);
                if range.from > 0 {
                    prop_assert_ne!(comparison.cheaper(range.from - 1), range.cheaper);
                }
            }
            // Small numbers, where free tiers end, and numbers of any size.
            for sample in &samples {
                for bound in [up_to, up_to.min(20_000_000)] {
                    let total = sample.index(usize::try_from(bound).unwrap() + 1) as u64;
                    let range = ranges.iter().rfind(|range| range.from <= total).unwrap();
                    prop_assert_eq!(comparison.cheaper(total), range.cheaper, "{:?} at {}", pair, total);
                }
            }
            prop_assert!(comparison.costs(up_to + 1).is_none() || up_to == MAX_REQUESTS);
        }
    }
}
