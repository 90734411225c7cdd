use super::*;
use domain::Currency;
use domain::input::read_product;
use domain::search::{Synonym, Tuning};

fn content(json: &str) -> Content {
    read_product(json.as_bytes(), Currency::USD).unwrap().content
}

fn named(name: &str) -> Content {
    content(&format!("{{\"name\":{name:?}}}"))
}

fn completed(query: &str, hits: &[Content]) -> Vec<String> {
    let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
    completions(&request, hits, 10, Language::default())
}

fn of_names(query: &str, names: &[&str]) -> Vec<String> {
    completed(query, &names.iter().map(|name| named(name)).collect::<Vec<_>>())
}

#[test]
fn the_last_word_is_completed_and_goes_on() {
    let names = ["HP Laptop bag", "Laptop bag, black", "Lapland mug", "Laptop"];
    assert_eq!(
        of_names("lap", &names),
        ["laptop", "laptop bag", "lapland", "lapland mug"],
        "by how many products have it"
    );
    assert_eq!(of_names("Laptop", &names), ["laptop bag"]);
    assert_eq!(of_names("hp lap", &names[..1]), ["hp laptop", "hp laptop bag"]);
}

#[test]
fn a_completion_does_not_end_with_a_word_that_only_joins() {
    assert_eq!(of_names("case", &["Case for the phone"]), ["case for the phone"]);
    assert_eq!(of_names("case", &["Case with"]), [""; 0]);
    assert_eq!(of_names("case", &["Case of the and or"]), [""; 0]);
}

#[test]
fn typos_are_corrected_as_the_products_have_the_words() {
    assert_eq!(
        of_names("procesor int", &["Intel Core processor"]),
        ["processor intel", "processor intel core"]
    );
    assert_eq!(of_names("kettel", &["Steel kettle 2 l"]), ["kettle", "kettle 2"]);
}

#[test]
fn a_unit_is_completed_as_it_was_begun() {
    assert_eq!(of_names("kettle 2 lit", &["Kettle 2 L", "Kettle 2 Liter"]), ["kettle 2 liter"]);
    assert_eq!(of_names("screws 20 pie", &["Screws 20 pcs"]), [""; 0]);
    assert_eq!(of_names("screws 20 p", &["Screws 20 pcs"]), ["screws 20 pcs"]);
}

#[test]
fn words_are_omitted_where_no_product_has_them_with_the_others() {
    let names = ["Steel kettle", "Purple kettle"];
    assert_eq!(of_names("purple kett", &names), ["purple kettle"]);
    assert_eq!(of_names("purple kett", &names[..1]), ["kettle"]);
    assert_eq!(of_names("kett purple", &["Steel kettle"]), [""; 0]);
}

#[test]
fn one_word_in_two_numbers_is_one_completion() {
    assert_eq!(of_names("prin", &["Printer", "Printers", "Printer"]), ["printer"]);
    assert_eq!(of_names("printers", &["Printer paper"]), ["printer paper"], "as the products write it");
    assert_eq!(of_names("knifes", &["Knives set"]), ["knives set"]);
}

#[test]
fn what_punctuation_joins_is_completed_where_products_join_it() {
    assert_eq!(of_names("h&m", &["Mug"]), [""; 0]);
    assert_eq!(of_names("<b", &["Book"]), ["book"]);
    assert_eq!(of_names("lamp (b", &["Lamp black"]), ["lamp black"]);
    assert_eq!(of_names("wi-f", &["Wi-Fi router"]), ["wi-fi", "wi-fi router"]);
    assert_eq!(of_names("men's sh", &["Men's shoes"]), ["men's shoes"]);
}

