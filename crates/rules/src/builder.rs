//! Adds the contents of a file to the rules, within the limits.

use std::mem::discriminant;
use std::ops::Range;

use domain::fault::excerpt;
use text::field_weights::FieldWeights;

use crate::fault::FaultLog;
use crate::phrases::Phrase;
use crate::rule::{Effect, Rule, Synonyms, Trigger};
use crate::rules::{RuleId, Rules};

/// The most synonyms of one text.
pub(crate) const MAX_SYNONYMS_OF_A_TEXT: usize = 50;
/// The most products that the rules for one text of the file pin together, and the most that they hide.
const MAX_PRODUCTS_OF_A_QUERY: usize = 100;
/// The most boosts for one text of the file, and the most for every search.
const MAX_BOOSTS_OF_A_QUERY: usize = 20;

impl Rules {
    /// Adds synonyms. `spans` are those of the texts in [`Synonyms::from`].
    pub(crate) fn add_synonyms(&mut self, synonyms: Synonyms, spans: &[Range<usize>], faults: &mut FaultLog) {
        for (at, (from, span)) in synonyms.from.iter().zip(spans).enumerate() {
            let known = &mut self.phrases.entry(from).synonyms;
            let earlier = known.iter().filter_map(|(at, _)| self.synonyms.get(*at));
            let total = earlier.chain([&synonyms]).map(|synonyms| synonyms.to.len()).sum::<usize>();
            if total <= MAX_SYNONYMS_OF_A_TEXT {
                known.push((self.synonyms.len(), at));
            } else {
                let from = excerpt(&from.typed);
                let message = format!(
                    "`{from}` has {total} synonyms here and above; write at most {MAX_SYNONYMS_OF_A_TEXT}"
                );
                faults.add(span, message);
            }
        }
        self.synonyms.push(synonyms);
    }

    /// Adds a stop word.
    pub(crate) fn add_stop_word(&mut self, word: &Phrase) {
        if self.phrases.entry(word).stop_word.replace(word.typed.clone()).is_none() {
            self.stop_words += 1;
        }
    }

    /// Sets the weights of the parts of products.
    pub(crate) fn set_weights(&mut self, weights: FieldWeights) {
        self.weights = weights;
    }

    /// Adds a rule. `header` is the span of its header.
    pub(crate) fn add_rule(
        &mut self,
        rule: Rule,
        trigger: Trigger,
        header: &Range<usize>,
        faults: &mut FaultLog,
    ) {
        let id = self.rules.len();
        match trigger {
            Trigger::EverySearch => match self.check_room(&self.always, &rule.effect) {
                Ok(()) => self.always.push(id),
                Err(fault) => faults.add(header, format!("{fault} for every search")),
            },
            Trigger::Queries { is_whole, queries } => {
                for query in queries {
                    let entry = self.phrases.entry(query.get_ref());
                    let known = [&entry.equals[..], &entry.contains].concat();
                    match self.check_room(&known, &rule.effect) {
                        Ok(()) => {
                            let entry = self.phrases.entry(query.get_ref());
                            if is_whole { &mut entry.equals } else { &mut entry.contains }.push(id);
                        }
                        Err(fault) => {
                            let query_text = excerpt(&query.get_ref().typed);
                            faults.add(&query.span(), format!("{fault} for `{query_text}`"));
                        }
                    }
                }
            }
        }
        self.rules.push(rule);
    }

    /// Checks that a rule with this effect fits the limits along with the `known` rules for the same text, or for every search.
    /// The error does not name the text.
    fn check_room(&self, known: &[RuleId], effect: &Effect) -> Result<(), String> {
        let kind = discriminant(effect);
        let same =
            known.iter().map(|id| &self.rules[*id].effect).filter(|known| discriminant(*known) == kind);
        let total = same.map(Effect::size).sum::<usize>() + effect.size();
        let (most, what) = match effect {
            Effect::Pin(_) => (MAX_PRODUCTS_OF_A_QUERY, "pinned products"),
            Effect::Hide(_) => (MAX_PRODUCTS_OF_A_QUERY, "hidden products"),
            Effect::Boost(..) => (MAX_BOOSTS_OF_A_QUERY, "boosts and buries"),
        };
        match total <= most {
            true => Ok(()),
            false => Err(format!("with this rule there are {total} {what}; at most {most} are allowed")),
        }
    }
}
