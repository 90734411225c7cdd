use serde_json::{Value, json};

use super::*;
use crate::quantity::{Megabytes, Milliseconds, Monthly, Products};
use crate::workload::Workload;

fn report_of(products: u64) -> (String, Value) {
    let workload = Workload {
        products: Products::new(products).unwrap(),
        writes: Monthly::new(0).unwrap(),
        searches: Monthly::new(10_000_000).unwrap(),
        memory: Megabytes::new(512).unwrap(),
        duration: Some(Milliseconds::new(2_000).unwrap()),
    };
    let prices = Prices::embedded().unwrap();
    let estimate = Estimate::new(workload, &prices);
    let text = report(&estimate, &BreakEven::all(&workload, &prices), &prices).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn a_report_has_the_prices_the_workload_and_each_bill() {
    let (text, report) = report_of(10_000);
    assert_eq!(
        (&report["asOf"], &report["currency"], &report["region"]),
        (&json!("2026-11-29"), &json!("USD"), &json!("us-east-1"))
    );
    let workload = json!({"products": 10_000, "writes": 0, "searches": 10_000_000, "requests": 10_000_000,
        "memoryMegabytes": 512, "writeMilliseconds": 2_000, "searchMilliseconds": 2_000});
    assert_eq!(report["workload"], workload);
    let lambda = json!({"provider": "lambda", "size": null,
        "parts": {"functionRequests": 1.80, "functionCompute": 160.00}, "total": 161.80});
    assert_eq!(report["providers"][2], lambda);
    let machine = json!({"instance": "t4g.small", "count": 1, "diskGb": 10});
    assert_eq!(report["providers"][1]["size"], machine);
    assert!(text.contains("\"total\": 161.80"), "amounts have two decimals: {text}");
    let lambda = json!({"providers": ["lambda", "oneMachine"], "upTo": 100_000_000,
        "ranges": [{"from": 0, "cheaper": "lambda"}, {"from": 1_398_062, "cheaper": "oneMachine"}]});
    assert_eq!(report["breakEvens"][0], lambda);
}

#[test]
fn what_has_no_size_has_no_total() {
    let (_, report) = report_of(1_000_001);
    let nothing = json!({"provider": "oneMachine", "size": null, "parts": {}, "total": null});
    assert_eq!(report["providers"][1], nothing);
}
