//! Reads the sections of a rules file.

use domain::fault::excerpt;
use domain::search::MAX_BOOST;
use domain::{Language, ProductId};
use text::field_weights::{FieldWeights, PART_NAMES};
use toml::Spanned;
use toml::de::DeValue;

use crate::builder::MAX_SYNONYMS_OF_A_TEXT;
use crate::fault::FaultLog;
use crate::filters;
use crate::locale::Locale;
use crate::phrases::Phrase;
use crate::reader::{self, Section, Value, list, number, one_or_more, section, text, wrong_kind};
use crate::rule::{Effect, Rule, Synonyms, Trigger};
use crate::rules::Rules;
use crate::window::Window;

/// The version of the file format.
const VERSION: &str = "1";
/// The most groups of synonyms, and the most one-way synonyms.
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

/// Reads a file and logs all its faults. With faults, the rules are incomplete.
pub(crate) fn read(text: &str, locale: Locale, faults: &mut FaultLog) -> Rules {
    let mut rules = Rules::new(locale.language);
    let Some(mut file) = reader::parse(text, faults) else { return rules };
    if let Some(version) = file.require("version", VERSION, faults) {
        check_version(&version, faults);
    }
    if let Some(words) = file.take("words").and_then(|value| section(value, faults)) {
        read_words(words, locale.language, &mut rules, faults);
    }
    for rule in sections(&mut file, "pin", faults) {
        read_products_rule(rule, Effect::Pin, locale.language, &mut rules, faults);
    }
    for rule in sections(&mut file, "hide", faults) {
        read_products_rule(rule, Effect::Hide, locale.language, &mut rules, faults);
    }
    for rule in sections(&mut file, "boost", faults) {
        read_boost(rule, 1.0, locale, &mut rules, faults);
    }
    for rule in sections(&mut file, "bury", faults) {
        read_boost(rule, -1.0, locale, &mut rules, faults);
    }
    if let Some(weights) = file.take("weights").and_then(|value| section(value, faults)) {
        rules.set_weights(read_weights(weights, faults));
    }
    file.finish(faults);
    rules
}

fn check_version(version: &Value<'_>, faults: &mut FaultLog) {
    match version.get_ref() {
        DeValue::Integer(number) if number.as_str() == VERSION => {}
        DeValue::Integer(number) => {
            let number = excerpt(number.as_str());
            let message =
                format!("is version {number} of the format, which is not supported; write {VERSION}");
            faults.add(&version.span(), message);
        }
        _ => {
            wrong_kind::<()>(version, &format!("the number {VERSION}"), faults);
        }
    }
}

/// Returns the tables of a section that may occur several times.
fn sections<'t>(file: &mut Section<'t>, key: &'static str, faults: &mut FaultLog) -> Vec<Section<'t>> {
    let Some(value) = file.take(key) else { return Vec::new() };
    if let DeValue::Table(_) = value.get_ref() {
        let message = format!("is a single table; write `[[{key}]]`, in double brackets, once for each rule");
        faults.add(&value.span(), message);
        return Vec::new();
    }
    let tables = list(value, MAX_RULES, faults);
    tables.into_iter().filter_map(|table| section(table, faults)).collect()
}

fn read_words(mut words: Section<'_>, language: Language, rules: &mut Rules, faults: &mut FaultLog) {
    if let Some(groups) = words.take("synonyms") {
        for group in list(groups, MAX_SYNONYMS, faults) {
            read_group(group, language, rules, faults);
        }
    }
    if let Some(one_way) = words.take("oneWay") {
        read_one_way(one_way, language, rules, faults);
    }
    if let Some(stop_words) = words.take("stopWords") {
        for word in list(stop_words, MAX_STOP_WORDS, faults) {
            read_stop_word(&word, language, rules, faults);
        }
    }
    words.finish(faults);
}

