//! Sentences below the tables of a terminal.

use crate::break_even::BreakEven;
use crate::estimate::{Bill, Estimate};
use crate::prices::Prices;
use crate::provider::Provider;
use crate::quantity::grouped;
use crate::sizes::SizeName;

/// Describes the workload and the extent of each bill, one sentence a line.
pub fn notes(estimate: &Estimate, prices: &Prices) -> Vec<String> {
    let workload = &estimate.workload;
    let requests = grouped(workload.writes.get() + workload.searches.get());
    let durations = match workload.duration {
        Some(duration) => format!("{duration} ms a request"),
        None => {
            let assumed = &prices.assumptions;
            format!("{} ms a write, {} ms a search", assumed.write_milliseconds, assumed.search_milliseconds)
        }
    };
    vec![
        format!("products: {}", workload.products),
        format!("a month: writes {}, searches {}, requests {requests}", workload.writes, workload.searches),
        format!("functions: {} MB, {durations}", workload.memory),
        format!("prices in US dollars, of {}, of AWS in {}", prices.as_of(), prices.region()),
        format!("AWS stack, without free tiers: {}", size(estimate, Provider::AwsStack)),
        format!("one machine, without a spare: {}", size(estimate, Provider::OneMachine)),
        "Lambda, Workers, Vercel: functions alone, after free tiers".to_owned(),
        "not counted for functions alone: a store, an index, an API, traffic".to_owned(),
    ]
}

/// Explains the table of break-evens, one sentence a line.
pub fn break_even_notes(break_evens: &[BreakEven]) -> Vec<String> {
    let mut notes = vec![
        "break-evens keep the mix of writes and searches".to_owned(),
        "between functions and a machine, traffic does not count".to_owned(),
    ];
    let machine = break_evens.iter().find(|break_even| break_even.pair.1 == Provider::OneMachine);
    if let Some(BreakEven { up_to, .. }) = machine {
        notes.push(format!("one machine is compared up to {} requests a month", grouped(*up_to)));
    }
    notes
}

fn size(estimate: &Estimate, provider: Provider) -> String {
    let bill = estimate.bill(provider);
    match bill.and_then(|Bill { size, .. }| size.as_ref()) {
        Some(SizeName { instance, count, disk_gb }) => format!("{count} {instance} with {disk_gb} GB"),
        None => "no size in the prices is large enough (--prices takes others)".to_owned(),
    }
}
