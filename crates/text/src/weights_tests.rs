use super::*;
use domain::Currency;
use domain::input::read_product;
use foldhash::HashMap;

use crate::kinds::kind_term;

#[derive(Default)]
struct Weighed {
    words: Vec<(String, u8)>,
    stems: Vec<(String, u8)>,
    pairs: Vec<(String, u8)>,
}

fn weighed(json: &str) -> Weighed {
    weighed_in(Language::English, json)
}

fn weighed_in(language: Language, json: &str) -> Weighed {
    let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let (mut weigher, mut weighed) = (Weigher::new(language), Weighed::default());
    // A product leaves nothing behind that counts in the next one.
    for _ in 0..2 {
        weighed = Weighed::default();
        weigher.weigh(&content, |dictionary, word, weight| match dictionary {
            Dictionary::Words | Dictionary::Codes => weighed.words.push((word.to_owned(), weight)),
            Dictionary::Pairs => weighed.pairs.push((word.to_owned(), weight)),
            Dictionary::Stems => weighed.stems.push((word.to_owned(), weight)),
        });
    }
    weighed
}

#[test]
fn a_shop_decides_what_a_part_counts_and_no_word_gets_lost() {
    let json = r#"{"name":"Lamp","brand":"Akari","description":"paper lamp"}"#;
    let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let weights = |field_weights: FieldWeights| {
        let mut weights = HashMap::default();
        Weigher::new(Language::English).with_weights(field_weights).weigh(&content, |_, word, weight| {
            weights.insert(word.to_owned(), weight);
        });
        ["lamp", "akari", "paper"].map(|word| weights[word])
    };
    let own = weights(FieldWeights::default());
    let with = |part, weight| weights(FieldWeights::default().with(part, weight).unwrap());
    assert_eq!(with(Part::Name, 1.0), own);
    let [lamp, akari, paper] = with(Part::Brand, 10.0);
    assert!(lamp == own[0] && akari > own[1] && paper == own[2], "{lamp} {akari} {paper}; {own:?}");
    let [lamp, akari, paper] = with(Part::Description, 0.0);
    assert!((1..own[0]).contains(&lamp) && akari == own[1] && paper == 1, "{lamp} {akari} {paper}");
}

fn weight_of(list: &[(String, u8)], word: &str) -> u8 {
    list.iter().find(|(known, _)| known == word).map_or(0, |(_, weight)| *weight)
}

