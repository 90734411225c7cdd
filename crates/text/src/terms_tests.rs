use super::*;
use crate::query::Query;
use domain::input::read_product;
use domain::search::SearchRequest;
use domain::{Currency, Language};

fn is_found(name: &str, query: &str) -> bool {
    is_found_in(Language::default(), name, query)
}

fn is_found_in(language: Language, name: &str, query: &str) -> bool {
    let json = format!("{{\"name\":{name:?}}}");
    let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let terms = Terms::new(&content, &mut Weigher::new(language));
    let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
    let words = Query::new(&request, language).words;
    !words.is_empty()
        && words
            .iter()
            .all(|word| word.alternatives.iter().any(|alternative| terms.weight(alternative).is_some()))
}

#[test]
fn a_run_is_found_where_its_characters_are_neighbours() {
    assert!(is_found("東京都立大学", "京都立"));
    assert!(is_found("東京", "京"));
    assert!(!is_found("東京 京都", "東京都"), "not over the space");
    assert!(!is_found("京都東京", "京都京"));
    assert!(is_found("Desk lamps", "lamp") && is_found("Headphones", "head phones"));
    assert!(!is_found("Desk lamp", "lam"));
}

/// Checks that each writing of a group finds a product with any other writing.
fn assert_equal(groups: &[&[&str]]) {
    let mut missing = Vec::new();
    for group in groups {
        for name in *group {
            missing.extend(group.iter().filter(|query| !is_found(name, query)).map(|query| (query, name)));
        }
    }
    assert!(missing.is_empty(), "query, product: {missing:#?}");
}

#[test]
fn versions_and_sizes_are_written_to_their_letters_or_apart() {
    assert_equal(&[
        &["USB3.0", "USB 3.0", "USB-3.0"],
        &["Bluetooth5.0", "bluetooth 5.0"],
        &["HDMI2.1", "HDMI 2.1", "hdmi-2.1"],
    ]);
    for name in ["USB3.0 hub", "USB 3.0 hub"] {
        assert!(is_found(name, "usb3") && is_found(name, "usb 3"), "{name}");
    }
    for (name, query) in [("USB 3.1", "usb3.0"), ("USB3.1", "usb 3.0"), ("USB 3", "usb3.0")] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
    assert!(is_found("Games for PS4,PS5 and PC1000.20", "ps4 ps5 20"));
}

#[test]
fn numbers_and_measures_match_in_every_notation() {
    assert_equal(&[
        &[
            "3x1.5",
            "3 x 1.5",
            "3 x 1,5",
            "3x1,5",
            "3\u{D7}1,5",
            "3 \u{445} 1.5",
            "3\u{445}1,5",
            "3*1.5",
            "3x1\u{66B}5",
        ],
        &[".5", "0.5", "0,5", "\u{660}\u{66B}\u{665}"],
        &["1.5mm2", "1,5 mm\u{B2}", "1.5 mm2", "1,5mm\u{B2}"],
        &["2m3", "2 m\u{B3}", "2 m3"],
        &["3x1.5mm2", "3 x 1,5 mm\u{B2}", "3x1,5 mm2"],
        &["10\u{2044}12", "10/12"],
        &["1\u{2044}2", "1/2", "\u{BD}"],
        &["470ohms", "470 ohm", "470\u{3A9}", "470 ohms", "470 \u{2126}"],
        &["4.7k\u{3C9}", "4.7 kohm", "4,7k\u{3A9}", "4.7kohms"],
        &["27\"", "27''", "27 in", "27\u{2019}\u{2019}", "27 inch", "27in"],
        &["27.5\"", "27,5 in", "27.5in", "27.5 inches"],
        &["24\"x36\"", "24\" x 36\"", "24''x36''"],
        &["2\"x4\"", "2x4", "2 x 4", "2\" x 4\""],
        &["5' x 7'", "5x7", "5'x7'"],
        &["1/2x3/32", "1/2 x 3/32", "1/2\" x 3/32\""],
        &["PH2x100", "ph2 x 100"],
        &["20,000", "20000", "20\u{66C}000"],
    ]);
    for (name, query) in [
        ("24 x 36 in", "24\"x36\""),
        ("24x36", "24\"x36\""),
        ("24\"x36\"", "24 x 36 in"),
        ("24\"x36\"", "24x36"),
        ("Box 10 x 15 x 20", "10 × 15"),
        ("Box 10x15x20", "10x15"),
        ("Frames 10x15,20x30", "20x30 10x15"),
        ("Board 1,5x2,5x3", "1.5x2.5x3"),
        ("Чехол х100", "чехол х100"),
    ] {
        assert!(is_found(name, query), "{query} in {name}");
    }
    for (name, query) in [
        ("M8 x 25", "m8 x 20"),
        ("M8 x 250", "m8x25"),
        ("3 x 1.5", "3x1"),
        ("3 x 15", "3x1.5"),
        ("Box 10x15x20", "15x20"),
        ("Box 10 x 150 x 20", "10x15"),
        ("5 mm", "0.5 mm"),
        ("1.5 mm2", "15mm2"),
    ] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
}