#[test]
fn a_name_with_a_sign_for_and_is_completed() {
    let names = ["Ben & Jerry's Cookie", "Ben Nevis map", "Black+Decker drill", "Ben and Holly book"];
    for (query, names, expected) in [
        ("ben", &names[..1], &["ben & jerry's"][..]),
        ("ben &", &names[..2], &["ben & jerry's"]),
        ("ben&", &names[..2], &["ben & jerry's"]),
        ("be & ", &names[..2], &["ben & jerry's"]),
        ("ben &", &names[3..], &["ben and holly"]),
        ("ben & j", &names[..2], &["ben & jerry's", "ben & jerry's cookie"]),
        ("ben ,", &names[1..2], &["ben nevis"]),
        ("salt +", &["Salt + Pepper"], &["salt + pepper"]),
        ("h &", &["H&M shirt"], &["h&m", "h&m shirt"]),
        ("lamp &", &["Lamp &"], &[]),
    ] {
        assert_eq!(of_names(query, names), expected, "{query}");
    }
}

#[test]
fn typed_words_get_the_accents_of_the_product() {
    for (query, name, expected) in [
        ("creme br", "Crème brûlée", "crème brûlée"),
        ("Creme br", "CRÈME BRÛLÉE", "crème brûlée"),
        ("brulle cr", "Brûlée crème", "brûlée crème"),
        ("kettels stee", "Kettles steel", "kettles steel"),
        ("crème br", "Creme brulee", "crème brulee"),
    ] {
        assert_eq!(of_names(query, &[name]), [expected], "{query}");
    }
}

#[test]
fn what_joins_words_stays() {
    assert_eq!(of_names("wh", &["Sony WH-1000XM4 black"]), ["wh-1000xm4", "wh-1000xm4 black"]);
    assert_eq!(of_names("head pho", &["Headphones Sony"]), [""; 0], "joined words are no beginning");
    assert_eq!(of_names("head phones", &["Headphones Sony"]), ["head phones sony"]);
    assert_eq!(of_names("lamp", &["Lamp (red)", "Lamp - blue"]), [""; 0]);
    assert_eq!(of_names("crème", &["Crème brûlée"]), ["crème brûlée"]);
}

#[test]
fn spaces_of_every_width_separate_words() {
    for space in ['\u{a0}', '\u{2009}', '\u{202f}', '\u{3000}'] {
        let query = format!("hdmi{space}cab");
        assert_eq!(of_names(&query, &["HDMI cable"]), ["hdmi cable"], "{space:?}");
    }
    assert_eq!(of_names("led\u{3000}バ", &["LED バッテリー"]), ["led バッテリー"]);
}

#[test]
fn brands_categories_and_attributes_complete_as_well() {
    let product = content(
        r#"{"name":"M185 mouse","brand":"Logitech","category":"Computers > Input devices","tags":["office"],
            "attributes":{"material":"stainless steel"},"description":"Stapler"}"#,
    );
    for (query, completion) in [
        ("logi", &["logitech"][..]),
        ("inp", &["input", "input devices"]),
        ("off", &["office"]),
        ("mouse stainl", &["mouse stainless", "mouse stainless steel"]),
        ("stapl", &[]),
        ("s", &["stainless", "stainless steel"]),
    ] {
        assert_eq!(completed(query, std::slice::from_ref(&product)), completion, "{query}");
    }
}

#[test]
fn scripts_without_spaces_complete_to_the_end_of_their_run() {
    assert_eq!(
        of_names("トナ", &["HP トナーカートリッジ 黒"]),
        ["トナーカートリッジ", "トナーカートリッジ 黒"]
    );
    assert_eq!(of_names("日本語", &["日本語辞書"]), ["日本語辞書"]);
}

#[test]
fn a_synonym_keeps_what_was_typed() {
    let synonym = Synonym { from: "cell phone".to_owned(), to: vec!["mobile".to_owned()] };
    let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
    let words = "cell phone".to_owned();
    let request = SearchRequest { words, tuning, ..SearchRequest::all(Currency::USD) };
    assert_eq!(
        completions(&request, [&named("Mobile charger")], 9, Language::default()),
        ["cell phone charger"]
    );
}

#[test]
fn names_come_before_what_only_attributes_say() {
    let hits = [
        content(r#"{"name":"Teapot"}"#),
        content(r#"{"name":"Lamp","attributes":{"colour":"teal"}}"#),
        content(r#"{"name":"Mug","attributes":{"colour":"teal"}}"#),
    ];
    assert_eq!(completed("tea", &hits), ["teapot", "teal"]);
}
