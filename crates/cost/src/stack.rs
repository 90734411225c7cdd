//! The cost of the AWS stack. Free tiers are not counted: an account has them only once, whatever else it runs.

use rust_decimal::Decimal;

use crate::dollars::Dollars;
use crate::month::MINUTES;
use crate::part::Part;
use crate::prices::Prices;
use crate::requests::Requests;
use crate::sizes::Size;
use crate::toml_fields::gigabytes;

/// Returns the cost by part.
pub(crate) fn parts(prices: &Prices, domain: &Size, requests: &Requests) -> Vec<(Part, Dollars)> {
    let assumptions = &prices.assumptions;
    let Requests { products, writes, searches, .. } = *requests;
    let times = |number: Decimal, each: u32| number * Decimal::from(each);

    let table = &prices.dynamodb;
    let stored = gigabytes(products, assumptions.product_bytes);
    let read_units =
        times(writes, assumptions.read_units_per_write) + times(MINUTES, assumptions.relay_read_units);
    let store_reads = table.million_reads.times(read_units)
        + table.gb_month.times(stored)
        + table.recovery_gb_month.times(stored);

    let queue_requests = times(writes, assumptions.queue_requests_per_write)
        + times(MINUTES, assumptions.empty_receives_a_minute);

    // In addition to the requests, sync runs once a batch of changes and the relay once a minute.
    let batches = writes / Decimal::from(assumptions.changes_per_batch.get());
    let functions = &prices.stack_functions;
    let gb_seconds = requests.gb_seconds()
        + requests.gb_seconds_of(times(batches, assumptions.batch_milliseconds))
        + requests.gb_seconds_of(times(MINUTES, assumptions.relay_milliseconds));

    vec![
        (Part::SearchEngine, domain.month(prices.opensearch.gb_month)),
        (Part::StoreWrites, table.million_writes.times(times(writes, assumptions.write_units_per_write))),
        (Part::StoreReads, store_reads),
        (Part::Queue, prices.sqs.million_requests.times(queue_requests)),
        (Part::FunctionRequests, functions.million_requests.times(requests.total() + batches + MINUTES)),
        (Part::FunctionCompute, functions.gb_second.times(gb_seconds)),
        (Part::HttpApi, prices.http_api.million_requests.times(requests.total())),
        (
            Part::Logs,
            prices.cloudwatch.log_gb.times(gigabytes(requests.total(), assumptions.log_bytes_per_request)),
        ),
        (Part::DataOut, data_out(prices, searches)),
        (Part::Metrics, prices.cloudwatch.metric.times(assumptions.metrics.into())),
        (Part::Alarms, prices.cloudwatch.alarm.times(assumptions.alarms.into())),
    ]
}

/// Returns the cost of the responses to searches on their way to the internet.
pub(crate) fn data_out(prices: &Prices, searches: Decimal) -> Dollars {
    prices.data_out.gb.times(gigabytes(searches, prices.assumptions.response_bytes_per_search))
}
