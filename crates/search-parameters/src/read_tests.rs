//! Query strings of every endpoint.

use std::collections::BTreeMap;

use super::*;
use crate::RequiredVersions;
use crate::table::DEFAULT_LISTED_VALUES;
use crate::values::{read_facet_field, split_names};
use api::wire::fields::ChosenField;
use domain::input::{MAX_KEY_CHARS, MAX_LABEL_CHARS};
use domain::search::{
    AttributeFilter, Cursor, Field, Filters, MAX_FACET_VALUES, MAX_PAGE_SIZE, MAX_QUERY_WORDS, MatchMode,
    Page, PageStart, QueryInterpretation, Restriction, SearchRequest, Sort, SortKey, Tuning,
};
use domain::{CategoryPath, PriceRange, ProductId};
use proptest::prelude::*;

fn read_search(query: &str, default_currency: Currency) -> Result<ParsedSearch, Faults> {
    super::read(Endpoint::Search, query, default_currency)
}

fn write_search(parsed: &ParsedSearch) -> String {
    super::write(Endpoint::Search, parsed)
}

fn read(query: &str) -> SearchRequest {
    parsed(query).request
}

fn parsed(query: &str) -> ParsedSearch {
    read_search(query, Currency::USD).unwrap_or_else(|faults| panic!("{query}: {faults}"))
}

fn write(request: &SearchRequest) -> String {
    write_search(&ParsedSearch::of(request.clone()))
}

fn faults(query: &str) -> Vec<(String, FaultKind)> {
    let Err(faults) = read_search(query, Currency::USD) else { panic!("{query} has no fault") };
    faults.into_list().into_iter().map(|fault| (fault.field, fault.kind)).collect()
}

