//! The parameters of a request, read into a request of the domain with every fault at once, and written back.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use domain::input::{MAX_KEY_CHARS, MAX_LABEL_CHARS};
use domain::near::nearest;
use domain::search::{
    AttributeFilter, Cursor, DEFAULT_FACET_VALUES, DEFAULT_PAGE_SIZE, FacetRequest, Field, Filters,
    MAX_FACET_VALUES, MAX_FACETS, MAX_FILTERS, MAX_PAGE_SIZE, MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS,
    MAX_QUERY_WORDS, Page, PageStart, SearchRequest, Sort,
};
use domain::{CategoryPath, Currency, Fault, FaultKind, Faults, MoneyError, PriceRange};

use crate::awaited::{Awaited, MAX_SYNC_TIMEOUT};
use crate::hint;
use crate::query_string::{self, MAX_PARAMETERS, Pair, push_pair, shown};

/// Values that `/products/facets/{field}` answers with, unless the caller says otherwise.
pub const DEFAULT_LISTED_VALUES: usize = 100;
/// Products and completions that are suggested, at most, unless the caller says otherwise.
pub const DEFAULT_SUGGESTIONS: usize = 8;
/// The most products and completions that are suggested.
pub const MAX_SUGGESTIONS: usize = 20;
/// Similar products, at most, unless the caller says otherwise.
pub const DEFAULT_SIMILAR: usize = 10;
/// Among the names of facets: those that matter.
const ALL_FACETS: &str = "*";
/// What begins the name of a parameter that filters by an attribute.
pub(crate) const ATTRIBUTE_PREFIX: &str = "attributes.";

/// The parameter with the words.
pub(crate) const WORDS_NAMES: [&str; 1] = ["query"];
/// The parameters that say which products count. The last one stands for any key.
pub(crate) const FILTER_NAMES: [&str; 7] =
    ["category", "brand", "tags", "priceRange", "inStock", "currency", "attributes.KEY"];
/// The further parameters of a search.
pub(crate) const SEARCH_NAMES: [&str; 9] =
    ["sortBy", "facets", "facetSize", "page", "pageSize", "cursor", "explain", SYNC_TOKEN, SYNC_TIMEOUT];
/// The parameter with a write that the answer must have seen.
const SYNC_TOKEN: &str = "syncToken";
/// The parameter that says how long to wait for that.
const SYNC_TIMEOUT: &str = "syncTimeout";
/// The further parameters of a list of values.
pub(crate) const VALUES_NAMES: [&str; 2] = ["prefix", "limit"];
/// The further parameter of suggestions and of similar products.
pub(crate) const LIMIT_NAMES: [&str; 1] = ["limit"];
/// All of them.
const ALL_NAMES: [&[&str]; 4] = [&WORDS_NAMES, &FILTER_NAMES, &SEARCH_NAMES, &VALUES_NAMES];

/// Reads the query string of `/products/search`. Prices are in `default_currency` unless it names another.
///
/// # Errors
/// All faults of all parameters at once; the field of each is the name of the parameter.
pub fn read_search(query: &str, default_currency: Currency) -> Result<Asked, Faults> {
    Reader::of_query(query).search(default_currency)
}

/// A search with what is to be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What to look for; of the facets those that are named.
    pub request: SearchRequest,
    /// Whether the facets that matter for what is found are to be counted as well.
    pub picks_facets: bool,
    /// Whether to say of each product why it ranks where it does.
    pub explains: bool,
    /// The writes that the answer must have seen. They do not change it, so they are not part of its name.
    pub awaited: Awaited,
}

/// Reads the query string of `/products/facets/{field}`.
///
/// # Errors
/// As [`read_search`].
pub fn read_facet_values(
    field: Field,
    query: &str,
    default_currency: Currency,
) -> Result<FacetRequest, Faults> {
    let mut reader = Reader::of_query(query);
    let search = reader.matching(default_currency);
    let prefix = reader.one("prefix").unwrap_or_default();
    reader.at_most("prefix", "characters", prefix.chars().count(), MAX_QUERY_CHARS);
    let limit = reader.whole("limit", 1..=MAX_FACET_VALUES).unwrap_or(DEFAULT_LISTED_VALUES);
    reader.finish(&[&WORDS_NAMES, &FILTER_NAMES, &VALUES_NAMES])?;
    Ok(FacetRequest { search, field, prefix, limit })
}

