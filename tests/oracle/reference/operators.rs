//! Operators of the form that random requests have: `-word`, `-"two words"` and `"two words"`, apart from other words by spaces.

use domain::search::SearchRequest;
use domain::{AttributeValue, Product};

use super::words::{has_word, is_same_word, split};

/// A query without its operators.
#[derive(Default)]
pub(super) struct ParsedQuery {
    /// Each word, with true if it is in quotation marks.
    pub(super) words: Vec<(String, bool)>,
    phrases: Vec<Vec<String>>,
    left_out: Vec<Vec<String>>,
}

pub(super) fn parse(request: &SearchRequest) -> ParsedQuery {
    let mut parsed = ParsedQuery::default();
    if !request.operators {
        parsed.words = split(&request.words).into_iter().map(|word| (word, false)).collect();
        return parsed;
    }
    let mut rest = request.words.as_str();
    while !rest.is_empty() {
        let leaves_out = rest.starts_with("-\"") || rest.starts_with('-');
        let operand = rest.strip_prefix('-').unwrap_or(rest);
        let (text, is_quoted, after) = match operand.strip_prefix('"').and_then(|text| text.split_once('"')) {
            Some((text, after)) => (text, true, after),
            None => {
                let (text, after) = operand.split_once(' ').unwrap_or((operand, ""));
                (text, false, after)
            }
        };
        let words = split(text);
        match (leaves_out, is_quoted) {
            (true, _) => parsed.left_out.push(words),
            (false, true) => {
                parsed.words.extend(words.iter().map(|word| (word.clone(), true)));
                parsed.phrases.push(words);
            }
            (false, false) => parsed.words.extend(words.into_iter().map(|word| (word, false))),
        }
        rest = after.trim_start();
    }
    parsed
}

/// Returns true if the product has every phrase of the query and none of the excluded words and phrases.
pub(super) fn passes(product: &Product, parsed: &ParsedQuery) -> bool {
    let has = |words: &Vec<String>| match words.as_slice() {
        [word] => has_word(product, word),
        words => texts(product).iter().any(|text| has_phrase(&split(text), words)),
    };
    parsed.phrases.iter().all(has) && !parsed.left_out.iter().any(has)
}

fn has_phrase(text: &[String], phrase: &[String]) -> bool {
    text.windows(phrase.len()).any(|part| part.iter().zip(phrase).all(|(own, word)| is_same_word(own, word)))
}

fn texts(product: &Product) -> Vec<String> {
    let content = &product.content;
    let mut texts = vec![content.name.clone()];
    texts.extend(content.categories.iter().flat_map(|path| path.levels().iter().cloned()));
    texts.extend(content.tags.iter().cloned());
    texts.extend([&content.sku, &content.brand, &content.description].into_iter().flatten().cloned());
    for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
        texts.extend(value.facet_values().map(std::borrow::Cow::into_owned));
    }
    texts
}
