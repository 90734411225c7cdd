//! Sort orders, pages and cursors.

use domain::ports::Applied;
use domain::search::{
    AttributeFilter, Cursor, MatchMode, Page, PageStart, QueryInterpretation, SearchRequest, Sort, SortKey,
};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, at_version, attribute, deleted, ids,
    named, product, search_for,
};
use crate::support::on_each;

async fn every_order_with_ids_for_ties(index: &Index) {
    add_shelf(index).await;
    let mut late = named("late", "Zeta");
    late.created_at = jiff::Timestamp::from_millisecond(1_800_000_000_000).unwrap();
    let mut early = product("early", serde_json::json!({ "name": "ÉTA", "price": 30 }));
    early.created_at = jiff::Timestamp::from_millisecond(-5).unwrap();
    index.add([late, early]).await;
    for (sort, order) in [
        (Sort::Relevance, ["a", "b", "c", "d", "e", "early", "late"]),
        (Sort::PriceAsc, ["a", "b", "c", "early", "d", "e", "late"]),
        (Sort::PriceDesc, ["c", "early", "b", "a", "d", "e", "late"]),
        (Sort::Newest, ["late", "a", "b", "c", "d", "e", "early"]),
        (Sort::Name, ["b", "a", "e", "d", "early", "c", "late"]),
    ] {
        assert_eq!(index.filtered(|r| r.sort = sort.clone()).await, order, "{sort:?}");
    }
}

/// Adds products that are named by their ids, in two commits.
async fn add_named(index: &Index, names: &[(&str, &str)]) {
    let (even, odd): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    for part in [even, odd] {
        index.add(part.into_iter().map(|(_, (id, name))| named(id, name))).await;
    }
}

async fn names_are_in_the_order_of_the_language(index: &Index) {
    let in_order = [
        ("i", "3 Äpfel"),
        ("h", "12 Apfel"),
        ("g", "Apfel"),
        ("b", "Äpfel"),
        ("a", "Äpfel rot"),
        ("f", "Item 2"),
        ("d", "ITEM 10"),
        ("e", "item 10"),
        ("c", "Item 10 b"),
        ("k", "Öl"),
        ("j", "zange"),
        ("l", "東京"),
    ];
    add_named(index, &in_order).await;
    let ids_in_order = in_order.map(|(id, _)| id);
    for size in [1, 2, 5, 12] {
        let (mut listed, mut start) = (Vec::new(), PageStart::Number(1));
        for _ in 0..12_usize.div_ceil(size) {
            let page = Page { start, size };
            let answer = index.answer(&SearchRequest { sort: Sort::Name, page, ..search_for("") }).await;
            listed.extend(ids(&answer).into_iter().map(str::to_owned));
            let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
            start = cursor.map_or(PageStart::Number(1), PageStart::After);
        }
        assert_eq!(listed, ids_in_order, "pages of {size}");
    }
}

async fn a_cursor_of_an_earlier_version_keeps_its_place(index: &Index) {
    add_named(index, &[("a", "Zange"), ("b", "Ärmel"), ("c", "Item 10"), ("d", "ITEM 2"), ("e", "Ofen")])
        .await;
    for (name, id, next) in [("item 2", "d", ["c", "e", "a"]), ("ärmel", "b", ["d", "c", "e"])] {
        // The cursor has the name in lower case.
        let (key, id) = (Some(SortKey::Text(name.to_owned())), super::id(id));
        let interpretation = QueryInterpretation::default();
        let cursor = Cursor { sort: Sort::Name, key, id, interpretation, restriction: None };
        let page = Page { start: PageStart::After(cursor), size: 3 };
        let answer = index.answer(&SearchRequest { sort: Sort::Name, page, ..search_for("") }).await;
        assert_eq!(ids(&answer), next, "after {name}");
    }
}

async fn a_word_as_typed_comes_first_among_equals(index: &Index) {
    let names = [
        ("a", "Rød"),
        ("b", "Rod"),
        ("c", "Résumé"),
        ("d", "Resume"),
        ("e", "Resumé"),
        ("f", "Hoodies"),
        ("g", "Hoodie"),
        ("h", "Hoodie"),
        ("i", "Hoodies"),
        ("j", "Oak shelves"),
        ("k", "Oak shelf"),
        ("l", "Ôak shelf"),
    ];
    add_named(index, &names).await;
    for (words, order) in [
        ("rod", "b a"),
        ("ROD", "b a"),
        ("rød", "a b"),
        ("RØD", "a b"),
        ("resume", "d c e"),
        ("résumé", "c d e"),
        ("re\u{301}sume\u{301}", "c d e"),
        ("resumé", "e c d"),
        ("hoodie", "g h f i"),
        ("hoodies", "f i g h"),
        ("oak shelf", "k j l"),
        ("oak shelves", "j k l"),
        ("ôak shelf", "l k j"),
    ] {
        let request = SearchRequest { match_mode: MatchMode::All, ..search_for(words) };
        assert_eq!(index.found(&request).await.join(" "), order, "{words}");
        let page = Page { start: PageStart::Number(1), size: 1 };
        let first = index.answer(&SearchRequest { page, ..request.clone() }).await;
        let page = Page { start: PageStart::After(first.next.clone().unwrap()), size: 5 };
        let rest = index.answer(&SearchRequest { page, ..request }).await;
        assert_eq!([ids(&first), ids(&rest)].concat().join(" "), order, "{words}, after a cursor");
    }
}

