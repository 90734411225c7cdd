//! Facets and their values.

use domain::PriceRange;
use domain::search::{AttributeFilter, Facet, FacetRequest, FacetValue, Field, SearchAnswer};
use serde_json::json;

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, attribute, category, product,
    search_for, values,
};
use crate::support::on_each;

async fn facets_ignore_their_own_filters(index: &Index) {
    add_shelf(index).await;
    let mut request = search_for("");
    let colour = Field::Attribute("colour".into());
    request.facets = vec![Field::Brand, Field::Category, Field::Tags, Field::Price, colour];
    request.filters.brand = vec!["Acme".into()];
    request.filters.price = vec![PriceRange { min: None, max: Some(2500) }];
    let answer = index.answer(&request).await;
    assert_eq!(answer.total, 1);
    let order: Vec<_> = answer.facets.iter().map(|(field, _)| field.clone()).collect();
    assert_eq!(order, request.facets);
    let facet = |at: usize| &answer.facets[at].1;
    assert_eq!(values(facet(0)), [("Acme", 1), ("acme", 1)], "by the price alone");
    assert_eq!(values(facet(1)), [("Home", 1), ("Home > Lamps", 1), ("Home > Lamps > Desk", 1)]);
    assert_eq!(values(facet(2)), [("new", 1), ("red", 1)]);
    assert_eq!(values(facet(4)), [("red", 1)]);
    let Facet::Price(Some(price)) = facet(3) else { panic!("{answer:?}") };
    assert_eq!((price.min, price.max, price.count), (1000, 1000, 1), "by the brand alone");
    request.filters.brand.clear();
    let answer = index.answer(&request).await;
    let expected = domain::search::price_facet(&[(1000, 1), (2050, 1), (3000, 1)]);
    assert_eq!(answer.facets[3].1, Facet::Price(expected), "its own filter does not count");
}

async fn facet_values_match_a_prefix(index: &Index) {
    add_shelf(index).await;
    let mut request =
        FacetRequest { search: search_for(""), field: Field::Brand, prefix: "AC".into(), limit: 10 };
    let values = async |request: &FacetRequest| -> Vec<(String, u64)> {
        let values = index.searcher.facet_values(request).await.unwrap();
        values.into_iter().map(|value| (value.value, value.count)).collect()
    };
    assert_eq!(values(&request).await, [("Acme".into(), 1), ("acme".into(), 1)]);
    request.limit = 1;
    assert_eq!(values(&request).await, [("Acme".into(), 1)]);
    request = FacetRequest { field: Field::Category, prefix: "lam".into(), limit: 9, ..request };
    let expected = [("Lamps", 1), ("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "words inside"
    );
    request.prefix = "hmoe > lam".into();
    let expected = [("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "with a typo"
    );
    request.prefix = "lapm".into();
    request.limit = 1;
    assert_eq!(values(&request).await, [("Home > Lamps".into(), 2)]);
    request = FacetRequest { field: Field::Category, prefix: String::new(), limit: 2, ..request };
    assert_eq!(values(&request).await, [("Home".into(), 3), ("Home > Lamps".into(), 2)]);
    request.search.words = "delta".into();
    assert_eq!(values(&request).await, [("Lamps".into(), 1)]);
    request.search.words.clear();
    request.search.filters.in_stock = Some(false);
    assert_eq!(values(&request).await, [("Home".into(), 2), ("Home > Lamps".into(), 1)]);
}

async fn a_facet_has_the_number_of_its_values(index: &Index) {
    let long = "long ".repeat(500).trim().to_owned();
    index
        .add((0..30).map(|n| {
            let attributes =
                serde_json::json!({ "n": n, "s": [format!("s{}", n % 3), "all", "all"], "long": long });
            product(&format!("p{n}"), serde_json::json!({ "name": "x", "attributes": attributes }))
        }))
        .await;
    let mut request = search_for("");
    request.facet_values = 2;
    request.facets = ["n", "s", "long", "none"].map(|key| Field::Attribute(key.to_owned())).to_vec();
    let answer = index.answer(&request).await;
    let distinct: Vec<usize> = answer
        .facets
        .iter()
        .map(|(_, facet)| match facet {
            Facet::Values { distinct, .. } => *distinct,
            Facet::Price(_) => panic!("{facet:?}"),
        })
        .collect();
    assert_eq!(distinct, [30, 4, 1, 0]);
    assert_eq!(values(&answer.facets[0].1), [("0", 1), ("1", 1)]);
    assert_eq!(values(&answer.facets[1].1), [("all", 30), ("s0", 10)], "a value counts once for a product");
    assert_eq!(values(&answer.facets[2].1), [(long.as_str(), 30)], "also when it is long");
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(long.clone())]);
    assert_eq!(index.answer(&request).await.total, 30);
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(format!("{long}."))]);
    assert_eq!(index.answer(&request).await.total, 0);
}

