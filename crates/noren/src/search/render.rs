//! The response of a search as text.

use api::wire::facets::{Facet, PriceFacet};
use api::wire::search::{Hit, SearchAnswer};
use comfy_table::{Cell, CellAlignment, Table};
use domain::CategoryPath;
use domain::fault::printable;
use domain::search::FacetValue;

use crate::terminal::table;

/// Number of values shown per facet.
const FACET_VALUES_SHOWN: usize = 10;
/// Length of the longest bar of a histogram, in characters.
const BAR_CHARS: u64 = 30;

/// Formats products, counts and facets.
pub(super) fn render(response: &SearchAnswer<'_>) -> String {
    let mut text = String::new();
    if let Some(corrected) = &response.corrected_query {
        text.push_str(&format!("did you mean: {}\n", printable(corrected)));
    }
    if response.truncated {
        text.push_str("the query is too long; only the words at its beginning count\n");
    }
    text.push_str(&missing_words(response));
    if !response.products.hits.is_empty() {
        text.push_str(&product_table(&response.products.hits).trim_fmt());
        text.push('\n');
    }
    text.push_str(&footer(response));
    for (field, facet) in &response.facets.0 {
        text.push('\n');
        text.push_str(&match facet {
            Facet::Values(facet) => values_facet(field, &facet.values, facet.distinct),
            Facet::Price(facet) => price_facet(field, facet.as_ref()),
        });
    }
    text
}

/// Says how many products lack words; empty if none does.
fn missing_words(response: &SearchAnswer<'_>) -> String {
    let words = response.relaxed.join(", ");
    let words = printable(&words);
    match (response.relaxed.is_empty(), response.relaxed_total) {
        (true, _) | (false, Some(0)) => String::new(),
        (false, None) => format!("no product found has every word; optional: {words}\n"),
        (false, Some(lacking)) => {
            let have = match response.total {
                1 => "1 product has".to_owned(),
                total => format!("{total} products have"),
            };
            let lack = if lacking == 1 { "lacks" } else { "lack" };
            format!("{have} every word; {lacking} more {lack} some of: {words}\n")
        }
    }
}

