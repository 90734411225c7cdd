//! The table of all search parameters.

use std::sync::LazyLock;

use api::parameters::push_pair;
use domain::input::MAX_LABEL_CHARS;
use domain::search::{
    DEFAULT_FACET_VALUES, DEFAULT_PAGE_SIZE, MAX_FACET_VALUES, MAX_FACETS, MAX_FILTERS, MAX_PAGE_SIZE,
    MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS, MAX_QUERY_WORDS,
};

use crate::parameter::{Endpoint, Example, Flag, Kind, Parameter, TextBounds};
use crate::required_versions::{DEFAULT_SYNC_TIMEOUT, MAX_SYNC_TIMEOUT, MAX_SYNC_TOKENS, SYNC_TOKEN_PATTERN};
use crate::values;

/// The default number of values that `/products/facets/{field}` lists.
pub const DEFAULT_LISTED_VALUES: usize = 100;
/// The default number of suggested products and completions.
pub const DEFAULT_SUGGESTIONS: usize = 8;
/// The most suggested products and completions.
pub const MAX_SUGGESTIONS: usize = 20;
/// The default number of similar products.
pub const DEFAULT_SIMILAR: usize = 10;

const EVERY: &[Endpoint] = &[
    Endpoint::Search,
    Endpoint::FacetValues,
    Endpoint::Suggest,
    Endpoint::Similar,
    Endpoint::Explain,
    Endpoint::Filter,
];
const WITH_WORDS: &[Endpoint] =
    &[Endpoint::Search, Endpoint::FacetValues, Endpoint::Suggest, Endpoint::Explain];
const SEARCH: &[Endpoint] = &[Endpoint::Search];

/// The bounds of a brand or a tag.
const LABEL: TextBounds =
    TextBounds { min_chars: Some(1), max_chars: Some(MAX_LABEL_CHARS), ..TextBounds::NONE };
const PRICE_RANGE: &str = r"^([0-9]+(\.[0-9]+)?-([0-9]+(\.[0-9]+)?)?|-[0-9]+(\.[0-9]+)?)$";
/// The bounds of the name of a facet.
const FACET: TextBounds = TextBounds {
    pattern: Some(r"^(\*|brand|category|tags|price|attributes\.[^,]{1,128})$"),
    ..TextBounds::NONE
};
/// The bounds of the name of a field of a product found.
const FOUND_FIELD: TextBounds = TextBounds { pattern: Some(FOUND_FIELDS), ..TextBounds::NONE };
/// The names of a [`ChosenField`](api::wire::fields::ChosenField).
const FOUND_FIELDS: &str = r"^(id|name|description|sku|brand|category|categories|tags|price|currency|attributes|images|stock|status|source|version|createdAt|updatedAt|score|highlights|attributes\.[^,]{1,128})$";
/// The most fields to choose.
pub const MAX_CHOSEN_FIELDS: usize = 100;
/// The form of a category: up to 10 levels of at most 100 characters each.
const CATEGORY: &str = "^[^>]{1,100}(>[^>]{1,100}){0,9}$";
/// The names of [`Sort::FIXED`](domain::search::Sort::FIXED).
const SORT_NAMES: [&str; 5] = ["relevance", "price_asc", "price_desc", "newest", "name"];
/// The form of a sort order: one of [`SORT_NAMES`], or an attribute with an optional direction.
const SORT: &str = r"^(relevance|price_asc|price_desc|newest|name|attributes\.[^,]{1,128}(_asc|_desc)?)$";

/// Returns all parameters, in the order of the OpenAPI document and of the canonical form.
pub fn all() -> &'static [Parameter] {
    &TABLE
}

/// Returns the parameters of an endpoint.
pub fn of(endpoint: Endpoint) -> impl Iterator<Item = &'static Parameter> + Clone {
    all().iter().filter(move |parameter| parameter.endpoints.contains(&endpoint))
}

