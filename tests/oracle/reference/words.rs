//! The interpretation of the query and the words of a product.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS};
use domain::search::{MatchMode, SearchRequest, Sort, Synonym};
use domain::{AttributeValue, Product};

use super::operators::parse;
use super::spelling::typos;
use super::{Class, matching, shown};

#[derive(Clone, PartialEq)]
pub(super) struct QueryWord {
    text: String,
    is_last: bool,
    is_quoted: bool,
    /// The word joined with the previous one, and with the next one.
    joined: Vec<String>,
    /// The synonyms, each a list of words that must all match.
    synonyms: Vec<Vec<String>>,
    /// Words of the catalogue within the allowed typos, in singular and plural, each with its fewest typos.
    near: BTreeMap<String, usize>,
    is_required: bool,
    /// True unless it is a function word that became optional.
    is_scored: bool,
    /// True if it names the thing, and does not describe another word. Which words do is tested in `crates/text`.
    is_thing: bool,
}

pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase().replace('é', "e")
}

pub(super) fn split(text: &str) -> Vec<String> {
    let (folded, mut words) = (folded(text), vec![String::new()]);
    for (at, c) in folded.char_indices() {
        let word = words.last_mut().unwrap();
        let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
        // The point of a number, as in `12.5`.
        let is_point = c == '.' && is_number && folded[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        if c.is_alphanumeric() || is_point {
            word.push(c);
        } else {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns each word once, except that the last word is kept even if it occurred before. Stop words are removed unless
/// there are no others.
fn query_words(request: &SearchRequest) -> Vec<QueryWord> {
    let parsed = parse(request).words;
    let words: Vec<String> = parsed.iter().map(|(word, _)| word.clone()).collect();
    let stop: Vec<String> = request.tuning.stop_words.iter().map(|word| split(word).concat()).collect();
    let is_stop = |word: &str| stop.iter().any(|stop| base(stop) == base(word));
    let has_others = words.iter().any(|word| !is_stop(word));
    let pairs: Vec<Option<String>> =
        words.windows(2).map(|pair| joined(pair).or_else(|| joined_code(pair))).collect();
    let things = text::query::Query::new(request, domain::Language::English).words;
    let is_thing = |word: &str| {
        things.iter().any(|known| known.text == word && known.role == text::kinds::QueryRole::Thing)
    };
    let mut query: Vec<QueryWord> = Vec::new();
    for (at, text) in words.iter().enumerate() {
        if has_others && is_stop(text) {
            continue;
        }
        let is_quoted = parsed[at].1;
        let is_last = at + 1 == words.len() && !is_quoted;
        let before = at.checked_sub(1).and_then(|before| pairs.get(before));
        let joined = before.into_iter().chain(pairs.get(at)).flatten().cloned();
        let synonyms = request.tuning.synonyms.iter().filter(|synonym| is_part_of(at, &words, synonym));
        let synonyms = synonyms.flat_map(|synonym| &synonym.to).map(|to| split(to));
        match query.iter_mut().find(|known| known.text == *text && !is_last) {
            Some(known) => {
                known.is_quoted |= is_quoted;
                known.joined.extend(joined);
                known.synonyms.extend(synonyms);
            }
            None => query.push(QueryWord {
                text: text.clone(),
                is_last,
                is_quoted,
                joined: joined.collect(),
                synonyms: synonyms.collect(),
                near: BTreeMap::new(),
                is_required: true,
                is_scored: true,
                is_thing: is_thing(text),
            }),
        }
    }
    query
}

/// Returns true if the word at this position is part of the synonym's left side.
fn is_part_of(at: usize, words: &[String], synonym: &Synonym) -> bool {
    let from = split(&synonym.from);
    let is_here = |part: &[String]| part.iter().zip(&from).all(|(word, from)| base(word) == base(from));
    let mut places = words.windows(from.len().max(1)).enumerate().filter(|(_, part)| is_here(part));
    !from.is_empty() && places.any(|(start, _)| (start..start + from.len()).contains(&at))
}

/// Returns the normal form of a word.
fn base(word: &str) -> String {
    forms(word).pop().unwrap()
}

/// Returns the interpretation of the words, and the optional ones.
pub(super) fn read(request: &SearchRequest, products: &[&Arc<Product>]) -> (Vec<QueryWord>, Vec<String>) {
    let mut query = query_words(request);
    let shown = shown(products, request);
    let count = |words: &[QueryWord]| matching(&shown, words).len();
    // Hidden products count towards document frequency.
    let have = |word: &QueryWord| matching(products, std::slice::from_ref(word)).len();
    if request.match_mode == MatchMode::Any {
        let as_typed = |word: QueryWord| QueryWord { is_last: false, is_required: false, ..word };
        return (query.into_iter().map(as_typed).collect(), Vec::new());
    }
    if let Some(last) = query.last_mut().filter(|last| last.is_last) {
        let as_word = QueryWord { is_last: false, ..last.clone() };
        last.is_last = request.is_prefix_query || have(&as_word) < ENOUGH_PRODUCTS;
    }
    if !query.is_empty() && count(&query) < FEW_PRODUCTS {
        let texts: Vec<String> = query.iter().map(|word| word.text.clone()).collect();
        for word in &mut query {
            let as_typed = have(word);
            if !word.is_quoted && as_typed < FEW_PRODUCTS {
                word.near = near_words(&word.text, products, MIN_RATIO * as_typed);
                // No word of a product is another word of the query, misspelt.
                word.near.retain(|near, _| texts.iter().all(|text| !is_same_word(near, text)));
            }
        }
    }
    let enough = if request.sort == Sort::Relevance { ENOUGH_PRODUCTS } else { 1 };
    if query.len() < 2 || request.match_mode != MatchMode::Most || count(&query) >= enough {
        return (query, Vec::new());
    }
    let telling = |word: &QueryWord| {
        let word = std::slice::from_ref(word);
        match shown.iter().filter(|product| class(product, word).is_some_and(|class| class[0] > 0)).count() {
            0 => count(word),
            itself => itself,
        }
    };
    let alone: Vec<usize> = query.iter().map(telling).collect();
    let has_quoted = query.iter().any(|word| word.is_quoted);
    if !has_quoted && alone.iter().all(|found| *found == 0) {
        return (query, Vec::new());
    }
    let worths: Vec<Worth> = (0..query.len()).map(|at| worth(at, &query, &shown)).collect();
    // A number of three digits or more may be a name.
    let is_name = |text: &str| text.len() >= 3 && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let have_meaning = |is_known: bool| {
        let words = worths.iter().zip(&alone).zip(&query);
        let mut words = words.filter(|((_, found), _)| (**found > 0) == is_known);
        words.any(|((worth, _), word)| *worth > Worth::Function || is_name(&word.text))
    };
    if !has_quoted && have_meaning(false) && !have_meaning(true) {
        return (query, Vec::new());
    }
    for (word, found) in query.iter_mut().zip(&alone) {
        word.is_required = word.is_quoted || *found > 0;
    }
    let may_be_optional = |query: &[QueryWord], at: usize| query[at].is_required && !query[at].is_quoted;
    // Without a phrase, one word stays required.
    let least = usize::from(!has_quoted);
    while count(&query) < enough && (0..query.len()).filter(|at| may_be_optional(&query, *at)).count() > least
    {
        let required = (0..query.len()).filter(|at| may_be_optional(&query, *at));
        let weakest = required.min_by_key(|at| (worths[*at], Reverse((alone[*at], *at)))).unwrap();
        query[weakest].is_required = false;
    }
    for word in &mut query {
        word.is_scored = word.is_required || word.text != "to";
    }
    let optional = query.iter().filter(|word| !word.is_required).map(|word| word.text.clone());
    let optional = optional.collect();
    (query, optional)
}

/// The reasons to keep a word, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Function,
    Corrected,
    Aside,
    Other,
    Brand,
    Group,
    DescribingKind,
    Kind,
    Code,
}

/// Returns the worth of a word of the query among the products that are shown.
fn worth(at: usize, query: &[QueryWord], shown: &[&Arc<Product>]) -> Worth {
    let word = &query[at];
    let text = word.text.as_str();
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let as_typed = QueryWord { near: BTreeMap::new(), ..word.clone() };
    let exactly = |product: &&&Arc<Product>| {
        class(product, std::slice::from_ref(&as_typed)).is_some_and(|class| class[0] > 0)
    };
    let exact = shown.iter().filter(exactly).count() as u64;
    let [kinds, groups, brands] = ['=', '#', '@'].map(|mark| {
        let term = format!("{mark}{}", base(text));
        shown.iter().filter(|product| roles(product).contains(&term)).count() as u64
    });
    // In this vocabulary, `to` is the only function word, and units have one letter.
    if text == "to" || is_number(text) || text.len() == 1 {
        Worth::Function
    } else if matching(shown, std::slice::from_ref(&as_typed)).is_empty() {
        Worth::Corrected
    } else if query[..at].iter().any(|before| before.text == "to") && query[0].text != "to" {
        Worth::Aside
    } else if text.contains(|c: char| c.is_ascii_digit()) && text.len() >= 4 {
        Worth::Code
    } else if kinds >= 2 && kinds >= brands && kinds * 10 >= exact * 3 {
        if word.is_thing { Worth::Kind } else { Worth::DescribingKind }
    } else if kinds + groups >= 2 && kinds + groups >= brands && (kinds + groups) * 10 >= exact * 3 {
        Worth::Group
    } else if brands >= 2 && brands * 10 >= exact * 3 {
        Worth::Brand
    } else {
        Worth::Other
    }
}

/// Returns the terms of the kinds, groups and brands of a product. Which they are is tested in `crates/text`.
fn roles(product: &Product) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    let mut weigher = text::weights::Weigher::new(domain::Language::English);
    weigher.weigh(&product.content, |_, term, _| {
        if term.len() > 1 && term.starts_with(['=', '#', '@']) {
            roles.insert(term.to_owned());
        }
    });
    roles
}

/// Returns true if a product has a word in any form, also as two adjacent words.
pub(super) fn has_word(product: &Product, word: &str) -> bool {
    let ProductWords { words, pairs, .. } = product_words(product);
    forms(word).iter().any(|form| words.contains(form) || pairs.contains(form))
}

/// Returns true for two forms of one word.
pub(super) fn is_same_word(a: &str, b: &str) -> bool {
    base(a) == base(b)
}

/// Returns the word and, if it looks like an English plural, its singular.
fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    if word == "knives" {
        forms.push("knife".to_owned());
        return forms;
    }
    let is_plural = word.len() >= 4
        && word.ends_with('s')
        && word.chars().all(|c| c.is_ascii_lowercase())
        && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if is_plural {
        let cut = |bytes: usize| word[..word.len() - bytes].to_owned();
        forms.push(if word.ends_with("ies") {
            cut(3) + "y"
        } else if ["sses", "ches", "shes", "xes"].iter().any(|end| word.ends_with(end)) {
            cut(2)
        } else {
            cut(1)
        });
    }
    forms
}

/// Returns two neighbours joined, unless one is a code or a long number.
fn joined(pair: &[String]) -> Option<String> {
    let is_number = |word: &str| word.len() <= 4 && word.chars().all(|c| c.is_ascii_digit());
    let may_join = |word: &String| {
        word.chars().all(|c| c.is_ascii_lowercase())
            || (word.starts_with(|c: char| c.is_ascii_digit()) && word.split('.').all(is_number))
    };
    Some(pair.concat()).filter(|whole| pair.iter().all(may_join) && whole.len() <= 40)
}

/// Returns two neighbours of a query joined if one is a code, such as `x10`. Products have no such pairs, only such words.
fn joined_code(pair: &[String]) -> Option<String> {
    let has = |word: &str, is_kind: fn(&char) -> bool| word.chars().any(|c| is_kind(&c));
    let is_code = |word: &String| has(word, char::is_ascii_digit) && has(word, char::is_ascii_lowercase);
    let is_plain = |word: &String| word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase());
    Some(pair.concat()).filter(|_| pair.iter().any(is_code) && pair.iter().all(is_plain))
}