async fn values_that_look_alike_are_one(index: &Index) {
    let one = |id: &str, word: &str| {
        product(
            id,
            json!({"name": "x", "brand": word, "tags": [word], "category": format!("Home > {word}"),
            "attributes": {"maker": format!(" {word}  ")}}),
        )
    };
    // `é` as one character, and as `e` with a combining accent.
    index.add([one("a", "Caf\u{e9}"), one("b", "Cafe\u{301}"), one("c", "Other")]).await;
    let mut request = search_for("");
    let maker = Field::Attribute("maker".into());
    request.facets = vec![Field::Brand, Field::Tags, Field::Category, maker];
    let answer = index.answer(&request).await;
    for at in [0, 1, 3] {
        assert_eq!(values(&answer.facets[at].1), [("Caf\u{e9}", 2), ("Other", 1)], "{at}");
    }
    let categories = [("Home", 3), ("Home > Caf\u{e9}", 2), ("Home > Other", 1)];
    assert_eq!(values(&answer.facets[2].1), categories);
    for word in ["Caf\u{e9}", "Cafe\u{301}"] {
        assert_eq!(index.filtered(|request| request.filters.brand = vec![word.to_owned()]).await, ["a", "b"]);
        assert_eq!(index.filtered(|request| request.filters.tags = vec![word.to_owned()]).await, ["a", "b"]);
        let path = category(&format!("Home > {word}"));
        assert_eq!(index.filtered(|request| request.filters.category = vec![path]).await, ["a", "b"]);
        let equals = AttributeFilter::Equals(format!("{word} "));
        let maker = attribute("maker", &[equals]);
        assert_eq!(index.filtered(|request| request.filters.attributes = maker).await, ["a", "b"]);
    }
}

async fn numbers_in_a_list_are_in_their_order(index: &Index) {
    let values_of_sizes =
        [json!(10), json!(9), json!(-1), json!(1.5), json!("10 cm"), json!("9 cm"), json!("M"), json!(100)];
    let sized = |(at, size): (usize, &serde_json::Value)| {
        product(&format!("p{at}"), json!({"name": "x", "attributes": {"size": size}}))
    };
    index.add(values_of_sizes.iter().enumerate().map(sized)).await;
    let mut request = search_for("");
    request.facets = vec![Field::Attribute("size".into())];
    let expected = ["-1", "1.5", "9", "9 cm", "10", "10 cm", "100", "M"];
    let listed = |answer: &SearchAnswer| -> Vec<String> {
        values(&answer.facets[0].1).into_iter().map(|(value, _)| value.to_owned()).collect()
    };
    assert_eq!(listed(&index.answer(&request).await), expected);
    request.facet_values = 3;
    assert_eq!(listed(&index.answer(&request).await), expected[..3]);
    let field = Field::Attribute("size".into());
    let all = FacetRequest { search: request, field, prefix: "1".into(), limit: 9 };
    let found = index.searcher.facet_values(&all).await.unwrap();
    assert_eq!(
        found.iter().map(|value| value.value.as_str()).collect::<Vec<_>>(),
        ["-1", "1.5", "10", "10 cm", "100"]
    );
}

async fn dates_have_ranges_and_a_facet(index: &Index) {
    let dates = [
        ("a", json!("2025-12-31")),
        ("b", json!("2026-01-01")),
        ("c", json!("2026-06-30T23:00:00Z")),
        ("d", json!("2026-07-01T00:30:00+02:00")),
        ("e", json!("2026-07-01")),
        ("f", json!("soon")),
        ("g", json!(2026)),
    ];
    index
        .add(dates.map(|(id, date)| product(id, json!({"name": "x", "attributes": {"released": date}}))))
        .await;
    let within = async |range: &str| {
        let range = attribute("released", &[AttributeFilter::parse(range).unwrap()]);
        index.filtered(|request| request.filters.attributes = range).await
    };
    assert_eq!(within("2026-01-01..2026-06-30").await, ["b", "c", "d"]);
    assert_eq!(within("..2026-01-01").await, ["a", "b"]);
    assert_eq!(within("2026-06-30T23:00:00Z..").await, ["c", "e"]);
    assert_eq!(within("2026-01-01..<2026-06-30").await, ["b"]);
    assert_eq!(within("2026-07-01").await, ["e"], "a value");
    assert_eq!(within("..3000").await, ["g"], "a number is no date");
    let mut request = search_for("");
    request.facets = vec![Field::Attribute("released".into())];
    let answer = index.answer(&request).await;
    let Facet::Values { dates: Some(dates), numbers: Some(numbers), distinct: 7, .. } = &answer.facets[0].1
    else {
        panic!("{answer:?}")
    };
    assert_eq!((dates.count, numbers.count), (5, 1));
    let moment = domain::search::format_moment;
    assert_eq!(
        (moment(dates.min), moment(dates.max)),
        ("2025-12-31T00:00:00Z".into(), "2026-07-01T00:00:00Z".into())
    );
    let counts: Vec<u64> = dates.histogram.iter().map(|bucket| bucket.count).collect();
    assert_eq!(counts, [1, 1, 0, 0, 0, 0, 2, 1].as_slice(), "{dates:?}");
}

