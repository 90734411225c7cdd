//! `noren cost`: the monthly cost of a catalogue by part and provider, and the break-even points.

use std::path::PathBuf;

use ::cost::{
    BreakEven, Estimate, Grid, Megabytes, Milliseconds, Monthly, Prices, Products, Workload, json, markdown,
    text,
};
use clap::Args;
use comfy_table::{Cell, CellAlignment};

use crate::failure::{Context as _, Failure};
use crate::terminal::{print, table};

/// `noren cost`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  noren cost                                           a small shop
  noren cost --products 100k --writes 1M --searches 10M
                                                       a larger one
  noren cost --writes 0 --searches 10M --memory 512 --duration 2000
                                                       slow functions
  noren cost --json                                    for programs
  noren cost --prices prices.toml                      prices of another region

Compares the AWS stack with OpenSearch, one machine that runs `noren serve`, and functions alone on Lambda, Cloudflare \
Workers and Vercel. Each write and each search is one request of a function. The last table says from which number of \
requests another provider costs less. deploy/README.md explains the calculation; crates/cost/prices.toml has the prices, \
which are part of the program, and their date. Exit code: 0 calculated, 1 the file of prices is invalid or unreadable, \
2 wrong arguments."
)]
pub struct CostArgs {
    /// Number of products
    #[arg(long, value_name = "N", default_value = "10k")]
    pub products: Products,
    /// Number of writes a month
    #[arg(long, value_name = "N", default_value = "50k")]
    pub writes: Monthly,
    /// Number of searches a month
    #[arg(long, value_name = "N", default_value = "500k")]
    pub searches: Monthly,
    /// Memory of the functions
    #[arg(long, value_name = "MB", default_value = "512")]
    pub memory: Megabytes,
    /// Duration of each request in a function [default: 30 for a write, 20 for a search]
    #[arg(long, value_name = "MS")]
    pub duration: Option<Milliseconds>,
    /// File of prices, as crates/cost/prices.toml [default: that file]
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Write JSON, amounts as numbers with two decimals
    #[arg(long)]
    pub json: bool,
    /// Write the tables of deploy/README.md
    #[arg(long, conflicts_with_all = ["json", "products", "writes", "searches", "memory", "duration"])]
    pub markdown: bool,
}

/// Writes the bills of a workload and the break-even points to standard output.
///
/// # Errors
/// If the file of prices cannot be read or has a fault, or nobody reads the output.
pub(crate) fn cost(args: &CostArgs) -> Result<(), Failure> {
    let prices = read_prices(args)?;
    let CostArgs { products, writes, searches, memory, duration, .. } = *args;
    let workload = Workload { products, writes, searches, memory, duration };
    if args.markdown {
        return print(&markdown::section(&prices).context(|| "cannot make the tables".to_owned())?);
    }
    let (estimate, break_evens) = (Estimate::new(workload, &prices), BreakEven::all(&workload, &prices));
    match args.json {
        true => {
            let report = json::report(&estimate, &break_evens, &prices);
            print(&report.context(|| "cannot write the bills as JSON".to_owned())?)
        }
        false => print(&render(&estimate, &break_evens, &prices)),
    }
}

fn read_prices(args: &CostArgs) -> Result<Prices, Failure> {
    let Some(path) = &args.prices else {
        return Prices::embedded().context(|| "the prices of this program are invalid".to_owned());
    };
    let file = path.display();
    let text = std::fs::read_to_string(path).context(|| format!("cannot read {file}"))?;
    Prices::parse(&text).map_err(|error| Failure::new(format!("{file}:{error}")))
}

/// Formats both tables, each with its notes.
fn render(estimate: &Estimate, break_evens: &[BreakEven], prices: &Prices) -> String {
    let parts = [
        text::notes(estimate, prices).join("\n"),
        render_grid(Grid::bills(estimate)),
        render_grid(Grid::break_evens(break_evens)),
        text::break_even_notes(break_evens).join("\n"),
    ];
    parts.join("\n") + "\n"
}

/// Formats a table with numbers to the right of its first column.
fn render_grid<const N: usize>(grid: Grid<N>) -> String {
    let mut table = table(grid.header.each_ref().map(String::as_str));
    for row in grid.rows {
        table.add_row(row.into_iter().enumerate().map(|(at, text)| {
            let alignment = if at == 0 { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    table.trim_fmt()
}