/// The number of words at the beginning of a text whose neighbours are joined.
const PAIRED_WORDS: usize = 10;

/// The words of a product.
struct ProductWords {
    /// Every word in all its forms, and model numbers without hyphens.
    words: BTreeSet<String>,
    /// The words outside of the sku. Words of the sku alone are neither corrections nor part of a synonym of several words.
    outside_sku: BTreeSet<String>,
    /// Neighbours written as one word.
    pairs: BTreeSet<String>,
}

fn product_words(product: &Product) -> ProductWords {
    let outside_sku = match product.content.sku {
        None => None,
        Some(_) => {
            let mut without = product.clone();
            without.content.sku = None;
            Some(product_words(&without).words)
        }
    };
    let content = &product.content;
    let mut labels = vec![content.name.clone()];
    labels.extend(content.categories.iter().flat_map(|path| path.levels().iter().cloned()));
    labels.extend(content.tags.iter().cloned());
    let mut values: Vec<String> = content.sku.iter().chain(&content.brand).cloned().collect();
    for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
        values.extend(value.facet_values().map(std::borrow::Cow::into_owned));
    }
    let texts = labels.iter().chain(&values).chain(&content.description);
    let mut words: BTreeSet<String> =
        texts.clone().flat_map(|text| split(text)).flat_map(|word| forms(&word)).collect();
    // The parts of a number are numbers, too.
    let numbers = words.iter().filter(|word| word.contains('.') && !word.ends_with(char::is_alphabetic));
    let parts: Vec<String> = numbers.flat_map(|number| number.split('.')).map(str::to_owned).collect();
    words.extend(parts);
    for text in texts {
        // A sign is a word of its own, and the word that it stands for.
        if text.contains('&') {
            words.extend(["&", "and"].map(str::to_owned));
        }
        for compound in folded(text).split(|c: char| !c.is_alphanumeric() && c != '-') {
            let whole = compound.replace('-', "");
            let is_joined = compound.contains('-') && !compound.contains("--");
            let has_both = whole.chars().any(char::is_alphabetic) && whole.chars().any(char::is_numeric);
            if is_joined && has_both && split(compound).len() > 1 {
                words.insert(whole);
            }
        }
    }
    words.extend(content.sku.iter().map(|sku| folded(sku).replace(|c: char| !c.is_alphanumeric(), "")));
    let mut pairs = BTreeSet::new();
    let labels = labels.iter().map(|text| (text, true, true));
    let values = values.iter().map(|text| (text, false, true));
    let description = content.description.iter().map(|text| (text, true, false));
    for (text, has_pairs, has_sizes) in labels.chain(values).chain(description) {
        for (at, pair) in split(text).windows(2).enumerate() {
            let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
            let is_size = is_number(&pair[0]) && !is_number(&pair[1]);
            if (has_pairs && at + 1 < PAIRED_WORDS) || (has_sizes && is_size) {
                pairs.extend(joined(pair).iter().flat_map(|pair| forms(pair)));
            }
        }
    }
    let outside_sku = outside_sku.unwrap_or_else(|| words.clone());
    ProductWords { words, outside_sku, pairs }
}

