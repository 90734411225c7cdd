//! `noren bench --check`: the ratios that reveal a slow change on any machine.
//!
//! A ratio does not depend on the speed of the machine, and a disturbance meets both sides because they take turns. A
//! shared machine still exceeds every bound from time to time, so a high ratio is reported and is no failure.

use crate::error::BenchError;
use crate::load::{Plan, compare};
use crate::workload::Workload;

/// The usual ratio of a misspelt search to the same search spelt correctly, in a debug build.
const MISSPELT_TO_CORRECT: f64 = 1.25;
/// The usual ratio of a search over HTTP to the same search in the index, in a debug build.
const HTTP_TO_INDEX: f64 = 1.35;
/// The factor over the usual ratio from which a ratio is called high.
const TOLERANCE: f64 = 4.0 / 3.0;
/// Measurements before a ratio is called high: one high ratio may be an accident.
const TRIES: usize = 3;
const PLAN: Plan = Plan { connections: 2, rounds: 10, searches: 60 };

/// The same searches in three variants.
pub(crate) struct Variants {
    /// Spelt correctly, over HTTP.
    pub(crate) correct: Workload,
    /// Misspelt, over HTTP.
    pub(crate) misspelt: Workload,
    /// Spelt correctly, in the index itself.
    pub(crate) index: Workload,
}

/// Measures the ratios and prints them, with a remark if one is high.
///
/// # Errors
/// Fails if a search fails.
pub(crate) async fn check(variants: &Variants) -> Result<(), BenchError> {
    let Variants { correct, misspelt, index } = variants;
    print_ratio("misspelt against correct", MISSPELT_TO_CORRECT, misspelt, correct).await?;
    print_ratio("over HTTP against the index", HTTP_TO_INDEX, correct, index).await
}

async fn print_ratio(name: &str, usual: f64, of: &Workload, to: &Workload) -> Result<(), BenchError> {
    let most = usual * TOLERANCE;
    let mut lowest = f64::INFINITY;
    for _ in 0..TRIES {
        let [of, to] = compare([("of", of.clone()), ("to", to.clone())], PLAN).await?;
        lowest = lowest.min(of.ratio_to(&to));
        if lowest <= most {
            break;
        }
    }
    let remark = if lowest <= most { "" } else { ", which is HIGH" };
    runtime::out_line!(
        "{name}: {lowest:.2} times{remark} (usually {usual:.2} in a debug build, at most {most:.2})"
    );
    Ok(())
}