#[test]
fn a_unit_after_a_number_matches_in_every_notation() {
    assert_equal(&[
        &["60w", "60 W", "60 watt", "60watts", "60-watt", "60 Watts"],
        &["12V", "12 volt", "12volts", "12 v"],
        &["2l", "2 L", "2 liter", "2 litres", "2litre", "2-liter"],
        &["500 g", "500g", "500 grams", "500gram", "500 grammes"],
        &["5 m", "5m", "5 meters", "5 metres", "5metre", "5 m\u{E8}tres"],
        &["5 kg", "5kg", "5 kilos", "5 kilograms"],
        &["27 in", "27in", "27 inches", "27\"", "27-inch", "27 zoll", "27 pouces"],
        &["200pcs", "200 pcs", "200 pieces", "200pieces", "200-piece", "200 pc", "200 St\u{FC}ck"],
        &["12 pack", "12-pack", "12pk", "12 packs"],
        &["24h", "24 hours", "24 hour", "24hrs"],
        &["1.5l", "1,5 L", "1.5 litres", "1.50 l"],
        &["2l", "2.0 l", "2,0 liter", "2.00l"],
        &["2 \u{43B}", "2\u{43B}", "2 \u{43B}\u{438}\u{442}\u{440}\u{430}", "2 l"],
        &["20 x 30 in", "20x30in", "20x30 inches"],
        &["1/4in", "1/4 in", "1/4\"", "1/4 inch", "1/4-inch", "\u{BC}in", "\u{BC} inch", "\u{BC}\""],
        &["30 m\u{B2}", "30m2", "30 sqm", "30qm"],
        &["3/4lb", "3/4 lbs", "\u{BE} pound"],
    ]);
    for language in [Language::German, Language::French, Language::EnglishSnowball] {
        for (name, query) in [
            ("Kanister 5 Liter", "5l"),
            ("Bidon 5 l", "5 litres"),
            ("Lampe 60 W", "60 watt"),
            ("Schrauben 20 St\u{FC}ck", "20 pcs"),
            ("Kabel 5 m\u{E8}tres", "5 m"),
            ("Monitor 27 Zoll", "27 inch"),
        ] {
            assert!(is_found_in(language, name, query), "{query} in {name}, {language}");
        }
    }
    for (name, query) in [
        ("Lamp 60 W", "60 volt"),
        ("Cable 5 mm", "5 meter"),
        ("Cable 5 m", "5 mm"),
        ("Jug 2 l", "2 ml"),
        ("Shirt 5, size M", "5 meter"),
        ("Screws 20 pcs", "pc"),
        ("Watt meter", "w"),
    ] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
    for (name, query) in [
        ("Watt meter", "watt meter"),
        ("Game 2 in 1", "2 in 1"),
        ("Game 2in1", "2 in 1"),
        ("Game 2-in-1", "2 in 1"),
        ("Gaming PC", "gaming pcs"),
        ("Windows 10 PC", "windows 10 pc"),
        ("T-shirt 3 L", "shirt l"),
    ] {
        assert!(is_found(name, query), "{query} in {name}");
    }
}