pub(super) fn class(product: &Product, query: &[QueryWord]) -> Option<Class> {
    if query.is_empty() {
        return Some([0; 3]);
    }
    let product = product_words(product);
    let (mut class, mut is_found) = ([0; 3], false);
    for wanted in query {
        match found_as(wanted, &product) {
            Some(_) if !wanted.is_scored => {}
            Some((kind, points)) => {
                class[kind] += points;
                is_found = true;
            }
            None if wanted.is_required => return None,
            None => {}
        }
    }
    is_found.then_some(class)
}

/// Returns true if the product has every word, also the optional ones.
pub(super) fn has_every_word(product: &Product, query: &[QueryWord]) -> bool {
    let product = product_words(product);
    query.iter().all(|wanted| found_as(wanted, &product).is_some())
}

/// Returns the kind of match of a word, and its points.
fn found_as(wanted: &QueryWord, product: &ProductWords) -> Option<(usize, usize)> {
    let ProductWords { words, outside_sku, pairs } = product;
    let is_synonym = |all: &Vec<String>| match all.as_slice() {
        [] => false,
        [one] => words.contains(&base(one)),
        all => all.iter().all(|word| outside_sku.contains(&base(word))),
    };
    let own = forms(&wanted.text);
    let mut joined = wanted.joined.iter().flat_map(|joined| forms(joined));
    if own.iter().any(|form| words.contains(form) || pairs.contains(form))
        || joined.any(|joined| words.contains(&joined))
        || wanted.synonyms.iter().any(is_synonym)
    {
        return Some((0, 1));
    }
    if wanted.is_last && words.iter().any(|word| word.starts_with(&wanted.text)) {
        return Some((1, 1));
    }
    let near = outside_sku.iter().filter_map(|word| wanted.near.get(word)).min();
    near.map(|typos| (2, 3 - typos))
}

/// A word is corrected to another only if this many times as many products have that one.
const MIN_RATIO: usize = 10;

/// Returns the words near this one that at least `least` products have outside of their skus, with their typos.
fn near_words(wanted: &str, products: &[&Arc<Product>], least: usize) -> BTreeMap<String, usize> {
    let mut near = BTreeMap::new();
    let mut frequencies = BTreeMap::<String, usize>::new();
    for product in products {
        for word in product_words(product).outside_sku {
            *frequencies.entry(word).or_default() += 1;
        }
    }
    let frequent = frequencies.into_iter().filter(|(_, count)| *count >= least);
    for (word, _) in frequent {
        // A misspelt plural is compared in both numbers, and the other number is one more difference.
        let counted = forms(wanted).into_iter().enumerate().filter_map(|(at, form)| {
            typos(&form, &word).map(|typos| if at > 0 && typos > 0 { (typos + 1).min(2) } else { typos })
        });
        if let Some(typos) = counted.min().filter(|typos| *typos > 0) {
            for form in forms(&word) {
                let fewest = near.entry(form).or_insert(typos);
                *fewest = typos.min(*fewest);
            }
        }
    }
    near
}
