//! deploy/README.md against the calculation.

use std::path::PathBuf;

use super::*;

const START: &str = "<!-- noren cost --markdown -->\n";
const END: &str = "<!-- end of noren cost --markdown -->\n";

fn readme() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/README.md")
}

/// With `UPDATE_COSTS=1` the section is written into the file instead.
#[test]
fn the_costs_in_the_readme_of_the_deployment_are_what_the_command_prints() {
    let text = std::fs::read_to_string(readme()).unwrap();
    let (before, rest) = text.split_once(START).expect("the start of the section is marked");
    let (_, after) = rest.split_once(END).expect("the end of the section is marked");
    let section = section(&Prices::embedded().unwrap()).unwrap();
    let expected = format!("{before}{START}\n{section}\n{END}{after}");
    if std::env::var_os("UPDATE_COSTS").is_some() {
        std::fs::write(readme(), &expected).unwrap();
    }
    let checked_in = std::fs::read_to_string(readme()).unwrap();
    assert!(checked_in == expected, "deploy/README.md is out of date; run UPDATE_COSTS=1 cargo test -p cost");
}

/// The text below the tables repeats the assumptions, so that people can follow the calculation.
#[test]
fn the_text_of_the_readme_has_the_assumptions_of_the_calculation() {
    let text = std::fs::read_to_string(readme()).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let prices = Prices::embedded().unwrap();
    let assumed = &prices.assumptions;
    let kilobytes = |bytes: u32| format!("{} KB", f64::from(bytes) / 1000.0);
    for expected in [
        format!("storage of {} per product", kilobytes(assumed.product_bytes)),
        format!(
            "in total {}, at {} per million",
            assumed.write_units_per_write, prices.dynamodb.million_writes
        ),
        format!("one unit per write, and {} for the relay's query each minute", assumed.relay_read_units),
        format!("(*W* × {} + 0.66) × {}", assumed.queue_requests_per_write, prices.sqs.million_requests),
        format!("{} empty receives a minute", assumed.empty_receives_a_minute),
        format!("{} ms per write, {} ms per search", assumed.write_milliseconds, assumed.search_milliseconds),
        format!("{} ms per {} indexed changes", assumed.batch_milliseconds, assumed.changes_per_batch),
        format!("{} ms for the relay each minute", assumed.relay_milliseconds),
        format!(
            "{} per request at {} per GB",
            kilobytes(assumed.log_bytes_per_request),
            prices.cloudwatch.log_gb
        ),
        format!(
            "{} per search at {} per GB",
            kilobytes(assumed.response_bytes_per_search),
            prices.data_out.gb
        ),
        format!("**Metrics**: {} of the functions at {}", assumed.metrics, prices.cloudwatch.metric),
        format!("**Alarms**: {} at {}", assumed.alarms, prices.cloudwatch.alarm),
    ] {
        assert!(text.contains(&expected), "`{expected}` is not in deploy/README.md");
    }
    assert_eq!(assumed.read_units_per_write, 1);
}

#[test]
fn the_template_has_as_many_alarms_as_the_calculation() {
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let alarms = template.lines().filter(|line| line.trim() == "Type: AWS::CloudWatch::Alarm").count();
    let assumed = Prices::embedded().unwrap().assumptions.alarms;
    assert_eq!(
        alarms, assumed as usize,
        "change `alarms` in prices.toml, then run UPDATE_COSTS=1 cargo test -p cost"
    );
}