fn message(query: &str) -> String {
    let Err(faults) = read_search(query, Currency::USD) else { panic!("{query} has no fault") };
    faults.into_list().into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("\n")
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn cursor(sort: Sort, key: Option<SortKey>) -> Cursor {
    Cursor {
        sort,
        key,
        id: ProductId::parse("lamp-1").unwrap(),
        interpretation: QueryInterpretation::default(),
        restriction: None,
    }
}

#[test]
fn without_parameters_it_is_the_first_page_of_everything() {
    assert_eq!(read(""), SearchRequest::all(Currency::USD));
    assert_eq!(read("&&"), SearchRequest::all(Currency::USD));
    assert_eq!(read_search("", euro()).unwrap().request.currency, euro());
}

#[test]
fn every_parameter_is_read() {
    let request = read(
        "query=+gaming%20laptop&category=Computers+%3E+Laptops&brand=HP&brand=Dell&brand=HP&tags=new\
         &priceRange=100-200.50&priceRange=-5&inStock=true&attributes.colour=red&attributes.colour=blue\
         &attributes.width=10..20.5&facets=brand,%20price&facets=attributes.ram%2Ccategory&facetSize=7\
         &sortBy=price_desc&page=3&pageSize=50&currency=EUR",
    );
    let expected = SearchRequest {
        words: "gaming laptop".to_owned(),
        operators: true,
        is_prefix_query: false,
        match_mode: MatchMode::Most,
        tuning: Tuning::default(),
        clauses: Vec::new(),
        restriction: Restriction::default(),
        filters: Filters {
            category: vec![CategoryPath::parse("Computers > Laptops").unwrap()],
            brand: vec!["HP".to_owned(), "Dell".to_owned()],
            tags: vec!["new".to_owned()],
            price: vec![
                PriceRange { min: Some(10_000), max: Some(20_050) },
                PriceRange { min: None, max: Some(500) },
            ],
            in_stock: Some(true),
            attributes: BTreeMap::from([
                (
                    "colour".to_owned(),
                    vec![
                        AttributeFilter::Equals("red".to_owned()),
                        AttributeFilter::Equals("blue".to_owned()),
                    ],
                ),
                ("width".to_owned(), vec![AttributeFilter::Range { min: Some(10.0), max: Some(20.5) }]),
            ]),
        },
        currency: euro(),
        facets: vec![Field::Brand, Field::Price, Field::Attribute("ram".to_owned()), Field::Category],
        facet_values: 7,
        sort: Sort::PriceDesc,
        page: Page { start: PageStart::Number(3), size: 50 },
    };
    assert_eq!(request, expected);
    assert_eq!(read(&write(&expected)), expected);
}

#[test]
fn facets_that_matter_may_stand_beside_others() {
    let asked_for = |query: &str| {
        let ParsedSearch { request, auto_facets, .. } = parsed(query);
        (request.facets, auto_facets)
    };
    assert_eq!(asked_for("facets=*"), (Vec::new(), true));
    assert_eq!(asked_for("facets=tags,*&facets=*"), (vec![Field::Tags], true));
    assert_eq!(asked_for("facets=attributes.*"), (vec![Field::Attribute("*".to_owned())], false));
    assert_eq!(faults("facets=**"), [("facets".to_owned(), FaultKind::Unknown)]);
}

#[test]
fn what_is_wrong_with_one_parameter_is_named() {
    use FaultKind::*;
    let cases = [
        ("priceRange=abc", "priceRange", Malformed),
        ("priceRange=", "priceRange", Malformed),
        ("priceRange=9-1", "priceRange", OutOfRange),
        ("priceRange=1-2.345", "priceRange", OutOfRange),
        ("priceRange=1.5-2&currency=JPY", "priceRange", OutOfRange),
        ("pageSize=0", "pageSize", OutOfRange),
        ("pageSize=101", "pageSize", OutOfRange),
        ("pageSize=99999999999999999999999", "pageSize", OutOfRange),
        ("pageSize=ten", "pageSize", Malformed),
        ("pageSize=%2B5", "pageSize", Malformed),
        ("pageSize=", "pageSize", Malformed),
        ("page=0", "page", OutOfRange),
        ("page=-1", "page", Malformed),
        ("page=501", "page", OutOfRange),
        ("page=101&pageSize=100", "page", OutOfRange),
        ("facetSize=0", "facetSize", OutOfRange),
        ("facetSize=1001", "facetSize", OutOfRange),
        ("facets=colour", "facets", Unknown),
        ("facets=brand,", "facets", Unknown),
        ("facets=", "facets", Unknown),
        ("facets=attributes.", "facets", Unknown),
        ("sortBy=cheapest", "sortBy", Malformed),
        ("sortBy=", "sortBy", Malformed),
        ("sortBy=attributes.", "sortBy", Malformed),
        ("sortBy=attributes.a%01", "sortBy", Malformed),
        ("fields=nmae", "fields", Unknown),
        ("fields=name,", "fields", Unknown),
        ("sortBy=name&sortBy=name", "sortBy", Repeated),
        ("query=a&query=b", "query", Repeated),
        ("currency=EUR&currency=USD", "currency", Repeated),
        ("currency=eur", "currency", Malformed),
        ("inStock=yes", "inStock", Malformed),
        ("explain=1", "explain", Malformed),
        ("category=", "category", Malformed),
        ("category=A+%3E+%3E+B", "category", Malformed),
        ("brand=", "brand", Malformed),
        ("attributes.=x", "attributes.", Malformed),
        ("attributes.a%0Ab=x", "attributes.a\u{fffd}b", Malformed),
        ("attributes.width=9..1", "attributes.width", OutOfRange),
        ("attributes[]=x", "attributes[]", Malformed),
        ("attributes[a%0Ab]=x", "attributes[a\u{fffd}b]", Malformed),
        ("attributes[width]=9..1", "attributes[width]", OutOfRange),
        ("attributes[width=9", "attributes[width", Malformed),
        ("attributes[width]x=9", "attributes[width]x", Malformed),
        ("attributes[width][min]=9", "attributes[width][min]", Malformed),
        ("attributes=x", "attributes", Unknown),
        ("cursor=abc", "cursor", Malformed),
        ("colour=red", "colour", Unknown),
        ("prefix=a", "prefix", Unknown),
        ("=", "", Unknown),
        ("query=50%", "query", Malformed),
        ("query=%00", "query", Malformed),
    ];
    for (query, field, kind) in cases {
        assert_eq!(faults(query), [(field.to_owned(), kind)], "{query}");
    }
}

#[test]
fn bounds_hold_to_the_last_one() {
    let letters = |count: usize| format!("query={}", "é".repeat(count));
    assert_eq!(read(&letters(256)).words.chars().count(), 256);
    let words = |count: usize| format!("query={}", "a+".repeat(count));
    read(&words(32));
    let brands = |count: usize| (0..count).map(|at| format!("brand=b{at}")).collect::<Vec<_>>().join("&");
    assert_eq!(read(&brands(20)).filters.brand.len(), 20);
    assert_eq!(faults(&brands(21)), [(String::new(), FaultKind::OutOfRange)]);
    assert_eq!(faults(&format!("{}&attributes.x=1", brands(20))), [(String::new(), FaultKind::OutOfRange)]);
    let facets = |count: usize| {
        format!("facets={}", (0..count).map(|at| format!("attributes.{at}")).collect::<Vec<_>>().join(","))
    };
    assert_eq!(read(&facets(20)).facets.len(), 20);
    assert_eq!(faults(&facets(21)), [("facets".to_owned(), FaultKind::OutOfRange)]);
    let brand = |count: usize| {
        format!("brand={}", "名".repeat(count).bytes().map(|b| format!("%{b:02x}")).collect::<String>())
    };
    read(&brand(MAX_LABEL_CHARS));
    assert_eq!(faults(&brand(MAX_LABEL_CHARS + 1)), [("brand".to_owned(), FaultKind::OutOfRange)]);
    read("page=100&pageSize=100");
    read("page=10000&pageSize=1");
}

#[test]
fn all_faults_come_at_once() {
    let found = faults(
        "pricerange=1-2&pageSize=0&priceRange=abc&currency=XXX&sortBy=up&facets=colour&brand=%zz&inStock=1",
    );
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        ["brand", "currency", "priceRange", "inStock", "facets", "sortBy", "pageSize", "pricerange"]
    );
    let many = "a=1&".repeat(5000);
    assert_eq!(faults(&many), [(String::new(), FaultKind::OutOfRange)]);
}

