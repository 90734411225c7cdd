//! The index terms of one product in memory, to match a query against it without an index.

use domain::Content;
use foldhash::HashMap;

use crate::product::for_each_cjk_run;
use crate::query::{Alternative, Term};
use crate::weights::Weigher;

/// The terms of a product.
pub(crate) struct Terms {
    weights: HashMap<Term, u8>,
    /// The runs of scripts without spaces, each preceded by a line break.
    cjk_runs: String,
}

impl Terms {
    pub(crate) fn new(content: &Content, weigher: &mut Weigher) -> Self {
        let mut weights = HashMap::default();
        weigher.weigh(content, |dictionary, text, weight| {
            weights.insert(Term { dictionary, text: text.to_owned() }, weight);
        });
        let mut cjk_runs = String::new();
        for_each_cjk_run(content, |run| {
            cjk_runs.push('\n');
            cjk_runs.push_str(run);
        });
        Self { weights, cjk_runs }
    }

    /// Returns the weight of the match; `None` if the product lacks a term of the alternative.
    pub(crate) fn weight(&self, alternative: &Alternative) -> Option<u8> {
        let has_all = alternative.terms.iter().all(|term| self.weights.contains_key(term));
        let is_match = has_all && (!alternative.is_phrase || self.cjk_runs.contains(&run_of(alternative)));
        alternative.terms.first().filter(|_| is_match).and_then(|term| self.weights.get(term)).copied()
    }

    /// Returns the weight of a term.
    pub(crate) fn weight_of(&self, term: &Term) -> Option<u8> {
        self.weights.get(term).copied()
    }

    /// Iterates over all terms and their weights, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Term, u8)> {
        self.weights.iter().map(|(term, weight)| (term, *weight))
    }
}

/// Joins overlapping bigrams to the run that they were made of.
fn run_of(alternative: &Alternative) -> String {
    let mut run = String::new();
    for (at, bigram) in alternative.terms.iter().enumerate() {
        run.extend(bigram.text.chars().skip(usize::from(at > 0)));
    }
    run
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
