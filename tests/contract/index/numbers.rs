//! Numbers and units.

use std::collections::BTreeSet;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, named};
use crate::support::on_each;

/// Returns the ids of the products that have all words, sorted.
async fn found(index: &Index, words: &str) -> Vec<String> {
    let found: BTreeSet<String> = index.words(words).await.into_iter().collect();
    found.into_iter().collect()
}

async fn a_number_ranks_before_numbers_that_contain_it(index: &Index) {
    index
        .add([
            named("a-decimal", "Drill 5,5 mm"),
            named("b-whole", "Drill 5 mm"),
            named("c-fraction", "Valve 3/4 inch"),
            named("d-number", "Valve 3"),
        ])
        .await;
    assert_eq!(index.words("drill 5 mm").await, ["b-whole", "a-decimal"]);
    assert_eq!(index.words("valve 3").await, ["d-number", "c-fraction"]);
    for (words, expected) in [
        ("drill 5.5 mm", "a-decimal"),
        ("5,5mm", "a-decimal"),
        ("5mm", "b-whole"),
        ("valve ¾", "c-fraction"),
        ("valve 3/4\"", "c-fraction"),
    ] {
        assert_eq!(found(index, words).await, [expected], "{words}");
    }
}

async fn thousands_inches_and_digits_of_codes_match(index: &Index) {
    index
        .add([
            named("big", "Power bank 20,000mAh"),
            named("small", "Power bank 10,000 mAh"),
            named("quotes", "Monitor 27\" curved"),
            named("in", "Monitor 27 in flat"),
            named("inch", "Monitor 27-inch"),
            named("other", "Monitor 24 inches"),
            named("code", "Torque wrench TW5600"),
        ])
        .await;
    for (words, expected) in [
        ("20000mah", &["big"][..]),
        ("20,000 mah", &["big"]),
        ("20000 mAh", &["big"]),
        ("10000mah", &["small"]),
        ("27\"", &["in", "inch", "quotes"]),
        ("27″", &["in", "inch", "quotes"]),
        ("27 in", &["in", "inch", "quotes"]),
        ("27in", &["in", "inch", "quotes"]),
        ("27 inch", &["in", "inch", "quotes"]),
        ("27-inch monitor", &["in", "inch", "quotes"]),
        ("27inches", &["in", "inch", "quotes"]),
        ("24\" monitor", &["other"]),
        ("5600", &["code"]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            a_number_ranks_before_numbers_that_contain_it,
            thousands_inches_and_digits_of_codes_match,
        ]
    }
}
