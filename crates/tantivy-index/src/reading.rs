//! How the words of a search are read: as they were typed; with typos, where few products have them so; and which of
//! them need not be found, where few products have all.

use std::sync::Arc;
use std::time::Instant;

use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS, PortError};
use domain::search::{MatchMode, QueryInterpretation, SearchRequest, Sort};
use text::query::{MAX_RELAXED_WORDS, Phrase, Query, Word, most_frequent_first};
use text::typos::typos_allowed;

use crate::expansion::{Expansion, Reach, expand, expand_phrase};
use crate::matching::{self, Match, Ranking, Sought, has_at_least, matches, sought};
use crate::pool::out_of_time;
use crate::search::failed;
use crate::snapshot::Snapshot;
use crate::tuning::Tuned;

/// The words of a search with what they find.
pub(crate) struct Read {
    pub(crate) words: Vec<ReadWord>,
    pub(crate) reading: QueryInterpretation,
    /// The documents found, by segment.
    pub(crate) found: Vec<Vec<Match>>,
}

/// A word of a search with what it finds.
pub(crate) struct ReadWord {
    pub(crate) word: Word,
    pub(crate) expansion: Arc<Expansion>,
    is_required: bool,
}

impl ReadWord {
    /// What the word was meant to be, where nothing has it as it was typed.
    pub(crate) fn meant(&self, is_prefix_query: bool, snapshot: &Snapshot) -> tantivy::Result<Option<&str>> {
        let Some(nearest) = self.expansion.near.first() else { return Ok(None) };
        let as_typed = expand(&self.word, Reach { typos: false, is_prefix_query }, snapshot)?;
        Ok((!has_at_least(1, &as_typed, snapshot)?).then_some(&nearest.text))
    }
}

impl Read {
    /// The words that need not be found, as they stand in the query.
    pub(crate) fn relaxed(&self, query: &str) -> Vec<String> {
        let optional = self.reading.optional.iter().filter_map(|at| self.words.get(usize::from(*at)));
        optional.filter_map(|word| query.get(word.word.span.clone())).map(str::to_owned).collect()
    }
}

/// Reads the words of a request. There must be some.
pub(crate) struct Reader<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) tuned: &'a Tuned,
    pub(crate) is_prefix_query: bool,
    pub(crate) deadline: Instant,
}