/// The typed form of a word counts less than any difference in weight.
async fn a_word_as_typed_does_not_outweigh_a_better_match(index: &Index) {
    let product_of =
        |id: &str, name: &str, tags: &[&str]| product(id, serde_json::json!({ "name": name, "tags": tags }));
    index
        .add([
            product_of("a", "Rod of a long and winding name that goes on", &[]),
            product_of("b", "Rød", &["rod"]),
            product_of("c", "Red rod in two words and a tail", &[]),
        ])
        .await;
    assert_eq!(index.words("rod").await, ["b", "c", "a"]);
    let cheap = |id: &str, name: &str| product(id, serde_json::json!({ "name": name, "price": 1 }));
    index.add([cheap("x", "Røde kop"), cheap("y", "Rode kop")]).await;
    let request = SearchRequest { sort: Sort::PriceAsc, ..search_for("rode kop") };
    assert_eq!(index.found(&request).await, ["x", "y"], "other orders put equals by id");
}

fn by(name: &str) -> Sort {
    Sort::parse(name).unwrap()
}

/// Adds products with attributes of several types, in two commits, and one hidden by its status.
async fn add_attributes(index: &Index) {
    let with = |id: &str, attributes: serde_json::Value| {
        product(id, serde_json::json!({ "name": "lamp", "attributes": attributes }))
    };
    let long = |last: &str| "é".repeat(150) + last;
    index
        .add([
            with(
                "a",
                serde_json::json!({"width": 10, "size": "M", "since": "2026-01-31", "long": long("a")}),
            ),
            with("b", serde_json::json!({"width": 9.5, "size": ["XL", "S"], "since": "2025-12-24"})),
            with("c", serde_json::json!({"width": -3, "size": "m", "width_desc": 1, "long": "é"})),
            with("d", serde_json::json!({"width": "8 cm", "widths": 1, "since": "2026-01-31"})),
        ])
        .await;
    index
        .add([
            with("e", serde_json::json!({"width": 10.0, "size": [], "long": "ê"})),
            with("f", serde_json::json!({"widt": 2, "since": "1999-01-01T10:00:00Z"})),
            with("g", serde_json::json!({"width": ["9 cm", "7 cm"], "size": true, "\u{10000}": 1})),
            with("h", serde_json::json!({"width": 1e300, "size": "\u{ffff}"})),
            with("i", serde_json::json!({"width": 12, "size": "\u{10000}"})),
        ])
        .await;
}

async fn attributes_are_orders(index: &Index) {
    add_attributes(index).await;
    for (name, order) in [
        ("attributes.width", "c b a e i h g d f"),
        ("attributes.width_desc", "g d h i a e b c f"),
        ("attributes.size", "a b c g h i d e f"),
        ("attributes.size_desc", "i h g c b a d e f"),
        ("attributes.since", "f b a d c e g h i"),
        ("attributes.since_desc", "a d b f c e g h i"),
        ("attributes.long", "c a e b d f g h i"),
        ("attributes.width_desc_asc", "c a b d e f g h i"),
        ("attributes.none", "a b c d e f g h i"),
        ("attributes.none_desc", "a b c d e f g h i"),
    ] {
        let found = index.filtered(|request| request.sort = by(name)).await;
        assert_eq!(found.join(" "), order, "{name}");
    }
    // Words and filters select as in every order.
    let mut request = SearchRequest { sort: by("attributes.width_desc"), ..search_for("lamp sofa") };
    request.filters.attributes = attribute("width", &[AttributeFilter::parse("..11").unwrap()]);
    assert_eq!(index.answer(&request).await.total, 4);
    assert_eq!(index.found(&request).await, ["a", "e", "b", "c"]);
}

