//! Sends random requests to the read side until the time is up. Fails at the first request that is not handled correctly.
//!
//! `cargo run -p query --example fuzz_requests -- --seconds 600 --seed 1`

#[path = "fuzzer/mod.rs"]
mod fuzzer;

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use fuzzer::Fuzzer;

/// The interval of progress lines.
const REPORT_EVERY: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Flags {
    /// Seconds to run
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The seed; equal seeds give the same requests in the same order
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Flags { seconds, seed } = Flags::parse();
    let mut fuzzer = Fuzzer::new(seed)?;
    let (begun, mut reported) = (Instant::now(), Instant::now());
    while begun.elapsed() < Duration::from_secs(seconds) {
        fuzzer.step()?;
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            println!("{:>5} s  {}", begun.elapsed().as_secs(), fuzzer.seen());
        }
    }
    println!("seed {seed}, {seconds} s: {}", fuzzer.seen());
    Ok(())
}
