//! The settings of a test run.
//!
//! | variable | default | effect |
//! | --- | --- | --- |
//! | `NOREN_TEST_SCALE` | 0.1 | Size of the long suites. 1 is the full size, 10 runs ten times as long. |
//! | `SEED` | 1 | Seed of everything random. A test that fails prints it. |
//! | `NOREN_FUZZ_SECONDS` | 0 | Seconds of fuzzing for each target, see `fuzz/mod.rs`. |
//! | `NOREN_TEST_PROGRAMS` | built | Folder of the programs under test, for measurements of release builds. |
//! | `NOREN_TEST_FUNCTIONS` | programs | Folder of the Lambda functions under test. |

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::repository;

/// The default scale.
const SMALL: f64 = 0.1;

/// Returns `full`, the size of a long suite at full scale, times the scale of this run, and at least `least`.
pub(crate) fn scaled(full: u64, least: u64) -> u64 {
    ((full as f64 * scale()).ceil() as u64).max(least)
}

/// Returns true if long suites run at their full size or longer.
pub(crate) fn is_full_scale() -> bool {
    scale() >= 1.0
}

fn scale() -> f64 {
    variable("NOREN_TEST_SCALE").unwrap_or(SMALL)
}

/// Returns the seed of everything random.
pub(crate) fn seed() -> u64 {
    chosen_seed().unwrap_or(1)
}

/// Returns the seed if one was set.
pub(crate) fn chosen_seed() -> Option<u64> {
    variable("SEED")
}

/// Returns the time to fuzz each target, if there is any.
pub(crate) fn fuzz_time() -> Option<Duration> {
    variable("NOREN_FUZZ_SECONDS").filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// Returns the folder that a variable names, relative to the repository.
pub(crate) fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(|folder| repository().join(folder))
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")))
}
