use super::*;
use crate::locale::Locale;
use domain::search::{Boost, Synonym};
use domain::{PriceRange, ProductId};

fn tuning_at(file: &str, words: &str, currency: Currency, now: &str) -> Tuning {
    let rules = Rules::parse(format!("version = 1\n{file}").as_bytes(), Locale::default()).unwrap();
    rules.tuning(words, currency, now.parse().unwrap())
}

fn tuning(file: &str, words: &str) -> Tuning {
    tuning_at(file, words, Currency::USD, "2026-06-01T00:00:00Z")
}

fn ids(products: &[ProductId]) -> Vec<&str> {
    products.iter().map(ProductId::as_str).collect()
}

#[test]
fn each_text_of_a_group_finds_the_others() {
    let file = "[words]\nsynonyms = [[\"laptop\", \"notebook\", \"portable computer\"], [\"laptop\", \"ultrabook\"]]";
    let synonyms = |words| {
        let synonyms = tuning(file, words).synonyms;
        synonyms.into_iter().map(|synonym| (synonym.from, synonym.to.join(", "))).collect::<Vec<_>>()
    };
    let expected = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let laptop = [expected("laptop", "notebook, portable computer"), expected("laptop", "ultrabook")];
    assert_eq!(synonyms("LAPTOPS"), laptop);
    assert_eq!(synonyms("hp portable computers"), [expected("portable computer", "laptop, notebook")]);
    assert_eq!(synonyms("computer portable"), []);
}

#[test]
fn a_one_way_synonym_goes_one_way() {
    let file = "[words.oneWay]\nhoover = \"vacuum cleaner\"\n";
    let there = Synonym { from: "hoover".to_owned(), to: vec!["vacuum cleaner".to_owned()] };
    assert_eq!(tuning(file, "red hoover").synonyms, [there]);
    assert_eq!(tuning(file, "vacuum cleaner").synonyms, []);
}

#[test]
fn stop_words_of_the_query_are_named() {
    let file = "[words]\nstopWords = [\"for\", \"the\", \"The\"]";
    assert_eq!(tuning(file, "bag FOR laptop").stop_words, ["for"]);
    assert_eq!(tuning(file, "bag").stop_words, [""; 0]);
}

#[test]
fn rules_hold_for_queries_that_equal_or_contain_theirs() {
    let file = r#"
        [[pin]]
        query = "laptop bag"
        products = ["a", "b"]
        [[pin]]
        query = ["laptop", "bag"]
        match = "contains"
        products = ["c", "a"]
        [[hide]]
        query = "bag"
        match = "contains"
        products = ["b", "d"]
        [[hide]]
        query = "laptop"
        products = ["c"]"#;
    let decided = |words| {
        let tuning = tuning(file, words);
        (ids(&tuning.pinned).join(" "), ids(&tuning.hidden).join(" "))
    };
    let both = |pinned: &str, hidden: &str| (pinned.to_owned(), hidden.to_owned());
    assert_eq!(
        decided("Laptop Bags"),
        both("a c", "b d"),
        "in the order of the file, each once, none hidden"
    );
    assert_eq!(decided("bag laptop"), both("c a", "b d"));
    assert_eq!(decided("laptop"), both("a", "c"));
    assert_eq!(decided("black laptop"), both("c a", ""));
    assert_eq!(decided("lap top"), both("", ""));
    assert_eq!(decided(""), both("", ""));
}

#[test]
fn rules_hold_in_their_time() {
    let file = "[[pin]]\nquery = \"gift\"\nproducts = \"a\"\nfrom = 2026-12-01\nuntil = 2026-12-24";
    let pinned = |now| tuning_at(file, "gift", Currency::USD, now).pinned.len();
    assert_eq!(pinned("2026-11-30T23:59:59Z"), 0);
    assert_eq!(pinned("2026-12-24T23:59:59Z"), 1);
    assert_eq!(pinned("2026-12-25T00:00:00Z"), 0);
}

#[test]
fn boosts_filter_as_searches_do() {
    let file = r#"
        [[boost]]
        by = 0.25
        [boost.filter]
        category = ["Home > Lamps", "Home>Lamps"]
        brand = "HP"
        tags = ["new"]
        priceRange = "10.50-20"
        inStock = true
        attributes = { colour = ["red", "blue"], width = "10..20", cores = 8, size = 13.50, dim = false }"#;
    let decided = tuning(file, "anything");
    let equals = |text: &str| domain::search::AttributeFilter::Equals(text.to_owned());
    let width = domain::search::AttributeFilter::Range { min: Some(10.0), max: Some(20.0) };
    let filters = domain::search::Filters {
        category: vec![domain::CategoryPath::parse("Home > Lamps").unwrap()],
        brand: vec!["HP".to_owned()],
        tags: vec!["new".to_owned()],
        price: vec![PriceRange { min: Some(1050), max: Some(2000) }],
        in_stock: Some(true),
        attributes: [
            ("colour", vec![equals("red"), equals("blue")]),
            ("width", vec![width]),
            ("cores", vec![equals("8")]),
            ("size", vec![equals("13.5")]),
            ("dim", vec![equals("false")]),
        ]
        .map(|(key, filters)| (key.to_owned(), filters))
        .into(),
    };
    assert_eq!(decided.boosts, [Boost { filters, by: 0.25 }]);
}

#[test]
fn boosts_by_price_count_in_their_currency_only() {
    let file = r#"
        [[boost]]
        by = 1
        filter = { priceRange = "-10", currency = "EUR" }
        [[bury]]
        by = 0.5
        query = "lamp"
        filter = { priceRange = "100-" }
        [[bury]]
        by = 0.75
        filter = { inStock = false }"#;
    let by = |words, currency: &str| {
        let decided = tuning_at(file, words, Currency::parse(currency).unwrap(), "2026-06-01T00:00:00Z");
        decided.boosts.iter().map(|boost| boost.by).collect::<Vec<_>>()
    };
    assert_eq!(by("lamp", "EUR"), [1.0, -0.75]);
    assert_eq!(by("lamp", "USD"), [-0.5, -0.75]);
    assert_eq!(by("", "USD"), [-0.75]);
}

#[test]
fn the_version_is_that_of_the_bytes() {
    let version = |file: &str| Rules::parse(file.as_bytes(), Locale::default()).unwrap().version();
    assert_eq!(version("version = 1"), Rules::version_of(b"version = 1"));
    assert_ne!(version("version = 1"), version("version = 1 "));
}