/// Values that are written in several ways, look like something else, or are at the bounds of their kind.
fn odd_values() -> Vec<serde_json::Value> {
    let numbers = [
        "0",
        "-0",
        "-0.0",
        "0.0",
        "1",
        "1.0",
        "1e0",
        "1000",
        "1e3",
        "1E3",
        "2.5",
        "2.50",
        "0.1",
        "1e-7",
        "1e21",
        "1e300",
        "-1e300",
        "5e-324",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
        "3",
        "4",
        "5",
        "20",
    ];
    let texts = [
        "1",
        "1.0",
        "1e3",
        "-0",
        "007",
        "100..240",
        "..5",
        "5..",
        "1..2",
        "2026-01-01",
        "2026-01-01..2026-02-01",
        "2026-01-01T00:00:00Z",
        " 2026-03-05",
        "true",
        "TRUE",
        "a",
        " a",
        "a ",
        "A",
        "Cafe\u{301}",
        "Caf\u{e9}",
        "",
        " ",
        "..",
        "x=y&z",
        "-",
    ];
    let numbers = numbers.iter().map(|number| serde_json::from_str(number).unwrap());
    let lists = [json!(["a", "b"]), json!(["b ", "b"]), json!([]), json!(true), json!(false)];
    numbers.chain(texts.iter().map(|text| json!(text))).chain(lists).collect()
}

async fn every_bucket_counts_what_its_own_filter_finds(index: &Index) {
    let mut random = fastrand::Rng::with_seed(17);
    let odd = odd_values();
    let mut products = Vec::new();
    for n in 0..200 {
        let value = odd.get(n).unwrap_or_else(|| random.choice(&odd).unwrap());
        products.push(product(&format!("p{n}"), json!({"name": "x", "attributes": {"v": value}})));
    }
    index.add(products).await;
    let mut request = search_for("");
    request.facets = vec![Field::Attribute("v".into())];
    request.facet_values = 1000;
    let answer = index.answer(&request).await;
    let Facet::Values { values, numbers: Some(numbers), dates: Some(dates), .. } = &answer.facets[0].1 else {
        panic!("{answer:?}")
    };
    let found = async |filter: AttributeFilter| {
        let filters = attribute("v", &[filter]);
        let mut request = search_for("");
        request.filters.attributes = filters;
        index.answer(&request).await.total
    };
    assert!(values.len() > 30, "{values:?}");
    for FacetValue { value, count } in values {
        // The filter `attributes.v.is=`, which reads any text as it is.
        assert_eq!(found(AttributeFilter::Equals(value.clone())).await, *count, "{value:?}");
        if let AttributeFilter::Equals(text) = AttributeFilter::parse(value).unwrap() {
            assert_eq!(text, *value);
        }
    }
    let last = numbers.histogram.len() - 1;
    for (at, bucket) in numbers.histogram.iter().enumerate() {
        let sign = if at == last { "" } else { "<" };
        let range = format!("{}..{sign}{}", bucket.from, bucket.to);
        assert_eq!(found(AttributeFilter::parse(&range).unwrap()).await, bucket.count, "{range}");
    }
    for bucket in &dates.histogram {
        let moment = domain::search::format_moment;
        let range = format!("{}..{}", moment(bucket.from), moment(bucket.to));
        assert_eq!(found(AttributeFilter::parse(&range).unwrap()).await, bucket.count, "{range}");
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            facets_ignore_their_own_filters,
            facet_values_match_a_prefix,
            a_facet_has_the_number_of_its_values,
            values_that_look_alike_are_one,
            numbers_in_a_list_are_in_their_order,
            dates_have_ranges_and_a_facet,
            every_bucket_counts_what_its_own_filter_finds,
        ]
    }
}