/// Returns the defaults of a row. Each row sets at least the name, the description and the function that reads its value.
fn row() -> Parameter {
    Parameter {
        name: "",
        aliases: &[],
        endpoints: EVERY,
        kind: Kind::Text(TextBounds::NONE),
        about: "".into(),
        example: None,
        flag: None,
        needs: &[],
        read: |_, _, _| {},
        write: |_, _, _| {},
    }
}

static TABLE: LazyLock<Vec<Parameter>> =
    LazyLock::new(|| [filters(), search_options(), limits()].into_iter().flatten().collect());

/// Returns the parameters that select products.
fn filters() -> Vec<Parameter> {
    vec![
        Parameter {
            name: "query",
            aliases: &["q", "search", "text"],
            endpoints: WITH_WORDS,
            about: format!(
                "What the shopper typed. `procesor intle` finds Intel processors, `lamp -red` lamps without the word `red`, and \
                 `\"new balance\"` products in which these words follow each other. Of a longer query, the words within the \
                 first {MAX_QUERY_CHARS} characters count, at most {MAX_QUERY_WORDS}, and the answer has `truncated: true`."
            )
            .into(),
            example: Some(Example::Value("teapot")),
            read: values::read_words,
            write: |row, parsed, query| {
                if !parsed.request.words.is_empty() {
                    push_pair(query, row.name, &parsed.request.words);
                }
            },
            ..row()
        },
        Parameter {
            name: "operators",
            aliases: &["advancedsyntax", "syntax"],
            endpoints: WITH_WORDS,
            kind: Kind::Flag { default: Some(true) },
            about: "`false` takes the signs of the query as they are. Otherwise a minus before a letter, at the start or after a \
                    space, leaves out products with that word in any of its forms, and quotation marks are around words that \
                    must follow each other in one text of a product; `-\"new balance\"` leaves out a phrase. A mark after a \
                    digit means inches. These words have no typos, are not completed, and are never optional."
                .into(),
            flag: Some(Flag {
                name: "operators",
                value_name: Some("BOOL"),
                help: "With false, a minus and quotation marks in the words mean nothing [default: true]",
            }),
            read: values::read_operators,
            write: values::write_operators,
            ..row()
        },
        Parameter {
            name: "category",
            kind: Kind::Texts {
                each: TextBounds { pattern: Some(CATEGORY), ..TextBounds::NONE },
                max_items: MAX_FILTERS,
            },
            about: "A category and everything below it: the path, broad to narrow, such as `Computers > Laptops`. \
                    Repeated: any of them."
                .into(),
            flag: Some(Flag {
                name: "category",
                value_name: Some("PATH"),
                help: "Only this category and its subcategories, such as `Kitchen > Kettles`; repeat for alternatives",
            }),
            read: values::read_categories,
            write: |row, parsed, query| {
                let paths = &parsed.request.filters.category;
                paths.iter().for_each(|path| push_pair(query, row.name, &path.to_string()));
            },
            ..row()
        },
        Parameter {
            name: "brand",
            kind: Kind::Texts { each: LABEL, max_items: MAX_FILTERS },
            about: "A brand, such as `HP`. Repeated: any of them.".into(),
            flag: Some(Flag {
                name: "brand",
                value_name: Some("BRAND"),
                help: "Only this brand; repeat for alternatives",
            }),
            read: |row, reader, draft| {
                draft.parsed.request.filters.brand = reader.list(row.name, values::label);
            },
            write: |row, parsed, query| {
                parsed.request.filters.brand.iter().for_each(|brand| push_pair(query, row.name, brand));
            },
            ..row()
        },
        Parameter {
            name: "tags",
            kind: Kind::Texts { each: LABEL, max_items: MAX_FILTERS },
            about: "A tag. Repeated: any of them.".into(),
            flag: Some(Flag {
                name: "tag",
                value_name: Some("TAG"),
                help: "Only products with this tag; repeat for alternatives",
            }),
            read: |row, reader, draft| {
                draft.parsed.request.filters.tags = reader.list(row.name, values::label);
            },
            write: |row, parsed, query| {
                parsed.request.filters.tags.iter().for_each(|tag| push_pair(query, row.name, tag));
            },
            ..row()
        },
        Parameter {
            name: "priceRange",
            aliases: &["price"],
            kind: Kind::Texts {
                each: TextBounds { pattern: Some(PRICE_RANGE), ..TextBounds::NONE },
                max_items: MAX_FILTERS,
            },
            about: "Prices from `min` to `max`, both included: `100-200`, `99.50-`, `-20`. Either side may be open. \
                    At most as many decimals as the currency has. Repeated: any of them."
                .into(),
            flag: Some(Flag {
                name: "price",
                value_name: Some("MIN-MAX"),
                help: "Only prices in this range; either end may be omitted: `100-`, `-50`",
            }),
            needs: &["currency"],
            read: values::read_price_ranges,
            write: |row, parsed, query| {
                let currency = parsed.request.currency;
                let ranges = &parsed.request.filters.price;
                ranges.iter().for_each(|range| push_pair(query, row.name, &range.display(currency)));
            },
            ..row()
        },
        Parameter {
            name: "inStock",
            aliases: &["instock", "stock"],
            kind: Kind::Flag { default: None },
            about: "`true`: at least one item in stock. `false`: none, or unknown.".into(),
            flag: Some(Flag { name: "in-stock", value_name: None, help: "Only products in stock" }),
            read: |row, reader, draft| draft.parsed.request.filters.in_stock = reader.flag(row.name),
            write: |row, parsed, query| {
                let in_stock = parsed.request.filters.in_stock;
                in_stock.iter().for_each(|flag| push_pair(query, row.name, &flag.to_string()));
            },
            ..row()
        },
        Parameter {
            name: "attributes.KEY",
            kind: Kind::Attributes { max_items: MAX_FILTERS },
            about: "Filters by attributes: an object of keys and values, sent as one parameter for each key. \
                    `attributes.colour=red` and `attributes[colour]=red` are the same. `attributes.width=10..20` is a \
                    range of numbers, both ends included, `10..<20` without the upper one; either side may be open. \
                    `attributes.released=2026-01-01..2026-06-30` is a range of dates. `attributes.volt.is=100..240`, or \
                    `attributes[volt][is]`, is the value `100..240` itself. Repeated: any of the values; different keys: all of \
                    them."
                .into(),
            example: Some(Example::Attribute { key: "colour", value: "black" }),
            flag: Some(Flag {
                name: "attribute",
                value_name: Some("KEY=VALUE"),
                help: "Only this value of an attribute, or a range `KEY=MIN..MAX`, or `KEY.is=VALUE` for a value that looks like a range; repeat a key for alternatives",
            }),
            read: values::read_attributes,
            write: values::write_attributes,
            ..row()
        },
        Parameter {
            name: "currency",
            kind: Kind::Text(TextBounds { pattern: Some("^[A-Z]{3}$"), ..TextBounds::NONE }),
            about: "The currency of price ranges, of sorting by price and of the price facet, ISO 4217: `EUR`. \
                    Default: the catalogue's. A product priced in another one is found by its words only."
                .into(),
            flag: Some(Flag {
                name: "currency",
                value_name: Some("CODE"),
                help: "Currency of price filter, price order and price facet [default: that of the catalogue]",
            }),
            read: values::read_currency,
            write: |row, parsed, query| push_pair(query, row.name, parsed.request.currency.code()),
            ..row()
        },
    ]
}

