//! The section "Costs" of deploy/README.md: three sizes of a shop, functions alone, break-evens and prices.

use crate::break_even::BreakEven;
use crate::estimate::{Bill, Estimate};
use crate::grid::Grid;
use crate::part::Part;
use crate::prices::Prices;
use crate::provider::Provider;
use crate::quantity::{Megabytes, Milliseconds, Monthly, Products, QuantityError, grouped};
use crate::sizes::SizeName;
use crate::workload::Workload;

/// The shops of the first table: name, products, writes, searches.
const SHOPS: [(&str, u64, u64, u64); 3] = [
    ("small", 10_000, 50_000, 500_000),
    ("medium", 100_000, 1_000_000, 10_000_000),
    ("large", 1_000_000, 10_000_000, 100_000_000),
];

/// The loads of functions: requests, MB, milliseconds.
const LOADS: [(u64, u64, u64); 3] = [(10_000, 128, 500), (1_000_000, 256, 1_000), (10_000_000, 512, 2_000)];

/// Products of the machine that functions are compared with.
const PRODUCTS: u64 = 10_000;

/// The platforms for functions alone.
const FUNCTIONS: [Provider; 3] = [Provider::Lambda, Provider::Workers, Provider::Vercel];

/// Returns the section as Markdown.
///
/// # Errors
/// Never: a test makes the section.
pub fn section(prices: &Prices) -> Result<String, QuantityError> {
    let shops = shops(prices)?;
    let loads = LOADS.iter().map(|load| workload_of(*load)).collect::<Result<Vec<_>, _>>()?;
    let functions = functions(&loads, prices);
    let break_evens = break_evens(&loads, prices);
    let price_list = markdown(&Grid::prices(prices));
    Ok(format!(
        "\
Three sizes of a shop, and the same shop on one machine that runs `noren serve`:

{shops}
Functions alone, after free tiers: requests and compute, without a store, an index, an API or traffic.

{functions}
With these functions, one machine for {products} products costs less from this number of requests a month:

{break_evens}
Prices:

{price_list}",
        products = grouped(PRODUCTS),
    ))
}

fn shops(prices: &Prices) -> Result<String, QuantityError> {
    let mut estimates = Vec::new();
    for (_, products, writes, searches) in SHOPS {
        let workload = Workload {
            products: Products::new(products)?,
            writes: Monthly::new(writes)?,
            searches: Monthly::new(searches)?,
            memory: Megabytes::new(512)?,
            duration: None,
        };
        estimates.push(Estimate::new(workload, prices));
    }
    let row = |label: &str, cell: &dyn Fn(&Estimate) -> String| {
        std::array::from_fn(|at| if at == 0 { label.to_owned() } else { cell(&estimates[at - 1]) })
    };
    let stack = |estimate: &Estimate, cell: &dyn Fn(&Bill) -> String| {
        estimate.bill(Provider::AwsStack).map(cell).unwrap_or_default()
    };
    let mut rows: Vec<[String; SHOPS.len() + 1]> = vec![
        row("products", &|estimate| estimate.workload.products.to_string()),
        row("writes a month", &|estimate| estimate.workload.writes.to_string()),
        row("searches a month", &|estimate| estimate.workload.searches.to_string()),
        row("OpenSearch instances", &|estimate| stack(estimate, &|bill| size(bill, true))),
    ];
    for part in Part::ALL {
        let amount = |estimate: &Estimate| {
            stack(estimate, &|bill| bill.part(part).map(|amount| amount.to_string()).unwrap_or_default())
        };
        if estimates.iter().any(|estimate| !amount(estimate).is_empty()) {
            rows.push(row(part.label(), &amount));
        }
    }
    rows.push(row("**total**", &|estimate| stack(estimate, &|bill| format!("**{}**", bill.total()))));
    let machine = |estimate: &Estimate, cell: &dyn Fn(&Bill) -> String| {
        estimate.bill(Provider::OneMachine).map(cell).unwrap_or_default()
    };
    rows.push(row("one machine", &|estimate| machine(estimate, &|bill| size(bill, false))));
    rows.push(row("**total on one machine**", &|estimate| {
        machine(estimate, &|bill| format!("**{}**", bill.total()))
    }));
    let header = std::array::from_fn(|at| if at == 0 { String::new() } else { SHOPS[at - 1].0.to_owned() });
    Ok(markdown(&Grid { header, rows }))
}

fn size(bill: &Bill, with_count: bool) -> String {
    match &bill.size {
        Some(SizeName { instance, count, disk_gb }) if with_count => {
            format!("{count} {instance}, {disk_gb} GB")
        }
        Some(SizeName { instance, disk_gb, .. }) => format!("{instance}, {disk_gb} GB"),
        None => String::new(),
    }
}

fn workload_of((requests, memory, duration): (u64, u64, u64)) -> Result<Workload, QuantityError> {
    Ok(Workload {
        products: Products::new(PRODUCTS)?,
        writes: Monthly::new(0)?,
        searches: Monthly::new(requests)?,
        memory: Megabytes::new(memory)?,
        duration: Some(Milliseconds::new(duration)?),
    })
}

/// Returns the memory and duration of the functions of a workload.
fn load(workload: &Workload) -> [String; 2] {
    let duration = workload.duration.map(|duration| format!("{duration} ms")).unwrap_or_default();
    [format!("{} MB", workload.memory), duration]
}

fn functions(loads: &[Workload], prices: &Prices) -> String {
    let rows = loads.iter().map(|workload| {
        let estimate = Estimate::new(*workload, prices);
        let [memory, duration] = load(workload);
        let total =
            |provider| estimate.bill(provider).map(|bill| bill.total().to_string()).unwrap_or_default();
        let [lambda, workers, vercel] = FUNCTIONS.map(total);
        [workload.searches.to_string(), memory, duration, lambda, workers, vercel]
    });
    let header = ["requests a month", "memory", "duration", "Lambda", "Workers", "Vercel"];
    markdown(&Grid { header: header.map(str::to_owned), rows: rows.collect() })
}

fn break_evens(loads: &[Workload], prices: &Prices) -> String {
    let rows = loads.iter().map(|workload| {
        let break_evens = BreakEven::all(workload, prices);
        let from = |provider| {
            let pair = (provider, Provider::OneMachine);
            let found = break_evens.iter().find(|break_even| break_even.pair == pair);
            found.and_then(BreakEven::first_costs_more_from).map_or_else(|| "never".to_owned(), grouped)
        };
        let [memory, duration] = load(workload);
        let [lambda, workers, vercel] = FUNCTIONS.map(from);
        [memory, duration, lambda, workers, vercel]
    });
    let header = ["memory", "duration", "Lambda", "Workers", "Vercel"];
    markdown(&Grid { header: header.map(str::to_owned), rows: rows.collect() })
}

fn markdown<const N: usize>(grid: &Grid<N>) -> String {
    let line = |cells: &[String; N]| {
        format!("|{}\n", cells.iter().map(|cell| format!(" {cell} |")).collect::<String>())
    };
    let rows: String = grid.rows.iter().map(line).collect();
    format!("{}|{}\n{rows}", line(&grid.header).replace("|  |", "| |"), " --- |".repeat(N))
}

#[cfg(test)]
mod tests;