/// A search of which only the first products are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Limited {
    /// What to look for; its page and facets are not set yet.
    pub search: SearchRequest,
    /// How many.
    pub limit: usize,
}

/// Reads the query string of `/products/suggest`.
///
/// # Errors
/// As [`read_search`].
pub fn read_suggest(query: &str, default_currency: Currency) -> Result<Limited, Faults> {
    let mut reader = Reader::of_query(query);
    let search = reader.matching(default_currency);
    let limit = reader.whole("limit", 1..=MAX_SUGGESTIONS).unwrap_or(DEFAULT_SUGGESTIONS);
    reader.finish(&[&WORDS_NAMES, &FILTER_NAMES, &LIMIT_NAMES])?;
    Ok(Limited { search, limit })
}

/// Reads the query string of `/products/{id}/similar`: filters without words.
///
/// # Errors
/// As [`read_search`].
pub fn read_similar(query: &str, default_currency: Currency) -> Result<Limited, Faults> {
    let mut reader = Reader::of_query(query);
    let search = reader.filtering(default_currency);
    let limit = reader.whole("limit", 1..=MAX_PAGE_SIZE).unwrap_or(DEFAULT_SIMILAR);
    reader.finish(&[&FILTER_NAMES, &LIMIT_NAMES])?;
    Ok(Limited { search, limit })
}

/// Reads the query string of `/products/{id}/explain`: words and filters.
///
/// # Errors
/// As [`read_search`].
pub fn read_explain(query: &str, default_currency: Currency) -> Result<SearchRequest, Faults> {
    let mut reader = Reader::of_query(query);
    let search = reader.matching(default_currency);
    reader.finish(&[&WORDS_NAMES, &FILTER_NAMES])?;
    Ok(search)
}

/// The values of a filter, as its parameter has them.
pub(crate) fn wanted(request: &SearchRequest, field: &Field) -> Vec<String> {
    let filters = &request.filters;
    match field {
        Field::Category => filters.category.iter().map(ToString::to_string).collect(),
        Field::Brand => filters.brand.clone(),
        Field::Tags => filters.tags.clone(),
        Field::Price => filters.price.iter().map(|range| range.display(request.currency)).collect(),
        Field::Stock => filters.in_stock.iter().map(ToString::to_string).collect(),
        Field::Attribute(key) => {
            filters.attributes.get(key).into_iter().flatten().map(write_attribute_filter).collect()
        }
    }
}

/// Reads the query string of an address that takes no parameters.
///
/// # Errors
/// Names every parameter.
pub fn read_none(query: &str) -> Result<(), Faults> {
    let mut reader = Reader::of_query(query);
    for Pair { name, .. } in std::mem::take(&mut reader.pairs) {
        let message = "is no parameter of this address; write it into the body";
        reader.fault(&name, FaultKind::Unknown, message);
    }
    reader.finish(&[])
}

/// Reads the name of a facet: as [`Field::parse`], with the bounds that a key has in a product. The error ends
/// a sentence.
pub fn read_facet_field(text: &str) -> Result<Field, String> {
    let field = Field::parse_facet(text)?;
    if let Field::Attribute(key) = &field {
        check_key(key)?;
    }
    Ok(field)
}

fn check_key(key: &str) -> Result<(), String> {
    let chars = key.chars().count();
    match chars == 0 || chars > MAX_KEY_CHARS || key.contains(char::is_control) {
        true => Err(format!(
            "must be `attributes.KEY` with a key of 1 to {MAX_KEY_CHARS} characters and no control characters"
        )),
        false => Ok(()),
    }
}

/// Takes the parameters one after the other, and gathers what is wrong with them.
pub(crate) struct Reader {
    pairs: Vec<Pair>,
    faults: Vec<Fault>,
}

