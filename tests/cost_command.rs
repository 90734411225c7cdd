//! `noren cost`: the real binary, its output and its exit code.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::finished;

fn cost(arguments: &[&str]) -> Output {
    finished("noren", &[&["cost"], arguments].concat(), &[])
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_cost_of_functions_is_that_of_their_price_lists() {
    for (searches, memory, duration, totals) in [
        ("10k", "128", "500", json!([0.00, 0.00, 0.00])),
        ("1M", "256", "1000", json!([0.00, 0.00, 0.36])),
        ("10_000_000", "512", "2000", json!([161.80, 5.00, 3.96])),
    ] {
        let arguments = ["--writes", "0", "--searches", searches, "--memory", memory, "--duration", duration];
        let output = cost(&[&arguments[..], &["--json"]].concat());
        assert!(output.status.success(), "{}", text(output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let total = |at: usize| report["providers"][at]["total"].clone();
        assert_eq!(json!([total(2), total(3), total(4)]), totals);
        let table = text(cost(&arguments).stdout);
        let line = table.lines().find(|line| line.contains("│ total ")).unwrap();
        let shown = |at: usize| format!("{:.2}", total(at).as_f64().unwrap());
        let cells: Vec<&str> =
            line.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells[3..], [shown(2), shown(3), shown(4)], "{line}");
    }
}

#[test]
fn a_wrong_argument_is_an_error_that_names_the_flag() {
    for (arguments, named) in [
        (&["--memory", "64"][..], &["--memory", "from 128 to 10,240"][..]),
        (&["--writes", "-1"], &["--writes"]),
        (&["--searches", "many"], &["--searches", "such as 50000, 50k or 2M"]),
        (&["--duration", "0"], &["--duration", "from 1 to 900,000"]),
        (&["--markdown", "--products", "5"], &["--markdown", "--products"]),
    ] {
        let output = cost(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(output.stderr);
        assert!(named.iter().all(|name| error.contains(name)), "{arguments:?}: {error}");
    }
}

#[test]
fn prices_come_from_a_file_and_its_faults_have_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.toml");
    let path = file.to_str().unwrap();
    let prices =
        std::fs::read_to_string(crate::support::repository().join("crates/cost/prices.toml")).unwrap();
    let twice = prices.replace(
        "free_requests = 100_000\nmillion_requests = \"0.40\"",
        "free_requests = 0\nmillion_requests = \"0.80\"",
    );
    assert_ne!(twice, prices);
    std::fs::write(&file, &twice).unwrap();
    let output = cost(&["--prices", path, "--writes", "0", "--searches", "1M", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["providers"][4]["total"], json!(0.80));

    std::fs::write(&file, prices.replace("[vercel]", "[netlify]")).unwrap();
    let output = cost(&["--prices", path]);
    let line = prices.lines().position(|line| line == "[vercel]").unwrap() + 1;
    let error = text(output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with(&format!("error: {path}:{line}:2: unknown field `netlify`")), "{error}");
    let error = text(cost(&["--prices", folder.path().join("none").to_str().unwrap()]).stderr);
    assert!(error.starts_with("error: cannot read ") && error.lines().count() == 1, "{error}");
}
