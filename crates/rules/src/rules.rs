//! The rules of a shop, and the part of them that applies to one search.

use domain::search::Tuning;
use domain::{Currency, Language};
use jiff::Timestamp;
use text::field_weights::FieldWeights;

use crate::phrases::Phrases;
use crate::rule::{Effect, Rule, Synonyms};
use crate::summary::Summary;
use crate::window::Phase;

/// The rules of a shop. The time to apply them depends on the query and the rules that apply, not on the number of all rules.
#[derive(Debug)]
pub struct Rules {
    version: u32,
    pub(crate) phrases: Phrases<PhraseEntry>,
    pub(crate) synonyms: Vec<Synonyms>,
    pub(crate) rules: Vec<Rule>,
    /// The rules for every search.
    pub(crate) always: Vec<RuleId>,
    pub(crate) weights: FieldWeights,
    pub(crate) stop_words: usize,
}

/// The index of a rule in [`Rules::rules`], which are sorted by kind, then in the order of the file.
pub(crate) type RuleId = usize;

/// The rules and synonyms that a text of the file triggers in a query.
#[derive(Debug, Default)]
pub(crate) struct PhraseEntry {
    /// Indices into [`Rules::synonyms`], and into [`Synonyms::from`] there.
    pub(crate) synonyms: Vec<(usize, usize)>,
    /// The text as written in the file, if it is a stop word.
    pub(crate) stop_word: Option<String>,
    /// The rules for queries that equal this text.
    pub(crate) equals: Vec<RuleId>,
    /// The rules for queries that contain this text.
    pub(crate) contains: Vec<RuleId>,
}

impl Rules {
    /// Creates an empty set of rules.
    pub(crate) fn new(language: Language) -> Self {
        Self {
            version: 0,
            phrases: Phrases::new(language),
            synonyms: Vec::new(),
            rules: Vec::new(),
            always: Vec::new(),
            weights: FieldWeights::default(),
            stop_words: 0,
        }
    }

    /// Sets the version.
    pub(crate) fn with_version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Returns the version of the rules, which is equal for equal files; 0 without a file.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the weights of the parts of products. They take effect when a product is next indexed.
    pub fn weights(&self) -> FieldWeights {
        self.weights
    }

    /// Returns the tuning of a search for these words at the time `now`, with prices in `currency`.
    pub fn tuning(&self, words: &str, currency: Currency, now: Timestamp) -> Tuning {
        let mut tuning = Tuning::default();
        let mut rules = self.always.clone();
        self.phrases.for_each_in(words, |entry, is_whole| {
            tuning
                .synonyms
                .extend(entry.synonyms.iter().map(|(at, from)| self.synonyms[*at].synonym_of(*from)));
            tuning.stop_words.extend(entry.stop_word.clone());
            rules.extend(&entry.contains);
            if is_whole {
                rules.extend(&entry.equals);
            }
        });
        // Each rule once, in order.
        rules.sort_unstable();
        rules.dedup();
        for rule in rules.into_iter().map(|id| &self.rules[id]) {
            if rule.window.phase(now) == Phase::Active {
                rule.effect.add_to(&mut tuning, currency);
            }
        }
        tuning.pinned.retain(|product| !tuning.hidden.contains(product));
        tuning
    }

    /// Counts the rules of each kind, and those that are inactive at the time `now`.
    pub fn summary(&self, now: Timestamp) -> Summary {
        let count = |is: fn(&Effect) -> bool| self.rules.iter().filter(|rule| is(&rule.effect)).count();
        let in_phase = |phase| self.rules.iter().filter(|rule| rule.window.phase(now) == phase).count();
        Summary {
            synonyms: self.synonyms.len(),
            stop_words: self.stop_words,
            pins: count(|effect| matches!(effect, Effect::Pin(_))),
            hides: count(|effect| matches!(effect, Effect::Hide(_))),
            boosts: count(|effect| matches!(effect, Effect::Boost(_, by) if *by > 0.0)),
            buries: count(|effect| matches!(effect, Effect::Boost(_, by) if *by < 0.0)),
            has_weights: self.weights != FieldWeights::default(),
            upcoming: in_phase(Phase::Upcoming),
            expired: in_phase(Phase::Expired),
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
