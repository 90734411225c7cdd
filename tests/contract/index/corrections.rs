//! Corrections of misspelt words.

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, named};
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

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            a_misspelt_plural_finds_the_singular_and_the_reverse,
        ]
    }
}
