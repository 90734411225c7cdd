//! Spelling candidates: words in the index that a misspelt word may stand for.

use std::cmp::Reverse;

use domain::ports::PortError;
use serde_json::{Value, json};
use text::dictionary::Dictionary;
use text::query::Word;
use text::typos::{MIN_CORRECTION_RATIO, typos_allowed};

use crate::layout::schema::field;
use crate::layout::terms::word_term;
use crate::search::query_dsl::term;
use crate::search::response::SuggestOption;
use crate::search::snapshot::Snapshot;

/// The most candidates per word: those with the fewest typos, then the most frequent.
const MAX_CANDIDATES: usize = 50;
/// The most words that OpenSearch suggests. It prefers long words, so the best ones may be far down its list.
const MAX_SUGGESTED: usize = 1000;

/// A word in the index that a misspelt word of the query may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpellingCandidate {
    pub(super) text: String,
    /// The number of typos, as [`text::misspelt`] counts them.
    pub(super) typos: u8,
}

/// Returns the suggester of all words within the edit distance that the length of the word allows, from each of its forms. Its
/// analyzer separates the forms by spaces.
pub(super) fn suggester(word: &Word) -> Value {
    let forms = word.misspelt_forms().map(|form| word_term(Dictionary::Words, &form));
    let text = forms.collect::<Vec<_>>().join(" ");
    json!({ "text": text, "term": {
        "field": field::WORDS, "suggest_mode": "always", "max_edits": typos_allowed(&word.text),
        // The letter of the dictionary must match.
        "prefix_length": 1, "min_word_length": 1, "accuracy": 0.0, "max_term_freq": i32::MAX,
        "size": MAX_SUGGESTED, "max_inspections": 1,
    } })
}

/// Returns the best candidates among the suggestions, best first.
pub(super) fn best_candidates(word: &Word, suggested: &[SuggestOption]) -> Vec<SpellingCandidate> {
    let Some(misspelt) = word.misspelt() else { return Vec::new() };
    let dictionary = word_term(Dictionary::Words, "");
    let ranked = suggested.iter().filter_map(|SuggestOption { text, freq }| {
        let text = text.strip_prefix(&dictionary)?;
        let typos = misspelt.typos(text).filter(|typos| *typos > 0)?;
        Some((typos, Reverse(*freq), text))
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_unstable();
    // Both forms may suggest the same word.
    ranked.dedup();
    ranked.truncate(MAX_CANDIDATES);
    let candidate = |(typos, _, text): (u8, _, &str)| SpellingCandidate { text: text.to_owned(), typos };
    ranked.into_iter().map(candidate).collect()
}

/// Removes candidates that are not much more frequent than the word as typed, and those that no active product inside the
/// restriction contains, which OpenSearch suggests as well. `as_typed` has the document frequencies of the words. Under a
/// restriction, the frequencies inside it decide the order.
pub(super) async fn retain_words_in_use(
    snapshot: &Snapshot<'_>,
    inside: &[Value],
    as_typed: &[u64],
    candidates: &mut [Vec<SpellingCandidate>],
) -> Result<(), PortError> {
    let has =
        |candidate: &SpellingCandidate| term(field::WORDS, word_term(Dictionary::Words, &candidate.text));
    let filters: Vec<Value> = candidates.iter().flatten().map(has).collect();
    let mut counts = snapshot.count(inside, &filters, Vec::new()).await?.counts.into_iter();
    for (candidates, as_typed) in candidates.iter_mut().zip(as_typed) {
        let needed = as_typed.saturating_mul(MIN_CORRECTION_RATIO).max(1);
        let counted =
            std::mem::take(candidates).into_iter().map(|candidate| (counts.next().unwrap_or(0), candidate));
        let mut in_use: Vec<_> = counted.filter(|(count, _)| *count >= needed).collect();
        if !inside.is_empty() {
            in_use.sort_by(|(a_count, a), (b_count, b)| {
                (a.typos, b_count, &a.text).cmp(&(b.typos, a_count, &b.text))
            });
        }
        candidates.extend(in_use.into_iter().map(|(_, candidate)| candidate));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::SearchRequest;
    use domain::{Currency, Language};
    use text::query::Query;

    fn word(text: &str) -> Word {
        let request = SearchRequest { words: text.to_owned(), ..SearchRequest::all(Currency::USD) };
        Query::new(&request, Language::English).words.remove(0)
    }

    #[test]
    fn a_plural_is_suggested_from_both_of_its_forms() {
        for (typed, text, max_edits) in [("lapms", "wlapms wlapm", 1), ("camrea", "wcamrea", 2)] {
            let term = &suggester(&word(typed));
            assert_eq!((&term["text"], &term["term"]["max_edits"]), (&json!(text), &json!(max_edits)));
        }
        let option = |text: &str| SuggestOption { text: text.to_owned(), freq: 3 };
        let suggested = ["wlamps", "wlamp", "wlamp"].map(option);
        let candidate = |text: &str, typos| SpellingCandidate { text: text.to_owned(), typos };
        assert_eq!(
            best_candidates(&word("lapms"), &suggested),
            [candidate("lamps", 1), candidate("lamp", 2)]
        );
    }

    #[test]
    fn fewer_typos_come_first_then_more_products() {
        let option = |text: &str, freq| SuggestOption { text: text.to_owned(), freq };
        let suggested = vec![
            option("wcameras", 3),
            option("wcamera", 5),
            option("wcamre", 9),
            option("wcamrea", 1),
            option("wcabrera", 4),
            option("ccamera1", 4),
            option("wsomething", 1),
        ];
        let candidate = |text: &str, typos| SpellingCandidate { text: text.to_owned(), typos };
        let expected =
            [candidate("camre", 1), candidate("camera", 1), candidate("cabrera", 2), candidate("cameras", 2)];
        assert_eq!(best_candidates(&word("camrea"), &suggested), expected);
    }
}
