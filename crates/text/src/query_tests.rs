use super::*;
use crate::dictionary::Dictionary;
use domain::Currency;
use domain::search::{Synonym, Tuning};
use proptest::prelude::*;

fn words_in(language: Language, query: &str, tuning: Tuning) -> Vec<Word> {
    let request = SearchRequest { words: query.to_owned(), tuning, ..SearchRequest::all(Currency::USD) };
    Query::new(&request, language).words
}

fn words(query: &str, tuning: Tuning) -> Vec<Word> {
    words_in(Language::English, query, tuning)
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

#[test]
fn only_the_last_word_is_a_beginning_and_may_come_twice() {
    let words = words("Desk lamp, desk LAMP", Tuning::default());
    let texts: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.is_prefix)).collect();
    assert_eq!(texts, [("desk", false), ("lamp", false), ("lamp", true)]);
    let typos = |word| words[1].misspelt().unwrap().typos(word);
    assert_eq!(["lamb", "lam9", "damp", "lampshade"].map(typos), [Some(1), None, None, None]);
}

#[test]
fn a_measure_is_a_beginning_only_while_it_is_typed() {
    for text in ["m8x2", "20 x 3", "3x1.5", "5m", "5 m"] {
        assert!(!words(text, Tuning::default()).pop().unwrap().is_prefix, "{text}");
        let request = SearchRequest { words: text.to_owned(), ..SearchRequest::all(Currency::USD) };
        let typing = SearchRequest { is_prefix_query: true, ..request };
        assert!(Query::new(&typing, Language::English).words.pop().unwrap().is_prefix, "{text}");
    }
}

#[test]
fn a_unit_after_a_number_is_complete_and_has_no_typos() {
    for text in ["2 liter", "2 metres", "12-pack"] {
        let unit = words(text, Tuning::default()).remove(1);
        assert!(!unit.is_prefix && !unit.may_have_typos() && !unit.matches_exactly("litter"), "{text}");
    }
    for text in ["red liter", "2 litter", "2, liter"] {
        let word = words(text, Tuning::default()).remove(1);
        assert!(word.is_prefix && word.may_have_typos(), "{text}");
    }
}

#[test]
fn a_word_is_found_in_either_number_and_written_with_its_neighbour() {
    let found = words("head phones 256 gb", Tuning::default());
    let alternatives = |word: &Word| -> Vec<(Dictionary, String)> {
        word.alternatives
            .iter()
            .flat_map(|alternative| &alternative.terms)
            .map(|term| (term.dictionary, term.text.clone()))
            .collect()
    };
    let term = |dictionary, text: &str| (dictionary, text.to_owned());
    assert_eq!(
        alternatives(&found[1]),
        [
            term(Dictionary::Words, "phone"),
            term(Dictionary::Codes, "phone"),
            term(Dictionary::Pairs, "phone"),
            term(Dictionary::Words, "headphone"),
            term(Dictionary::Codes, "phones256"),
            term(Dictionary::Codes, "headphones256"),
            term(Dictionary::Codes, "phones256gb"),
            term(Dictionary::Codes, "headphones256gb"),
        ]
    );
    assert!(found[1].matches_exactly("phone") && found[1].matches_exactly("headphones"));
    assert!(found[2].matches_exactly("256gb") && !found[2].matches_exactly("2561"));
    let found = words("headphone", Tuning::default());
    assert!(found[0].matches_exactly("headphones") && found[0].matches_pair("headphone"));
}

#[test]
fn a_code_matches_its_parts_and_parts_match_the_code() {
    let terms = |word: &Word| -> Vec<Vec<String>> {
        let texts =
            |alternative: &Alternative| alternative.terms.iter().map(|term| term.text.clone()).collect();
        word.alternatives.iter().map(texts).collect()
    };
    let code = &words("rtx4070ti", Tuning::default())[0];
    assert_eq!(
        terms(code),
        [
            vec!["rtx4070ti"],
            vec!["rtx4070ti"],
            vec!["rtx4070", "4070ti"],
            vec!["rtx", "4070ti"],
            vec!["rtx4070", "ti"]
        ]
    );
    for (query, whole) in [
        ("rtx 4070 ti", "rtx4070ti"),
        ("d i y", "diy"),
        ("wi-fi-6", "wifi6"),
        ("s24 ultra", "s24ultra"),
        ("eos r6", "eosr6"),
    ] {
        let found = words(query, Tuning::default());
        assert!(found.iter().all(|word| word.matches_exactly(whole)), "{query}");
    }
    assert!(!words("red desk lamp", Tuning::default())[0].matches_exactly("reddesklamp"));
    for whole in ["20x30", "m8x25", "3x1.5", "256gb", "ps5"] {
        assert!(
            words(whole, Tuning::default())[0]
                .alternatives
                .iter()
                .all(|own| own.terms.len() == 1 || own.terms[1].text == "m")
        );
    }
    assert!(!words("256gb ssd", Tuning::default())[0].matches_exactly("256gbssd"));
    let initials = &words("e.l.f.", Tuning::default())[0];
    assert!(initials.matches_exactly("elf") && initials.matches_exactly("e.l.f"));
}

#[test]
fn a_short_word_counts_half() {
    let found = words("lg tv 4k ps5 mount テレビ", Tuning::default());
    let factors: Vec<u8> = found.iter().map(|word| word.weight_factor(Spelling::Same)).collect();
    assert_eq!(factors, [1, 1, 2, 2, 2, 2]);
    assert!(found.iter().all(|word| word.weight_factor(Spelling::Joined) == 1));
}