fn product_table(hits: &[Hit<'_>]) -> Table {
    let mut table = table(["Name", "Brand", "Category", "Price", "Stock", "Id"]);
    let number =
        |number: Option<String>| Cell::new(number.unwrap_or_default()).set_alignment(CellAlignment::Right);
    for Hit { product, .. } in hits {
        let content = &product.content;
        table.add_row([
            Cell::new(printable(&content.name)),
            Cell::new(printable(content.brand.as_deref().unwrap_or_default())),
            Cell::new(printable(&categories(&content.categories))),
            number(content.price.map(|price| format!("{price} {}", price.currency()))),
            number(content.stock.map(|stock| stock.to_string())),
            Cell::new(printable(product.id.as_str())),
        ]);
    }
    table
}

/// Formats the main category, and the number of others: `Home > Lamps (+2)`.
fn categories(all: &[CategoryPath]) -> String {
    match all {
        [] => String::new(),
        [only] => only.to_string(),
        [main, others @ ..] => format!("{main} (+{})", others.len()),
    }
}

/// Formats the range of results, such as `1 to 20 of 137 products, 0.8 ms`.
fn footer(response: &SearchAnswer<'_>) -> String {
    let shown = response.products.hits.len() as u64;
    let before = response.page.unwrap_or(1).saturating_sub(1).saturating_mul(response.page_size) as u64;
    let range = match (shown, response.total + response.relaxed_total.unwrap_or(0)) {
        (_, 0) => "no products found".to_owned(),
        (0, total) => format!("no products on this page of {total} found"),
        (1, 1) => "1 product".to_owned(),
        (shown, total) if shown == total => format!("{total} products"),
        (shown, total) => format!("{} to {} of {total} products", before + 1, before + shown),
    };
    format!("{range}, {:.1} ms\n", response.took)
}

fn values_facet(field: &str, values: &[FacetValue], distinct: usize) -> String {
    let shown = &values[..values.len().min(FACET_VALUES_SHOWN)];
    let mut text = match distinct.saturating_sub(shown.len()) {
        0 => format!("{}\n", printable(field)),
        more => format!("{} (and {more} more)\n", printable(field)),
    };
    for value in shown {
        text.push_str(&format!("{:>8}  {}\n", value.count, printable(&value.value)));
    }
    text
}

fn price_facet(field: &str, facet: Option<&PriceFacet>) -> String {
    let Some(PriceFacet { min, max, count, histogram, .. }) = facet else {
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
            "currency":"USD","stock":3,"status":"active","version":1,"createdAt":"2026-01-05T09:30:00Z",
            "updatedAt":"2026-01-05T09:30:00Z","score":1.5,"highlights":{}},
            {"id":"k-2","name":"Red \u001b[31m kettle","category":"Kitchen","categories":["Kitchen","Sale","Red"],"status":"active","version":1,"createdAt":"2026-01-05T09:30:00Z",
            "updatedAt":"2026-01-05T09:30:00Z","score":1.5}],
        "total":12,"took":0.84,"page":3,"pageSize":2,"correctedQuery":"kettle",
        "facets":{"brand":{"values":[{"value":"Tetsu","count":7}],"distinct":4},
            "price":{"min":5.00,"max":24.90,"count":11,"currency":"USD","histogram":[
                {"from":0.00,"to":9.99,"count":10},{"from":10.00,"to":19.99,"count":0},{"from":20.00,"to":29.99,"count":1}]}}}"#;

    #[test]
    fn a_response_becomes_a_table_with_its_facets() {
        let text = render(&serde_json::from_str(RESPONSE).unwrap());
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "did you mean: kettle");
        let row = lines.iter().find(|line| line.contains("k-1")).unwrap();
        let cells: Vec<&str> = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, ["Kettle", "Tetsu", "Kitchen > Kettles", "19.90 USD", "3", "k-1"]);
        assert!(text.contains(" Kitchen (+2) "), "{text}");
        assert!(text.contains("5 to 6 of 12 products, 0.8 ms"), "{text}");
        assert!(text.contains("brand (and 3 more)\n       7  Tetsu\n"), "{text}");
        assert!(text.contains("price from 5.00 to 24.90, 11 products\n"), "{text}");
        let bar = |count: usize| "█".repeat(count);
        assert!(text.contains(&format!("      10  0.00 to 9.99            {}\n", bar(30))), "{text}");
        assert!(text.contains(&format!("       1  20.00 to 29.99          {}\n", bar(3))), "{text}");
        assert!(!text.contains('\u{1b}'), "data controls the terminal");
    }

    #[test]
    fn it_says_which_products_have_every_word() {
        let first_line = |total: u64, rest: &str| {
            let json = format!(
                r#"{{"products":[],"total":{total},{rest}"took":0.1,"page":1,"pageSize":20,"facets":{{}}}}"#
            );
            render(&serde_json::from_str(&json).unwrap()).lines().next().unwrap().to_owned()
        };
        let relaxed = |count: &str| format!(r#"{count}"relaxed":["lamp","floor"],"#);
        assert_eq!(first_line(3, &relaxed("")), "no product found has every word; optional: lamp, floor");
        let one = r#""relaxedTotal":1,"#;
        assert_eq!(
            first_line(1, &relaxed(one)),
            "1 product has every word; 1 more lacks some of: lamp, floor"
        );
        let many = r#""relaxedTotal":15,"#;
        assert_eq!(
            first_line(2, &relaxed(many)),
            "2 products have every word; 15 more lack some of: lamp, floor"
        );
        let none = r#""relaxedTotal":0,"#;
        assert_eq!(first_line(2, &relaxed(none)), "no products on this page of 2 found, 0.1 ms");
        assert_eq!(first_line(2, ""), "no products on this page of 2 found, 0.1 ms");
        let truncated = first_line(2, r#""truncated":true,"#);
        assert_eq!(truncated, "the query is too long; only the words at its beginning count");
    }

    #[test]
    fn finding_nothing_says_so() {
        let json = r#"{"products":[],"total":0,"took":0.1,"page":1,"pageSize":20,"facets":{"price":null}}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        assert_eq!(text, "no products found, 0.1 ms\n\nprice: no prices\n");
    }
}
