//! Counts the documents that match a word.

use tantivy::DocId;
use text::query::{Kind, Word};
use text::relaxing::WordFrequencies;
use text::score::Tier;

use crate::search::expand::expand_optional;
use crate::search::expansion::{DocumentList, Expansion, ListTerms, TIERS, TierCounts};
use crate::search::matching::with_qualities;
use crate::search::pinned_and_hidden::PinnedAndHidden;
use crate::search::ranking::tier_of;
use crate::search::snapshot::Snapshot;

/// Counts the documents that match a word of a query in each way. Deleted documents and those that the shop's rules hide do not
/// count.
pub(crate) fn word_frequencies(
    word: &Word,
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<WordFrequencies> {
    let [as_kind, as_brand, _, as_group] = kind_frequencies(&word.text, snapshot, rules)?;
    let by_tier = tier_counts(expansion, snapshot, rules)?;
    let at_least = |worst: Tier| by_tier.iter().skip(worst as usize).sum();
    Ok(WordFrequencies {
        exactly: at_least(Tier::Exact),
        as_typed: at_least(Tier::Prefix),
        any_way: at_least(Tier::TwoTypos),
        as_kind,
        as_group,
        as_brand,
    })
}

/// Counts the documents that have each term of [`Kind::counted_terms`], as [`word_frequencies`] does.
pub(crate) fn kind_frequencies(
    word: &str,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<[u64; Kind::COUNTED_TERMS]> {
    let is_cached = !rules.has_hidden();
    if is_cached && let Some(known) = snapshot.expansions.kind_frequencies(word) {
        return Ok(known);
    }
    let mut frequencies = [0; Kind::COUNTED_TERMS];
    for (frequency, term) in frequencies.iter_mut().zip(Kind::counted_terms(word, snapshot.language)) {
        let expansion = expand_optional(&term, 1, snapshot)?;
        *frequency = count_by_best_tier(&expansion, snapshot, rules)?.iter().sum();
    }
    if is_cached {
        snapshot.expansions.insert_kind_frequencies(word, frequencies);
    }
    Ok(frequencies)
}

/// Returns the numbers of documents of an expansion, and keeps them in it: shoppers repeat searches.
fn tier_counts(
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<TierCounts> {
    if rules.has_hidden() {
        return count_by_best_tier(expansion, snapshot, rules);
    }
    if let Some(known) = expansion.tier_counts.get() {
        return Ok(*known);
    }
    let counts = count_by_best_tier(expansion, snapshot, rules)?;
    Ok(*expansion.tier_counts.get_or_init(|| counts))
}

/// Counts the documents of an expansion by the best tier of each.
fn count_by_best_tier(
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<TierCounts> {
    let mut counts = [0; TIERS];
    for segment in &snapshot.segments {
        let lists = expansion.lists(segment);
        let has_hidden = segment.reader.has_deletes() || rules.has_hidden();
        if let ([DocumentList { terms: ListTerms::One(_, info), tier, .. }], false) = (lists, has_hidden) {
            // A single term, and no document to leave out: its document frequency is exact.
            counts[*tier as usize] += u64::from(info.doc_freq);
            continue;
        }
        let is_shown = |document: DocId| {
            !has_hidden || !segment.reader.is_deleted(document) && !rules.is_hidden(document, segment)
        };
        with_qualities(segment, lists, |qualities, documents| {
            for document in documents.iter().filter(|document| is_shown(**document)) {
                counts[tier_of(qualities[*document as usize])] += 1;
            }
        })?;
    }
    Ok(counts)
}
