//! The rules file, section by section.

use domain::search::MAX_BOOST;
use domain::{Language, ProductId};
use text::field_weights::{FieldWeights, PART_NAMES};
use toml::Spanned;
use toml::de::DeValue;

use crate::Locale;
use crate::fault::{Found, shown};
use crate::filters;
use crate::phrases::Phrase;
use crate::reader::{self, Section, Value, list, number, one_or_more, section, text, wrong_kind};
use crate::rules::{Effect, MAX_SYNONYMS_OF_A_TEXT, On, Rule, Rules, Synonyms};
use crate::window::Window;

/// The version of the form that files have.
const VERSION: &str = "1";
/// The most groups of synonyms, and the most synonyms of one way.
const MAX_SYNONYMS: usize = 10_000;
/// The most stop words.
const MAX_STOP_WORDS: usize = 1000;
/// The most rules of each kind.
const MAX_RULES: usize = 1000;
/// The most queries, and the most products, of one rule.
const MAX_LISTED: usize = 100;
/// The most characters of a query, a synonym or a stop word.
const MAX_PHRASE_CHARS: usize = 100;
/// The most words of a query or a synonym.
const MAX_PHRASE_WORDS: usize = 8;

/// Reads all of a file. With faults, what was read is not all that the file says.
pub(crate) fn read(text: &str, locale: Locale, found: &mut Found) -> Rules {
    let mut rules = Rules::new(locale.language);
    let Some(mut file) = reader::parse(text, found) else { return rules };
    if let Some(version) = file.need("version", VERSION, found) {
        check_version(&version, found);
    }
    if let Some(words) = file.take("words").and_then(|value| section(value, found)) {
        read_words(words, locale.language, &mut rules, found);
    }
    for rule in sections(&mut file, "pin", found) {
        read_products_rule(rule, Effect::Pin, locale.language, &mut rules, found);
    }
    for rule in sections(&mut file, "hide", found) {
        read_products_rule(rule, Effect::Hide, locale.language, &mut rules, found);
    }
    for rule in sections(&mut file, "boost", found) {
        read_boost(rule, 1.0, locale, &mut rules, found);
    }
    for rule in sections(&mut file, "bury", found) {
        read_boost(rule, -1.0, locale, &mut rules, found);
    }
    if let Some(weights) = file.take("weights").and_then(|value| section(value, found)) {
        rules.set_weights(read_weights(weights, found));
    }
    file.end(found);
    rules
}

fn check_version(version: &Value<'_>, found: &mut Found) {
    match version.get_ref() {
        DeValue::Integer(number) if number.as_str() == VERSION => {}
        DeValue::Integer(number) => {
            let number = shown(number.as_str());
            let message =
                format!("is version {number} of the form, which is not known here; write {VERSION}");
            found.add(&version.span(), message);
        }
        _ => {
            wrong_kind::<()>(version, &format!("the number {VERSION}"), found);
        }
    }
}

/// The tables of a section that may stand there several times.
fn sections<'t>(file: &mut Section<'t>, key: &'static str, found: &mut Found) -> Vec<Section<'t>> {
    let Some(value) = file.take(key) else { return Vec::new() };
    if let DeValue::Table(_) = value.get_ref() {
        let message = format!("is a single table; write `[[{key}]]`, in double brackets, once for each rule");
        found.add(&value.span(), message);
        return Vec::new();
    }
    let tables = list(value, MAX_RULES, found);
    tables.into_iter().filter_map(|table| section(table, found)).collect()
}

// -------------------------------------------------------------------------------------------------- words

fn read_words(mut words: Section<'_>, language: Language, rules: &mut Rules, found: &mut Found) {
    if let Some(groups) = words.take("synonyms") {
        for group in list(groups, MAX_SYNONYMS, found) {
            read_group(group, language, rules, found);
        }
    }
    if let Some(one_way) = words.take("oneWay") {
        read_one_way(one_way, language, rules, found);
    }
    if let Some(stop_words) = words.take("stopWords") {
        for word in list(stop_words, MAX_STOP_WORDS, found) {
            read_stop_word(&word, language, rules, found);
        }
    }
    words.end(found);
}

