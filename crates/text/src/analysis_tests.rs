use super::*;
use crate::cjk::{bigrams, is_cjk, spellings};
use proptest::prelude::*;

fn analysed(text: &str, purpose: Purpose) -> Vec<String> {
    let mut found = Vec::new();
    words(text, purpose, |word, _| found.push(word.to_owned()));
    found
}

#[test]
fn case_accents_and_width_do_not_count() {
    for (text, expected) in [
        ("Crème BRÛLÉE", vec!["creme", "brulee"]),
        ("cre\u{300}me", vec!["creme"]),
        ("Straße Łódź Smørrebrød İstanbul", vec!["strasse", "lodz", "smorrebrod", "istanbul"]),
        ("ＳＯＮＹ　ｗｈ１０００", vec!["sony", "wh1000"]),
        ("5㎏", vec!["5kg"]),
        ("don't / stop_me.now", vec!["don", "t", "stop", "me", "now"]),
        ("हिन्दी", vec!["हिन्दी"]),
        ("Чёрный и\u{306}", vec!["черный", "й"]),
        ("", vec![]),
        ("\" ( * \0 ~ --", vec![]),
    ] {
        assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
    }
}

#[test]
fn marks_of_owners_and_invisible_characters_are_nothing() {
    for (text, expected) in [
        ("LEGO™ bus", vec!["lego", "bus"]),
        ("Gore-Tex™", vec!["gore", "tex"]),
        ("iPhone®15 ©Acme℠", vec!["iphone", "15", "acme"]),
        ("Fahr\u{AD}rad", vec!["fahrrad"]),
        ("men\u{2BC}s men\u{2019}s", vec!["men", "s", "men", "s"]),
    ] {
        assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
    }
    assert_eq!(analysed("WH™-1000", Purpose::Document), ["wh", "1000", "wh1000"]);
}

#[test]
fn signs_of_units_are_what_people_type() {
    for (text, expected) in [
        ("22 µF 22μF", vec!["22", "uf", "22uf"]),
        ("10 kΩ 4\u{2126}", vec!["10", "kohm", "4ohm"]),
        ("30 m² 5m³", vec!["30", "m2", "5m3"]),
        ("3½ inch ½inch", vec!["3", "1/2", "inch", "1/2", "inch"]),
        ("20 °C 20℃", vec!["20", "c", "20", "c"]),
        ("μήκος ΜΩΒ", vec!["μηκοσ", "μωβ"]),
        ("٣٥ १२ 台", vec!["35", "12", "台"]),
    ] {
        assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
    }
}

#[test]
fn thousands_and_inches_are_read() {
    for (text, expected) in [
        ("20,000mAh", vec!["20000mah"]),
        ("1,234,567 pieces", vec!["1234567", "pieces"]),
        ("5,5 mm 5.5mm", vec!["5.5", "mm", "5.5mm"]),
        ("1.2.3 10/100/1000 12/24 V", vec!["1", "2", "3", "10", "100", "1000", "12", "24", "v"]),
        ("3/4 inch ¾", vec!["3/4", "inch", "3/4"]),
        ("0,500 a,500", vec!["0.500", "a", "500"]),
        ("27\" or 27-inch", vec!["27", "inch", "or", "27", "inch"]),
        ("27″ \"quoted\" 5'", vec!["27", "inch", "quoted", "5"]),
    ] {
        assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
    }
}

#[test]
fn a_document_has_the_numbers_of_its_numbers_and_codes() {
    for (text, expected) in [
        ("5,5", vec!["5.5", "5", "5"]),
        ("2.0", vec!["2.0", "2", "0"]),
        ("3/4", vec!["3/4", "3", "4"]),
        ("5.5mm", vec!["5.5mm"]),
        ("TW5600", vec!["tw5600", "5600"]),
        ("WH-1000XM4", vec!["wh", "1000xm4", "1000", "wh1000xm4"]),
        ("PS5 256GB 12345", vec!["ps5", "256gb", "12345"]),
    ] {
        assert_eq!(analysed(text, Purpose::Document), expected, "{text}");
    }
}

#[test]
fn in_after_a_number_is_inches_too() {
    assert_eq!(
        analysed("27 in, 5-in in 3", Purpose::Document),
        ["27", "in", "inch", "5", "in", "inch", "5in", "in", "3"]
    );
    assert_eq!(analysed("27 in", Purpose::Query), ["27", "in"]);
}

#[test]
fn words_with_signs_are_words_of_their_own() {
    assert_eq!(
        analysed("C# C++, A+ .NET ASP.NET", Purpose::Query),
        ["c#", "c++", "a+", ".net", "asp", "net"]
    );
    assert_eq!(analysed("C++ (.NET)", Purpose::Document), ["c", "c++", "net", ".net"]);
    assert_eq!(analysed("Black+Decker 18+ end.", Purpose::Query), ["black", "decker", "18", "end"]);
    assert!(has_digit("c++") && has_digit(".net") && has_digit("🍕") && !has_digit("हिन्दी"));
}