#[test]
fn the_name_counts_most_and_more_when_it_is_short() {
    let lamp = weighed(
        r#"{"name":"Lamp Hikari","brand":"Hikari","tags":["garden"],"attributes":{"material":"oak"},"description":"Made by hand, like all that we make, of nothing else than the best of old paper, glue and time, in a house at the end of a long road where nobody comes but those who know what they are looking for and have all the time that it takes."}"#,
    );
    let weights = ["hikari", "lamp", "garden", "oak", "paper"].map(|word| weight_of(&lamp.words, word));
    assert!(weights.is_sorted_by(|a, b| a > b), "{weights:?}");
    let long = weighed(r#"{"name":"Lamp with a long name that says all there is to say about it"}"#);
    assert!(weight_of(&long.words, "lamp") < weight_of(&lamp.words, "lamp"));
    let twice = weighed(r#"{"name":"A","description":"paper and glue and paper"}"#);
    assert!(weight_of(&twice.words, "paper") > weight_of(&twice.words, "glue"));
}

#[test]
fn a_short_description_is_a_second_name() {
    let short = weighed(r#"{"name":"X25-M","description":"solid state drive, 80 GB"}"#);
    let long = weighed(
        r#"{"name":"X25-M","description":"This computer starts in no time since all it knows is on a drive, 80 GB, that has nothing in it that turns or hums"}"#,
    );
    assert!(weight_of(&short.words, "drive") > 2 * weight_of(&long.words, "drive"));
}

#[test]
fn a_head_counts_more_than_what_the_product_is_for() {
    let weight = |name: &str| {
        let json = format!(r#"{{"name":"{name}","brand":"Acme"}}"#);
        weight_of(&weighed(&json).words, "laptop")
    };
    let weights = ["Acme Laptop 15", "Acme Laptop bag", "Bag for Laptop"].map(weight);
    assert!(weights.is_sorted_by(|a, b| a > b), "{weights:?}");
    // A brand is not part of a compound.
    let acme = |name: &str| {
        let json = format!(r#"{{"name":"{name}","brand":"Acme"}}"#);
        weight_of(&weighed(&json).words, "acme")
    };
    assert_eq!(acme("Acme Laptop"), acme("Acme 15"));
    // All words of an attribute's value count alike.
    let value = |value: &str| {
        let json =
            format!(r#"{{"name":"-","attributes":{{"a":"{value}","b":"1 2 3 4 5 6 7 8 9 10 11 12"}}}}"#);
        weight_of(&weighed(&json).words, "laptop")
    };
    assert_eq!(value("for laptop bags"), value("a b laptop"));
}

#[test]
fn pairs_are_indexed_where_a_text_begins() {
    let product = weighed(
        r#"{"name":"Laser printer toner","tags":["ink jet"],"description":"Fits a desk jet, but is there, as you may know, no ink pad for 256 GB","attributes":{"a":"blue lamp 30 g"}}"#,
    );
    let weight = |pair: &str| weight_of(&product.pairs, pair);
    for pair in ["laserprinter", "printertoner", "inkjet", "deskjet", "30g"] {
        assert!(weight(pair) > 0, "{pair}");
    }
    for pair in ["inkpad", "256gb", "bluelamp"] {
        assert_eq!(weight(pair), 0, "{pair}");
    }
    assert!(weight("printertoner") > 2 * weight("laserprinter"));
    let long = weighed(r#"{"name":"A name of many words that goes on and on ink pad 256 GB"}"#);
    assert!(weight_of(&long.pairs, "256gb") > 0 && weight_of(&long.pairs, "inkpad") == 0);
}

#[test]
fn every_word_has_a_weight_in_any_product() {
    for json in [r#"{"name":"a"}"#, r#"{"name":"-","sku":"B"}"#, r#"{"name":"-","attributes":{"k":"c"}}"#] {
        let product = weighed(json);
        let weights = product.words.iter().map(|(_, weight)| *weight);
        assert!(
            !product.words.is_empty() && weights.clone().all(|weight| (1..=MAX_WEIGHT).contains(&weight)),
            "{json}"
        );
    }
}

#[test]
fn singulars_and_pairs_are_words_too() {
    let product = weighed(
        r#"{"name":"Head phones, 256 GB","attributes":{"weight":"30 g each"},"description":"for desk lamps"}"#,
    );
    assert!(weight_of(&product.words, "phones") > 0 && weight_of(&product.words, "phone") > 0);
    assert!(weight_of(&product.words, "lamp") > 0);
    let mut pairs: Vec<&str> = product.pairs.iter().map(|(pair, _)| pair.as_str()).collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        [
            "256gb",
            "30g",
            "=phone",
            "^phones",
            "desklamp",
            "desklamps",
            "fordesk",
            "headphone",
            "headphones",
            "headphones256",
            "phones256",
            "~phone",
        ]
    );
}

#[test]
fn stems_stand_beside_words_and_count_all_forms() {
    let product =
        weighed_in(Language::German, r#"{"name":"Lampe","description":"Lampen aus Holz","sku":"X-Y"}"#);
    assert!(weight_of(&product.stems, "lamp") > weight_of(&product.words, "lampe"));
    assert!(weight_of(&product.words, "lamp") == 0 && weight_of(&product.words, "lampen") > 0);
    assert!(weight_of(&product.stems, "xy") > 0, "whatever a query looks for has a stem");
    assert!(weighed(r#"{"name":"Lamps"}"#).stems.is_empty());
}

#[test]
fn words_in_kana_and_hangul_are_found_without_the_space_between_them() {
    let sorted_pairs = |name: &str| {
        let product = weighed(&format!(r#"{{"name":"{name}"}}"#));
        let mut pairs: Vec<String> = product.pairs.into_iter().map(|(pair, _)| pair).collect();
        pairs.sort_unstable();
        pairs
    };
    assert_eq!(
        sorted_pairs("ワイヤレス マウス 東京 プリンター・ケース 無線 무선 마우스 USB"),
        ["=usb", "ワイヤレスマウス", "무선마우스"]
    );
    assert_eq!(sorted_pairs("USB メモリー カバー リーダー"), ["カバーリーダ", "メモリーカバー"]);
}

#[test]
fn a_name_without_spaces_is_as_long_as_its_words() {
    let kanji = weighed(r#"{"name":"東京都立大学新聞"}"#);
    let latin = weighed(r#"{"name":"tokyo, metropolitan, university, newspaper"}"#);
    assert_eq!(weight_of(&kanji.words, "東京"), weight_of(&latin.words, "tokyo"));
}

#[test]
fn a_further_category_neither_doubles_nor_dilutes_a_word() {
    let product = |categories: &str| {
        weighed(&format!(r#"{{"name":"Akari 3","tags":["paper"],"categories":{categories}}}"#))
    };
    let weight = |product: &Weighed, word: &str| weight_of(&product.words, word);
    let one = product(r#"["Home > Desk lamps"]"#);
    let several = product(r#"["Home > Desk lamps","Office > Desk lamps","Home > Sale"]"#);
    for word in ["home", "desk", "lamps", "lamp", "paper", "akari"] {
        assert!(weight(&one, word) > 0);
        assert_eq!(weight(&several, word), weight(&one, word), "{word}");
    }
    assert_eq!(weight_of(&several.pairs, "desklamp"), weight_of(&one.pairs, "desklamp"));
    // A further category counts as if it were the only one of its length.
    assert_eq!(weight(&several, "office"), weight(&one, "home"));
}

#[test]
fn the_order_of_categories_does_not_change_a_weight() {
    let sorted = |categories: &str| {
        let product = weighed(&format!(r#"{{"name":"Akari","categories":{categories}}}"#));
        let mut words = product.words;
        words.sort_unstable();
        words
    };
    assert_eq!(
        sorted(r#"["A > Lamps","Garden > Paper > Lamps for lamps","B"]"#),
        sorted(r#"["B","Garden > Paper > Lamps for lamps","A > Lamps"]"#)
    );
}

#[test]
fn a_word_within_one_category_counts_as_often_as_it_is_there() {
    let lamp = |categories: &str| {
        let product = weighed(&format!(r#"{{"name":"Akari","categories":{categories}}}"#));
        weight_of(&product.words, "lamps")
    };
    let nested = lamp(r#"["Lamps > Lamps"]"#);
    assert!(nested > lamp(r#"["Lamps > Other"]"#));
    assert_eq!(lamp(r#"["Lamps > Lamps","Lamps"]"#), nested);
}

#[test]
fn initials_weigh_as_much_as_a_word() {
    let product = weighed(r#"{"name":"Lip balm","brand":"e.l.f."}"#);
    let brand = weighed(r#"{"name":"Lip balm","brand":"elf"}"#);
    for word in ["e.l.f", "elf"] {
        assert_eq!(weight_of(&product.words, word), weight_of(&brand.words, "elf"), "{word}");
    }
}

#[test]
fn attributes_that_say_what_a_product_is_name_its_kind() {
    for (attributes, expected) in [
        (r#"{"type":"Projector"}"#, &[("=projector", 7)][..]),
        (r#"{"product_type":"Home cinema > Projectors"}"#, &[("=projector", 7)]),
        (r#"{"product_type":"Bags for laptops > Sleeves"}"#, &[("=sleeve", 7)]),
        (r#"{"Kind":["Lamp","Desk light"]}"#, &[("=lamp", 7), ("=light", 7)]),
        (r#"{"type":"Akari"}"#, &[]),
        (r#"{"product_type":"505771","type":true,"ink_type":"Gel","mount":"Wall > Rail"}"#, &[]),
    ] {
        let json = format!(r#"{{"name":"X 1","brand":"Akari","attributes":{attributes}}}"#);
        let kinds = weighed(&json).pairs.into_iter().filter(|(pair, _)| pair.starts_with('='));
        let mut kinds: Vec<(String, u8)> = kinds.collect();
        kinds.sort_unstable();
        let kinds: Vec<(&str, u8)> = kinds.iter().map(|(kind, weight)| (kind.as_str(), *weight)).collect();
        assert_eq!(kinds, expected, "{attributes}");
    }
    let both = weighed(r#"{"name":"Projector","category":"Projectors","attributes":{"type":"Projector"}}"#);
    assert_eq!(
        weight_of(&both.pairs, "=projector"),
        KindSource::Label as u8,
        "the most certain source counts"
    );
}

#[test]
fn languages_that_put_the_thing_first_weigh_what_follows_as_modifiers() {
    let weight = |language: Language, name: &str, word: &str| {
        let json = format!(r#"{{"name":"{name}","brand":"Akari"}}"#);
        weight_of(&weighed_in(language, &json).words, word)
    };
    let lampe = |name: &str| weight(Language::French, name, "lampe");
    let heads = ["Lampe de bureau", "Akari lampe bureau", "Bureau, lampe noire", "Set de lampe"].map(lampe);
    assert!(heads.iter().all(|weight| *weight >= heads[0]), "{heads:?}");
    let modifiers =
        ["Ampoule de lampe", "Ampoule grande lampe", "Pied d'une lampe", "Grand abat d’lampe"].map(lampe);
    assert!(modifiers.iter().all(|weight| *weight < heads[0]), "{heads:?} {modifiers:?}");
    assert!(lampe("Ampoule pour lampe") < modifiers[0]);
    for (language, head, modifier, word) in [
        (Language::French, "Ordinateur portable", "Housse ordinateur", "ordinateur"),
        (Language::Spanish, "Lámpara LED", "Bombilla lámpara", "lampara"),
        (Language::Italian, "Lampada tavolo", "Lampadina lampada", "lampada"),
        (Language::Portuguese, "Luminária mesa", "Lâmpada luminária", "luminaria"),
        (Language::Catalan, "Làmpada taula", "Bombeta làmpada", "lampada"),
        (Language::Romanian, "Lampă birou", "Bec lampă", "lampa"),
        (Language::Arabic, "مصباح مكتب", "لمبة مصباح", "مصباح"),
    ] {
        let (head, modifier) = (weight(language, head, word), weight(language, modifier, word));
        assert!(head > modifier && modifier > 0, "{language}: {head} {modifier}");
    }
    let pair = |name: &str| {
        weight_of(&weighed_in(Language::French, &format!(r#"{{"name":"{name}"}}"#)).pairs, "imprimantelaser")
    };
    assert!(pair("Imprimante laser noire") > 2 * pair("Toner imprimante laser"));
}

#[test]
fn a_set_is_of_the_kind_that_it_consists_of() {
    for (language, name, kind) in [
        (Language::English, "Acme set with 6 mugs", "mugs"),
        (Language::English, "Knife set with block", "knife"),
        (Language::German, "Acme Set mit 6 Tassen", "tassen"),
        (Language::German, "Tassen Satz", "tassen"),
        (Language::French, "Lot de 6 verres à eau", "verres"),
        (Language::French, "Jeu de 4 clés", "cles"),
        (Language::French, "Jeu de société", "jeu"),
        (Language::Spanish, "Juego de 6 vasos", "vasos"),
        (Language::Spanish, "Juego de mesa", "juego"),
        (Language::Polish, "Zestaw z 6 kubkami", "kubkami"),
    ] {
        let weighed = weighed_in(language, &format!(r#"{{"name":"{name}","brand":"Acme"}}"#));
        let kinds: Vec<&str> = weighed
            .pairs
            .iter()
            .map(|(pair, _)| pair.as_str())
            .filter(|pair| pair.starts_with('='))
            .collect();
        assert_eq!(kinds, [kind_term(kind, language).text], "{name}");
    }
}

#[test]
fn a_postposition_links_the_word_before_it() {
    let product = weighed_in(Language::Turkish, r#"{"name":"Çocuklar için kulaklık"}"#);
    let other = weighed_in(Language::Turkish, r#"{"name":"Kulaklık, siyah çocuklar"}"#);
    assert!(weight_of(&product.words, "kulaklik") >= weight_of(&other.words, "kulaklik"));
    assert!(weight_of(&product.words, "cocuklar") < weight_of(&other.words, "cocuklar"));
    assert!(weight_of(&product.pairs, &kind_term("kulaklik", Language::Turkish).text) > 0);
    assert_eq!(weight_of(&product.pairs, &kind_term("cocuklar", Language::Turkish).text), 0);
}

#[test]
fn a_unit_after_a_number_is_no_plural() {
    for (name, has_pc, has_piece) in [
        ("Screws 20 pcs", false, true),
        ("Screws 20 pieces", false, true),
        ("Gaming PCs", true, false),
        ("Screws, 20, pcs", true, false),
    ] {
        let words = weighed(&format!(r#"{{"name":"{name}"}}"#)).words;
        assert_eq!(
            (weight_of(&words, "pc") > 0, weight_of(&words, "piece") > 0),
            (has_pc, has_piece),
            "{name}"
        );
    }
}

#[test]
fn thousands_are_one_number_with_their_unit() {
    for name in
        ["Powerbank 20.000 mAh", "Powerbank 20.000mAh", "Powerbank 20 000 mAh", "Powerbank 20\u{A0}000 mAh"]
    {
        let product = weighed_in(Language::German, &format!(r#"{{"name":"{name}"}}"#));
        let has = |word: &str| weight_of(&product.words, word) + weight_of(&product.pairs, word) > 0;
        assert!(has("20000mah"), "{name}: {:?} {:?}", product.words, product.pairs);
    }
}