/// Reads a group of texts that are synonyms of each other.
fn read_group(group: Value<'_>, language: Language, rules: &mut Rules, faults: &mut FaultLog) {
    let at = group.span();
    if !matches!(group.get_ref(), DeValue::Array(_)) {
        return wrong_kind(&group, "a list of texts that mean the same", faults).unwrap_or_default();
    }
    let before = faults.len();
    let texts = phrases(list(group, MAX_SYNONYMS_OF_A_TEXT, faults), language, faults);
    if texts.len() < 2 && faults.len() == before {
        faults.add(&at, "has fewer than two different texts; add another or remove the group");
    }
    let group: Vec<Phrase> = texts.iter().map(|text| text.get_ref().clone()).collect();
    let places = texts.iter().map(Spanned::span).collect::<Vec<_>>();
    rules.add_synonyms(Synonyms { from: group.clone(), to: group }, &places, faults);
}

/// Reads the one-way synonyms: for each text of a query, the texts of products that it matches as well.
fn read_one_way(table: Value<'_>, language: Language, rules: &mut Rules, faults: &mut FaultLog) {
    let at = table.span();
    let entries: Vec<_> = section(table, faults).into_iter().flat_map(Section::into_entries).collect();
    if entries.len() > MAX_SYNONYMS {
        return faults.add(&at, format!("has {} entries; write at most {MAX_SYNONYMS}", entries.len()));
    }
    for (key, value) in entries {
        let key_at = key.span();
        let from = phrase(&Spanned::new(key.span(), key.get_ref().as_str()), language, faults);
        let to = phrases(one_or_more(value, MAX_SYNONYMS_OF_A_TEXT, faults), language, faults);
        let Some(from) = from else { continue };
        if let Some(same) = to.iter().find(|to| to.get_ref().equals(&from)) {
            let message = format!("equals `{}` in a search; remove it", excerpt(&from.typed));
            faults.add(&same.span(), message);
        }
        let to = to.into_iter().map(Spanned::into_inner).collect();
        rules.add_synonyms(Synonyms { from: vec![from], to }, &[key_at], faults);
    }
}

fn read_stop_word(value: &Value<'_>, language: Language, rules: &mut Rules, faults: &mut FaultLog) {
    let word = text(value, MAX_PHRASE_CHARS, faults).map(|word| Phrase::new(&word, language));
    let Some(word) = word else { return };
    match word.len() {
        1 => rules.add_stop_word(&word),
        0 => faults.add(&value.span(), NO_WORD),
        words => faults.add(&value.span(), format!("is {words} words; write each as a separate entry")),
    }
}

const NO_WORD: &str = "has no letter or digit, so it matches nothing; write a word";

/// Reads a query or a synonym.
fn phrase(typed: &Spanned<&str>, language: Language, faults: &mut FaultLog) -> Option<Phrase> {
    let phrase = Phrase::new(&reader::label(typed, MAX_PHRASE_CHARS, faults)?, language);
    match phrase.len() {
        1..=MAX_PHRASE_WORDS => return Some(phrase),
        0 => faults.add(&typed.span(), NO_WORD),
        words => faults.add(&typed.span(), format!("has {words} words; write at most {MAX_PHRASE_WORDS}")),
    }
    None
}

/// Reads queries or synonyms, without those that search treats as equal to an earlier one.
fn phrases(values: Vec<Value<'_>>, language: Language, faults: &mut FaultLog) -> Vec<Spanned<Phrase>> {
    let mut phrases = Vec::<Spanned<Phrase>>::new();
    for value in values {
        let DeValue::String(typed) = value.get_ref() else {
            wrong_kind::<()>(&value, "a text in quotes", faults);
            continue;
        };
        let typed = Spanned::new(value.span(), typed.as_ref());
        let new = phrase(&typed, language, faults);
        let new = new.filter(|new| !phrases.iter().any(|known| known.get_ref().equals(new)));
        phrases.extend(new.map(|new| Spanned::new(value.span(), new)));
    }
    phrases
}