impl Reader<'_> {
    /// Reads the words as the pages before were read, or decides how.
    pub(crate) fn read(
        &self,
        request: &SearchRequest,
        query: Query,
        before: Option<&QueryInterpretation>,
    ) -> Result<Read, PortError> {
        let Query { words, phrases } = query;
        let mut read = Read { words: Vec::new(), reading: QueryInterpretation::default(), found: Vec::new() };
        for word in words {
            let expansion = self.expand(&word, false)?;
            read.words.push(ReadWord { word, expansion, is_required: request.match_mode != MatchMode::Any });
        }
        if let Some(before) = before {
            self.take(&mut read, before)?;
            self.find(&mut read)?;
        } else {
            self.find(&mut read)?;
            if request.match_mode != MatchMode::Any {
                self.look_for_typos(&mut read)?;
            }
            if request.match_mode == MatchMode::Most {
                let enough = if request.sort == Sort::Relevance { ENOUGH_PRODUCTS } else { 1 };
                self.relax(&mut read, enough)?;
            }
        }
        // Neighbours that are neighbours in the products too only change the order.
        let mut expanded = Vec::new();
        for phrase in &phrases {
            let phrase = self.corrected(phrase, &read)?;
            expanded.push((expand_phrase(&phrase, self.snapshot).map_err(failed)?, phrase.second));
        }
        if !expanded.is_empty() {
            self.add_phrases(&mut read, expanded)?;
        }
        Ok(read)
    }

    fn expand(&self, word: &Word, typos: bool) -> Result<Arc<Expansion>, PortError> {
        expand(word, Reach { typos, is_prefix_query: self.is_prefix_query }, self.snapshot).map_err(failed)
    }

    /// The phrase with what its words were probably meant to be, where nothing has them as they were typed.
    fn corrected(&self, phrase: &Phrase, read: &Read) -> Result<Phrase, PortError> {
        let (first, second) = (&read.words[phrase.first], &read.words[phrase.second]);
        if first.expansion.near.is_empty() && second.expansion.near.is_empty() {
            return Ok(phrase.clone());
        }
        let meant = |read: &'_ ReadWord| -> Result<String, PortError> {
            let meant = read.meant(self.is_prefix_query, self.snapshot).map_err(failed)?;
            Ok(meant.unwrap_or(&read.word.text).to_owned())
        };
        Ok(phrase.corrected(&meant(first)?, &meant(second)?, self.snapshot.language))
    }

    fn take(&self, read: &mut Read, before: &QueryInterpretation) -> Result<(), PortError> {
        for at in &before.typos {
            if let Some(word) = read.words.get_mut(usize::from(*at)) {
                word.expansion = self.expand(&word.word, true)?;
            }
        }
        for at in &before.optional {
            if let Some(word) = read.words.get_mut(usize::from(*at)) {
                word.is_required = false;
            }
        }
        read.reading = before.clone();
        Ok(())
    }

    fn look_for_typos(&self, read: &mut Read) -> Result<(), PortError> {
        if count(&read.found) >= FEW_PRODUCTS {
            return Ok(());
        }
        for (at, word) in (0..).zip(&mut read.words) {
            let is_rare = typos_allowed(&word.word.text) > 0
                && !has_at_least(FEW_PRODUCTS, &word.expansion, self.snapshot).map_err(failed)?;
            if is_rare {
                word.expansion = self.expand(&word.word, true)?;
                read.reading.typos.push(at);
            }
        }
        if read.reading.typos.is_empty() { Ok(()) } else { self.find(read) }
    }

    /// Lets words be missing until enough products have the others.
    fn relax(&self, read: &mut Read, enough: usize) -> Result<(), PortError> {
        if count(&read.found) >= enough || read.words.len() < 2 {
            return Ok(());
        }
        let mut frequencies = Vec::with_capacity(read.words.len());
        for word in &read.words {
            let found =
                matching::document_frequency(&word.expansion, self.snapshot, self.tuned).map_err(failed)?;
            frequencies.push(found as u64);
        }
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            most_frequent_first(&frequencies).into_iter().partition(|at| frequencies[*at] > 0);
        if known.is_empty() {
            return Ok(());
        }
        unknown.into_iter().for_each(|at| read.words[at].is_required = false);
        if known.len() < read.words.len() {
            self.find(read)?;
        }
        for (tries, at) in known[..known.len() - 1].iter().enumerate() {
            if tries < MAX_RELAXED_WORDS && count(&read.found) >= enough {
                break;
            }
            read.words[*at].is_required = false;
            if tries + 1 < MAX_RELAXED_WORDS || tries + 2 == known.len() {
                self.find(read)?;
            }
        }
        let places = (0..).zip(&read.words).filter(|(_, word)| !word.is_required).map(|(at, _)| at);
        read.reading.optional = places.collect();
        Ok(())
    }

    fn find(&self, read: &mut Read) -> Result<(), PortError> {
        read.found = self.matches(&read.sought(Vec::new()), read.words.len())?;
        Ok(())
    }

    fn add_phrases(&self, read: &mut Read, phrases: Vec<(Expansion, usize)>) -> Result<(), PortError> {
        let sought = read.sought(phrases);
        let ranking = Ranking::new(read.words.len());
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            ranking.add_phrases(&mut read.found[number], &sought, segment, number).map_err(failed)?;
        }
        Ok(())
    }

    /// What has the words, whatever the filters say, without what the shop hides.
    fn matches(&self, sought: &[Sought], words: usize) -> Result<Vec<Vec<Match>>, PortError> {
        let ranking = Ranking::new(words);
        let mut all = Vec::with_capacity(self.snapshot.segments.len());
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            if Instant::now() >= self.deadline {
                return Err(out_of_time());
            }
            let mut found = matches(sought, &ranking, segment, number).map_err(failed)?;
            self.tuned.hide(&mut found, number);
            all.push(found);
        }
        Ok(all)
    }
}

impl Read {
    fn sought(&self, phrases: Vec<(Expansion, usize)>) -> Vec<Sought> {
        let words = self.words.iter().map(|word| (Arc::clone(&word.expansion), word.is_required));
        sought(words.collect(), phrases)
    }
}

fn count(found: &[Vec<Match>]) -> usize {
    found.iter().map(Vec::len).sum()
}
