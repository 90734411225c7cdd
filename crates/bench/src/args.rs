//! The arguments of `noren bench`.

use std::path::PathBuf;

use clap::Args;

use crate::assertion::Assertion;

/// `noren bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren bench products.ndjson                            import, then search for words of it
  noren bench products.ndjson --queries queries.ndjson   the searches of a file, one per line
  noren bench products.ndjson --ratios --writes 500      also the cost of facets and writes
  noren bench --check                                    only the ratios that reveal a slow change
  noren bench --data-dir new --creates 100000 --searches 0   only creates, in an empty folder
  noren bench products.ndjson --data-dir big             import into a folder that is kept
  noren bench --data-dir big                             only searches
  noren bench --url http://127.0.0.1:8080                a running service
  noren bench --url https://shop.example --seconds 10 --assert p99=3s,errors=0
                                                         a smoke test; exit code 1 if it fails
  noren bench --url http://127.0.0.1:9200 --post /products/_search --queries bodies.ndjson
                                                         another search engine

Imports the files into a folder in this process until everything is searchable, serves it on a free port of this \
machine, and searches over HTTP with facets by brand and category. Responses are not cached. Build with `--release` \
first. docs/BENCHMARKS.md has figures and explains them.

With --seconds, errors are counted and do not end the run. Searches send the API key of --api-key-file, of NOREN_API_KEY_FILE, \
of NOREN_API_KEY, or of the profile if that is of this service.")]
pub struct BenchArgs {
    /// Files of products, as `noren import` reads them
    #[arg(required_unless_present_any = ["data_dir", "url", "check"], conflicts_with = "url", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Use this folder and keep it [default: a new one that is removed at the end]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "scratch"])]
    pub data_dir: Option<PathBuf>,
    /// Measure the service that runs at this address
    #[arg(long, value_name = "URL", conflicts_with_all = ["ratios", "writes", "scratch"])]
    pub url: Option<String>,
    /// Search the service for this time, and count errors
    #[arg(long, value_name = "N", requires = "url", conflicts_with_all = ["searches", "csv"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: Option<u32>,
    /// Fail unless the figures meet these bounds, such as mean=1s,p99=3s,errors=0,rps=50
    #[arg(long = "assert", value_name = "LIST", requires = "seconds", value_delimiter = ',')]
    #[arg(value_parser = Assertion::parse)]
    pub assertions: Vec<Assertion>,
    /// Write the figures of --seconds as JSON
    #[arg(long, requires = "seconds")]
    pub json: bool,
    /// File with the API key for --seconds
    #[arg(long, value_name = "FILE", requires = "seconds")]
    pub api_key_file: Option<PathBuf>,
    /// Post each line of the file of queries to this path, unchanged
    #[arg(long, value_name = "PATH", requires_all = ["url", "queries"])]
    pub post: Option<String>,
    /// File of searches, one per line [default: words from the names of the products]
    #[arg(long, value_name = "FILE")]
    pub queries: Option<PathBuf>,
    /// Number of searches per figure; 0 measures the import only
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub searches: usize,
    /// Number of connections that search concurrently
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = connections)]
    pub connections: usize,
    /// Also compare kinds of searches with each other
    #[arg(long)]
    pub ratios: bool,
    /// Only print the ratios that reveal a slow change; without files, of the demo catalogue
    #[arg(long, conflicts_with_all = ["url", "ratios", "creates", "writes", "csv"])]
    pub check: bool,
    /// Before the searches, also create this many products, one per request over 64 connections
    #[arg(long, value_name = "N", conflicts_with = "url")]
    pub creates: Option<usize>,
    /// Also search during this many writes per second, and measure how soon writes are found
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub writes: Option<u32>,
    /// Write the figures to this file, for docs/plots/plot.py
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Where to create the new folder [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Parses a number of connections that a small machine can serve.
fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(connections @ 1..=1000) => Ok(connections),
        _ => Err("must be a number from 1 to 1000".to_owned()),
    }
}