/// Reads a rule that pins or hides products.
fn read_products_rule(
    mut rule: Section<'_>,
    effect: impl FnOnce(Vec<ProductId>) -> Effect,
    language: Language,
    rules: &mut Rules,
    faults: &mut FaultLog,
) {
    let products = rule.require("products", r#"["SOME-ID", "OTHER-ID"]"#, faults);
    let products = products.map(|value| read_products(value, faults)).unwrap_or_default();
    let query = rule.require("query", r#""some words""#, faults);
    let trigger = read_trigger(&mut rule, query, language, faults);
    let window = Window::read(&mut rule, faults);
    rules.add_rule(Rule { window, effect: effect(products) }, trigger, &rule.header, faults);
    rule.finish(faults);
}

/// Reads distinct product ids.
fn read_products(value: Value<'_>, faults: &mut FaultLog) -> Vec<ProductId> {
    let mut products = Vec::new();
    for value in one_or_more(value, MAX_LISTED, faults) {
        let Some(id) = text(&value, ProductId::MAX_CHARS, faults) else { continue };
        match ProductId::parse(&id) {
            Ok(id) if products.contains(&id) => {
                faults.add(&value.span(), format!("repeats `{id}`; remove it"));
            }
            Ok(id) => products.push(id),
            Err(message) => faults.add(&value.span(), format!("is not a product id: {message}")),
        }
    }
    products
}

/// Reads a rule that moves products up or, with `sign` -1, down.
fn read_boost(mut rule: Section<'_>, sign: f32, locale: Locale, rules: &mut Rules, faults: &mut FaultLog) {
    let filter = rule.require("filter", r#"{ brand = "Some brand" }"#, faults);
    let moved = filter
        .and_then(|value| section(value, faults))
        .map(|table| filters::read(table, locale.currency, faults))
        .unwrap_or_default();
    let by =
        rule.require("by", "0.5", faults).and_then(|value| read_by(&value, sign, faults)).unwrap_or_default();
    let query = rule.take("query");
    let trigger = read_trigger(&mut rule, query, locale.language, faults);
    let window = Window::read(&mut rule, faults);
    rules.add_rule(Rule { window, effect: Effect::Boost(moved, sign * by) }, trigger, &rule.header, faults);
    rule.finish(faults);
}

fn read_by(value: &Value<'_>, sign: f32, faults: &mut FaultLog) -> Option<f32> {
    let by = number(value, faults)? as f32;
    if 0.0 < by && by <= MAX_BOOST {
        return Some(by);
    }
    let other = if sign < 0.0 { "up, write `[[boost]]`" } else { "down, write `[[bury]]`" };
    let hint = if by < 0.0 { format!("; to move products {other}") } else { String::new() };
    faults.add(&value.span(), format!("must be a number above 0 and at most {MAX_BOOST}{hint}"));
    None
}

/// Reads the searches to which a rule applies.
fn read_trigger(
    rule: &mut Section<'_>,
    query: Option<Value<'_>>,
    language: Language,
    faults: &mut FaultLog,
) -> Trigger {
    let how = rule.take("match");
    let is_whole = how.as_ref().is_none_or(|how| read_match(how, faults));
    let Some(query) = query else {
        if let Some(how) = how {
            faults.add(&how.span(), "has no effect without `query`; add one or remove it");
        }
        return Trigger::EverySearch;
    };
    Trigger::Queries { is_whole, queries: phrases(one_or_more(query, MAX_LISTED, faults), language, faults) }
}

/// Returns true if a query must equal the words, false if it may contain more.
fn read_match(value: &Value<'_>, faults: &mut FaultLog) -> bool {
    match value.get_ref() {
        DeValue::String(text) if text == "equals" => true,
        DeValue::String(text) if text == "contains" => false,
        _ => {
            faults.add(&value.span(), r#"must be "equals" or "contains""#);
            true
        }
    }
}

fn read_weights(mut table: Section<'_>, faults: &mut FaultLog) -> FieldWeights {
    let mut weights = FieldWeights::default();
    for (name, part) in PART_NAMES {
        let Some(value) = table.take(name) else { continue };
        let Some(weight) = number(&value, faults) else { continue };
        match weights.with(part, weight as f32) {
            Ok(changed) => weights = changed,
            Err(message) => faults.add(&value.span(), message),
        }
    }
    table.finish(faults);
    weights
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
