//! Words written together and apart, and article numbers.

use std::collections::BTreeSet;

use domain::search::SearchRequest;
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, named, product, search_for};
use crate::support::on_each;

/// Returns the ids of the products that have all words, sorted.
async fn found(index: &Index, words: &str) -> Vec<String> {
    let found: BTreeSet<String> = index.words(words).await.into_iter().collect();
    found.into_iter().collect()
}

async fn measures_match_however_they_are_written(index: &Index) {
    index
        .add([
            named("bolt", "Bolt M8 x 25"),
            named("long", "Bolt M8x30 zinc"),
            named("apart", "Frame 20 x 30 cm"),
            named("together", "Frame 10x15 cm"),
            named("tight", "Frame 40×50cm"),
            named("box", "Box 10 x 15 x 20"),
            named("poster", "Poster 70cm x 100cm"),
            named("board", "Board 60 cm x 90 cm"),
            named("timber", "Timber 2\" x 4\""),
            named("screw", "Screw M 6 x 40"),
        ])
        .await;
    for (words, expected) in [
        ("m8x25", &["bolt"][..]),
        ("M8 x 25", &["bolt"]),
        ("m8×25", &["bolt"]),
        ("m8 x 20", &[]),
        ("m8 * 30", &["long"]),
        ("20x30", &["apart"]),
        ("20x30cm", &["apart"]),
        ("20 x 30 cm", &["apart"]),
        ("10 × 15", &["box", "together"]),
        ("10x15 frame", &["together"]),
        ("40x50", &["tight"]),
        ("40 x 50 cm", &["tight"]),
        ("30x20", &[]),
        ("10x15x20", &["box"]),
        ("70x100", &["poster"]),
        ("70x100cm", &["poster"]),
        ("70cm x 100cm", &["poster"]),
        ("70 cm x 100 cm poster", &["poster"]),
        ("60cmx90cm", &["board"]),
        ("60 x 90", &["board"]),
        ("2x4", &["timber"]),
        ("2\" x 4\"", &["timber"]),
        ("m6x40", &["screw"]),
        ("m 6 x 40", &["screw"]),
        ("m 8 x 25", &["bolt"]),
        ("20", &["apart", "box"]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let none = index.answer(&search_for("m8 x 20")).await;
    assert!(none.total == 0 && none.relaxed.is_empty(), "{:?}", ids(&none));
    let marked = index.answer(&search_for("20x30")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "Frame <em>20 x 30</em> cm");
}

async fn codes_match_in_any_number_of_parts(index: &Index) {
    index
        .add([
            named("router", "Router Wi-Fi 6"),
            named("card", "Graphics card RTX 4070 Ti"),
            named("whole", "Graphics card RTX4070Ti"),
            named("other", "Graphics card RTX 4080 and a Ti frame"),
        ])
        .await;
    for (words, expected) in [
        ("wifi6", &["router"][..]),
        ("wi-fi 6", &["router"]),
        ("wifi 6", &["router"]),
        ("rtx4070ti", &["card", "whole"]),
        ("rtx 4070 ti", &["card", "whole"]),
        ("RTX-4070-Ti", &["card", "whole"]),
        ("rtx4080ti", &[]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let marked = index.answer(&search_for("wifi6")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "Router <em>Wi-Fi 6</em>");
}

async fn codes_match_in_parts_of_letters_and_digits(index: &Index) {
    index
        .add([
            named("samsung", "Galaxy S24 Ultra"),
            named("canon", "Camera EOS R6"),
            named("apple", "Phone iPhone 15 Pro Max"),
            named("sony", "Headphones WH1000XM4"),
            named("apart", "Headphones WH 1000XM4"),
            named("mesh", "Router Wi-Fi 6E"),
            named("whole", "Case S24Ultra"),
            named("long", "Bolt M8 x 250"),
        ])
        .await;
    for (words, expected) in [
        ("s24ultra", &["samsung", "whole"][..]),
        ("s24 ultra", &["samsung", "whole"]),
        ("eosr6", &["canon"]),
        ("eosr5", &[]),
        ("iphone15promax", &["apple"]),
        ("wh-1000xm4", &["apart", "sony"]),
        ("wh1000xm4", &["apart", "sony"]),
        ("wh 1000xm4", &["apart", "sony"]),
        ("wifi6e", &["mesh"]),
        ("wifi 6e", &["mesh"]),
        ("m8x25", &[]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let marked = index.answer(&search_for("s24ultra galaxy")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "<em>Galaxy</em> <em>S24</em> <em>Ultra</em>");
}

async fn a_part_number_with_hyphens_is_never_taken_into_pieces(index: &Index) {
    index
        .add([
            named("hyphen", "Printer XL-4000"),
            named("plain", "Printer XL4000"),
            named("space", "Printer XL 4000"),
            named("shirt", "XL shirt"),
            named("pieces", "4000 pieces"),
            named("drill", "Drill DCD796P1T"),
            named("pack", "Screws 100 pack"),
        ])
        .await;
    for (words, expected) in [
        ("xl-4000", &["hyphen", "plain", "space"][..]),
        ("XL-4000 printer", &["hyphen", "plain", "space"]),
        ("dcd-796-p1t", &["drill"]),
        ("100-pack", &["pack"]),
    ] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(found(index, words).await, expected, "{words}");
        assert_eq!(answer.hits.len(), expected.len(), "{words}: {:?}", ids(&answer));
    }
}

async fn initials_match_with_and_without_dots(index: &Index) {
    index
        .add([
            product("balm", json!({"name": "Lip balm", "brand": "e.l.f."})),
            named("costume", "Elf costume"),
            named("jeans", "A.P.C. jeans"),
            named("kit", "DIY kit"),
            named("usa", "Flag of the U.S.A"),
            named("lipstick", "M·A·C lipstick"),
            named("spaced", "D I Y shelf"),
        ])
        .await;
    for (words, expected) in [
        ("elf lip balm", &["balm"][..]),
        ("e.l.f. lip balm", &["balm"]),
        ("apc", &["jeans"]),
        ("a.p.c.", &["jeans"]),
        ("D.I.Y.", &["kit", "spaced"]),
        ("d i y", &["kit", "spaced"]),
        ("diy", &["kit", "spaced"]),
        ("mac lipstick", &["lipstick"]),
        ("m·a·c", &["lipstick"]),
        ("usa", &["usa"]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    assert_eq!(index.words("e.l.f.").await, ["balm", "costume"], "as typed comes first");
}

async fn an_article_number_is_found_in_every_length(index: &Index) {
    index
        .add([
            product("cup", json!({"name": "Cup", "sku": "4006381333931"})),
            named("mention", "Lid for 4006381333931"),
            named("bars", "Pens, bar code 0 36000 29145 2 on the box"),
            product("soap", json!({"name": "Soap", "attributes": {"upc": "036000291452"}})),
            product("book", json!({"name": "Book", "attributes": {"isbn": "978-0-13-110362-7"}})),
            product("old", json!({"name": "Old book", "sku": "0-8044-2957-X"})),
            named("pieces", "Set 978 with 0 and 13 and 7, 110362 9999 6178"),
        ])
        .await;
    for (words, expected) in [
        ("04006381333931", &["cup", "mention"][..]),
        ("4006381333931", &["cup", "mention"]),
        ("4-006381-333931", &["cup", "mention"]),
        ("4 006381 333931", &["cup", "mention"]),
        ("036000291452", &["bars", "soap"]),
        ("36000291452", &["bars", "soap"]),
        ("0036000291452", &["bars", "soap"]),
        ("0-36000-29145-2", &["bars", "soap"]),
        ("0 36000 29145 2", &["bars", "soap"]),
        ("9780131103627", &["book"]),
        ("978-0-13-110362-7", &["book"]),
        ("0131103628", &["book"]),
        ("0-13-110362-8", &["book"]),
        ("978 0 13 110362 7", &["book"]),
        ("0 13 110362 8", &["book"]),
        ("131103628", &["book"]),
        ("080442957X", &["old"]),
        ("9780804429573", &["old"]),
        ("978-0-13-110363-7", &[]),
        ("6178-9999-9999", &[]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
        let answer = index.answer(&SearchRequest { ..search_for(words) }).await;
        assert_eq!(answer.hits.len(), expected.len(), "{words} is never taken into pieces");
        assert!(answer.relaxed.is_empty() && answer.corrected_query.is_none(), "{words}");
    }
    assert_eq!(index.words("4006381333931").await, ["cup", "mention"], "the product itself comes first");
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            measures_match_however_they_are_written,
            codes_match_in_any_number_of_parts,
            codes_match_in_parts_of_letters_and_digits,
            a_part_number_with_hyphens_is_never_taken_into_pieces,
            initials_match_with_and_without_dots,
            an_article_number_is_found_in_every_length,
        ]
    }
}