/// Texts that all mean the same.
fn read_group(group: Value<'_>, language: Language, rules: &mut Rules, found: &mut Found) {
    let at = group.span();
    if !matches!(group.get_ref(), DeValue::Array(_)) {
        return wrong_kind(&group, "a list of texts that mean the same", found).unwrap_or_default();
    }
    let before = found.len();
    let texts = phrases(list(group, MAX_SYNONYMS_OF_A_TEXT, found), language, found);
    if texts.len() < 2 && found.len() == before {
        found.add(
            &at,
            "has not two texts that search tells apart; write another one into it, or leave it out",
        );
    }
    let group: Vec<Phrase> = texts.iter().map(|text| text.get_ref().clone()).collect();
    let places = texts.iter().map(Spanned::span).collect::<Vec<_>>();
    rules.add_synonyms(Synonyms { from: group.clone(), to: group }, &places, found);
}

/// Texts by the text that finds them as well.
fn read_one_way(table: Value<'_>, language: Language, rules: &mut Rules, found: &mut Found) {
    let at = table.span();
    let entries: Vec<_> = section(table, found).into_iter().flat_map(Section::into_entries).collect();
    if entries.len() > MAX_SYNONYMS {
        return found.add(&at, format!("has {} entries; write at most {MAX_SYNONYMS}", entries.len()));
    }
    for (key, value) in entries {
        let key_at = key.span();
        let from = phrase(&Spanned::new(key.span(), key.get_ref().as_str()), language, found);
        let to = phrases(one_or_more(value, MAX_SYNONYMS_OF_A_TEXT, found), language, found);
        let Some(from) = from else { continue };
        if let Some(same) = to.iter().find(|to| to.get_ref().is(&from)) {
            let message = format!("is the same to search as `{}`; leave it out", shown(&from.typed));
            found.add(&same.span(), message);
        }
        let to = to.into_iter().map(Spanned::into_inner).collect();
        rules.add_synonyms(Synonyms { from: vec![from], to }, &[key_at], found);
    }
}

fn read_stop_word(value: &Value<'_>, language: Language, rules: &mut Rules, found: &mut Found) {
    let word = text(value, MAX_PHRASE_CHARS, found).map(|word| Phrase::new(&word, language));
    let Some(word) = word else { return };
    match word.len() {
        1 => rules.add_stop_word(&word),
        0 => found.add(&value.span(), NO_WORD),
        words => {
            found.add(&value.span(), format!("is {words} words to search; write each as one of its own"))
        }
    }
}

const NO_WORD: &str = "has no letter and no digit, so that search finds nothing by it; write a word";

/// A query or a synonym.
fn phrase(typed: &Spanned<&str>, language: Language, found: &mut Found) -> Option<Phrase> {
    let phrase = Phrase::new(&reader::label(typed, MAX_PHRASE_CHARS, found)?, language);
    match phrase.len() {
        1..=MAX_PHRASE_WORDS => return Some(phrase),
        0 => found.add(&typed.span(), NO_WORD),
        words => found.add(&typed.span(), format!("has {words} words; write at most {MAX_PHRASE_WORDS}")),
    }
    None
}

/// Those that search tells apart.
fn phrases(values: Vec<Value<'_>>, language: Language, found: &mut Found) -> Vec<Spanned<Phrase>> {
    let mut phrases = Vec::<Spanned<Phrase>>::new();
    for value in values {
        let DeValue::String(typed) = value.get_ref() else {
            wrong_kind::<()>(&value, "a text in quotes", found);
            continue;
        };
        let typed = Spanned::new(value.span(), typed.as_ref());
        let new = phrase(&typed, language, found);
        let new = new.filter(|new| !phrases.iter().any(|known| known.get_ref().is(new)));
        phrases.extend(new.map(|new| Spanned::new(value.span(), new)));
    }
    phrases
}

// -------------------------------------------------------------------------------------------------- rules

