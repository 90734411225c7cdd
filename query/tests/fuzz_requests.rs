//! The read side answers any request, or rejects it with a problem. `examples/fuzz_requests` runs for longer.

#![cfg(feature = "embedded")]

#[path = "../examples/fuzz_requests/fuzzer/mod.rs"]
mod fuzzer;

use fuzzer::Fuzzer;

const REQUESTS: usize = 1500;

#[test]
fn random_requests_are_answered_or_refused() {
    let mut fuzzer = Fuzzer::new(1).unwrap();
    for _ in 0..REQUESTS {
        fuzzer.step().unwrap();
    }
    let seen = fuzzer.seen();
    assert!(seen.answered > 200 && seen.refused > 200 && seen.tuned > 50 && seen.read > 50, "{seen}");
}
