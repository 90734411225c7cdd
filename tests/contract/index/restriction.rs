//! The restriction of a client: for it there are no other products.

use domain::Currency;
use domain::ports::PortErrorKind;
use domain::search::{
    Condition, FacetRequest, Field, Filters, Page, PageStart, Restriction, SearchRequest, Tuning,
};

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, id, ids, product, search_for, values};
use crate::support::on_each;

/// Restricts a search to a brand.
fn within(brand: &str, request: SearchRequest) -> SearchRequest {
    let filters = Filters { brand: vec![brand.to_owned()], ..Filters::default() };
    let restriction = Restriction::to(vec![Condition { filters, currency: Currency::USD }]);
    SearchRequest { restriction, ..request }
}

/// Adds 25 products of another brand and three of Acme.
async fn add_brands(index: &Index) {
    let of = |id: String, brand: &str, name: &str| {
        product(&id, serde_json::json!({ "name": name, "brand": brand, "tags": [name] }))
    };
    let others = (0..25).map(|number| of(format!("o{number}"), "Other", "oak table"));
    let own = [("a", "oak chair"), ("b", "oats"), ("c", "lamp")];
    index.add(others.chain(own.map(|(id, name)| of(id.to_owned(), "Acme", name)))).await;
}

async fn only_products_inside_match_and_count(index: &Index) {
    add_brands(index).await;
    let mut request = within("Acme", search_for(""));
    request.facets = vec![Field::Brand, Field::Tags];
    let answer = index.answer(&request).await;
    assert_eq!((answer.total, ids(&answer)), (3, vec!["a", "b", "c"]));
    assert_eq!(values(&answer.facets[0].1), [("Acme", 3)]);
    assert_eq!(values(&answer.facets[1].1).len(), 3);
    request.filters.brand = vec!["Other".to_owned()];
    let answer = index.answer(&request).await;
    assert_eq!(answer.total, 0);
    assert_eq!(
        values(&answer.facets[0].1),
        [("Acme", 3)],
        "a facet ignores its own filter, but no restriction"
    );
    let facet = FacetRequest { search: request, field: Field::Brand, prefix: String::new(), limit: 9 };
    let brands = index.searcher.facet_values(&facet).await.unwrap();
    assert_eq!(brands.iter().map(|brand| brand.value.as_str()).collect::<Vec<_>>(), ["Acme"]);
}

async fn pinned_products_outside_do_not_show(index: &Index) {
    add_brands(index).await;
    let tuning = Tuning { pinned: vec![id("o1"), id("c")], ..Tuning::default() };
    let request = SearchRequest { tuning, ..search_for("oats") };
    assert_eq!(index.found(&within("Acme", request.clone())).await, ["c", "b"]);
    assert_eq!(index.found(&request).await, ["o1", "c", "b"]);
}

async fn typos_are_corrected_to_words_inside(index: &Index) {
    add_brands(index).await;
    for (words, all, inside) in [("taple", Some("table"), None), ("lapm", Some("lamp"), Some("lamp"))] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(answer.corrected_query.as_deref(), all, "{words}");
        let answer = index.answer(&within("Acme", search_for(words))).await;
        assert_eq!(answer.corrected_query.as_deref(), inside, "{words}");
    }
}

async fn words_that_no_product_inside_has_are_left_out(index: &Index) {
    add_brands(index).await;
    let answer = index.answer(&within("Acme", search_for("table chair"))).await;
    assert_eq!((ids(&answer), answer.relaxed.as_slice()), (vec!["a"], &["table".to_owned()][..]));
}

async fn a_cursor_belongs_to_its_restriction(index: &Index) {
    add_brands(index).await;
    let page = |start| Page { start, size: 1 };
    let first = SearchRequest { page: page(PageStart::Number(1)), ..within("Acme", search_for("")) };
    let cursor = index.answer(&first).await.next.unwrap();
    let next = |request| SearchRequest { page: page(PageStart::After(cursor.clone())), ..request };
    assert_eq!(ids(&index.answer(&next(first.clone())).await), ["b"]);
    for other in [search_for(""), within("Other", search_for(""))] {
        let refused = index.searcher.search(&next(other)).await.unwrap_err();
        assert_eq!(refused.kind, PortErrorKind::Internal);
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            only_products_inside_match_and_count,
            pinned_products_outside_do_not_show,
            typos_are_corrected_to_words_inside,
            words_that_no_product_inside_has_are_left_out,
            a_cursor_belongs_to_its_restriction,
        ]
    }
}
