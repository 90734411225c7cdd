//! How the words of a search are read: as they were typed; with typos, where few products have them so; and which of
//! them need not be found, where few products have all.

use std::borrow::Cow;

use domain::Language;
use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS, PortError};
use domain::search::{MatchMode, QueryInterpretation, SearchRequest, Sort};
use serde_json::{Value, json};
use text::query::{MAX_RELAXED_WORDS, Phrase, Query, Word, most_frequent_first};
use text::typos::typos_allowed;

use crate::filters::all_of;
use crate::matching::{has_itself, has_word};
use crate::near::{Near, nearest, only_alive, suggester};
use crate::state::{Counted, State};
use crate::tuning::hidden;

const FEW: u64 = FEW_PRODUCTS as u64;
const ENOUGH: u64 = ENOUGH_PRODUCTS as u64;

/// The words of a search with what they find.
pub(crate) struct Read {
    pub(crate) words: Vec<ReadWord>,
    phrases: Vec<Phrase>,
    pub(crate) reading: QueryInterpretation,
}

/// A word of a search with what it finds.
#[derive(Debug)]
pub(crate) struct ReadWord {
    pub(crate) word: Word,
    /// Whether words that begin with it are found, too; none while that is not known.
    is_beginning: Option<bool>,
    /// The words that it may have been meant to be, the nearest and most frequent first.
    pub(crate) near: Vec<Near>,
    pub(crate) is_required: bool,
    /// Whether it is known that no product has it as it was typed.
    is_unknown: bool,
}

impl ReadWord {
    /// The word that was meant, where it is misspelt.
    pub(crate) fn meant(&self) -> Option<&str> {
        self.near.first().filter(|_| self.is_unknown).map(|near| near.text.as_str())
    }

    /// Whether words that begin with it are found, too.
    pub(crate) fn is_beginning(&self) -> bool {
        self.is_beginning == Some(true)
    }

    fn may_have_typos(&self) -> bool {
        typos_allowed(&self.word.text) > 0
    }
}

impl Read {
    /// The words as they were typed.
    pub(crate) fn as_typed(request: &SearchRequest, language: Language) -> Self {
        let Query { words, phrases } = Query::new(request, language);
        let read = |word: Word| ReadWord {
            is_beginning: if word.is_prefix && !request.is_prefix_query {
                None
            } else {
                Some(word.is_prefix)
            },
            word,
            near: Vec::new(),
            is_required: request.match_mode != MatchMode::Any,
            is_unknown: false,
        };
        Self {
            words: words.into_iter().map(read).collect(),
            phrases,
            reading: QueryInterpretation::default(),
        }
    }

    /// The word that is a beginning if few products have it as a word.
    pub(crate) fn maybe_beginning(&self) -> Option<&ReadWord> {
        self.words.last().filter(|last| last.is_beginning.is_none())
    }

    /// Makes the last word a beginning if it is one, `found` being how many products have it as a word; says whether that
    /// changes what is found.
    pub(crate) fn settle_beginning(&mut self, found: u64) -> bool {
        match self.words.last_mut() {
            Some(last) if last.is_beginning.is_none() => *last.is_beginning.insert(found < ENOUGH),
            _ => false,
        }
    }

    /// Words that follow each other, as they were probably meant where they were misspelt.
    pub(crate) fn phrases(&self) -> impl Iterator<Item = Cow<'_, Phrase>> {
        self.phrases.iter().map(|phrase| {
            let (first, second) = (&self.words[phrase.first], &self.words[phrase.second]);
            if first.meant().is_none() && second.meant().is_none() {
                return Cow::Borrowed(phrase);
            }
            let meant = |word: &'_ ReadWord| word.meant().unwrap_or(&word.word.text).to_owned();
            Cow::Owned(phrase.corrected(&meant(first), &meant(second), first.word.language))
        })
    }

    /// Whether it finds what the words as they were typed find.
    fn finds_as_typed(&self) -> bool {
        self.reading.optional.is_empty() && self.words.iter().all(|word| word.near.is_empty())
    }

    /// The words that need not be found, as they stand in the query.
    pub(crate) fn relaxed(&self, query: &str) -> Vec<String> {
        let optional = self.reading.optional.iter().filter_map(|at| self.words.get(usize::from(*at)));
        optional.filter_map(|word| query.get(word.word.span.clone())).map(str::to_owned).collect()
    }
}

