//! What finding a word in a product is worth.
//!
//! All parts of a product are one text, in which an occurrence counts by the part it stands in and by how long that
//! part is: BM25F (Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009, section
//! 3.6), without the rarity of words, since each word of a query must be found anyway. The result is one small whole
//! number for each word of a product, its *level*. It is computed before anything is indexed, so every index ranks
//! alike, and a product's score does not change when others are written.

use std::collections::HashMap;
use std::ops::Range;

use domain::Content;

use crate::analysis::{Purpose, has_digit, joined, words};
use crate::forms::singular;
use crate::product::{PARTS, Part, each_text};

/// The highest level of a word.
pub const MAX_LEVEL: u8 = 31;

/// The sum of weights that is worth half of the most.
const HALF_WORTH: f32 = 10.0;
/// What the length of a very short part counts as: one word alone says no more than a few.
const LEAST_SHARE: f32 = 0.2;
/// The longest pair of neighbours that is kept, in bytes.
const MAX_PAIR_BYTES: usize = 40;

/// How much an occurrence in a part counts.
struct Weight {
    /// One occurrence in a part of usual length.
    weight: f32,
    /// How much the length counts: not at all with 0, with 1 in full.
    by_length: f32,
    /// The usual length, in words.
    usual_words: f32,
}

/// By the numbers of [`Part`].
const WEIGHTS: [Weight; PARTS] = [
    Weight { weight: 8.0, by_length: 0.5, usual_words: 8.0 },
    Weight { weight: 8.0, by_length: 0.0, usual_words: 1.0 },
    Weight { weight: 4.0, by_length: 0.0, usual_words: 1.0 },
    Weight { weight: 4.0, by_length: 0.3, usual_words: 6.0 },
    Weight { weight: 0.4, by_length: 1.0, usual_words: 80.0 },
    Weight { weight: 1.0, by_length: 0.3, usual_words: 60.0 },
];

/// The words of a product with their levels, from 1 to [`MAX_LEVEL`].
#[derive(Debug, Default)]
pub struct WeighedWords {
    /// Every word, and its singular where it has one.
    pub words: Vec<(String, u8)>,
    /// Neighbours written as one word: `head phones` is found as `headphones`, `256 GB` as `256gb`.
    pub pairs: Vec<(String, u8)>,
}

/// The words of a product with their levels, each once, in no order.
pub fn weighed_words(content: &Content) -> WeighedWords {
    let mut counts = Counts::default();
    each_text(content, |text, part| counts.add(text, part));
    if let Some(sku) = &content.sku {
        let joined = joined(sku);
        if !joined.is_empty() {
            count(&mut counts.words, &joined, Part::Code);
        }
    }
    counts.weighed()
}

/// How often a word stands in each part.
type InParts = [u16; PARTS];

#[derive(Default)]
struct Counts {
    words: HashMap<String, InParts>,
    pairs: HashMap<String, InParts>,
    lengths: [u32; PARTS],
}

impl Counts {
    fn add(&mut self, text: &str, part: Part) {
        words(text, Purpose::Document, |word, _| {
            self.lengths[part as usize] += 1;
            count(&mut self.words, word, part);
            if let Some(singular) = singular(word) {
                count(&mut self.words, &singular, part);
            }
        });
        if part == Part::Description {
            return;
        }
        each_pair(text, |pair, _, is_size| {
            if is_size || matches!(part, Part::Name | Part::Labels) {
                count(&mut self.pairs, pair, part);
                if let Some(singular) = singular(pair) {
                    count(&mut self.pairs, &singular, part);
                }
            }
        });
    }

    fn weighed(self) -> WeighedWords {
        let mut worth = [0.0; PARTS];
        for ((worth, length), weight) in worth.iter_mut().zip(self.lengths).zip(&WEIGHTS) {
            let Weight { weight, by_length, usual_words } = weight;
            let share = 1.0 - by_length + by_length * length as f32 / usual_words;
            *worth = weight / share.max(LEAST_SHARE);
        }
        let weighed = |counts: HashMap<String, InParts>| {
            counts.into_iter().map(|(word, counts)| (word, level(&counts, &worth))).collect()
        };
        WeighedWords { words: weighed(self.words), pairs: weighed(self.pairs) }
    }
}

