//! Corrections of misspelt words: of plurals, beside other words of the query, and as products write them.

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, named, search_for};
use crate::support::on_each;

async fn a_misspelt_plural_finds_the_singular_and_the_reverse(index: &Index) {
    let names =
        [("lamp", "Lamp"), ("tent", "Tents"), ("battery", "Battery"), ("printer", "Printer"), ("cap", "Cap")];
    index.add(names.map(|(id, name)| named(id, name))).await;
    for (words, found) in [
        ("lapms", Some("lamp")),
        ("lapm", Some("lamp")),
        ("tnets", Some("tent")),
        ("tnet", Some("tent")),
        ("battreies", Some("battery")),
        ("batteris", Some("battery")),
        ("prnitres", Some("printer")),
        ("cpas", None),
        ("lapmss", None),
    ] {
        assert_eq!(index.words(words).await, found.into_iter().collect::<Vec<_>>(), "{words}");
    }
}

async fn one_word_of_a_product_does_not_match_two_words(index: &Index) {
    index.add([named("pillow", "Travel pillow"), named("mouse", "Mouse"), named("lamp", "Lamp")]).await;
    for (words, relaxed) in [
        ("travel trowel", ["trowel"]),
        ("travels trowel", ["trowel"]),
        ("trowel travel", ["trowel"]),
        ("mice moose", ["moose"]),
        ("lamps lapm", ["lapm"]),
        ("trowel lamp", ["trowel"]),
    ] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(
            (answer.relaxed, answer.corrected_query),
            (relaxed.map(str::to_owned).into(), None),
            "{words}"
        );
    }
    // The same word beside another one: what one query has found does not hold for the next.
    assert_eq!(index.words("trowel").await, ["pillow"]);
    assert_eq!(
        index.answer(&search_for("trowel pillow")).await.corrected_query.as_deref(),
        Some("travel pillow")
    );
}

async fn a_corrected_query_is_written_as_the_products_write_it(index: &Index) {
    index
        .add([
            named("a", "Crème Brûlée Set"),
            named("b", "Desk Lamps"),
            named("c", "Purple chair"),
            named("d", "Purple table"),
        ])
        .await;
    for (words, corrected) in [
        ("creme brulle", Some("crème brûlée")),
        ("Creme brulle", Some("Crème brûlée")),
        ("creme brulee", None),
        ("lapms", Some("lamps")),
        ("lapm", Some("lamps")),
        // No product has both, so that the result has no lamps.
        ("purple lapm", None),
        ("purpel chair", Some("purple chair")),
    ] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(answer.corrected_query.as_deref(), corrected, "{words}");
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            a_misspelt_plural_finds_the_singular_and_the_reverse,
            one_word_of_a_product_does_not_match_two_words,
            a_corrected_query_is_written_as_the_products_write_it,
        ]
    }
}
