//! The prices as a table.

use std::fmt::Display;

use crate::grid::Grid;
use crate::prices::{Basis, Prices};
use crate::quantity::grouped;

impl Basis {
    /// Returns the origin of a price in tables.
    fn label(self) -> &'static str {
        match self {
            Self::Requirement => "stated for this calculation",
            Self::Published => "compared with published lists",
            Self::Carried => "of 2025, not compared since",
        }
    }
}

impl Grid<4> {
    /// Shows each price with its unit, its origin and the page that publishes it.
    pub fn prices(prices: &Prices) -> Self {
        let mut rows = Vec::new();
        let mut add = |what: &str, prices: &[(&dyn Display, &str)], basis: Basis, source: &str| {
            let amounts: Vec<String> = prices.iter().map(|(price, unit)| format!("{price} {unit}")).collect();
            let source = format!("[price list]({source})");
            rows.push([what.to_owned(), amounts.join(", "), basis.label().to_owned(), source]);
        };
        let Prices { opensearch, dynamodb, sqs, stack_functions, http_api, cloudwatch, data_out, .. } =
            prices;
        for size in opensearch.sizes.all() {
            let name = format!("OpenSearch, {}", size.name().instance);
            add(&name, &[(&size.hour(), "an hour")], opensearch.basis, &opensearch.source);
        }
        add("OpenSearch, disk", &[(&opensearch.gb_month, "a GB")], opensearch.basis, &opensearch.source);
        add(
            "DynamoDB, units",
            &[(&dynamodb.million_writes, "a million writes"), (&dynamodb.million_reads, "a million reads")],
            dynamodb.basis,
            &dynamodb.source,
        );
        add(
            "DynamoDB, storage",
            &[(&dynamodb.gb_month, "a GB"), (&dynamodb.recovery_gb_month, "a GB for recovery")],
            dynamodb.basis,
            &dynamodb.source,
        );
        add("SQS", &[(&sqs.million_requests, "a million requests")], sqs.basis, &sqs.source);
        add(
            "Lambda on arm64, in the stack",
            &[
                (&stack_functions.million_requests, "a million requests"),
                (&stack_functions.gb_second, "a GB-second"),
            ],
            stack_functions.basis,
            &stack_functions.source,
        );
        add(
            "HTTP API",
            &[(&http_api.million_requests, "a million requests")],
            http_api.basis,
            &http_api.source,
        );
        add(
            "CloudWatch",
            &[
                (&cloudwatch.log_gb, "a GB of logs"),
                (&cloudwatch.metric, "a metric"),
                (&cloudwatch.alarm, "an alarm"),
            ],
            cloudwatch.basis,
            &cloudwatch.source,
        );
        add("data to the internet", &[(&data_out.gb, "a GB")], data_out.basis, &data_out.source);
        let Prices { machine, volume, address, lambda, workers, vercel, .. } = prices;
        for size in machine.sizes.all() {
            let name = format!("machine, {}", size.name().instance);
            add(&name, &[(&size.hour(), "an hour")], machine.basis, &machine.source);
        }
        add("volume of a machine", &[(&volume.gb_month, "a GB")], volume.basis, &volume.source);
        add("address of a machine", &[(&address.hour, "an hour")], address.basis, &address.source);
        add(
            "Lambda on x86-64, alone",
            &[
                (&lambda.million_requests, "a million requests"),
                (&lambda.gb_second, "a GB-second"),
                (&grouped(lambda.free_requests.into()), "requests free"),
                (&grouped(lambda.free_gb_seconds.into()), "GB-seconds free"),
            ],
            lambda.basis,
            &lambda.source,
        );
        add(
            "Workers",
            &[
                (&grouped(workers.free_requests_a_day.into()), "requests a day free"),
                (&workers.month, "a month above that"),
                (&grouped(workers.included_requests.into()), "requests included"),
                (&workers.million_requests, "a million more"),
            ],
            workers.basis,
            &workers.source,
        );
        add(
            "Vercel",
            &[
                (&grouped(vercel.free_requests.into()), "requests free"),
                (&vercel.million_requests, "a million requests"),
            ],
            vercel.basis,
            &vercel.source,
        );
        Self { header: ["", "USD", "figure", "source"].map(str::to_owned), rows }
    }
}