#[test]
fn scripts_without_spaces_become_pairs() {
    assert_eq!(analysed("日本語", Purpose::Query), ["日本語"]);
    assert_eq!(analysed("語", Purpose::Query), ["語"]);
    assert_eq!(analysed("日本語", Purpose::Document), ["日", "日本", "本", "本語", "語"]);
    assert_eq!(analysed("語", Purpose::Document), ["語"]);
    assert_eq!(analysed("ノートPC用", Purpose::Query), ["ノート", "pc", "用"]);
    assert_eq!(analysed("ﾊﾞｯｸﾞ３個", Purpose::Query), ["バツグ", "3", "個"]);
    assert_eq!(joined("テスト-01"), "テスト01");
}

#[test]
fn each_word_has_its_place() {
    let text = "é3x ノーﾄPC \u{2460}\u{301}a\u{301}b";
    let mut found = Vec::new();
    words(text, Purpose::Document, |word, at| found.push((word.to_owned(), &text[at])));
    let found: Vec<(&str, &str)> = found.iter().map(|(word, at)| (word.as_str(), *at)).collect();
    assert_eq!(
        found,
        [
            ("e3x", "é3x"),
            ("ノ", "ノ"),
            ("ノー", "ノー"),
            ("ー", "ー"),
            ("ート", "ーﾄ"),
            ("ト", "ﾄ"),
            ("pc", "PC"),
            ("1ab", "\u{2460}\u{301}a\u{301}b"),
        ]
    );
}

#[test]
fn a_model_number_is_found_with_and_without_hyphens() {
    assert_eq!(analysed("WH-1000XM4", Purpose::Document), ["wh", "1000xm4", "1000", "wh1000xm4"]);
    assert_eq!(analysed("WH-1000XM4, wi-fi-6", Purpose::Query), ["wh1000xm4", "wi", "fi", "6"]);
    assert_eq!(analysed("10-20 dual-core a- b1", Purpose::Document), ["10", "20", "dual", "core", "a", "b1"]);
    assert_eq!(joined("AB-12/x é"), "ab12xe");
}

#[test]
fn measures_initials_and_numbers_with_hyphens_are_one_word() {
    for (text, document, query) in [
        ("M8 x 25", vec!["m8", "x", "25", "m8x25"], vec!["m8x25"]),
        ("M8x25", vec!["m8x25"], vec!["m8x25"]),
        ("20 × 30cm, white", vec!["20", "30cm", "20x30", "cm", "white"], vec!["20x30", "cm", "white"]),
        ("frame 20x30 cm", vec!["frame", "20x30", "cm"], vec!["frame", "20x30", "cm"]),
        ("e.l.f. balm", vec!["e.l.f", "elf", "e", "l", "f", "balm"], vec!["e.l.f", "balm"]),
        ("978-0-13-110362-7", vec!["978", "0", "13", "110362", "7", "9780131103627"], vec!["9780131103627"]),
        ("10-20", vec!["10", "20"], vec!["10", "20"]),
    ] {
        let words = |purpose| {
            let mut found = Vec::new();
            tokens(text, purpose, |token| {
                if let Token::Word(word, _) = token {
                    found.push(word.to_owned());
                }
            });
            found
        };
        assert_eq!(words(Purpose::Document), document, "{text}");
        let found: Vec<String> = query_words(text).into_iter().map(|(word, _)| word).collect();
        assert_eq!(found, query, "{text}");
    }
}

#[test]
fn long_words_are_kept() {
    let long = "x".repeat(200);
    assert_eq!(analysed(&long, Purpose::Query), [long.as_str()]);
    assert_eq!(analysed(&"y".repeat(9000), Purpose::Document), ["y".repeat(MAX_WORD_BYTES)]);
}

proptest! {
    #[test]
    fn every_word_lies_in_the_text_and_is_folded(text in "\\PC{0,40}") {
        for purpose in [Purpose::Document, Purpose::Query] {
            words(&text, purpose, |word, at| {
                assert!(!word.is_empty() && text.get(at.clone()).is_some(), "{word} {at:?}");
                assert!(!word.chars().any(|c| c.is_control() || c.is_whitespace()), "{word:?}");
            });
        }
    }

    #[test]
    fn signs_of_several_bytes_are_read_in_every_order(text in "[0-9a0xXхé\u{301}カ東 .,/⁄٫٬\\-‐'ʼ\"″”½µΩ™&+#<*×°٣☺]{0,14}") {
        for purpose in [Purpose::Document, Purpose::Query] {
            words(&text, purpose, |word, at| assert!(text.get(at.clone()).is_some(), "{word} {at:?}"));
        }
    }

    #[test]
    fn a_query_finds_the_document_it_was_copied_from(text in "\\PC{0,40}|[ab1-3xхé .,/\\-‐'\"+#Ω·]{0,16}|[ab][0-9-]{0,12}[a. ]{0,2}") {
        let document = analysed(&text, Purpose::Document);
        for word in analysed(&text, Purpose::Query) {
            let has_all = |spelling: &String| {
                if !is_cjk(&word) {
                    return document.contains(&word);
                }
                bigrams(spelling).all(|pair| document.iter().any(|own| own == pair))
            };
            prop_assert!(spellings(&word).iter().any(has_all), "{}", word);
        }
    }
}
