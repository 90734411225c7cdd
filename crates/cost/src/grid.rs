//! Tables of texts, which a terminal or a Markdown file shows.

use crate::break_even::BreakEven;
use crate::estimate::Estimate;
use crate::part::Part;
use crate::provider::Provider;
use crate::quantity::grouped;

/// A header and rows of the same number of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid<const N: usize> {
    /// The header.
    pub header: [String; N],
    /// The rows.
    pub rows: Vec<[String; N]>,
}

/// Number of columns of a table of bills: the parts, and each provider.
const BILL_COLUMNS: usize = Provider::ALL.len() + 1;

impl Grid<BILL_COLUMNS> {
    /// Shows the bills of all providers by part. A cell is empty if the bill does not count the part.
    pub fn bills(estimate: &Estimate) -> Self {
        let row = |label: &str, cell: &dyn Fn(usize) -> String| {
            std::array::from_fn(|at| if at == 0 { label.to_owned() } else { cell(at - 1) })
        };
        let bill = |at: usize| estimate.columns[at].bill.as_ref();
        let mut rows = Vec::new();
        for part in Part::ALL {
            let amount = |at| bill(at).and_then(|bill| bill.part(part));
            if (0..Provider::ALL.len()).any(|at| amount(at).is_some()) {
                rows.push(row(part.label(), &|at| {
                    amount(at).map(|amount| amount.to_string()).unwrap_or_default()
                }));
            }
        }
        let total = |at| bill(at).map_or_else(|| "too large".to_owned(), |bill| bill.total().to_string());
        rows.push(row("total", &total));
        Self { header: row("USD a month", &|at| estimate.columns[at].provider.label().to_owned()), rows }
    }
}

impl Grid<3> {
    /// Shows which provider of each pair costs less, by the number of requests.
    pub fn break_evens(break_evens: &[BreakEven]) -> Self {
        let mut rows = Vec::new();
        for BreakEven { pair, ranges, .. } in break_evens {
            for (at, range) in ranges.iter().enumerate() {
                let pair =
                    if at == 0 { format!("{}, {}", pair.0.label(), pair.1.label()) } else { String::new() };
                let cheaper = range.cheaper.map_or("neither", Provider::label);
                rows.push([pair, grouped(range.from), cheaper.to_owned()]);
            }
        }
        Self { header: ["break-even", "from requests a month", "costs less"].map(str::to_owned), rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::Prices;
    use crate::quantity::{Megabytes, Milliseconds, Monthly, Products};
    use crate::workload::Workload;

    fn workload(products: u64) -> Workload {
        Workload {
            products: Products::new(products).unwrap(),
            writes: Monthly::new(0).unwrap(),
            searches: Monthly::new(10_000_000).unwrap(),
            memory: Megabytes::new(512).unwrap(),
            duration: Some(Milliseconds::new(2_000).unwrap()),
        }
    }

    fn row(products: u64, label: &str) -> [String; 6] {
        let grid = Grid::bills(&Estimate::new(workload(products), &Prices::embedded().unwrap()));
        grid.rows.into_iter().find(|row| row[0] == label).unwrap()
    }

    #[test]
    fn a_bill_shows_each_part_at_the_providers_that_count_it() {
        assert_eq!(row(10_000, "machine with disk"), ["machine with disk", "", "16.71", "", "", ""]);
        let requests = row(10_000, "functions: requests");
        assert_eq!(requests[2..], ["", "1.80", "5.00", "3.96"]);
        assert_eq!(row(10_000, "functions: compute")[3..], ["160.00", "", ""]);
        assert_eq!(row(10_000, "total")[3..], ["161.80", "5.00", "3.96"]);
    }

    #[test]
    fn a_workload_above_all_sizes_is_too_large() {
        assert_eq!(row(1_000_001, "total"), ["total", "too large", "too large", "161.80", "5.00", "3.96"]);
    }

    #[test]
    fn break_evens_name_their_pair_once() {
        let prices = Prices::embedded().unwrap();
        let grid = Grid::break_evens(&BreakEven::all(&workload(10_000), &prices));
        assert_eq!(grid.rows[0], ["Lambda, one machine", "0", "Lambda"]);
        assert_eq!(grid.rows[1], ["", "1,398,062", "one machine"]);
    }
}
