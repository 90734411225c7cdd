//! Numbers and units.

use std::collections::BTreeSet;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, named, search_for};
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

async fn signs_of_several_bytes_stand_beside_numbers(index: &Index) {
    index
        .add([
            named("pliers", "Pliers x⁄2.5"),
            named("board", "Board 2 × 4é"),
            named("board-i", "Board 3 * 7ïn"),
            named("resistor", "Resistor 3 × 5Ω"),
        ])
        .await;
    for (words, expected) in [
        ("x⁄2.5", "pliers"),
        ("pliers ⁄2,5", "pliers"),
        ("board é", "board"),
        ("2x4é", "board"),
        ("board ïn", "board-i"),
        ("resistor ohm", "resistor"),
        ("3x5Ω", "resistor"),
    ] {
        assert_eq!(found(index, words).await, [expected], "{words}");
    }
    assert_eq!(found(index, "y⁄7.5").await, [""; 0]);
    let marked = index.answer(&search_for("board é")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "<em>Board</em> 2 × 4<em>é</em>");
}

async fn a_notation_of_a_number_matches_every_other(index: &Index) {
    index
        .add([
            named("usb", "Hub USB 3.0"),
            named("bluetooth", "Earbuds Bluetooth5.0"),
            named("cable", "Cable 3 x 1,5 mm²"),
            named("wire", "Wire .5 mm"),
            named("resistor", "Resistor 470Ω"),
            named("potentiometer", "Potentiometer 4.7 kohm"),
            named("screen", "Screen 27''"),
            named("poster", "Poster 24\" x 36\""),
            named("rug", "Rug 5 ft. x 8 ft."),
            named("drill", "Drill 1/2 x 3/32"),
            named("bit", "Bit PH2 x 100"),
            named("ring", "Ring 20х30"),
        ])
        .await;
    for (words, expected) in [
        ("usb3.0", &["usb"][..]),
        ("USB-3.0", &["usb"]),
        ("usb3.1", &[]),
        ("bluetooth 5.0", &["bluetooth"]),
        ("bluetooth-5.0 earbuds", &["bluetooth"]),
        ("3x1.5", &["cable"]),
        ("3x1,5mm2", &["cable"]),
        ("3х1,5", &["cable"]),
        ("3x1", &[]),
        ("0.5mm", &["wire"]),
        ("0,5 mm", &["wire"]),
        ("٠٫٥ mm", &["wire"]),
        ("470ohms", &["resistor"]),
        ("470 ohm", &["resistor"]),
        ("4.7kω", &["potentiometer"]),
        ("27\" screen", &["screen"]),
        ("27in", &["screen"]),
        ("24\"x36\"", &["poster"]),
        ("24 x 36 in", &["poster"]),
        ("24x36", &["poster"]),
        ("24 in. x 36 in.", &["poster"]),
        ("24-inch x 36-inch", &["poster"]),
        ("24\u{2011}inch x 36\u{2011}inch", &["poster"]),
        ("5x8", &["rug"]),
        ("5ft x 8ft", &["rug"]),
        ("1/2x3/32", &["drill"]),
        ("ph2x100", &["bit"]),
        ("20x30", &["ring"]),
        ("20x3", &[]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let marked = index.answer(&search_for("0.5 mm wire")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "<em>Wire</em> <em>.5</em> <em>mm</em>");
}

async fn a_unit_after_a_number_matches_in_every_notation(index: &Index) {
    index
        .add([
            named("bulb", "Bulb 60 Watt"),
            named("lamp", "Lamp 60W"),
            named("jug", "Jug 2 L"),
            named("kettle", "Kettle 2.0 litres"),
            named("litter", "Cat litter 2 kg"),
            named("screws", "Screws 200 pcs"),
            named("bolts", "Bolts, 200-piece"),
            named("tower", "Gaming PC 200"),
            named("dowel", "Dowel 8x40mm"),
            named("pin", "Pin 8,0 mm x 40 mm"),
            named("bank", "Power bank 12 000mAh"),
            named("beads", "Beads 1.000.000"),
            named("plank", "Plank 1,250 mm"),
            named("fitting", "Fitting 1/4in"),
            named("nut", "Nut ¼\""),
            named("flask", "Flask 1.5 l"),
        ])
        .await;
    for (words, expected) in [
        ("60 w", &["bulb", "lamp"][..]),
        ("60watts", &["bulb", "lamp"]),
        ("60 volt", &[]),
        ("2 liter", &["jug", "kettle"]),
        ("2l", &["jug", "kettle"]),
        ("200 pieces", &["bolts", "screws"]),
        ("200pcs", &["bolts", "screws"]),
        ("8 x 40 mm", &["dowel", "pin"]),
        ("8x40", &["dowel", "pin"]),
        ("12000 mah", &["bank"]),
        ("1000000", &["beads"]),
        ("1250mm", &["plank"]),
        ("1/4\"", &["fitting", "nut"]),
        ("1/4 inch", &["fitting", "nut"]),
        // In quotation marks as well.
        ("\"60 w\"", &["bulb", "lamp"]),
        ("\"8x40mm\"", &["dowel", "pin"]),
        ("plank \"1250 mm\"", &["plank"]),
        ("\"lamp 60 w\"", &["lamp"]),
        ("\"bulb 60w\"", &["bulb"]),
        ("\"flask 1.5l\"", &["flask"]),
        ("\"kettle 2l\"", &["kettle"]),
        ("\"5 l\"", &[]),
        ("\"4 inch\"", &[]),
        ("flask -\"5 l\"", &["flask"]),
        ("200 pieces -\"200 pcs\"", &[]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    for (words, expected) in [
        ("60 w bulb", "<em>Bulb</em> <em>60</em> <em>Watt</em>"),
        ("200 pieces screws", "<em>Screws</em> <em>200</em> <em>pcs</em>"),
    ] {
        let marked = index.answer(&search_for(words)).await.hits.remove(0).highlights;
        assert_eq!(marked["name"], expected, "{words}");
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
            signs_of_several_bytes_stand_beside_numbers,
            a_notation_of_a_number_matches_every_other,
            a_unit_after_a_number_matches_in_every_notation,
        ]
    }
}
