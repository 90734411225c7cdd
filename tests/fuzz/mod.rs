//! Fuzzing: whatever is read from outside is answered or rejected in bounded time, and never panics.
//!
//! Each target has a corpus, the files of `corpus/TARGET`. Every run of the tests passes each of them to the target, so that a fault
//! stays fixed. Further inputs are mutations of the corpus, for as long as is asked for:
//!
//! ```sh
//! NOREN_FUZZ_SECONDS=60 cargo test --workspace --locked --test integration -- fuzz::
//! ```
//!
//! An input that fails is shrunk and printed as a byte string, and becomes a file of the corpus when the fault is fixed.
//! `query/examples/fuzz_requests` sends requests to the routes over an index.
//!
//! proptest makes and shrinks the inputs. bolero would do the same without its cargo command, and brings a second parser of TOML and
//! features of `syn` for which everything is compiled again.

mod credentials;
mod feeds;
mod messages;
mod mutation;
mod products;
mod searches;
mod tenants;

use std::fs;
use std::time::{Duration, Instant};

use mutation::mutations;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{fuzz_time, repository};

/// The most processor time that one input may take. Inputs have at most 64 KiB, for which linear work takes some milliseconds.
const MAX_TIME: Duration = Duration::from_secs(2);
/// The inputs between two looks at the clock.
const CASES: u32 = 64;
/// The attempts to make an input that fails shorter.
const MAX_SHRINKS: u32 = 2000;
/// The most milliseconds for making an input that fails shorter, so that a slow input does not stop the tests for an hour.
const MAX_SHRINK_TIME: u32 = 60_000;

/// Passes the corpus of a target to `check`, and mutations of it for `NOREN_FUZZ_SECONDS`.
fn fuzz(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for (name, input) in &corpus {
        println!("tests/fuzz/corpus/{target}/{name}");
        check_in_time(&check, input);
    }
    let Some(duration) = fuzz_time() else { return };
    let inputs = mutations(corpus.into_iter().map(|(_, input)| input).collect());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: MAX_SHRINKS,
        max_shrink_time: MAX_SHRINK_TIME,
        ..Config::default()
    };
    let begun = Instant::now();
    while begun.elapsed() < duration {
        // A runner ends after its cases.
        let result = TestRunner::new(config.clone()).run(&inputs, |input| {
            check_in_time(&check, input.bytes());
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{target}: {error}"));
    }
}

/// Returns the files of a corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = repository().join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn check_in_time(check: impl Fn(&[u8]), input: &[u8]) {
    let begun = Instant::now();
    let before = thread_time(begun);
    check(input);
    let taken = thread_time(begun).saturating_sub(before);
    assert!(taken < MAX_TIME, "it takes {taken:?} for {} bytes", input.len());
}

/// Returns the processor time of this thread, which other processes do not lengthen; on other systems than Linux, the time since
/// `begun`.
fn thread_time(begun: Instant) -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat");
    let nanoseconds = statistics.ok().and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}