/// Returns the parameters of `/products/search` that do not select products: facets, order, page, fields and waiting.
fn search_options() -> Vec<Parameter> {
    vec![
        Parameter {
            name: "facets",
            endpoints: SEARCH,
            kind: Kind::Names { each: FACET, max_items: MAX_FACETS },
            about: "What to count: `brand`, `category`, `tags`, `price` and `attributes.KEY`, separated by commas or \
                    repeated; `*` selects those that matter for the products found. A comma in a key is written `\\,`."
                .into(),
            example: Some(Example::List(&["brand", "price"])),
            flag: Some(Flag {
                name: "facet",
                value_name: Some("FIELD"),
                help: "Count the values of this field: brand, category, tags, price or attributes.KEY",
            }),
            read: values::read_facets,
            write: values::write_facets,
            ..row()
        },
        Parameter {
            name: "facetSize",
            aliases: &["facetlimit"],
            endpoints: SEARCH,
            kind: Kind::Number { min: 1, max: MAX_FACET_VALUES, default: Some(DEFAULT_FACET_VALUES) },
            about: "The most values of each facet.".into(),
            read: |row, reader, draft| {
                draft.parsed.request.facet_values = values::number(row, reader).unwrap_or(DEFAULT_FACET_VALUES);
            },
            write: |row, parsed, query| {
                if parsed.request.facet_values != DEFAULT_FACET_VALUES {
                    push_pair(query, row.name, &parsed.request.facet_values.to_string());
                }
            },
            ..row()
        },
        Parameter {
            name: "sortBy",
            aliases: &["sort", "order", "orderby"],
            endpoints: SEARCH,
            kind: Kind::Text(TextBounds {
                pattern: Some(SORT),
                choices: &SORT_NAMES,
                choices_help: &[
                    "Best match first",
                    "Lowest price first",
                    "Highest price first",
                    "Latest creation first",
                    "By name, in the order of the language",
                ],
                ..TextBounds::NONE
            }),
            about: "The order, `relevance` by default: `price_asc`, `price_desc`, `newest`, `name`, or an attribute, as in \
                    `attributes.width` and `attributes.width_desc`. Numbers are in their order and come before texts; texts, \
                    such as dates in the form `2026-01-31`, are in the order of Unicode code points; of a list the first value \
                    counts. Names are in the order of the catalogue's language, and numbers in them by their value. Products \
                    without the attribute, or without a price in the currency, come last. Equal ones follow each other \
                    by `id`; in a search by relevance, those whose names have the words as typed come first. With a `cursor`, the default is the cursor's order."
                .into(),
            flag: Some(Flag {
                name: "sort",
                value_name: Some("SORT"),
                help: "Sort order, also attributes.KEY, or attributes.KEY_desc [default: relevance]",
            }),
            read: values::read_sort,
            write: values::write_sort,
            ..row()
        },
        Parameter {
            name: "page",
            endpoints: SEARCH,
            // No documented default: tools would send it even together with a cursor, which is an error.
            kind: Kind::Number { min: 1, max: MAX_PAGED_PRODUCTS, default: None },
            about: format!(
                "The page, counted from 1, which is the default. Pages reach the first {MAX_PAGED_PRODUCTS} products \
                 (`page` times `pageSize`); use `cursor` beyond them."
            )
            .into(),
            flag: Some(Flag { name: "page", value_name: Some("N"), help: "Number of the page, from 1" }),
            needs: &["pageSize"],
            read: values::read_page,
            write: values::write_page,
            ..row()
        },
        Parameter {
            name: "pageSize",
            aliases: &["size", "limit", "perpage"],
            endpoints: SEARCH,
            kind: Kind::Number { min: 1, max: MAX_PAGE_SIZE, default: Some(DEFAULT_PAGE_SIZE) },
            about: "The most products on a page.".into(),
            flag: Some(Flag {
                name: "page-size",
                value_name: Some("N"),
                help: "Products per page, at most 100 [default: 20]",
            }),
            read: |row, reader, draft| {
                draft.parsed.request.page.size = values::number(row, reader).unwrap_or(DEFAULT_PAGE_SIZE);
            },
            write: |row, parsed, query| {
                if parsed.request.page.size != DEFAULT_PAGE_SIZE {
                    push_pair(query, row.name, &parsed.request.page.size.to_string());
                }
            },
            ..row()
        },
        Parameter {
            name: "cursor",
            aliases: &["after"],
            endpoints: SEARCH,
            kind: Kind::Text(TextBounds { min_chars: Some(1), ..TextBounds::NONE }),
            about: "The `nextCursor` of the previous page. The page begins after the last product of that page, whatever \
                    was added or removed before it, and without a limit on the depth. Not together with `page`."
                .into(),
            needs: &["sortBy", "page"],
            read: values::read_cursor,
            write: values::write_cursor,
            ..row()
        },
        Parameter {
            name: "fields",
            aliases: &["include", "includefields", "attributestoretrieve", "source", "select"],
            endpoints: &[Endpoint::Search, Endpoint::Similar],
            kind: Kind::Names { each: FOUND_FIELD, max_items: MAX_CHOSEN_FIELDS },
            about: "The fields of the products in the answer, separated by commas or repeated: those of a product, \
                    `attributes.KEY` for one attribute, `score` and `highlights`. `id` is always there. Default: all. A \
                    comma in a key is written `\\,`."
                .into(),
            flag: Some(Flag {
                name: "field",
                value_name: Some("FIELD"),
                help: "With --json, only this field of the products, such as name or attributes.colour; repeat for more",
            }),
            read: values::read_fields,
            write: values::write_fields,
            ..row()
        },
        Parameter {
            name: "explain",
            endpoints: SEARCH,
            kind: Kind::Flag { default: Some(false) },
            about: "`true` explains the rank of each product.".into(),
            read: |row, reader, draft| draft.parsed.explain = reader.flag(row.name).unwrap_or(false),
            write: |row, parsed, query| {
                if parsed.explain {
                    push_pair(query, row.name, "true");
                }
            },
            ..row()
        },
        Parameter {
            name: "syncToken",
            endpoints: SEARCH,
            kind: Kind::Texts {
                each: TextBounds { pattern: Some(SYNC_TOKEN_PATTERN), ..TextBounds::NONE },
                max_items: MAX_SYNC_TOKENS,
            },
            about: "A write that the answer must reflect: the `Noren-Sync-Token` of the write's response. The search waits \
                    until the index holds that version of the product or a later one. Repeated: all of them. Those of the \
                    header `Noren-Sync-Token`, which every endpoint of this service takes, count as well."
                .into(),
            // Faults of `syncTimeout` are reported first.
            needs: &["syncTimeout"],
            read: values::read_sync_tokens,
            ..row()
        },
        Parameter {
            name: "syncTimeout",
            endpoints: SEARCH,
            kind: Kind::Seconds { max: MAX_SYNC_TIMEOUT, default: DEFAULT_SYNC_TIMEOUT },
            about: "The most seconds to wait for the writes of `syncToken` and of the header `Noren-Sync-Token`; then the \
                    response is 504. With 0 the index is checked once."
                .into(),
            read: values::read_sync_timeout,
            ..row()
        },
    ]
}

