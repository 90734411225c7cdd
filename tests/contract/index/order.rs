//! Sort orders, pages and cursors.

use domain::ports::Applied;
use domain::search::{Cursor, Page, PageStart, SearchRequest, Sort};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, at_version, deleted, ids, named,
    product, search_for,
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
        (Sort::Name, ["b", "a", "e", "d", "c", "late", "early"]),
    ] {
        assert_eq!(index.filtered(|r| r.sort = sort).await, order, "{sort:?}");
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
    for sort in Sort::ALL.map(|(_, sort)| sort) {
        let mut request = SearchRequest { sort, ..search_for("lamp") };
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
        let first = index.answer(&SearchRequest { sort, page, ..search_for("") }).await;
        assert_eq!(ids(&first), ["b", "d"], "{sort:?}");
        // The cursor's product is deleted; others are added before and after it.
        let changes = [
            deleted("d", version(2)),
            at_version(version(2), priced("c", 3)),
            at_version(version(2), priced("e", 5)),
        ];
        index.apply(&changes).await;
        let page = Page { start: PageStart::After(first.next.unwrap()), size: 2 };
        let second = index.answer(&SearchRequest { sort, page, ..search_for("") }).await;
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
            pages_and_cursors_divide_the_list,
            a_cursor_keeps_its_place_while_the_catalogue_changes,
        ]
    }
}