impl Reader {
    fn of_query(query: &str) -> Self {
        let mut faults = Vec::new();
        let pairs = query_string::parse(query, &mut faults);
        Self::of_pairs(pairs, faults)
    }

    /// A reader of these parameters, with what is known to be wrong already.
    pub(crate) fn of_pairs(pairs: Vec<Pair>, faults: Vec<Fault>) -> Self {
        let mut reader = Self { pairs, faults };
        if reader.pairs.len() > MAX_PARAMETERS {
            reader.pairs.clear();
            let message = format!("a request has at most {MAX_PARAMETERS} parameters");
            reader.fault("", FaultKind::OutOfRange, message);
        }
        reader
    }

    /// The search that all of the parameters ask for.
    pub(crate) fn search(mut self, default_currency: Currency) -> Result<Asked, Faults> {
        let mut request = self.matching(default_currency);
        let picks_facets;
        (request.facets, picks_facets) = self.facets();
        request.facet_values = self.whole("facetSize", 1..=MAX_FACET_VALUES).unwrap_or(DEFAULT_FACET_VALUES);
        let sort = self.sort();
        let size = self.whole("pageSize", 1..=MAX_PAGE_SIZE);
        let start = self.start(size.unwrap_or(DEFAULT_PAGE_SIZE), sort);
        request.sort = match &start {
            PageStart::After(cursor) => cursor.sort,
            PageStart::Number(_) => sort.unwrap_or_default(),
        };
        request.page = Page { start, size: size.unwrap_or(DEFAULT_PAGE_SIZE) };
        let explains = self.flag("explain").unwrap_or(false);
        let awaited = self.awaited();
        self.finish(&[&WORDS_NAMES, &FILTER_NAMES, &SEARCH_NAMES])?;
        Ok(Asked { request, picks_facets, explains, awaited })
    }

    fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.push(Fault::new(shown(field), kind, message));
    }

    fn at_most(&mut self, field: &str, things: &str, count: usize, max: usize) {
        if count > max {
            let message = format!("must have at most {max} {things}; it has {count}");
            self.fault(field, FaultKind::OutOfRange, message);
        }
    }

    /// All values of a parameter, in order.
    fn all(&mut self, name: &str) -> Vec<String> {
        self.pairs.extract_if(.., |pair| pair.name == name).map(|pair| pair.value).collect()
    }

    /// All values of a parameter, each read, none twice.
    fn list<T: PartialEq>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, (FaultKind, String)>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        for text in self.all(name) {
            match read(&text) {
                Ok(value) if list.contains(&value) => {}
                Ok(value) => list.push(value),
                Err((kind, message)) => self.fault(name, kind, message),
            }
        }
        list
    }

    /// The value of a parameter that may stand there once.
    fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        if values.len() > 1 {
            self.fault(name, FaultKind::Repeated, "is given more than once; give it once");
        }
        values.drain(..).next()
    }

    fn whole(&mut self, name: &str, range: RangeInclusive<usize>) -> Option<usize> {
        let text = self.one(name)?;
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<usize>() {
            Ok(number) if is_number && range.contains(&number) => Some(number),
            _ => {
                let kind = if is_number { FaultKind::OutOfRange } else { FaultKind::Malformed };
                let message = format!("must be a whole number from {} to {}", range.start(), range.end());
                self.fault(name, kind, message);
                None
            }
        }
    }

    /// Everything that says which products count, with the rest of the request as it is by default.
    fn matching(&mut self, default_currency: Currency) -> SearchRequest {
        let words = self.words();
        SearchRequest { words, ..self.filtering(default_currency) }
    }

    /// The same without words.
    fn filtering(&mut self, default_currency: Currency) -> SearchRequest {
        let currency = match self.one("currency").map(|code| Currency::parse(&code)) {
            None => Some(default_currency),
            Some(Ok(currency)) => Some(currency),
            Some(Err(error)) => {
                self.fault("currency", FaultKind::Malformed, error.to_string());
                None
            }
        };
        let filters = Filters {
            category: self.list("category", |text| {
                CategoryPath::parse(text).map_err(|message| (FaultKind::Malformed, message))
            }),
            brand: self.list("brand", read_label),
            tags: self.list("tags", read_label),
            price: self.prices(currency, default_currency),
            in_stock: self.flag("inStock"),
            attributes: self.attributes(),
        };
        if filters.count() > MAX_FILTERS {
            let message =
                format!("a search has at most {MAX_FILTERS} filter values; this one has {}", filters.count());
            self.fault("", FaultKind::OutOfRange, message);
        }
        SearchRequest { filters, ..SearchRequest::all(currency.unwrap_or(default_currency)) }
    }

    fn words(&mut self) -> String {
        let text = self.one("query").unwrap_or_default();
        let words = text.trim();
        self.at_most("query", "characters", words.chars().count(), MAX_QUERY_CHARS);
        self.at_most("query", "words", words.split_whitespace().count(), MAX_QUERY_WORDS);
        words.to_owned()
    }

    /// Where the currency is at fault, its decimals are unknown, but the form of a range can still be checked.
    fn prices(&mut self, currency: Option<Currency>, default_currency: Currency) -> Vec<PriceRange> {
        let mut faults = Vec::new();
        let mut ranges = Vec::new();
        for text in self.all("priceRange") {
            match PriceRange::parse(&text, currency.unwrap_or(default_currency)) {
                Ok(range) if ranges.contains(&range) => {}
                Ok(range) => ranges.push(range),
                Err(MoneyError::TooManyDecimals { .. } | MoneyError::TooLarge { .. })
                    if currency.is_none() => {}
                Err(error) => faults.push(error),
            }
        }
        for error in faults {
            let kind = match error {
                MoneyError::NotARange => FaultKind::Malformed,
                _ => FaultKind::OutOfRange,
            };
            self.fault("priceRange", kind, error.to_string());
        }
        ranges
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        match self.one(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.fault(name, FaultKind::Malformed, "must be `true` or `false`");
                None
            }
        }
    }

    fn attributes(&mut self) -> BTreeMap<String, Vec<AttributeFilter>> {
        let mut attributes: BTreeMap<String, Vec<AttributeFilter>> = BTreeMap::new();
        let pairs: Vec<Pair> =
            self.pairs.extract_if(.., |pair| pair.name.starts_with(ATTRIBUTE_PREFIX)).collect();
        for Pair { name, value } in pairs {
            let key = &name[ATTRIBUTE_PREFIX.len()..];
            if let Err(message) = check_key(key) {
                self.fault(&name, FaultKind::Malformed, message);
                continue;
            }
            match AttributeFilter::parse(&value) {
                Ok(filter) => {
                    let filters = attributes.entry(key.to_owned()).or_default();
                    if !filters.contains(&filter) {
                        filters.push(filter);
                    }
                }
                Err(message) => self.fault(&name, FaultKind::OutOfRange, message),
            }
        }
        attributes
    }

    /// The facets that are named, and whether others are to be picked.
    fn facets(&mut self) -> (Vec<Field>, bool) {
        let (mut fields, mut picks) = (Vec::new(), false);
        for name in self.all("facets").iter().flat_map(|text| split_list(text)) {
            // Spaces around a name are a matter of taste; those at the end of a key belong to it.
            let name = name.trim_start();
            let name = if name.starts_with(ATTRIBUTE_PREFIX) { name } else { name.trim_end() };
            match read_facet_field(name) {
                _ if name == ALL_FACETS => picks = true,
                Ok(field) if fields.contains(&field) => {}
                Ok(field) => fields.push(field),
                Err(message) => {
                    let nearest = nearest(name, ["brand", "category", "tags", "price"]);
                    let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                    let message = format!("{message}, not `{}`{hint}", shown(name));
                    self.fault("facets", FaultKind::Unknown, message);
                }
            }
        }
        if fields.len() > MAX_FACETS {
            let message = format!("must name at most {MAX_FACETS} facets; it names {}", fields.len());
            self.fault("facets", FaultKind::OutOfRange, message);
        }
        (fields, picks)
    }

    fn sort(&mut self) -> Option<Sort> {
        let text = self.one("sortBy")?;
        let sort = Sort::ALL.iter().find_map(|(name, sort)| (*name == text).then_some(*sort));
        if sort.is_none() {
            let names = Sort::ALL.map(|(name, _)| format!("`{name}`")).join(", ");
            self.fault("sortBy", FaultKind::Malformed, format!("must be one of {names}"));
        }
        sort
    }

    fn start(&mut self, size: usize, sort: Option<Sort>) -> PageStart {
        let page = self.whole("page", 1..=MAX_PAGED_PRODUCTS);
        if let Some(page) = page
            && page * size > MAX_PAGED_PRODUCTS
        {
            let message = format!(
                "must be at most {} with {size} products a page; go further with the `nextCursor` of a page \
                 as `cursor`",
                MAX_PAGED_PRODUCTS / size
            );
            self.fault("page", FaultKind::OutOfRange, message);
        }
        let Some(text) = self.one("cursor") else { return PageStart::Number(page.unwrap_or(1)) };
        if page.is_some() {
            let message = "stands beside `page`, and both say where to begin; give one of them";
            self.fault("cursor", FaultKind::Repeated, message);
        }
        match Cursor::decode(&text).filter(Cursor::is_valid) {
            Some(cursor) if sort.is_some_and(|sort| sort != cursor.sort) => {
                let message = "belongs to a list in another order; begin again without it, or keep `sortBy`";
                self.fault("cursor", FaultKind::Malformed, message);
                PageStart::After(cursor)
            }
            Some(cursor) => PageStart::After(cursor),
            None => {
                let message = "is not one that a search answered with as `nextCursor`";
                self.fault("cursor", FaultKind::Malformed, message);
                PageStart::Number(1)
            }
        }
    }

    fn awaited(&mut self) -> Awaited {
        let tokens = self.all(SYNC_TOKEN);
        let timeout = self.sync_timeout();
        Awaited::new(tokens.iter().map(String::as_str), timeout).unwrap_or_else(|(kind, message)| {
            self.fault(SYNC_TOKEN, kind, message);
            Awaited::default()
        })
    }

    fn sync_timeout(&mut self) -> Option<Duration> {
        let text = self.one(SYNC_TIMEOUT)?;
        // Without signs and exponents, which a float may have.
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let seconds = text.parse::<f64>().ok().filter(|_| is_decimal);
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if timeout.is_none_or(|timeout| timeout > MAX_SYNC_TIMEOUT) {
            let kind = if seconds.is_some() { FaultKind::OutOfRange } else { FaultKind::Malformed };
            let message = format!("must be seconds from 0 to {}, such as 0.5", MAX_SYNC_TIMEOUT.as_secs());
            self.fault(SYNC_TIMEOUT, kind, message);
        }
        timeout
    }

    /// What was not taken is unknown here, where there are parameters of these `names`.
    fn finish(mut self, names: &[&[&'static str]]) -> Result<(), Faults> {
        let known = names.concat();
        let mut unknown: Vec<String> = self.pairs.drain(..).map(|pair| pair.name).collect();
        unknown.sort();
        unknown.dedup();
        for name in unknown {
            let is_elsewhere = ALL_NAMES.iter().any(|names| names.contains(&name.as_str()));
            let message = match hint::parameter(&name, &known) {
                _ if is_elsewhere => "plays no part here; leave it out".to_owned(),
                Some(near) => format!("is not a parameter here; did you mean `{near}`?"),
                None => format!("is not a parameter here; there are {}", known.join(", ")),
            };
            self.fault(&name, FaultKind::Unknown, message);
        }
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(Faults(self.faults)),
        }
    }
}