/// A rule that puts products first, or takes them away.
fn read_products_rule(
    mut rule: Section<'_>,
    effect: impl FnOnce(Vec<ProductId>) -> Effect,
    language: Language,
    rules: &mut Rules,
    found: &mut Found,
) {
    let products = rule.need("products", r#"["SOME-ID", "OTHER-ID"]"#, found);
    let products = products.map(|value| read_products(value, found)).unwrap_or_default();
    let query = rule.need("query", r#""some words""#, found);
    let on = read_on(&mut rule, query, language, found);
    let window = Window::read(&mut rule, found);
    rules.add_rule(Rule { window, effect: effect(products) }, on, &rule.at, found);
    rule.end(found);
}

/// Ids, each once.
fn read_products(value: Value<'_>, found: &mut Found) -> Vec<ProductId> {
    let mut products = Vec::new();
    for value in one_or_more(value, MAX_LISTED, found) {
        let Some(id) = text(&value, ProductId::MAX_CHARS, found) else { continue };
        match ProductId::parse(&id) {
            Ok(id) if products.contains(&id) => {
                found.add(&value.span(), format!("names `{id}` again; leave it out"));
            }
            Ok(id) => products.push(id),
            Err(message) => found.add(&value.span(), format!("is no id of a product: {message}")),
        }
    }
    products
}

/// A rule that moves products up or, with a negative sign, down.
fn read_boost(mut rule: Section<'_>, sign: f32, locale: Locale, rules: &mut Rules, found: &mut Found) {
    let filter = rule.need("filter", r#"{ brand = "Some brand" }"#, found);
    let moved = filter
        .and_then(|value| section(value, found))
        .map(|table| filters::read(table, locale.currency, found))
        .unwrap_or_default();
    let by = rule.need("by", "0.5", found).and_then(|value| read_by(&value, sign, found)).unwrap_or_default();
    let query = rule.take("query");
    let on = read_on(&mut rule, query, locale.language, found);
    let window = Window::read(&mut rule, found);
    rules.add_rule(Rule { window, effect: Effect::Move(moved, sign * by) }, on, &rule.at, found);
    rule.end(found);
}

fn read_by(value: &Value<'_>, sign: f32, found: &mut Found) -> Option<f32> {
    let by = number(value, found)? as f32;
    if 0.0 < by && by <= MAX_BOOST {
        return Some(by);
    }
    let other = if sign < 0.0 { "up, write `[[boost]]`" } else { "down, write `[[bury]]`" };
    let hint = if by < 0.0 { format!("; to move products {other}") } else { String::new() };
    found.add(&value.span(), format!("must be a number above 0 and at most {MAX_BOOST}{hint}"));
    None
}

/// For which queries a rule holds.
fn read_on(rule: &mut Section<'_>, query: Option<Value<'_>>, language: Language, found: &mut Found) -> On {
    let how = rule.take("match");
    let is_whole = how.as_ref().is_none_or(|how| read_match(how, found));
    let Some(query) = query else {
        if let Some(how) = how {
            found.add(&how.span(), "stands without a `query`; write one, or leave it out");
        }
        return On::Every;
    };
    On::Queries { is_whole, queries: phrases(one_or_more(query, MAX_LISTED, found), language, found) }
}

/// Whether a query must be these words and no others.
fn read_match(value: &Value<'_>, found: &mut Found) -> bool {
    match value.get_ref() {
        DeValue::String(text) if text == "equals" => true,
        DeValue::String(text) if text == "contains" => false,
        _ => {
            found.add(&value.span(), r#"must be "equals" or "contains""#);
            true
        }
    }
}

fn read_weights(mut table: Section<'_>, found: &mut Found) -> FieldWeights {
    let mut weights = FieldWeights::default();
    for (name, part) in PART_NAMES {
        let Some(value) = table.take(name) else { continue };
        let Some(weight) = number(&value, found) else { continue };
        match weights.with(part, weight as f32) {
            Ok(changed) => weights = changed,
            Err(message) => found.add(&value.span(), message),
        }
    }
    table.end(found);
    weights
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