#[test]
fn a_fault_says_what_would_be_right() {
    assert!(message("pricerange=1-2").contains("did you mean `priceRange`?"));
    assert!(message("facets=brnad").contains("did you mean `brand`?"));
    assert!(message("colour=red").contains("priceRange"), "names what there is");
    assert!(message("limit=5").contains("leave it out"));
    assert!(message("page=501").contains("nextCursor"));
}

#[test]
fn a_price_is_checked_as_far_as_a_faulty_currency_allows() {
    let currency = ("currency".to_owned(), FaultKind::Malformed);
    assert_eq!(faults("currency=XXX&priceRange=1.234-2"), std::slice::from_ref(&currency));
    assert_eq!(
        faults("currency=XXX&priceRange=2-1"),
        [currency, ("priceRange".to_owned(), FaultKind::OutOfRange)]
    );
}

#[test]
fn a_cursor_belongs_to_its_order() {
    let price = cursor(Sort::PriceAsc, Some(SortKey::Number(1990)));
    let request = read(&format!("cursor={}", price.encode()));
    assert_eq!((request.sort, request.page.start), (Sort::PriceAsc, PageStart::After(price.clone())));
    read(&format!("cursor={}&sortBy=price_asc", price.encode()));
    read(&format!("cursor={}", cursor(Sort::PriceDesc, None).encode()));
    let fault = |query: String| assert_eq!(faults(&query).len(), 1, "{query}");
    fault(format!("cursor={}&sortBy=name", price.encode()));
    let width = cursor(Sort::parse("attributes.width_desc").unwrap(), Some(SortKey::Text("1x".into())));
    read(&format!("cursor={}&sortBy=attributes.width_desc", width.encode()));
    fault(format!("cursor={}&sortBy=attributes.width", width.encode()));
    fault(format!("cursor={}&page=1", price.encode()));
    fault(format!("cursor={}", cursor(Sort::Name, Some(SortKey::Number(1))).encode()));
    fault(format!("cursor={}", cursor(Sort::Relevance, Some(SortKey::Text("x".into()))).encode()));
    fault(format!("cursor={}", cursor(Sort::Relevance, None).encode()));
    let reading =
        QueryInterpretation { typos: vec![0; MAX_QUERY_WORDS + 1], ..QueryInterpretation::default() };
    fault(format!("cursor={}", Cursor { interpretation: reading, ..price }.encode()));
    fault(format!("cursor={}", cursor(Sort::Relevance, Some(SortKey::Score(f32::NAN.to_bits()))).encode()));
}

