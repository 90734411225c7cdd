//! The occurrences of words in the parts of one product.

use domain::{CategoryPath, Language};
use foldhash::HashMap;

use crate::closed_compounds::{ending_text, for_each_ending};
use crate::dictionary::Dictionary;
use crate::forms::other_form;
use crate::kinds::KindSource;
use crate::pairs::without_decimals;
use crate::product::{PART_COUNT, Part};

/// The sum of the [values](crate::compound::CompoundRole::value) of a word's occurrences, for each part.
pub(crate) type PartCounts = [u16; PART_COUNT];

/// The most words whose memory is kept.
const MAX_UNUSED: usize = 512;

/// The occurrences in one product, and what they say of its kind.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) words: WordCounts,
    pub(crate) stems: WordCounts,
    pub(crate) pairs: WordCounts,
    /// The words that name the kind of the product.
    pub(crate) kinds: HashMap<String, KindSource>,
    pub(crate) lengths: [u32; PART_COUNT],
    /// True if a text has a run of several bigrams.
    pub(crate) has_runs: bool,
}

/// The occurrences of words. Keeps the memory of words from one product to the next.
#[derive(Debug, Default)]
pub(crate) struct WordCounts {
    parts: HashMap<String, PartCounts>,
    unused: Vec<String>,
}

impl WordCounts {
    fn add(&mut self, word: &str, part: Part, value: u16) {
        let parts = match self.parts.get_mut(word) {
            Some(parts) => parts,
            None => {
                let mut own = self.unused.pop().unwrap_or_default();
                own.push_str(word);
                self.parts.entry(own).or_default()
            }
        };
        let count = &mut parts[part as usize];
        *count = count.saturating_add(value);
    }

    /// Calls `each` with each word, and forgets the words.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&str, &PartCounts)) {
        for (mut word, parts) in self.parts.drain() {
            each(&word, &parts);
            if self.unused.len() < MAX_UNUSED {
                word.clear();
                self.unused.push(word);
            }
        }
    }
}

impl Counts {
    /// Counts a word and its normal form.
    pub(crate) fn word(&mut self, word: &str, part: Part, value: u16, language: Language) {
        self.words.add(word, part, value);
        match other_form(word, language) {
            Some((Dictionary::Stems, stem)) => self.stems.add(&stem, part, value),
            Some((_, form)) if form != word => self.words.add(&form, part, value),
            _ => {}
        }
    }

    /// Raises each count and each length to that of `other`, if that is greater.
    pub(crate) fn raise_to(&mut self, other: Self) {
        self.combine(other, Ord::max, Ord::max);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.combine(other, u16::saturating_add, u32::saturating_add);
    }

    fn combine(&mut self, other: Self, counts: fn(u16, u16) -> u16, lengths: fn(u32, u32) -> u32) {
        let own = [&mut self.words, &mut self.stems, &mut self.pairs];
        for (own, other) in own.into_iter().zip([other.words, other.stems, other.pairs]) {
            for (word, parts) in other.parts {
                let own = own.parts.entry(word).or_default();
                own.iter_mut().zip(parts).for_each(|(own, count)| *own = counts(*own, count));
            }
        }
        self.lengths.iter_mut().zip(other.lengths).for_each(|(own, length)| *own = lengths(*own, length));
        self.has_runs |= other.has_runs;
        other.kinds.into_iter().for_each(|(word, source)| self.kind(&word, source));
    }

    /// Records a word that names the kind of the product. Of several sources, the most certain one counts.
    pub(crate) fn kind(&mut self, word: &str, source: KindSource) {
        match self.kinds.get_mut(word) {
            Some(known) => *known = source.max(*known),
            None => drop(self.kinds.insert(word.to_owned(), source)),
        }
    }

    /// Counts the endings of a compound that is written as one word.
    pub(crate) fn endings(&mut self, word: &str, part: Part, value: u16, language: Language) {
        for_each_ending(word, language, |ending| {
            self.pairs.add(&ending_text(ending, language), part, value);
        });
    }

    /// Counts a pair, its normal form and, for a version such as `usb3.0`, the pair without decimals.
    pub(crate) fn pair(&mut self, pair: &str, part: Part, value: u16, language: Language) {
        self.pairs.add(pair, part, value);
        if let Some((_, form)) = other_form(pair, language)
            && form != pair
        {
            self.pairs.add(&form, part, value);
        }
        if let Some(base) = without_decimals(pair) {
            self.pairs.add(base, part, value);
        }
    }
}

/// Counts the words of the categories, each as often as in the category that has it most often, see
/// [`crate::weights::Weigher::weigh`]. `count_level` counts the words of one level;
/// its flag is true for the narrowest.
pub(crate) fn count_categories(
    categories: &[CategoryPath],
    counts: &mut Counts,
    mut count_level: impl FnMut(&str, bool, &mut Counts),
) {
    let mut count = |category: &CategoryPath, counts: &mut Counts| {
        let levels = category.levels();
        for (at, level) in levels.iter().enumerate() {
            count_level(level, at + 1 == levels.len(), counts);
        }
    };
    if let [only] = categories {
        return count(only, counts);
    }
    let mut most = Counts::default();
    for category in categories {
        let mut own = Counts::default();
        count(category, &mut own);
        most.raise_to(own);
    }
    counts.add(most);
}
