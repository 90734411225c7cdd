//! `noren search`: the search of the API, shown as a table.

use std::borrow::Cow;
use std::io::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use domain::input::RawObject;
use domain::search::{DEFAULT_PAGE_SIZE, FacetValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::SearchArgs;
use crate::client::Api;
use crate::failure::{Context as _, Failure};

/// Values that are shown of a facet.
const FACET_VALUES_SHOWN: usize = 10;
/// The longest bar of a histogram, in characters.
const BAR_CHARS: u64 = 30;

/// Searches and writes the answer to standard output.
///
/// # Errors
/// When the catalogue cannot be asked, finds fault with the parameters, or nobody reads the output.
pub async fn search(api: &dyn Api, args: &SearchArgs) -> Result<(), Failure> {
    let body = api.get("/products/search", &parameters(args)).await?;
    let mut text = match args.json {
        true => String::from_utf8_lossy(&body).into_owned(),
        false => {
            let answer: Answer<'_> = serde_json::from_slice(&body)
                .context(|| "reading the answer; is this address a noren service".to_owned())?;
            render(&answer)
        }
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    std::io::stdout().write_all(text.as_bytes()).context(|| "writing the answer".to_owned())
}

/// The parameters of the API that say the same as the arguments.
fn parameters(args: &SearchArgs) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    if !args.words.is_empty() {
        parameters.push(("query".to_owned(), args.words.join(" ")));
    }
    parameters.extend(args.filters.parameters());
    let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
    if let Some(sort) = args.sort.and_then(|sort| clap::ValueEnum::to_possible_value(&sort)) {
        add("sortBy", sort.get_name().to_owned());
    }
    args.page.iter().for_each(|page| add("page", page.to_string()));
    args.page_size.iter().for_each(|size| add("pageSize", size.to_string()));
    if !args.facet.is_empty() {
        add("facets", args.facet.join(","));
    }
    parameters
}

/// What is shown of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
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
    /// As JSON, because a price must not become a float, not even to be shown.
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

fn render(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    if let Some(corrected) = &answer.corrected_query {
        text.push_str(&format!("did you mean: {}\n", printable(corrected)));
    }
    if !answer.relaxed.is_empty() {
        text.push_str(&format!(
            "nothing has every word; left out: {}\n",
            printable(&answer.relaxed.join(", "))
        ));
    }
    if !answer.products.is_empty() {
        text.push_str(&product_table(&answer.products).trim_fmt());
        text.push('\n');
    }
    text.push_str(&footer(answer));
    for (field, facet) in &answer.facets.0 {
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
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["Name", "Brand", "Category", "Price", "Stock", "Id"]);
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

/// `1 to 20 of 137 products, 0.8 ms`
fn footer(answer: &Answer<'_>) -> String {
    let shown = answer.products.len() as u64;
    let size = answer.page_size.unwrap_or(DEFAULT_PAGE_SIZE as u64);
    let before = answer.page.unwrap_or(1).saturating_sub(1).saturating_mul(size);
    let range = match (shown, answer.total) {
        (_, 0) => "no products found".to_owned(),
        (0, total) => format!("no products on this page of {total} found"),
        (1, 1) => "1 product".to_owned(),
        (shown, total) if shown == total => format!("{total} products"),
        (shown, total) => format!("{} to {} of {total} products", before + 1, before + shown),
    };
    format!("{range}, {:.1} ms\n", answer.took)
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

/// Without control characters: data must not steer the terminal it is shown on.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => text.replace(char::is_control, "\u{fffd}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

    fn args(line: &[&str]) -> SearchArgs {
        let Ok(Cli { command: Command::Search(args) }) = Cli::try_parse_from(line) else {
            panic!("{line:?} is a search");
        };
        args
    }

    #[test]
    fn arguments_become_parameters_of_the_api() {
        let args = args(&[
            "noren",
            "search",
            "green",
            "tea",
            "--brand",
            "HP",
            "--brand",
            "A&B",
            "--price",
            "-50",
            "--tag",
            "hot",
            "--category",
            "A > B",
            "--in-stock",
            "--attribute",
            "w=1..2",
            "--sort",
            "price_asc",
            "--page",
            "2",
            "--page-size",
            "5",
            "--facet",
            "brand",
            "--facet",
            "price",
            "--currency",
            "EUR",
        ]);
        let found = parameters(&args);
        let found: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "query=green tea",
            "brand=HP",
            "brand=A&B",
            "category=A > B",
            "tags=hot",
            "priceRange=-50",
            "currency=EUR",
            "inStock=true",
            "attributes.w=1..2",
            "sortBy=price_asc",
            "page=2",
            "pageSize=5",
            "facets=brand,price",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_given_means_no_parameters() {
        assert_eq!(parameters(&args(&["noren", "search"])), []);
    }

    const ANSWER: &str = r#"{
        "products":[{"id":"k-1","name":"Kettle","brand":"Tetsu","category":"Kitchen > Kettles","price":19.90,
            "currency":"USD","stock":3,"score":1.5,"highlights":{}},{"id":"k-2","name":"Red \u001b[31m kettle"}],
        "total":12,"took":0.84,"page":3,"pageSize":2,"correctedQuery":"kettle",
        "facets":{"brand":{"values":[{"value":"Tetsu","count":7}],"distinct":4},
            "price":{"min":5.00,"max":24.90,"count":11,"histogram":[
                {"from":0.00,"to":9.99,"count":10},{"from":10.00,"to":19.99,"count":0},{"from":20.00,"to":29.99,"count":1}]}}}"#;

    #[test]
    fn an_answer_becomes_a_table_with_its_facets() {
        let text = render(&serde_json::from_str(ANSWER).unwrap());
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
        assert!(!text.contains('\u{1b}'), "data steers the terminal");
    }

    #[test]
    fn finding_nothing_says_so() {
        let json = r#"{"products":[],"total":0,"took":0.1,"page":1,"pageSize":20,"facets":{"price":null}}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        assert_eq!(text, "no products found, 0.1 ms\n\nprice: no prices\n");
    }
}