#[test]
fn a_comma_in_a_key_stands_behind_a_backslash() {
    assert_eq!(
        read(r"facets=attributes.width\,%20outer,brand").facets,
        [Field::Attribute("width, outer".to_owned()), Field::Brand]
    );
    assert_eq!(split_names(r"a\\,b\c,"), [r"a\", r"b\c", ""]);
}

#[test]
fn the_values_of_a_facet_have_parameters_of_their_own() {
    let read = |query: &str| super::read(Endpoint::FacetValues, query, Currency::USD);
    let request = read("query=lamp&prefix=h&limit=1000&tags=new").unwrap();
    assert_eq!((request.prefix.as_str(), request.limit), ("h", 1000));
    assert_eq!(request.request.words, "lamp");
    assert_eq!(read("").unwrap().limit, DEFAULT_LISTED_VALUES);
    assert_eq!(read(&super::write(Endpoint::FacetValues, &request)), Ok(request));
    for query in ["limit=0", "limit=1001", "page=1", "sortBy=name", "facets=brand", "prefix=a&prefix=b"] {
        assert_eq!(read(query).unwrap_err().count(), 1, "{query}");
    }
}

#[test]
fn a_facet_field_is_bounded() {
    assert_eq!(read_facet_field("attributes.a.b"), Ok(Field::Attribute("a.b".to_owned())));
    assert!(read_facet_field(&format!("attributes.{}", "k".repeat(MAX_KEY_CHARS))).is_ok());
    assert!(read_facet_field(&format!("attributes.{}", "k".repeat(MAX_KEY_CHARS + 1))).is_err());
    assert!(read_facet_field("attributes.a\n").is_err());
    assert!(read_facet_field("Brand").is_err());
}

fn attribute_filter() -> impl Strategy<Value = AttributeFilter> {
    let number = || any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![
        "[^\\x00.]{0,12}".prop_map(AttributeFilter::Equals),
        number().prop_map(|min| AttributeFilter::Range { min: Some(min), max: None }),
        number().prop_map(|max| AttributeFilter::Range { min: None, max: Some(max) }),
        (number(), number())
            .prop_map(|(a, b)| AttributeFilter::Range { min: Some(a.min(b)), max: Some(a.max(b)) }),
    ]
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["USD", "JPY", "KWD"]).prop_map(|code| Currency::parse(code).unwrap())
}

prop_compose! {
    fn filters()(
        category in prop::collection::hash_set("[a-zé&][a-zé& ]{0,5}[a-z]( > [a-z]{1,5}){0,3}", 0..3),
        brand in prop::collection::hash_set("[^\\x00]{1,20}", 0..4),
        tags in prop::collection::hash_set("[^\\x00]{1,20}", 0..4),
        price in prop::collection::hash_set((0..10_i64.pow(15), 0..10_i64.pow(15)), 0..3),
        in_stock in any::<Option<bool>>(),
        attributes in prop::collection::btree_map("[^\\p{C}]{1,9}", attribute_filter().prop_map(|filter| vec![filter]), 0..4),
    ) -> Filters {
        Filters {
            category: category.iter().map(|path| CategoryPath::parse(path).unwrap()).collect(),
            brand: brand.into_iter().collect(),
            tags: tags.into_iter().collect(),
            price: price.into_iter().map(|(a, b)| PriceRange { min: Some(a.min(b)), max: Some(a.max(b)) }).collect(),
            in_stock,
            attributes,
        }
    }
}

fn sort_and_start() -> impl Strategy<Value = (Sort, PageStart)> {
    let key = prop_oneof![
        "[^\\x00]{0,9}".prop_map(|text| (Sort::Name, Some(SortKey::Text(text)))),
        any::<i64>().prop_map(|number| (Sort::PriceAsc, Some(SortKey::Number(number)))),
        (0.0..1e9_f32).prop_map(|score| (Sort::Relevance, Some(SortKey::Score(score.to_bits())))),
        Just((Sort::PriceDesc, None)),
        ("[^\\p{C}]{1,9}(_asc|_desc)?", "[01].{0,9}").prop_map(|(key, text)| {
            let sort = Sort::parse(&format!("attributes.{key}")).unwrap_or_default();
            let key = if sort == Sort::Relevance { SortKey::Score(0) } else { SortKey::Text(text) };
            (sort, Some(key))
        }),
    ];
    prop_oneof![
        key.prop_map(|(sort, key)| (sort.clone(), PageStart::After(cursor(sort, key)))),
        (1..=100_usize, prop::sample::select(Sort::FIXED.to_vec()))
            .prop_map(|(page, (_, sort))| (sort, PageStart::Number(page))),
    ]
}

prop_compose! {
    fn request()(
        words in "[^\\s\\x00]{1,9}( [^\\s\\x00]{1,9}){0,3}|", filters in filters(), currency in currency(),
        facets in prop::collection::hash_set(prop_oneof![
            Just(Field::Brand), Just(Field::Category), Just(Field::Tags), Just(Field::Price),
            r"[^\p{C}]{0,3}[,\\x]{1,3}[^\p{C}]{0,3}".prop_map(Field::Attribute),
        ], 0..6),
        facet_values in 1..=MAX_FACET_VALUES, (sort, start) in sort_and_start(), size in 1..=MAX_PAGE_SIZE,
        operators in any::<bool>(),
    ) -> SearchRequest {
        SearchRequest {
            words, operators, is_prefix_query: false, match_mode: MatchMode::Most, tuning: Tuning::default(), filters,
            clauses: Vec::new(),
            restriction: Restriction::default(), currency, facets: facets.into_iter().collect(), facet_values, sort,
            page: Page { start, size },
        }
    }
}

proptest! {
    #[test]
    fn a_request_is_read_back_as_it_was_written(request in request()) {
        for auto_facets in [false, true] {
            let fields: Vec<_> = ["price", r"attributes.a,\,b"].iter().filter_map(|name| ChosenField::parse(name)).collect();
            let fields = if auto_facets { fields } else { Vec::new() };
            let parsed =
                ParsedSearch { auto_facets, fields, explain: !auto_facets, ..ParsedSearch::of(request.clone()) };
            prop_assert_eq!(read_search(&write_search(&parsed), Currency::USD), Ok(parsed));
        }
    }

    #[test]
    fn no_query_string_makes_reading_panic(query in ".{0,200}") {
        let _ = read_search(&query, Currency::USD);
        let _ = super::read(Endpoint::FacetValues, &query, Currency::USD);
    }

    #[test]
    fn no_mixture_of_real_parameters_makes_reading_panic_or_lose_anything(
        pairs in prop::collection::vec((
            prop::sample::select(table::all().iter().map(|row| row.name).chain(["attributes."]).collect::<Vec<_>>()),
            prop_oneof!["[-.0-9eE]{0,8}", "[a-z,.\\\\]{0,12}", "%[0-9a-f]{2}", ".{0,12}", "true", "brand,price", "9999999"],
        ), 0..8)
    ) {
        let query = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        if let Ok(mut parsed) = read_search(&query, Currency::USD) {
            let written = write_search(&parsed);
            parsed.required = RequiredVersions::default();
            prop_assert_eq!(read_search(&written, Currency::USD), Ok(parsed), "{}", written);
        }
    }
}

#[test]
fn brackets_are_another_form_of_the_same_attribute() {
    let dotted = read("attributes.colour=red&attributes.colour=blue&attributes.width=10..20");
    for brackets in [
        "attributes[colour]=red&attributes[colour]=blue&attributes[width]=10..20",
        "attributes%5Bcolour%5D=red&attributes%5Bcolour%5D=blue&attributes%5Bwidth%5D=10..20",
        "attributes[width]=10..20&attributes[colour]=blue&attributes.colour=red&attributes[colour]=red",
    ] {
        assert_eq!(read(brackets), dotted, "{brackets}");
    }
    assert!(write(&dotted).contains("attributes.colour=red&attributes.colour=blue&attributes.width=10..20"));
    let key = read("attributes.a%5Bb%5D=x&attributes[c.d]=x");
    let keys: Vec<&str> = key.filters.attributes.keys().map(String::as_str).collect();
    assert_eq!(keys, ["a[b]", "c.d"]);
}

#[test]
fn a_query_beyond_its_bounds_is_cut_at_the_end_of_a_word() {
    let cut = |query: &str| {
        let ParsedSearch { request, is_truncated, .. } =
            parsed(&format!("query={}", query.replace(' ', "+")));
        (request.words, is_truncated)
    };
    let letters = "é".repeat(256);
    assert_eq!(cut(&letters), (letters.clone(), false));
    assert_eq!(cut(&format!("{letters}x")), (letters.clone(), true), "a word that is too long itself");
    assert_eq!(cut(&format!("{letters} x")), (letters.clone(), true));
    assert_eq!(cut(&format!("{letters}   ")), (letters, false), "spaces at the end do not count");
    let long = format!("tea {} pot", "x".repeat(250));
    assert_eq!(cut(&format!("{long}s")), (long[..254].to_owned(), true), "no part of a word stays");
    let words = |count: usize| vec!["tea"; count].join(" ");
    assert_eq!(cut(&words(32)), (words(32), false));
    assert_eq!(cut(&words(33)), (words(32), true));
    assert!(cut(&vec!["a,b"; 20].join(",")).1, "words need no spaces between");
    let (short, long) = (
        parsed(&format!("query={}", words(32).replace(' ', "+"))),
        parsed(&format!("query={}", words(40).replace(' ', "+"))),
    );
    assert_eq!(short.request, long.request);
}

#[test]
fn operators_are_on_unless_they_are_turned_off() {
    assert!(
        read("query=-a").operators && read("operators=true").operators && !read("operators=false").operators
    );
    assert_eq!(write(&read("operators=false&currency=USD")), "operators=false&currency=USD");
    assert_eq!(faults("operators=no"), [("operators".to_owned(), FaultKind::Malformed)]);
}

#[test]
fn a_value_that_looks_like_a_range_can_be_filtered_by() {
    let filters = |query: &str| -> Vec<(String, Vec<AttributeFilter>)> {
        read(query).filters.attributes.into_iter().collect()
    };
    let equals =
        |key: &str, text: &str| vec![(key.to_owned(), vec![AttributeFilter::Equals(text.to_owned())])];
    for query in ["attributes.volt.is=100..240", "attributes[volt][is]=100..240"] {
        assert_eq!(filters(query), equals("volt", "100..240"), "{query}");
    }
    assert_eq!(filters("attributes.volt.is=230"), filters("attributes.volt=230"));
    assert_eq!(filters("attributes[a.is]=x"), equals("a.is", "x"), "a key in brackets is itself");
    assert_eq!(filters("attributes.is=x"), equals("is", "x"));
    let range = AttributeFilter::Range { min: Some(1.0), max: Some(2.0) };
    assert_eq!(filters("attributes[a.is]=1..2"), [("a.is".to_owned(), vec![range])]);
    for query in [
        "attributes.volt.is=100..240",
        "attributes[a.is]=1..2",
        "attributes.a.is.is=1..2",
        "attributes.released=2026-01-01..2026-06-30",
        "attributes.w=1..<2&attributes.w=..2026-01-01",
    ] {
        let request = read(query);
        assert_eq!(read(&write(&request)), request, "{query}: {}", write(&request));
    }
    assert!(write(&read("attributes.volt.is=100..240")).contains("attributes.volt.is=100..240"));
}