/// Decides how the words of a request are read.
pub(crate) struct Reader<'a> {
    state: &'a State<'a>,
    request: &'a SearchRequest,
    hidden: Option<Value>,
}

/// How many products have words, whatever the filters say, without what the shop hides.
struct Having {
    all: u64,
    /// Each word alone.
    each: Vec<u64>,
    /// The same, the word itself.
    itself: Vec<u64>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(state: &'a State<'a>, request: &'a SearchRequest) -> Self {
        Self { state, request, hidden: hidden(request) }
    }

    /// Reads the words as the pages before were read.
    pub(crate) async fn take(&self, read: &mut Read, before: &QueryInterpretation) -> Result<(), PortError> {
        self.settle_beginning(read).await?;
        let words = (0..).zip(&read.words).filter(|(at, _)| before.typos.contains(at));
        let typos: Vec<u8> = words.filter(|(_, word)| word.may_have_typos()).map(|(at, _)| at).collect();
        let misspelt = || typos.iter().map(|at| &read.words[usize::from(*at)]);
        let filters: Vec<Value> = misspelt().map(has_word).collect();
        let suggesters = misspelt().map(|word| suggester(&word.word)).collect();
        let counted = self.state.count(&filters, suggesters).await?;
        self.look_for_typos(read, typos, counted).await?;
        for (at, word) in (0..).zip(&mut read.words) {
            if before.optional.contains(&at) {
                word.is_required = false;
                read.reading.optional.push(at);
            }
        }
        Ok(())
    }

    /// Reads the words, of which nothing is known.
    pub(crate) async fn read(&self, read: &mut Read) -> Result<(), PortError> {
        self.settle_beginning(read).await?;
        self.decide(read, 0).await?;
        Ok(())
    }

    async fn settle_beginning(&self, read: &mut Read) -> Result<(), PortError> {
        let Some(word) = read.maybe_beginning() else { return Ok(()) };
        let counted = self.state.count(&[has_itself(word)], Vec::new()).await?;
        read.settle_beginning(counted.counts[0]);
        Ok(())
    }

    /// Decides which words may have typos and which need not be found, and says whether there are any. `found` is how many
    /// products are known to have all words as they were typed, if there are no more.
    pub(crate) async fn decide(&self, read: &mut Read, found: u64) -> Result<bool, PortError> {
        let enough = self.enough(read);
        if read.words.is_empty() || self.request.match_mode == MatchMode::Any || found >= enough.max(FEW) {
            return Ok(false);
        }
        let words = (0..).zip(&read.words).filter(|(_, word)| found < FEW && word.may_have_typos());
        let (places, suggesters): (Vec<u8>, Vec<Value>) =
            words.map(|(at, word)| (at, suggester(&word.word))).unzip();
        let mut filters = self.having(read);
        let having = filters.len();
        filters.extend(read.words.iter().map(has_word));
        let Counted { mut counts, suggested } = self.state.count(&filters, suggesters).await?;
        let as_typed = counts.split_off(having);
        let mut having = Having::of(counts);
        if having.all < FEW {
            let rare =
                places.into_iter().zip(suggested).map(|(at, near)| (at, as_typed[usize::from(at)], near));
            let rare: Vec<_> = rare.filter(|(_, found, _)| *found < FEW).collect();
            let places = rare.iter().map(|(at, ..)| *at).collect();
            let counts = rare.iter().map(|(_, found, _)| *found).collect();
            let suggested = rare.into_iter().map(|(.., near)| near).collect();
            self.look_for_typos(read, places, Counted { counts, suggested }).await?;
            if enough > 0 && !read.finds_as_typed() {
                having = Having::of(self.state.count(&self.having(read), Vec::new()).await?.counts);
            }
        }
        if having.all < enough {
            self.relax(read, &having, enough).await?;
        }
        Ok(!read.finds_as_typed())
    }