fn read_label(text: &str) -> Result<String, (FaultKind, String)> {
    match text.chars().count() {
        0 => Err((FaultKind::Malformed, "must not be empty; leave the parameter out instead".to_owned())),
        1..=MAX_LABEL_CHARS => Ok(text.to_owned()),
        chars => {
            let message = format!("must have at most {MAX_LABEL_CHARS} characters; it has {chars}");
            Err((FaultKind::OutOfRange, message))
        }
    }
}

/// Splits at commas, except behind a backslash: attribute keys may have commas in them.
fn split_list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next_if(|next| matches!(next, ',' | '\\')) } else { None };
        match (c, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            (c, Some(part)) => part.push(escaped.unwrap_or(c)),
            (_, None) => {}
        }
    }
    parts
}

// ------------------------------------------------------------------------------------------------ writing

/// The query string that [`read_search`] reads as this; equal searches have equal ones. What is as it is by default is
/// left out, except the currency.
pub fn write_search(asked: &Asked) -> String {
    let Asked { request, picks_facets, explains, awaited: _ } = asked;
    let mut query = String::new();
    write_matching(&mut query, request);
    if *picks_facets || !request.facets.is_empty() {
        let names = request.facets.iter().map(|field| match field {
            Field::Attribute(key) => {
                format!("{ATTRIBUTE_PREFIX}{}", key.replace('\\', r"\\").replace(',', r"\,"))
            }
            field => field.to_string(),
        });
        let picks = picks_facets.then(|| ALL_FACETS.to_owned());
        push_pair(&mut query, "facets", &picks.into_iter().chain(names).collect::<Vec<_>>().join(","));
    }
    if request.facet_values != DEFAULT_FACET_VALUES {
        push_pair(&mut query, "facetSize", &request.facet_values.to_string());
    }
    if let Some((name, _)) =
        Sort::ALL.iter().find(|(_, sort)| *sort == request.sort && *sort != Sort::Relevance)
    {
        push_pair(&mut query, "sortBy", name);
    }
    match &request.page.start {
        PageStart::Number(1) => {}
        PageStart::Number(number) => push_pair(&mut query, "page", &number.to_string()),
        PageStart::After(cursor) => push_pair(&mut query, "cursor", &cursor.encode()),
    }
    if request.page.size != DEFAULT_PAGE_SIZE {
        push_pair(&mut query, "pageSize", &request.page.size.to_string());
    }
    if *explains {
        push_pair(&mut query, "explain", "true");
    }
    query
}

