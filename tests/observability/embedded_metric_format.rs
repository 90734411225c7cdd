//! The rules of CloudWatch's embedded metric format, from the tables of its specification:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::collections::BTreeSet;

use serde_json::Value;

/// The units that CloudWatch knows, see `Unit` in
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// Checks a line. Returns the names of its metrics.
pub(crate) fn check(line: &Value) -> Result<BTreeSet<String>, String> {
    let size = line.to_string().len();
    demand(size <= 1024 * 1024, "a log event has at most 1 MB")?;
    let root = line.as_object().ok_or("the root is an object")?;
    let aws = root.get("_aws").and_then(Value::as_object).ok_or("_aws is an object")?;
    demand(aws.get("Timestamp").is_some_and(Value::is_u64), "Timestamp is in milliseconds")?;
    let directives =
        aws.get("CloudWatchMetrics").and_then(Value::as_array).ok_or("CloudWatchMetrics is an array")?;
    let mut names = BTreeSet::new();
    for directive in directives {
        let namespace = directive["Namespace"].as_str().ok_or("Namespace is a string")?;
        demand((1..=1024).contains(&namespace.len()), "Namespace has 1 to 1,024 characters")?;
        for set in directive["Dimensions"].as_array().ok_or("Dimensions is an array")? {
            let set = set.as_array().ok_or("a set of dimensions is an array")?;
            demand(set.len() <= 30, "a set has at most 30 dimensions")?;
            for name in set {
                let name = name.as_str().ok_or("a dimension is a string")?;
                demand((1..=250).contains(&name.len()), "a dimension has 1 to 250 characters")?;
                let value = root.get(name).and_then(Value::as_str);
                let value = value.ok_or_else(|| format!("{name} refers to a string of the root"))?;
                demand(
                    (1..=1024).contains(&value.len()),
                    "the value of a dimension has 1 to 1,024 characters",
                )?;
            }
        }
        let metrics = directive["Metrics"].as_array().ok_or("Metrics is an array")?;
        demand(metrics.len() <= 100, "a directive has at most 100 metrics")?;
        for metric in metrics {
            let name = metric["Name"].as_str().ok_or("Name is a string")?;
            demand((1..=1024).contains(&name.len()), "Name has 1 to 1,024 characters")?;
            let unit = metric.get("Unit").map(|unit| unit.as_str().unwrap_or_default());
            demand(unit.is_none_or(|unit| UNITS.contains(&unit)), &format!("the unit of {name} exists"))?;
            let value = root.get(name).ok_or_else(|| format!("{name} refers to a value of the root"))?;
            check_value(name, value)?;
            demand(names.insert(name.to_owned()), &format!("{name} is defined once"))?;
        }
    }
    demand(!names.is_empty(), "there is a metric")?;
    Ok(names)
}

/// Checks the value of a metric: a number, or an array of up to 100.
fn check_value(name: &str, value: &Value) -> Result<(), String> {
    let is_number = |value: &Value| value.as_f64().is_some_and(f64::is_finite);
    match value.as_array() {
        None => demand(is_number(value), &format!("{name} is a number")),
        Some(values) => {
            demand((1..=100).contains(&values.len()), &format!("{name} has 1 to 100 values"))?;
            demand(values.iter().all(is_number), &format!("the values of {name} are numbers"))
        }
    }
}

fn demand(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each rule can fail.
    #[test]
    fn lines_that_break_a_rule_are_found() {
        let line = json!({
            "_aws": {
                "Timestamp": 1_795_491_001_500_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Noren",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "Requests", "Unit": "Count"}]
                }]
            },
            "service": "noren-query",
            "Requests": 1
        });
        assert_eq!(check(&line).unwrap().len(), 1);
        let metrics = "/_aws/CloudWatchMetrics/0";
        for (path, value) in [
            ("/_aws/Timestamp", json!("now")),
            (&format!("{metrics}/Namespace"), json!("")),
            (&format!("{metrics}/Dimensions"), json!([["stage"]])),
            (&format!("{metrics}/Metrics/0/Unit"), json!("Pieces")),
            (&format!("{metrics}/Metrics/0/Name"), json!("Other")),
            (&format!("{metrics}/Metrics"), json!([])),
            ("/service", json!("")),
            ("/Requests", json!("1")),
            ("/Requests", json!(null)),
            ("/Requests", json!(vec![1; 101])),
        ] {
            let mut broken = line.clone();
            *broken.pointer_mut(path).unwrap() = value;
            assert!(check(&broken).is_err(), "{path}");
        }
    }
}
