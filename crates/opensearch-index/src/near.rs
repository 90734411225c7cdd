//! The words of the index that a misspelt one may have been meant to be.

use std::cmp::Reverse;

use domain::ports::PortError;
use serde_json::{Value, json};
use text::dictionary::Dictionary;
use text::query::Word;
use text::typos::{Pattern, typos_allowed};

use crate::answer::Suggestion;
use crate::document::word_term;
use crate::filters::term;
use crate::schema::field;
use crate::state::State;

/// The most words that are taken for a misspelt one: those with the fewest typos, then the most frequent.
const MAX_NEAR: usize = 50;
/// The most words that OpenSearch suggests, the nearest by its own measure, which prefers long ones.
const MAX_SUGGESTED: usize = 1000;

/// A word of the index that is near one of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) text: String,
    pub(crate) typos: u8,
}

/// Asks for all words that are as near to this one as its length allows.
pub(crate) fn suggester(word: &Word) -> Value {
    let text = word_term(Dictionary::Words, &word.text);
    json!({ "text": text, "term": {
        "field": field::WORDS, "suggest_mode": "always", "max_edits": typos_allowed(&word.text),
        // The letter of the dictionary, in which there are no typos.
        "prefix_length": 1, "min_word_length": 1, "accuracy": 0.0, "max_term_freq": i32::MAX,
        "size": MAX_SUGGESTED, "max_inspections": 1,
    } })
}

/// The best of what was suggested.
pub(crate) fn nearest(word: &Word, suggested: &[Suggestion]) -> Vec<Near> {
    let Some(pattern) = Pattern::new(&word.text, typos_allowed(&word.text)) else { return Vec::new() };
    let before = word_term(Dictionary::Words, "");
    let near = suggested.iter().filter_map(|Suggestion { text, freq }| {
        let text = text.strip_prefix(&before)?;
        let typos = pattern.typos(text).filter(|typos| *typos > 0)?;
        Some((typos, Reverse(*freq), text))
    });
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.truncate(MAX_NEAR);
    near.into_iter().map(|(typos, _, text)| Near { text: text.to_owned(), typos }).collect()
}

/// Takes out words of products that are gone: OpenSearch suggests those as well.
pub(crate) async fn only_alive(state: &State<'_>, near: &mut [Vec<Near>]) -> Result<(), PortError> {
    let has = |near: &Near| term(field::WORDS, word_term(Dictionary::Words, &near.text));
    let filters: Vec<Value> = near.iter().flatten().map(has).collect();
    let mut counts = state.count(&filters, Vec::new()).await?.counts.into_iter();
    for near in near {
        near.retain(|_| counts.next().is_some_and(|count| count > 0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::SearchRequest;
    use domain::{Currency, Language};
    use text::query::Query;

    #[test]
    fn fewer_typos_come_first_then_more_products() {
        let request = SearchRequest { words: "camrea".to_owned(), ..SearchRequest::all(Currency::USD) };
        let word = &Query::new(&request, Language::English).words[0];
        let suggestion = |text: &str, freq| Suggestion { text: text.to_owned(), freq };
        let suggested = vec![
            suggestion("wcameras", 3),
            suggestion("wcamera", 5),
            suggestion("wcamre", 9),
            suggestion("wcamrea", 1),
            suggestion("wcabrera", 4),
            suggestion("ccamera1", 4),
            suggestion("wsomething", 1),
        ];
        let near = |text: &str, typos| Near { text: text.to_owned(), typos };
        let expected = [near("camre", 1), near("camera", 1), near("cabrera", 2), near("cameras", 2)];
        assert_eq!(nearest(word, &suggested), expected);
    }
}
