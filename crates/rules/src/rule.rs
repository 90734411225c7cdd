//! The rules and synonyms of a rules file.

use domain::search::{Boost, Synonym, Tuning};
use domain::{Currency, ProductId};
use toml::Spanned;

use crate::filters::BoostFilters;
use crate::phrases::Phrase;
use crate::window::Window;

/// Texts that have synonyms.
#[derive(Debug)]
pub(crate) struct Synonyms {
    /// The texts in a query.
    pub(crate) from: Vec<Phrase>,
    /// Their synonyms in a product.
    pub(crate) to: Vec<Phrase>,
}

/// A rule of the shop.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) window: Window,
    pub(crate) effect: Effect,
}

/// The effect of a rule on a search.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Pins products before all others.
    Pin(Vec<ProductId>),
    /// Hides products.
    Hide(Vec<ProductId>),
    /// Moves products by a score, down if it is negative.
    Boost(BoostFilters, f32),
}

/// The searches to which a rule applies.
#[derive(Debug)]
pub(crate) enum Trigger {
    /// All searches.
    EverySearch,
    /// Searches that equal one of these texts or, if not `is_whole`, contain one.
    Queries { is_whole: bool, queries: Vec<Spanned<Phrase>> },
}

impl Synonyms {
    /// Returns the synonyms of one of the texts.
    pub(crate) fn synonym_of(&self, from: usize) -> Synonym {
        let from = &self.from[from];
        let to = self.to.iter().filter(|to| !to.equals(from)).map(|to| to.typed.clone());
        Synonym { from: from.typed.clone(), to: to.collect() }
    }
}

impl Effect {
    /// Returns its share of the limits per query.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Pin(products) | Self::Hide(products) => products.len(),
            Self::Boost(..) => 1,
        }
    }

    /// Adds the effect to the tuning of a search with prices in `currency`.
    pub(crate) fn add_to(&self, tuning: &mut Tuning, currency: Currency) {
        let add = |list: &mut Vec<ProductId>, products: &[ProductId]| {
            for product in products {
                if !list.contains(product) {
                    list.push(product.clone());
                }
            }
        };
        match self {
            Self::Pin(products) => add(&mut tuning.pinned, products),
            Self::Hide(products) => add(&mut tuning.hidden, products),
            // A price filter in another currency does not apply.
            Self::Boost(boosted, _) if boosted.currency.is_some_and(|theirs| theirs != currency) => {}
            Self::Boost(boosted, by) => {
                tuning.boosts.push(Boost { filters: boosted.filters.clone(), by: *by })
            }
        }
    }
}
