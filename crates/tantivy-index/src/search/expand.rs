//! Expands a word of a query: finds the terms of the index that it stands for.
//!
//! A word is looked up in each way that [`text::query`] names, then as a prefix if it is the last one, then, on request, with
//! typos. A query expands each word once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use domain::Language;
use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS};
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};
use text::dictionary::Dictionary;
use text::forms::normal_form;
use text::query::{Alternative, Term, Word};
use text::score::{Spelling, Tier};
use text::typos::MIN_CORRECTION_RATIO;

use crate::search::expand_prefix::add_prefixed;
use crate::search::expansion::{Correction, DocumentList, ExpandOptions, Expansion, ExpansionKey, ListTerms};
use crate::search::inside::Inside;
use crate::search::postings::{count_up_to, has_at_least};
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The most corrections of a misspelt word: those with the fewest typos, then the most frequent.
const MAX_CORRECTIONS: usize = 50;
/// The most words near a misspelt one that are counted in the products inside a restriction, chosen in the same order.
const MAX_COUNTED_INSIDE: usize = 200;

/// Expands a word, from the snapshot's cache if possible. Under a restriction, prefixes and corrections depend on the products
/// inside. Such expansions are not cached, so that they do not displace the others.
pub(crate) fn expand(
    word: &Word,
    options: ExpandOptions,
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<Arc<Expansion>> {
    if inside.is_restricted() {
        return Ok(Arc::new(expand_uncached(word, options, snapshot, inside)?));
    }
    let key = ExpansionKey::new(word, options);
    if let Some(known) = snapshot.expansions.get(&key) {
        return Ok(known);
    }
    let expansion = Arc::new(expand_uncached(word, options, snapshot, inside)?);
    snapshot.expansions.insert(key, &expansion);
    Ok(expansion)
}

fn expand_uncached(
    word: &Word,
    options: ExpandOptions,
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<Expansion> {
    let mut expansion = Expansion::default();
    for segment in &snapshot.segments {
        let mut lists = Vec::new();
        for alternative in &word.alternatives {
            lists.extend(list_of_alternative(word, alternative, segment)?);
        }
        expansion.lists.push(lists);
    }
    if word.is_prefix
        && (options.is_prefix_query || !has_at_least(ENOUGH_PRODUCTS, &expansion, snapshot, inside)?)
    {
        add_prefixed(&mut expansion, word, snapshot)?;
    }
    if options.typos {
        add_corrections(&mut expansion, word, snapshot, inside)?;
    }
    Ok(expansion)
}

/// Expands a term that only adds to the score, such as that of a phrase, by its weight times `weight_factor`.
pub(crate) fn expand_optional(
    term: &Term,
    weight_factor: u8,
    snapshot: &Snapshot,
) -> tantivy::Result<Expansion> {
    let lists = |segment: &Segment| -> tantivy::Result<Vec<DocumentList>> {
        let info = term_info(term, segment)?;
        let list = |info| DocumentList::of_term(Tier::Exact, weight_factor, term.dictionary, info);
        Ok(info.map(list).into_iter().collect())
    };
    let lists = snapshot.segments.iter().map(lists).collect::<tantivy::Result<_>>()?;
    Ok(Expansion { lists, ..Expansion::default() })
}

fn term_info(term: &Term, segment: &Segment) -> tantivy::Result<Option<TermInfo>> {
    Ok(segment.inverted_index(term.dictionary).terms().get(&term.text)?)
}

/// Returns the documents that match an alternative; `None` if the segment lacks one of its terms.
fn list_of_alternative(
    word: &Word,
    alternative: &Alternative,
    segment: &Segment,
) -> tantivy::Result<Option<DocumentList>> {
    let weight_factor = word.weight_factor(alternative.spelling);
    let terms = terms_of_alternative(alternative, segment)?;
    Ok(terms.map(|terms| DocumentList { tier: Tier::Exact, weight_factor, terms }))
}

/// Returns the terms of an alternative; `None` if the segment lacks one of them.
pub(crate) fn terms_of_alternative(
    alternative: &Alternative,
    segment: &Segment,
) -> tantivy::Result<Option<ListTerms>> {
    let mut infos = Vec::with_capacity(alternative.terms.len());
    for term in &alternative.terms {
        let Some(info) = term_info(term, segment)? else { return Ok(None) };
        infos.push((term.dictionary, info));
    }
    let Some((dictionary, first)) = infos.first().cloned() else { return Ok(None) };
    Ok(Some(match infos.len() {
        1 => ListTerms::One(dictionary, first),
        _ if alternative.is_phrase => {
            ListTerms::Phrase(first, alternative.terms.iter().map(|term| term.text.clone()).collect())
        }
        _ => ListTerms::All(infos),
    }))
}

/// Adds the words that this one may be a misspelling of, in all their forms.
fn add_corrections(
    expansion: &mut Expansion,
    word: &Word,
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<()> {
    let Some(misspelt) = word.misspelt() else { return Ok(()) };
    let as_typed = count_up_to(FEW_PRODUCTS, expansion, snapshot, inside)? as u64;
    let needed = (as_typed * MIN_CORRECTION_RATIO).max(1);
    let mut near = HashMap::<&str, (u8, u64)>::new();
    for segment in &snapshot.segments {
        segment.vocabulary()?.each_near(&misspelt, |word| {
            let (_, documents) = near.entry(word.text).or_insert((word.typos, 0));
            *documents += u64::from(word.documents);
        });
    }
    let ranked = near.into_iter().map(|(text, (typos, documents))| (typos, Reverse(documents), text));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_unstable();
    if inside.is_restricted() {
        ranked.truncate(MAX_COUNTED_INSIDE);
        for (_, documents, text) in &mut ranked {
            *documents = Reverse(count_live(text, snapshot, inside, u64::MAX)?);
        }
        ranked.retain(|(_, documents, _)| documents.0 >= needed);
        ranked.sort_unstable();
    }
    ranked.truncate(MAX_CORRECTIONS);
    for (typos, _, text) in ranked {
        if inside.is_restricted() || count_live(text, snapshot, inside, needed)? >= needed {
            expansion.corrections.push(Correction { text: text.to_owned(), typos });
        }
    }
    for (lists, segment) in expansion.lists.iter_mut().zip(&snapshot.segments) {
        add_lists_of_corrections(word, lists, &expansion.corrections, segment, snapshot.language)?;
    }
    Ok(())
}

/// Counts the documents with the word that are not deleted, and inside the restriction, up to a maximum.
fn count_live(word: &str, snapshot: &Snapshot, inside: &Inside<'_>, max: u64) -> tantivy::Result<u64> {
    let mut count = 0;
    for segment in &snapshot.segments {
        let words = segment.inverted_index(Dictionary::Words);
        let Some(info) = words.terms().get(word)? else { continue };
        let mut postings = words.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        while postings.doc() != TERMINATED && count < max {
            let document = postings.doc();
            count += u64::from(!segment.reader.is_deleted(document) && inside.has(document, segment));
            postings.advance();
        }
    }
    Ok(count)
}

/// Adds for each correction the list of its normal form, which includes all forms, or else that of the word itself.
fn add_lists_of_corrections(
    word: &Word,
    lists: &mut Vec<DocumentList>,
    corrections: &[Correction],
    segment: &Segment,
    language: Language,
) -> tantivy::Result<()> {
    let weight_factor = word.weight_factor(Spelling::Same);
    for Correction { text, typos } in corrections {
        let tier = if *typos == 1 { Tier::OneTypo } else { Tier::TwoTypos };
        let (dictionary, normal_form) = normal_form(text, language);
        for (dictionary, text) in [(dictionary, &*normal_form), (Dictionary::Words, text)] {
            if let Some(info) = segment.inverted_index(dictionary).terms().get(text)? {
                lists.push(DocumentList::of_term(tier, weight_factor, dictionary, info));
                break;
            }
        }
    }
    Ok(())
}
