//! Measures the time to read a large rules file, and to find the rules that apply to one search.
//!
//! `cargo run --release -p rules --example tuning_speed`

use std::time::{Duration, Instant};

use domain::Currency;
use rules::{Locale, Rules};

/// The queries that are measured, each [`ROUNDS`] times.
const QUERIES: [&str; 4] = [
    "laptop",
    "black hoover42 for the kitchen",
    "word9999 other77",
    "a search of eight words that no rule knows",
];
const ROUNDS: u32 = 100_000;

fn main() {
    let file = file(10_000, 1000);
    let begun = Instant::now();
    let rules = match Rules::parse(file.as_bytes(), Locale::default()) {
        Ok(rules) => rules,
        Err(faults) => return println!("{faults}"),
    };
    let now = domain::now();
    println!("{}, {} KB, read in {:.1?}", rules.summary(now), file.len() / 1000, begun.elapsed());
    for query in QUERIES {
        let begun = Instant::now();
        let mut decided = 0;
        for _ in 0..ROUNDS {
            decided += usize::from(!rules.tuning(query, Currency::USD, now).is_empty());
        }
        let each = begun.elapsed() / ROUNDS;
        println!(
            "{:>6} ns  {query}{}",
            nanoseconds(each),
            if decided > 0 { "  (some rule applies)" } else { "" }
        );
    }
}

fn nanoseconds(time: Duration) -> u128 {
    time.as_nanos()
}

/// Returns a rules file with this many synonyms, half of them one-way, and this many pins.
fn file(synonyms: usize, pins: usize) -> String {
    let groups: String = (0..synonyms / 2).map(|at| format!("  [\"word{at}\", \"other{at}\"],\n")).collect();
    let one_way: String =
        (0..synonyms / 2).map(|at| format!("hoover{at} = \"vacuum cleaner {at}\"\n")).collect();
    let pins: String = (0..pins)
        .map(|at| format!("[[pin]]\nquery = \"query {at}\"\nmatch = \"contains\"\nproducts = [\"p{at}\"]\n"))
        .collect();
    format!(
        "version = 1\n[words]\nstopWords = [\"the\", \"for\"]\nsynonyms = [\n{groups}]\n[words.oneWay]\n{one_way}{pins}\
         [[boost]]\nby = 0.2\nquery = \"laptop\"\nfilter = {{ inStock = true }}\n"
    )
}
