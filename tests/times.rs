//! Prints how long the suites of the last run of `integration` took, slowest first. cargo runs it after `integration`.
//!
//! The time of a suite is the sum of its tests' times, which run in parallel.

use std::collections::BTreeMap;
use std::fs;

/// The file that `tests/support/times.rs` writes.
const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/test-times.tsv");
/// The number of suites that are printed.
const SUITES: usize = 25;

fn main() {
    let is_list = std::env::args().any(|argument| argument == "--list");
    let Ok(times) = fs::read_to_string(FILE) else { return };
    if is_list || times.is_empty() {
        return;
    }
    // The next run may record nothing, and must not print these times again.
    let _ = fs::remove_file(FILE);
    let mut suites: BTreeMap<String, (usize, f64, f64)> = BTreeMap::new();
    for (name, seconds) in times.lines().filter_map(|line| line.split_once('\t')) {
        let seconds = seconds.parse().unwrap_or(0.0);
        let (tests, total, slowest) = suites.entry(suite(name)).or_default();
        *tests += 1;
        *total += seconds;
        *slowest = slowest.max(seconds);
    }
    let mut suites: Vec<_> = suites.into_iter().collect();
    suites.sort_by(|(_, (_, a, _)), (_, (_, b, _))| b.total_cmp(a));
    println!("\nsuites by time, slowest first (sum of the tests, slowest test, number of tests):");
    for (name, (tests, total, slowest)) in suites.iter().take(SUITES) {
        println!("{total:9.1} s {slowest:8.1} s {tests:5}  {name}");
    }
    println!();
}

/// Returns the module of a test, at most two levels deep.
fn suite(test: &str) -> String {
    let path: Vec<&str> = test.split("::").collect();
    path[..path.len().saturating_sub(1).min(2)].join("::")
}
