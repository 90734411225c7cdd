//! Expands a prefix: finds the words of the index that begin with it.

use std::cmp::Reverse;
use std::collections::HashMap;

use text::dictionary::Dictionary;
use text::query::Word;
use text::score::{Spelling, Tier};

use crate::search::expansion::{DocumentList, Expansion};
use crate::search::prefix_cache::{PrefixWord, PrefixWords};
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The number of words to which many words with a prefix are reduced: the most frequent ones. A single letter may begin most
/// product codes of a catalogue.
const MAX_PREFIX_WORDS: usize = 1000;
/// The term dictionaries in which prefixes match.
const DICTIONARIES: [Dictionary; 2] = [Dictionary::Words, Dictionary::Codes];

/// Adds the words that begin with this one. If a segment has twice [`MAX_PREFIX_WORDS`] of them, adds only the [`MAX_PREFIX_WORDS`]
/// most frequent ones.
pub(crate) fn add_prefixed(
    expansion: &mut Expansion,
    word: &Word,
    snapshot: &Snapshot,
) -> tantivy::Result<()> {
    let mut by_segment = Vec::with_capacity(snapshot.segments.len());
    for segment in &snapshot.segments {
        by_segment.push(segment.prefixes().get_or_read(&word.text, || read_words(&word.text, segment))?);
    }
    let weight_factor = word.weight_factor(Spelling::Same);
    let list = |dictionary, info| DocumentList::of_term(Tier::Prefix, weight_factor, dictionary, info);
    if by_segment.iter().all(|words| !words.is_truncated) {
        for (lists, words) in expansion.lists.iter_mut().zip(by_segment) {
            lists.extend(words.words.iter().map(|word| list(word.dictionary, word.info.clone())));
        }
        return Ok(());
    }
    // One segment may have left out a word that is frequent in another, so each chosen word is looked up in all.
    let mut documents = HashMap::<(Dictionary, Vec<u8>), u64>::new();
    for word in by_segment.iter().flat_map(|words| &words.words) {
        *documents.entry((word.dictionary, word.text.clone())).or_default() += u64::from(word.info.doc_freq);
    }
    let mut words: Vec<_> = documents.into_iter().collect();
    words.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.1.cmp(&b.1)));
    words.truncate(MAX_PREFIX_WORDS);
    for (lists, segment) in expansion.lists.iter_mut().zip(&snapshot.segments) {
        for ((dictionary, text), _) in &words {
            let info = segment.inverted_index(*dictionary).terms().get(text)?;
            lists.extend(info.map(|info| list(*dictionary, info)));
        }
    }
    Ok(())
}

/// Reads the words of a segment that begin with a prefix, leaving out the rarest if there are many.
fn read_words(prefix: &str, segment: &Segment) -> tantivy::Result<PrefixWords> {
    let mut found = PrefixWords { words: Vec::new(), is_truncated: false };
    // No byte of UTF-8 is 0xFF.
    let end = [prefix.as_bytes(), &[0xFF]].concat();
    let mut min_documents = 0;
    for dictionary in DICTIONARIES {
        let terms = segment.inverted_index(dictionary).terms();
        let mut stream = terms.range().gt(prefix).lt(&end).into_stream()?;
        while stream.advance() {
            let info = stream.value();
            if info.doc_freq <= min_documents {
                continue;
            }
            found.words.push(PrefixWord { dictionary, text: stream.key().to_owned(), info: info.clone() });
            if found.words.len() >= 2 * MAX_PREFIX_WORDS {
                min_documents = keep_most_frequent(&mut found.words);
                found.is_truncated = true;
            }
        }
    }
    Ok(found)
}

/// Keeps the [`MAX_PREFIX_WORDS`] most frequent words and returns the document frequency of the rarest of them.
fn keep_most_frequent(words: &mut Vec<PrefixWord>) -> u32 {
    words.select_nth_unstable_by_key(MAX_PREFIX_WORDS, |word| Reverse(word.info.doc_freq));
    words.truncate(MAX_PREFIX_WORDS);
    words.iter().map(|word| word.info.doc_freq).min().unwrap_or_default()
}