fn count(counts: &mut HashMap<String, InParts>, word: &str, part: Part) {
    let parts = match counts.get_mut(word) {
        Some(parts) => parts,
        None => counts.entry(word.to_owned()).or_default(),
    };
    let count = &mut parts[part as usize];
    *count = count.saturating_add(1);
}

/// Worth grows ever more slowly with the sum, so that one more occurrence adds less than the first.
fn level(counts: &InParts, worth: &[f32; PARTS]) -> u8 {
    let sum: f32 = counts.iter().zip(worth).map(|(count, worth)| f32::from(*count) * worth).sum();
    let share = sum / (sum + HALF_WORTH);
    (share * f32::from(MAX_LEVEL)).round().clamp(1.0, f32::from(MAX_LEVEL)) as u8
}

/// Hands each two words that follow each other to `emit`: written as one, their place in the text, and whether they
/// are a number and its unit. Scripts without spaces have none.
pub fn each_pair(text: &str, mut emit: impl FnMut(&str, Range<usize>, bool)) {
    let mut pair = String::new();
    let (mut last_length, mut last_start) = (0, 0);
    words(text, Purpose::Query, |word, at| {
        if !word.is_ascii() {
            pair.clear();
            last_length = 0;
            return;
        }
        // `pair` ends with the word before this one.
        pair.drain(..pair.len() - last_length);
        let before = pair.len();
        pair.push_str(word);
        if before > 0 && pair.len() <= MAX_PAIR_BYTES {
            let is_size = has_digit(&pair[..before]) && !has_digit(word);
            emit(&pair, last_start..at.end, is_size);
        }
        (last_length, last_start) = (word.len(), at.start);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    fn weighed(json: &str) -> WeighedWords {
        weighed_words(&read_product(json.as_bytes(), Currency::USD).unwrap().content)
    }

    fn level_of(list: &[(String, u8)], word: &str) -> u8 {
        list.iter().find(|(known, _)| known == word).map_or(0, |(_, level)| *level)
    }

    #[test]
    fn the_name_counts_most_and_more_when_it_is_short() {
        let lamp = weighed(
            r#"{"name":"Lamp Hikari","brand":"Hikari","tags":["garden"],"attributes":{"material":"oak"},"description":"A light of paper."}"#,
        );
        let levels = ["hikari", "lamp", "garden", "oak", "paper"].map(|word| level_of(&lamp.words, word));
        assert!(levels.is_sorted_by(|a, b| a > b), "{levels:?}");
        let long = weighed(r#"{"name":"Lamp with a long name that says all there is to say about it"}"#);
        assert!(level_of(&long.words, "lamp") < level_of(&lamp.words, "lamp"));
        let twice = weighed(r#"{"name":"A","description":"paper and more paper"}"#);
        assert!(level_of(&twice.words, "paper") > level_of(&twice.words, "more"));
    }

    #[test]
    fn every_word_has_a_level_in_any_product() {
        for json in [r#"{"name":"a"}"#, r#"{"name":"-","sku":"B"}"#, r#"{"name":"-","attributes":{"k":"c"}}"#]
        {
            let product = weighed(json);
            let levels = product.words.iter().map(|(_, level)| *level);
            assert!(
                !product.words.is_empty() && levels.clone().all(|level| (1..=MAX_LEVEL).contains(&level)),
                "{json}"
            );
        }
    }

    #[test]
    fn plurals_and_neighbours_are_words_too() {
        let product = weighed(
            r#"{"name":"Head phones, 256 GB","attributes":{"weight":"30 g each"},"description":"for desk lamps"}"#,
        );
        assert!(level_of(&product.words, "phones") > 0 && level_of(&product.words, "phone") > 0);
        assert!(level_of(&product.words, "lamp") > 0);
        let mut pairs: Vec<&str> = product.pairs.iter().map(|(pair, _)| pair.as_str()).collect();
        pairs.sort_unstable();
        assert_eq!(pairs, ["256gb", "30g", "headphone", "headphones", "phones256"]);
    }

    #[test]
    fn scripts_without_spaces_have_no_pairs() {
        let mut pairs = Vec::new();
        each_pair("ノート pc 13 用 in", |pair, at, _| pairs.push((pair.to_owned(), at)));
        assert_eq!(pairs, [("pc13".to_owned(), 10..15)]);
    }
}