    /// So many products must have all words, or some words need not be found.
    fn enough(&self, read: &Read) -> u64 {
        match (self.request.match_mode, self.request.sort) {
            (MatchMode::Any | MatchMode::All, _) => 0,
            (MatchMode::Most, _) if read.words.len() < 2 => 0,
            (MatchMode::Most, Sort::Relevance) => ENOUGH,
            (MatchMode::Most, _) => 1,
        }
    }

    /// Lets words at these places have typos. `counted` has, for each of them, how many products have it as it was typed,
    /// and what was suggested.
    async fn look_for_typos(
        &self,
        read: &mut Read,
        places: Vec<u8>,
        counted: Counted,
    ) -> Result<(), PortError> {
        let Counted { counts, suggested } = counted;
        let words = places.iter().map(|at| &read.words[usize::from(*at)].word);
        let mut near: Vec<Vec<Near>> =
            words.zip(suggested).map(|(word, suggested)| nearest(word, &suggested)).collect();
        only_alive(self.state, &mut near).await?;
        for ((at, near), count) in places.iter().zip(near).zip(counts) {
            let word = &mut read.words[usize::from(*at)];
            word.near = near;
            word.is_unknown = count == 0;
        }
        read.reading.typos = places;
        Ok(())
    }

    /// Lets words be missing until enough products have the others.
    async fn relax(&self, read: &mut Read, having: &Having, enough: u64) -> Result<(), PortError> {
        let frequencies = having.itself.iter().zip(&having.each);
        let frequencies: Vec<u64> =
            frequencies.map(|(itself, any)| if *itself > 0 { *itself } else { *any }).collect();
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            most_frequent_first(&frequencies).into_iter().partition(|at| frequencies[*at] > 0);
        let Some(most) = known.len().checked_sub(1) else { return Ok(()) };
        let rest =
            |left_out: usize| self.visible(known[left_out..].iter().map(|at| has_word(&read.words[*at])));
        let rests: Vec<Value> = (0..most.min(MAX_RELAXED_WORDS)).map(rest).collect();
        let counts = self.state.count(&rests, Vec::new()).await?.counts;
        let left_out = counts.iter().position(|count| *count >= enough).unwrap_or(most);
        for at in unknown.iter().chain(&known[..left_out]) {
            read.words[*at].is_required = false;
        }
        let places = (0..).zip(&read.words).filter(|(_, word)| !word.is_required).map(|(at, _)| at);
        read.reading.optional = places.collect();
        Ok(())
    }

    /// Products that the words find, whatever the filters say.
    pub(crate) fn matches(&self, read: &Read) -> Value {
        self.visible(read.words.iter().filter(|word| word.is_required).map(has_word))
    }

    /// What [`Having`] counts.
    fn having(&self, read: &Read) -> Vec<Value> {
        let each = read.words.iter().map(|word| self.visible([has_word(word)]));
        let itself = read.words.iter().map(|word| self.visible([has_itself(word)]));
        std::iter::once(self.matches(read)).chain(each).chain(itself).collect()
    }

    /// Products that pass all filters and that the shop does not hide.
    fn visible(&self, filters: impl IntoIterator<Item = Value>) -> Value {
        let passing = all_of(filters.into_iter().collect());
        match &self.hidden {
            Some(hidden) => json!({ "bool": { "filter": [passing], "must_not": [hidden] } }),
            None => passing,
        }
    }
}

impl Having {
    fn of(mut counts: Vec<u64>) -> Self {
        let mut each = counts.split_off(1);
        let itself = each.split_off(each.len() / 2);
        Self { all: counts[0], each, itself }
    }
}