#[test]
fn a_measure_matches_with_units_and_zeros_anywhere() {
    assert_equal(&[
        &[
            "8x40mm",
            "8 x 40 mm",
            "8 mm x 40 mm",
            "8mm x 40mm",
            "8mmx40mm",
            "8\u{D7}40 mm",
            "8 x 40 millimeters",
        ],
        &["M8x40mm", "M8 x 40 mm", "m8 x 40mm", "M 8 x 40 mm", "M8 x 40 mm"],
        &["4x40", "4.0 x 40", "4,0x40", "4.0x40", "4 x 40,0", "4.00 x 40"],
        &["3.5x40mm", "3,50 x 40 mm", "3.5 mm x 40 mm"],
        &["20 x 30 x 40 cm", "20x30x40cm", "20 cm x 30 cm x 40 cm"],
        &["2 m x 3 m", "2m x 3m", "2 x 3 m", "2 meter x 3 meter", "2x3m"],
        &[
            "24 in x 36 in",
            "24 x 36 inches",
            "24x36in",
            "24 inch x 36 inch",
            "24in x 36in",
            "24inch x 36inches",
        ],
    ]);
    for (name, query) in
        [("Screw 4.0x40", "4x40"), ("Screw M8 x 40 mm", "m8x40"), ("Screw 4x40mm", "4,0 x 40")]
    {
        assert!(is_found(name, query), "{query} in {name}");
    }
    for (name, query) in [
        ("Screw 4.5x40", "4x40"),
        ("Screw 40x4", "4x40"),
        ("Screw 4x400 mm", "4x40mm"),
        ("Screw 8x40 cm", "8x40mm"),
        ("Plate 1.500x2", "1.5x2"),
    ] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
}

#[test]
fn thousands_match_in_every_notation() {
    assert_equal(&[
        &["12000mAh", "12,000mAh", "12 000mAh", "12 000 mAh", "12'000 mAh"],
        &["1000000", "1.000.000", "1,000,000", "1 000 000", "1'000'000"],
        &["10050 mAh", "10050mAh", "10,050 mAh", "10,050mAh"],
        &["1250 mm", "1,250 mm", "1250mm", "1'250 mm", "1,250mm"],
        &["1.250,5 kg", "1,250.5 kg", "1250.5kg"],
    ]);
    for (name, query) in [("12 000mAh", "000mah"), ("Router 192.168.100.200", "168"), ("10 20 000m", "10")] {
        assert!(is_found(name, query), "{query} in {name}");
    }
    for (name, query) in [("1.250 mm", "1250 mm"), ("12 128 GB", "12128gb"), ("1.000.000", "1.000")] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
}

#[test]
fn codes_match_together_and_in_parts_of_letters_and_digits() {
    assert_equal(&[
        &["WiFi6E", "Wi-Fi 6E", "wifi 6e", "wi-fi-6e"],
        &["S24Ultra", "S24 Ultra"],
        &["EOSR6", "EOS R6"],
        &["iPhone15ProMax", "iPhone 15 Pro Max"],
        &["WH1000XM4", "WH 1000XM4", "WH-1000XM4"],
        &["RTX 4070 Ti", "RTX4070Ti", "RTX-4070-Ti"],
        &["XL-4000", "XL4000", "XL 4000"],
        &["DCD-796-P1T", "DCD796P1T", "DCD796-P1T"],
        &["B12-7777", "B127777"],
        &["GalaxyS24", "Galaxy S24"],
        &["Tyre 195/65R15 91H", "tyre 195/65 R15 91h"],
        &["225/45 ZR17", "225/45zr17"],
    ]);
    for (name, query) in [
        ("12V 7Ah", "12v7ah"),
        ("Ryzen 7800X3D", "7800 x3d"),
        ("Ryzen 7800X3D", "7800x 3d"),
        ("Tyre 195/65R15 91H", "tyre 195 65 r15"),
        ("iPhone15 Pro Max", "iphone 15 pro max"),
        ("Camera Lumix GH5", "lumixgh5"),
        ("DCD 796 P1T", "dcd-796-p1t"),
    ] {
        assert!(is_found(name, query), "{query} in {name}");
    }
    for (name, query) in [
        ("RTX 4080 and a Ti frame", "rtx4080ti"),
        ("M8 x 250", "m8x25"),
        ("Zoom 20x, 30 pieces", "20x30"),
        ("S24 case", "s24ultra"),
        ("XL shirt", "xl-4000"),
        ("4000 pieces", "xl-4000"),
        ("EOS R5", "eosr6"),
    ] {
        assert!(!is_found(name, query), "{query} in {name}");
    }
}

#[test]
fn initials_match_with_dots_of_any_kind_and_spaces() {
    assert_equal(&[
        &["M\u{B7}A\u{B7}C", "MAC", "M.A.C.", "m a c"],
        &["D I Y", "DIY", "d.i.y", "D\u{B7}I\u{B7}Y"],
    ]);
    assert!(!is_found("Grade A in B", "ainb"));
}