/// Returns the parameters of the endpoints that list facet values, suggestions or similar products.
fn limits() -> Vec<Parameter> {
    let limit = |endpoints, max, default, about: &'static str| Parameter {
        name: "limit",
        endpoints,
        kind: Kind::Number { min: 1, max, default: Some(default) },
        about: about.into(),
        read: values::read_limit,
        write: |row, parsed, query| push_pair(query, row.name, &parsed.limit.to_string()),
        ..row()
    };
    vec![
        Parameter {
            name: "prefix",
            endpoints: &[Endpoint::FacetValues],
            kind: Kind::Text(TextBounds { max_chars: Some(MAX_QUERY_CHARS), ..TextBounds::NONE }),
            about: "Only values with a word that begins with this, ignoring case and accents: first the values that begin \
                    with it themselves, then those in which a later word does. If both together are fewer than `limit`, \
                    those follow that match with one typo, then those with two."
                .into(),
            read: values::read_prefix,
            write: |row, parsed, query| {
                if !parsed.prefix.is_empty() {
                    push_pair(query, row.name, &parsed.prefix);
                }
            },
            ..row()
        },
        limit(
            &[Endpoint::FacetValues],
            MAX_FACET_VALUES,
            DEFAULT_LISTED_VALUES,
            "The most values to return.",
        ),
        limit(
            &[Endpoint::Suggest],
            MAX_SUGGESTIONS,
            DEFAULT_SUGGESTIONS,
            "The most products, and the most completions.",
        ),
        limit(&[Endpoint::Similar], MAX_PAGE_SIZE, DEFAULT_SIMILAR, "The most products."),
    ]
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