/// The query string that [`read_facet_values`] reads as this request, with the same field.
pub fn write_facet_values(request: &FacetRequest) -> String {
    let mut query = String::new();
    write_matching(&mut query, &request.search);
    if !request.prefix.is_empty() {
        push_pair(&mut query, "prefix", &request.prefix);
    }
    push_pair(&mut query, "limit", &request.limit.to_string());
    query
}

/// The query string that [`read_explain`] reads as this request.
pub fn write_explain(request: &SearchRequest) -> String {
    let mut query = String::new();
    write_matching(&mut query, request);
    query
}

/// The query string that [`read_suggest`] or [`read_similar`] reads as this.
pub fn write_limited(limited: &Limited) -> String {
    let mut query = String::new();
    write_matching(&mut query, &limited.search);
    push_pair(&mut query, "limit", &limited.limit.to_string());
    query
}

fn write_matching(query: &mut String, request: &SearchRequest) {
    let Filters { category, brand, tags, price, in_stock, attributes } = &request.filters;
    if !request.words.is_empty() {
        push_pair(query, "query", &request.words);
    }
    category.iter().for_each(|path| push_pair(query, "category", &path.to_string()));
    brand.iter().for_each(|brand| push_pair(query, "brand", brand));
    tags.iter().for_each(|tag| push_pair(query, "tags", tag));
    price.iter().for_each(|range| push_pair(query, "priceRange", &range.display(request.currency)));
    in_stock.iter().for_each(|flag| push_pair(query, "inStock", &flag.to_string()));
    for (key, filters) in attributes {
        for filter in filters {
            push_pair(query, &format!("{ATTRIBUTE_PREFIX}{key}"), &write_attribute_filter(filter));
        }
    }
    push_pair(query, "currency", request.currency.code());
}

fn write_attribute_filter(filter: &AttributeFilter) -> String {
    let end = |end: &Option<f64>| end.map(|number| number.to_string()).unwrap_or_default();
    match filter {
        AttributeFilter::Equals(text) => text.clone(),
        AttributeFilter::Range { min, max } => format!("{}..{}", end(min), end(max)),
    }
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