#[test]
fn words_that_follow_each_other_are_phrases_also_when_they_are_corrected() {
    let request =
        SearchRequest { words: "red lasre printers x1000".to_owned(), ..SearchRequest::all(Currency::USD) };
    let phrases = Query::new(&request, Language::default()).phrases;
    let places: Vec<_> = phrases.iter().map(|phrase| (phrase.first, phrase.second)).collect();
    assert_eq!(places, [(0, 1), (1, 2)]);
    assert_eq!(phrases[1].term.text, "lasreprinter");
    let respelt = phrases[1].corrected("laser", "printers", Language::default());
    assert_eq!((respelt.term.text.as_str(), respelt.second), ("laserprinter", 2));
    assert_eq!(respelt.term.dictionary, Dictionary::Pairs);
}

#[test]
fn a_synonym_stands_for_all_words_of_its_place() {
    let synonym =
        Synonym { from: "Cell phones".to_owned(), to: vec!["mobile".to_owned(), "smart handset".to_owned()] };
    let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
    let found = words("black cell phone", tuning.clone());
    let synonyms = |word: &Word| {
        word.alternatives.iter().filter(|alternative| alternative.spelling == Spelling::Synonym).count()
    };
    assert_eq!(found.iter().map(synonyms).collect::<Vec<_>>(), [0, 3, 3]);
    assert!(found[2].matches_exactly("mobiles") && found[2].matches_exactly("handset"));
    assert_eq!(words("phone cell", tuning).iter().map(synonyms).sum::<usize>(), 0);
}

#[test]
fn stop_words_are_left_out_unless_they_are_all_there_is() {
    let tuning = Tuning { stop_words: vec!["for".to_owned(), "THE".to_owned()], ..Tuning::default() };
    assert_eq!(texts(&words("bag for the laptop", tuning.clone())), ["bag", "laptop"]);
    let last = words("laptop for", tuning.clone());
    assert!(texts(&last) == ["laptop"] && !last[0].is_prefix);
    assert_eq!(texts(&words("for the", tuning)), ["for", "the"]);
}

#[test]
fn a_word_for_the_sign_of_addition_is_no_word_between_two() {
    for query in ["salt & pepper", "salt + pepper", "salt and pepper", "salt AND pepper"] {
        let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
        let found = Query::new(&request, Language::English);
        assert_eq!(texts(&found.words), ["salt", "pepper"], "{query}");
        assert_eq!(found.phrases[0].term.text, "saltpepper", "{query}");
    }
    assert_eq!(texts(&words("salt and", Tuning::default())), ["salt", "and"], "it may go on");
    let german = words_in(Language::German, "Salz und Pfeffer", Tuning::default());
    assert_eq!(texts(&german), ["salz", "pfeffer"]);
}

#[test]
fn a_query_of_signs_looks_for_them() {
    assert_eq!(texts(&words("🍕🍔🍕", Tuning::default())), ["🍕", "🍔"]);
    assert_eq!(texts(&words("❤️ - &", Tuning::default())), ["❤", "-", "&"]);
    assert_eq!(texts(&words("🍕 pizza &", Tuning::default())), ["pizza"]);
    assert!(words(" \u{301}\u{200D}\u{0} ", Tuning::default()).is_empty());
    assert_eq!(words("🍕", Tuning::default())[0].alternatives[0].terms[0].dictionary, Dictionary::Codes);
}

#[test]
fn forms_of_a_word_are_those_of_the_language() {
    let found = words_in(Language::German, "schwarze Häuser 4k", Tuning::default());
    assert!(
        found[0].matches_exactly("schwarzer")
            && found[1].matches_exactly("haus")
            && found[2].matches_exactly("4k")
    );
    assert!(!found[1].matches_exactly("hausrat"));
    let lamps = &words_in(Language::German, "Stehlampen", Tuning::default())[0];
    assert!(lamps.matches_pair("stehlampe") && !lamps.matches_pair("lampe"));
    assert!(!words("Lampen", Tuning::default())[0].matches_exactly("lampe"));
}

#[test]
fn a_run_is_a_phrase_of_its_pairs_also_as_a_synonym() {
    let texts = |alternative: &Alternative| {
        alternative.terms.iter().map(|term| term.text.clone()).collect::<Vec<_>>()
    };
    let synonym = |from: &str, to: &str| Synonym { from: from.to_owned(), to: vec![to.to_owned()] };
    let synonyms = vec![synonym("デジカメ", "デジタルカメラ"), synonym("本", "ノートPC")];
    let found = words("デジカメ 本", Tuning { synonyms, ..Tuning::default() });
    let phrases: Vec<_> =
        found[0].alternatives.iter().filter(|alternative| alternative.is_phrase).map(texts).collect();
    assert_eq!(phrases[0], ["デジ", "ジカ", "カメ"]);
    assert_eq!(phrases[1], ["デジ", "ジタ", "タル", "ルカ", "カメ", "メラ"]);
    let others: Vec<_> =
        found[1].alternatives.iter().map(|alternative| (texts(alternative), alternative.is_phrase)).collect();
    assert_eq!(others[0], (vec!["本".to_owned()], false));
    assert_eq!(others[2], (["ノー", "ート", "pc"].map(str::to_owned).into(), false));
}

proptest! {
    #[test]
    fn any_text_can_be_a_query(text in "[0-9a0xXhcé\u{301}カ東 .,/⁄٫٬\\-‐'ʼ\"″”„½µΩ™&+#<*×°٣☺]{0,14}") {
        for language in [Language::English, Language::German, Language::French] {
            for word in words_in(language, &text, Tuning::default()) {
                prop_assert!(text.get(word.span.clone()).is_some(), "{} {:?}", word.text, word.span);
            }
        }
    }
}