async fn cursors_of_an_attribute_keep_their_place(index: &Index) {
    add_attributes(index).await;
    for name in
        ["width", "width_desc", "size", "size_desc", "since", "since_desc", "long", "long_desc", "none"]
    {
        let sort = by(&format!("attributes.{name}"));
        let all = index.filtered(|request| request.sort = sort.clone()).await;
        for size in [1, 2, 5] {
            let (mut listed, mut start) = (Vec::new(), PageStart::Number(1));
            for _ in 0..9_usize.div_ceil(size) {
                let request =
                    SearchRequest { sort: sort.clone(), page: Page { start, size }, ..search_for("") };
                let answer = index.answer(&request).await;
                listed.extend(ids(&answer).into_iter().map(str::to_owned));
                let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
                start = cursor.map_or(PageStart::Number(1), PageStart::After);
            }
            assert_eq!(listed, all, "{name} {size}");
        }
    }
    // No product has the cursor's value any more; others are added before and after it.
    let width = |id: &str, version: u64, width: serde_json::Value| {
        let json = serde_json::json!({ "name": "lamp", "attributes": { "width": width } });
        at_version(version, product(id, json))
    };
    for (round, (name, between)) in
        [("attributes.width", "8 cm"), ("attributes.width_desc", "7 cm")].iter().enumerate()
    {
        let version = |n: usize| (2 + round * 10 + n) as u64;
        index.apply(&[width("d", version(0), "8 cm".into()), width("g", version(0), "7 cm".into())]).await;
        let request =
            |start, size| SearchRequest { sort: by(name), page: Page { start, size }, ..search_for("") };
        let all = index.answer(&request(PageStart::Number(1), 100)).await;
        let at = ids(&all).iter().position(|id| ["d", "g"].contains(id)).unwrap();
        let page = index.answer(&request(PageStart::Number(1), at + 1)).await;
        index
            .apply(&[width("d", version(1), "7.5 cm".into()), width("g", version(1), "7.6 cm".into())])
            .await;
        let next = index.answer(&request(PageStart::After(page.next.unwrap()), 2)).await;
        let expected: [&str; 2] = if round == 0 { ["d", "g"] } else { ["g", "d"] };
        assert_eq!(ids(&next), expected, "{name} {between}");
    }
}

async fn pages_and_cursors_divide_the_list(index: &Index) {
    // In two commits, so that pages span segments.
    for part in 0..2 {
        index
            .add((0..6).map(|n| {
                product(&format!("p{n}{part}"), serde_json::json!({ "name": "lamp", "price": n % 3 }))
            }))
            .await;
    }
    for sort in Sort::FIXED.map(|(_, sort)| sort) {
        let mut request = SearchRequest { sort: sort.clone(), ..search_for("lamp") };
        request.page.size = 100;
        let all = index.found(&request).await;
        assert_eq!(all.len(), 12);
        for size in [1, 5, 6, 12] {
            let (mut by_number, mut by_cursor) = (Vec::new(), Vec::new());
            let mut start = PageStart::Number(1);
            for number in 1..=12_usize.div_ceil(size) {
                let page = Page { start: PageStart::Number(number), size };
                let answer = index.answer(&SearchRequest { page, ..request.clone() }).await;
                assert_eq!(answer.total, 12);
                by_number.extend(ids(&answer).into_iter().map(str::to_owned));
                let page = Page { start, size };
                let answer = index.answer(&SearchRequest { page, ..request.clone() }).await;
                assert_eq!(answer.total, 12);
                by_cursor.extend(ids(&answer).into_iter().map(str::to_owned));
                assert_eq!(answer.next.is_some(), number * size < 12, "{sort:?} {size} {number}");
                // A client passes back the encoded cursor.
                let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
                start = cursor.map_or(PageStart::Number(1), PageStart::After);
            }
            assert_eq!(by_number, all, "{sort:?} {size}");
            assert_eq!(by_cursor, all, "{sort:?} {size}");
        }
        let beyond = Page { start: PageStart::Number(50), size: 10 };
        let answer = index.answer(&SearchRequest { page: beyond, ..request }).await;
        assert_eq!((answer.hits.len(), answer.total, answer.next), (0, 12, None));
    }
}

async fn a_cursor_keeps_its_place_while_the_catalogue_changes(index: &Index) {
    let priced = |id: &str, price: u32| product(id, serde_json::json!({ "name": id, "price": price }));
    for (round, sort) in [Sort::PriceAsc, Sort::Name, Sort::Relevance].into_iter().enumerate() {
        let version = |n: usize| (round * 10 + n) as u64;
        let four = [("b", 2), ("d", 4), ("f", 6), ("h", 8)]
            .map(|(id, price)| at_version(version(1), priced(id, price)));
        assert_eq!(index.apply(&four).await, [const { Applied::Done }; 4]);
        let page = Page { start: PageStart::Number(1), size: 2 };
        let first = index.answer(&SearchRequest { sort: sort.clone(), page, ..search_for("") }).await;
        assert_eq!(ids(&first), ["b", "d"], "{sort:?}");
        // The cursor's product is deleted; others are added before and after it.
        let changes = [
            deleted("d", version(2)),
            at_version(version(2), priced("c", 3)),
            at_version(version(2), priced("e", 5)),
        ];
        index.apply(&changes).await;
        let page = Page { start: PageStart::After(first.next.unwrap()), size: 2 };
        let second = index.answer(&SearchRequest { sort: sort.clone(), page, ..search_for("") }).await;
        assert_eq!(ids(&second), ["e", "f"], "{sort:?}");
        index.apply(&[deleted("c", version(3)), deleted("e", version(3))]).await;
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            every_order_with_ids_for_ties,
            names_are_in_the_order_of_the_language,
            a_cursor_of_an_earlier_version_keeps_its_place,
            a_word_as_typed_comes_first_among_equals,
            a_word_as_typed_does_not_outweigh_a_better_match,
            attributes_are_orders,
            cursors_of_an_attribute_keep_their_place,
            pages_and_cursors_divide_the_list,
            a_cursor_keeps_its_place_while_the_catalogue_changes,
        ]
    }
}
