//! The response of a search as text.

use comfy_table::{Cell, CellAlignment, Table};
use domain::input::RawObject;
use domain::search::{DEFAULT_PAGE_SIZE, FacetValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::terminal::{printable, table};

/// Number of values shown per facet.
const FACET_VALUES_SHOWN: usize = 10;
/// Length of the longest bar of a histogram, in characters.
const BAR_CHARS: u64 = 30;

/// The shown part of a search response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchResponse<'a> {
    #[serde(borrow)]
    products: Vec<Product<'a>>,
    total: u64,
    took: f64,
    #[serde(borrow)]
    facets: RawObject<'a>,
    page: Option<u64>,
    page_size: Option<u64>,
    corrected_query: Option<String>,
    #[serde(default)]
    relaxed: Vec<String>,
}

#[derive(Deserialize)]
struct Product<'a> {
    id: String,
    name: String,
    brand: Option<String>,
    category: Option<String>,
    /// JSON, so the price keeps its digits.
    #[serde(borrow)]
    price: Option<&'a RawValue>,
    currency: Option<String>,
    stock: Option<u64>,
}

#[derive(Deserialize)]
struct ValuesFacet {
    values: Vec<FacetValue>,
    distinct: u64,
}

#[derive(Deserialize)]
struct PriceFacet<'a> {
    #[serde(borrow)]
    min: &'a RawValue,
    #[serde(borrow)]
    max: &'a RawValue,
    count: u64,
    #[serde(borrow)]
    histogram: Vec<Bucket<'a>>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    from: &'a RawValue,
    #[serde(borrow)]
    to: &'a RawValue,
    count: u64,
}

/// Formats products, counts and facets.
pub(super) fn render(response: &SearchResponse<'_>) -> String {
    let mut text = String::new();
    if let Some(corrected) = &response.corrected_query {
        text.push_str(&format!("did you mean: {}\n", printable(corrected)));
    }
    if !response.relaxed.is_empty() {
        text.push_str(&format!(
            "no product has every word; ignored: {}\n",
            printable(&response.relaxed.join(", "))
        ));
    }
    if !response.products.is_empty() {
        text.push_str(&product_table(&response.products).trim_fmt());
        text.push('\n');
    }
    text.push_str(&footer(response));
    for (field, facet) in &response.facets.0 {
        text.push('\n');
        if let Ok(facet) = serde_json::from_str::<ValuesFacet>(facet.get()) {
            text.push_str(&values_facet(field, &facet));
        } else if let Ok(facet) = serde_json::from_str::<Option<PriceFacet<'_>>>(facet.get()) {
            text.push_str(&price_facet(field, facet.as_ref()));
        }
    }
    text
}

fn product_table(products: &[Product<'_>]) -> Table {
    let mut table = table(["Name", "Brand", "Category", "Price", "Stock", "Id"]);
    for product in products {
        let price = match (product.price, &product.currency) {
            (Some(price), Some(currency)) => format!("{} {currency}", price.get()),
            _ => String::new(),
        };
        let text = |text: &Option<String>| Cell::new(printable(text.as_deref().unwrap_or_default()));
        table.add_row([
            Cell::new(printable(&product.name)),
            text(&product.brand),
            text(&product.category),
            Cell::new(price).set_alignment(CellAlignment::Right),
            Cell::new(product.stock.map(|stock| stock.to_string()).unwrap_or_default())
                .set_alignment(CellAlignment::Right),
            Cell::new(printable(&product.id)),
        ]);
    }
    table
}

/// Formats the range of results, such as `1 to 20 of 137 products, 0.8 ms`.
fn footer(response: &SearchResponse<'_>) -> String {
    let shown = response.products.len() as u64;
    let size = response.page_size.unwrap_or(DEFAULT_PAGE_SIZE as u64);
    let before = response.page.unwrap_or(1).saturating_sub(1).saturating_mul(size);
    let range = match (shown, response.total) {
        (_, 0) => "no products found".to_owned(),
        (0, total) => format!("no products on this page of {total} found"),
        (1, 1) => "1 product".to_owned(),
        (shown, total) if shown == total => format!("{total} products"),
        (shown, total) => format!("{} to {} of {total} products", before + 1, before + shown),
    };
    format!("{range}, {:.1} ms\n", response.took)
}

fn values_facet(field: &str, facet: &ValuesFacet) -> String {
    let shown = &facet.values[..facet.values.len().min(FACET_VALUES_SHOWN)];
    let mut text = match facet.distinct.saturating_sub(shown.len() as u64) {
        0 => format!("{}\n", printable(field)),
        more => format!("{} (and {more} more)\n", printable(field)),
    };
    for value in shown {
        text.push_str(&format!("{:>8}  {}\n", value.count, printable(&value.value)));
    }
    text
}

fn price_facet(field: &str, facet: Option<&PriceFacet<'_>>) -> String {
    let Some(PriceFacet { min, max, count, histogram }) = facet else {
        return format!("{field}: no prices\n");
    };
    let products = if *count == 1 { "product" } else { "products" };
    let mut text = format!("{field} from {} to {}, {count} {products}\n", min.get(), max.get());
    let largest = histogram.iter().map(|bucket| bucket.count).max().unwrap_or_default().max(1);
    for bucket in histogram {
        let chars = (bucket.count * BAR_CHARS).div_ceil(largest);
        let range = format!("{} to {}", bucket.from.get(), bucket.to.get());
        let line = format!("{:>8}  {range:<24}{}", bucket.count, "█".repeat(chars as usize));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = r#"{
        "products":[{"id":"k-1","name":"Kettle","brand":"Tetsu","category":"Kitchen > Kettles","price":19.90,
            "currency":"USD","stock":3,"score":1.5,"highlights":{}},{"id":"k-2","name":"Red \u001b[31m kettle"}],
        "total":12,"took":0.84,"page":3,"pageSize":2,"correctedQuery":"kettle",
        "facets":{"brand":{"values":[{"value":"Tetsu","count":7}],"distinct":4},
            "price":{"min":5.00,"max":24.90,"count":11,"histogram":[
                {"from":0.00,"to":9.99,"count":10},{"from":10.00,"to":19.99,"count":0},{"from":20.00,"to":29.99,"count":1}]}}}"#;

    #[test]
    fn a_response_becomes_a_table_with_its_facets() {
        let text = render(&serde_json::from_str(RESPONSE).unwrap());
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "did you mean: kettle");
        let row = lines.iter().find(|line| line.contains("k-1")).unwrap();
        let cells: Vec<&str> = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, ["Kettle", "Tetsu", "Kitchen > Kettles", "19.90 USD", "3", "k-1"]);
        assert!(text.contains("5 to 6 of 12 products, 0.8 ms"), "{text}");
        assert!(text.contains("brand (and 3 more)\n       7  Tetsu\n"), "{text}");
        assert!(text.contains("price from 5.00 to 24.90, 11 products\n"), "{text}");
        let bar = |count: usize| "█".repeat(count);
        assert!(text.contains(&format!("      10  0.00 to 9.99            {}\n", bar(30))), "{text}");
        assert!(text.contains(&format!("       1  20.00 to 29.99          {}\n", bar(3))), "{text}");
        assert!(!text.contains('\u{1b}'), "data controls the terminal");
    }

    #[test]
    fn finding_nothing_says_so() {
        let json = r#"{"products":[],"total":0,"took":0.1,"page":1,"pageSize":20,"facets":{"price":null}}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        assert_eq!(text, "no products found, 0.1 ms\n\nprice: no prices\n");
    }
}
