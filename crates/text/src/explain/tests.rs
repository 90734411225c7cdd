use super::fields::for_each_field;
use super::*;
use crate::field_weights::FieldWeights;
use crate::product::for_each_text;
use domain::input::read_product;
use domain::search::{Boost, Filters, SearchRequest, Synonym, Tuning};
use domain::{Currency, Language, Product, ProductId, Version};

fn product(json: &str) -> Product {
    Product {
        id: ProductId::parse("p").unwrap(),
        version: Version(1),
        created_at: domain::now(),
        updated_at: domain::now(),
        content: read_product(json.as_bytes(), Currency::USD).unwrap().content,
    }
}

fn explained(query: &str, tuning: Tuning, json: &str) -> Explanation {
    let request = SearchRequest { words: query.to_owned(), tuning, ..SearchRequest::all(Currency::USD) };
    Explainer::new(&request, Language::English, FieldWeights::default()).explain(&product(json), None)
}

const LAMP: &str = r#"{"name":"Desk lamps by Hikari","sku":"AB-12","brand":"Hikari","category":"Home > Lamps",
    "tags":["office"],"attributes":{"material":"oak wood","bulbs":[ "lamp" ],"dimmable":true},
    "description":"For the desk top of an officer."}"#;

/// Returns the kind of match of a word in the lamp, the matched text, and the fields.
fn found(query: &str, tuning: Tuning) -> (MatchKind, Option<String>, Vec<String>) {
    let mut explanation = explained(query, tuning, LAMP);
    let WordMatch { kind, matched_text, fields, .. } = explanation.words.remove(0);
    (kind, matched_text, fields)
}

#[test]
fn each_kind_of_match_is_explained() {
    let synonym = Synonym { from: "luminaire".to_owned(), to: vec!["lamp".to_owned()] };
    let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
    let cases: [(&str, MatchKind, Option<&str>, &[&str]); 11] = [
        ("desk", MatchKind::Exact, None, &["name", "description"]),
        ("HÍKARI", MatchKind::Exact, None, &["name", "brand"]),
        ("lamp", MatchKind::Exact, None, &["name", "category", "attributes.bulbs"]),
        ("desks", MatchKind::OtherForm, Some("Desk"), &["name", "description"]),
        ("desktop", MatchKind::Joined, Some("desk top"), &["description"]),
        ("luminaire", MatchKind::Synonym, Some("lamps"), &["name", "category", "attributes.bulbs"]),
        ("offi", MatchKind::Beginning, Some("office"), &["tags", "description"]),
        ("hikary", MatchKind::OneTypo, Some("Hikari"), &["name", "brand"]),
        ("hikarry", MatchKind::TwoTypos, Some("Hikari"), &["name", "brand"]),
        ("ab12", MatchKind::Exact, None, &["sku"]),
        ("kettle", MatchKind::Missing, None, &[]),
    ];
    for (query, kind, matched_text, fields) in cases {
        let expected =
            (kind, matched_text.map(str::to_owned), fields.iter().map(|f| (*f).to_owned()).collect());
        assert_eq!(found(query, tuning.clone()), expected, "{query}");
    }
}

#[test]
fn the_parts_add_up_to_the_score() {
    let explanation = explained("desk lamp", Tuning::default(), LAMP);
    assert_eq!(explanation.phrases.iter().map(|phrase| &*phrase.words).collect::<Vec<_>>(), ["desk lamp"]);
    let [desk, lamp] = &explanation.words[..] else { panic!("{explanation:?}") };
    assert!(desk.weight > 0 && lamp.weight > 0 && desk.score > 0.0 && lamp.score > desk.score / 2.0);
    assert_eq!((explanation.base, explanation.boost, explanation.is_pinned), (1.0, 0.0, false));
}

#[test]
fn a_score_shows_whether_typos_and_prefixes_counted() {
    let words = "desk lampz".to_owned();
    let request = SearchRequest { words, ..SearchRequest::all(Currency::USD) };
    let mut explainer = Explainer::new(&request, Language::English, FieldWeights::default());
    let product = product(LAMP);
    let likeliest = explainer.explain(&product, None);
    assert_eq!(likeliest.words[1].kind, MatchKind::OneTypo);
    let desk_alone = likeliest.base + likeliest.words[0].score;
    assert_eq!(explainer.explain(&product, Some(desk_alone)).words[1].kind, MatchKind::Missing);
    let both = desk_alone + likeliest.words[1].score;
    assert_eq!(explainer.explain(&product, Some(both)).words[1].kind, MatchKind::OneTypo);
    assert_eq!(explainer.explain(&product, Some(3.21)), likeliest, "a score that nothing adds up to");
}

#[test]
fn rules_of_the_shop_show() {
    let boost = |brand: &str, by| Boost {
        filters: Filters { brand: vec![brand.to_owned()], ..Filters::default() },
        by,
    };
    let boosts = vec![boost("Hikari", 0.5), boost("Nobody", 0.25), boost("Hikari", 0.75)];
    let tuning = Tuning { boosts, pinned: vec![ProductId::parse("p").unwrap()], ..Tuning::default() };
    let explanation = explained("", tuning, LAMP);
    assert_eq!((explanation.base, explanation.boost, explanation.is_pinned), (1.0, 1.0, true));
    assert_eq!(explained("", Tuning::default(), LAMP).base, 0.0);
}

#[test]
fn words_of_further_categories_are_found_in_the_list_of_categories() {
    let json = r#"{"name":"Akari","categories":["Home > Lamps","Home > Lights","Sale"]}"#;
    let fields = |query: &str| explained(query, Tuning::default(), json).words.remove(0).fields;
    assert_eq!(fields("lamps"), ["category"]);
    assert_eq!(fields("home"), ["category"]);
    assert_eq!(fields("sale"), ["categories"]);
    let content = product(json).content;
    let (mut indexed, mut explained) = (Vec::new(), Vec::new());
    for_each_text(&content, |text, _| indexed.push(text.to_owned()));
    for_each_field(&content, |_, text| explained.push(text.to_owned()));
    assert_eq!(explained, indexed);
}

#[test]
fn words_are_looked_for_in_the_same_texts_as_an_index_does() {
    let content = product(LAMP).content;
    let (mut indexed, mut explained) = (Vec::new(), Vec::new());
    for_each_text(&content, |text, _| indexed.push(text.to_owned()));
    for_each_field(&content, |_, text| explained.push(text.to_owned()));
    assert_eq!(explained, indexed);
}
