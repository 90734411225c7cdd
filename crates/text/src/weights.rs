//! The weight of each word of a product.
//!
//! All parts of a product count as one text, in which an occurrence counts by its part and by the length of that part: BM25F
//! (Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009, section 3.6), without inverse
//! document frequency, because every word of a query must match anyway. The result is one small integer for each word of a
//! product, its *weight*. It is computed before indexing, so every index ranks alike, and a product's score does not change
//! when other products are written.

use std::ops::Range;

use domain::{Content, Language};

use crate::analysis::{Purpose, Token, has_digit, joined, query_words, tokens};
use crate::cjk::{CjkRun, is_cjk};
use crate::closed_compounds::for_each_ending;
use crate::compound::{CompoundReader, CompoundRole, Relation, ThingFirstReader};
use crate::dictionary::Dictionary;
use crate::field_weights::FieldWeights;
use crate::kinds::{KindSource, brand_term, is_thing_first, may_name, names_several_things};
use crate::markup::plain_text;
use crate::occurrences::{Counts, PartCounts, count_categories};
use crate::pairs::Pairs;
use crate::product::{PART_COUNT, Part, for_each_describing_text, for_each_naming_text};
use crate::signs::{conjunction, is_digits};
use crate::typed_form::NameForms;
use crate::units::{is_other_plural, is_unit};

/// The highest weight of a word; the lowest is 1.
pub const MAX_WEIGHT: u8 = 31;

/// The sum of occurrences at which a word gets half of the highest weight.
const HALF_SATURATION: f32 = 10.0;
/// The lower bound of the length normalisation: a part of one word counts no more than a part of a few.
const LEAST_SHARE: f32 = 0.3;
/// The number of words at the start of a text whose pairs are indexed: the first words say what a text is about.
const PAIRED_WORDS: usize = 10;

/// The divisor of the value of the letters before the number of a sku.
const SKU_PREFIX_SHARE: u16 = 10;
/// The most digits of a part of a number or code. A longer one is an article number without its hyphens.
const MAX_PART: usize = 8;

/// The BM25F parameters of a part.
struct PartWeight {
    /// The value of one occurrence in a part of usual length.
    weight: f32,
    /// The strength of length normalisation, from 0 (none) to 1 (full).
    by_length: f32,
    /// The usual length of the part, in words.
    usual_words: f32,
}

/// The parameters indexed by [`Part`]. A shop's [`FieldWeights`] multiply the weights.
const PART_WEIGHTS: [PartWeight; PART_COUNT] = [
    // Name
    PartWeight { weight: 8.0, by_length: 0.5, usual_words: 8.0 },
    // Sku
    PartWeight { weight: 8.0, by_length: 0.0, usual_words: 1.0 },
    // Brand
    PartWeight { weight: 4.0, by_length: 0.0, usual_words: 1.0 },
    // Labels
    PartWeight { weight: 4.0, by_length: 0.3, usual_words: 6.0 },
    // Attributes
    PartWeight { weight: 0.4, by_length: 1.0, usual_words: 80.0 },
    // Description: a short one is a second name.
    PartWeight { weight: 4.0, by_length: 1.0, usual_words: 15.0 },
];

/// Computes the weights of the words of products. Reuses its memory from one product to the next.
#[derive(Debug)]
pub struct Weigher {
    language: Language,
    weights: FieldWeights,
    counts: Counts,
    /// The words of the product's brand.
    brand: Vec<String>,
    pending: Pending,
    forms: NameForms,
}

impl Weigher {
    /// Creates a weigher for texts in a language, with the built-in weights.
    pub fn new(language: Language) -> Self {
        let weights = FieldWeights::default();
        let (counts, pending, forms) = (Counts::default(), Pending::default(), NameForms::default());
        Self { language, weights, counts, brand: Vec::new(), pending, forms }
    }

    /// Multiplies the built-in weights by those of a shop.
    pub fn with_weights(self, weights: FieldWeights) -> Self {
        Self { weights, ..self }
    }

    /// Calls `emit` with every word of the product, its [normal form](normal_form), and pairs of adjacent words written as one, so
    /// that `head phones` matches `headphones` and `256 GB` matches `256gb`. Among the pairs are endings of compounds, the
    /// [kinds](crate::kinds) and brand of the product, and the [markers](crate::typed_form) of its name. Each comes once, with its
    /// weight from 1 to [`MAX_WEIGHT`], in no particular order.
    ///
    /// Pairs are taken from the first words of a text only; a number and its unit also from later words, except in
    /// descriptions.
    ///
    /// Several categories are alternatives: a product in `Home > Lamps` and `Office > Lamps` is as much a lamp as one in
    /// `Home > Lamps` alone. A word therefore counts as often as in the category that has it most often, and the categories
    /// count as long as the longest of them. If they were one text, a second category would double the words that it shares with
    /// the first, and lower all others, those of tags included.
    ///
    /// Returns true if the product has [runs of several bigrams](crate::product::for_each_cjk_run).
    pub fn weigh(&mut self, content: &Content, mut emit: impl FnMut(Dictionary, &str, u8)) -> bool {
        let Self { language, weights, counts, brand, pending, forms } = self;
        let language = *language;
        brand.clear();
        if let Some(name) = &content.brand {
            brand.extend(query_words(&plain_text(name)).into_iter().map(|(word, _)| word));
        }
        let mut weigh_text = |text: &str, part: Part, kind: Option<KindSource>, counts: &mut Counts| {
            let weigher = TextWeigher::new(text, part, language, brand, counts, pending, forms);
            TextWeigher { kind, ..weigher }.weigh();
        };
        for_each_naming_text(content, |text, part| {
            weigh_text(text, part, (part == Part::Name).then_some(KindSource::Name), counts)
        });
        for_each_describing_text(content, |text, part, is_kind| {
            // Of a path such as `Home > Lamps`, only the narrowest level names the product.
            let narrowest = match text.rsplit_once('>').filter(|_| is_kind) {
                None => text,
                Some((broader, narrowest)) => {
                    weigh_text(broader, part, None, counts);
                    narrowest
                }
            };
            weigh_text(narrowest, part, is_kind.then_some(KindSource::Attribute), counts);
        });
        count_categories(&content.categories, counts, |level, is_narrowest, counts| {
            let level = plain_text(level);
            let is_kind = is_narrowest && !names_several_things(&level, language);
            let source = if is_kind { KindSource::Label } else { KindSource::Group };
            weigh_text(&level, Part::Labels, Some(source), counts)
        });
        if let Some(sku) = &content.sku {
            let joined = joined(sku);
            if !joined.is_empty() {
                counts.word(&joined, Part::Sku, CompoundRole::HEAD_VALUE, language);
            }
        }
        let values = part_values(&counts.lengths, weights);
        counts.lengths = [0; PART_COUNT];
        counts.words.drain(|word, own| emit(dictionary_of(word, own), word, weight(own, &values)));
        counts.stems.drain(|stem, own| emit(Dictionary::Stems, stem, weight(own, &values)));
        counts.pairs.drain(|pair, own| emit(Dictionary::Pairs, pair, weight(own, &values)));
        let kinds = counts.kinds.drain().map(|(word, source)| (source.term(&word, language), source as u8));
        let brands = brand.iter().map(|word| (brand_term(word, language), 1));
        let mut roles: Vec<_> = kinds.chain(brands).collect();
        roles.sort_unstable_by(|(a, a_weight), (b, b_weight)| (&a.text, b_weight).cmp(&(&b.text, a_weight)));
        roles.dedup_by(|(next, _), (first, _)| next.text == first.text);
        roles.iter().for_each(|(term, weight)| emit(term.dictionary, &term.text, *weight));
        forms.drain(|marker| emit(Dictionary::Pairs, marker, 1));
        std::mem::take(&mut counts.has_runs)
    }
}

/// Returns the value of one occurrence in each part, given the lengths of the parts in words.
fn part_values(lengths: &[u32; PART_COUNT], weights: &FieldWeights) -> [f32; PART_COUNT] {
    let mut values = *weights.by_part();
    for ((value, length), own) in values.iter_mut().zip(lengths).zip(&PART_WEIGHTS) {
        let PartWeight { weight, by_length, usual_words } = own;
        let share = 1.0 - by_length + by_length * *length as f32 / usual_words;
        *value *= weight / share.max(LEAST_SHARE) / f32::from(CompoundRole::HEAD_VALUE);
    }
    values
}

/// The last word read. Its role is known only when the next one is.
#[derive(Debug, Default)]
struct Pending {
    word: String,
    /// The pair with the word before, if it is to be indexed.
    pair: String,
    /// The triple with the two words before, if it is to be indexed.
    triple: String,
    is_linked: bool,
    /// The word says how many of a thing there are.
    counts: bool,
    /// The word describes a thing before it, in a language that puts the thing first.
    is_after_thing: bool,
    /// The word before does.
    follows_modifier: bool,
}

/// Counts the words of one text.
struct TextWeigher<'a> {
    text: &'a str,
    part: Part,
    /// Set if the text names the kind of the product.
    kind: Option<KindSource>,
    language: Language,
    brand: &'a [String],
    counts: &'a mut Counts,
    pending: &'a mut Pending,
    forms: &'a mut NameForms,
    roles: CompoundReader,
    pairs: Pairs,
    /// True if the text is a sku with a digit.
    is_numbered_sku: bool,
    /// The number of words and runs so far.
    position: usize,
    /// True once a word has named the kind, in a language that puts the thing first.
    has_thing: bool,
    after_thing: ThingFirstReader,
}

impl<'a> TextWeigher<'a> {
    fn new(
        text: &'a str,
        part: Part,
        language: Language,
        brand: &'a [String],
        counts: &'a mut Counts,
        pending: &'a mut Pending,
        forms: &'a mut NameForms,
    ) -> Self {
        let (roles, pairs) = (CompoundReader::new(language), Pairs::new(language));
        let (kind, has_thing) = (None, false);
        let is_numbered_sku = part == Part::Sku && has_digit(text);
        Self {
            text,
            part,
            kind,
            language,
            brand,
            counts,
            pending,
            forms,
            roles,
            pairs,
            is_numbered_sku,
            position: 0,
            has_thing,
            after_thing: ThingFirstReader::default(),
        }
    }

    fn weigh(mut self) {
        let mut last_end = 0;
        tokens(self.text, Purpose::Document, |token| {
            let is_other_form = matches!(&token, Token::Word(_, span) if span.start < last_end);
            // A part of a number, or a unit in another notation, does not make the text longer.
            let is_part = is_other_form && matches!(&token, Token::Word(word, _) if is_digits(word));
            let is_unit = is_other_form && matches!(&token, Token::Word(word, _) if is_unit(word));
            if !is_part && !is_unit {
                self.counts.lengths[self.part as usize] += length(&token);
            }
            match token {
                // After a number, the last word is no form of another one: `20 pcs` has no PC.
                Token::Word(word, _) if is_unit && is_other_plural(&self.pending.word) => {
                    self.pending.word.clear();
                    self.pending.word.push_str(word);
                }
                // A model number without its hyphens, or a part of a number.
                Token::Word(word, _) if is_other_form => {
                    let value = match is_part && word.len() <= MAX_PART {
                        // A part of a number such as `5.5` is another number.
                        true => CompoundRole::HEAD_VALUE / 4,
                        false => self.role(false, self.roles.is_linked()).value(),
                    };
                    self.counts.word(word, self.part, value, self.language);
                }
                Token::Word(word, span) => {
                    last_end = span.end;
                    if self.part == Part::Name {
                        self.forms.add(word, self.text, span.clone(), self.language);
                    }
                    self.word(word, span);
                }
                Token::Cjk(run) => {
                    last_end = run.span().end;
                    self.run(run);
                }
                Token::Sign(sign, _) => self.sign(sign),
            }
        });
        self.flush(false, true);
    }

    fn word(&mut self, word: &str, span: Range<usize>) {
        let relation = match self.part {
            // All words of attributes count alike, see `role`.
            Part::Attributes => Relation::default(),
            _ => self.roles.next(self.text, word, &span, self.is_brand(word)),
        };
        let Relation { is_modified, is_linked, continues_name, counts, .. } = relation;
        self.pending.is_linked |= relation.links_before;
        self.flush(is_modified, !continues_name || counts || self.is_brand(word));
        let is_kept = self.keeps_pair();
        self.pending.word.push_str(word);
        (self.pending.is_linked, self.pending.counts) = (is_linked, counts);
        if is_thing_first(self.language) {
            let may_name = !counts && may_name(word, self.language) && !self.is_brand(word);
            self.pending.follows_modifier = self.pending.is_after_thing;
            self.pending.is_after_thing = self.after_thing.next(&relation, may_name);
        }
        if let Some(pair) = self.pairs.next(&Token::Word(word, span))
            && is_kept(pair.is_size)
        {
            self.pending.pair.push_str(pair.text);
            self.pending.triple.push_str(pair.triple.map_or("", |(triple, _)| triple));
        }
        self.position += 1;
    }

    fn run(&mut self, run: &CjkRun) {
        self.flush(false, false);
        self.roles.interrupt();
        self.counts.has_runs |= run.has_bigrams();
        let role = self.role(false, self.roles.is_linked());
        let is_kept = self.keeps_pair();
        if let Some(pair) = self.pairs.next(&Token::Cjk(run))
            && is_kept(pair.is_size)
        {
            self.counts.pair(pair.text, self.part, role.pair_value(), self.language);
        }
        let Self { part, language, counts, .. } = self;
        run.for_each_word(|word, _| counts.word(word, *part, role.value(), *language));
        self.position += 1;
    }

    /// Counts a sign, and the word that it stands for. Neither makes the text longer.
    fn sign(&mut self, sign: &str) {
        let role = self.role(false, self.roles.is_linked());
        let word = matches!(sign, "&" | "+").then(|| conjunction(self.language));
        for word in word.into_iter().chain([sign]) {
            self.counts.word(word, self.part, role.value(), self.language);
        }
    }

    /// Returns the role of a word in this text. The value of an attribute does not name the product, so all its words count
    /// alike.
    fn role(&self, is_modifier: bool, is_linked: bool) -> CompoundRole {
        match self.part {
            Part::Attributes => CompoundRole::default(),
            _ => CompoundRole { is_modifier, is_linked },
        }
    }

    /// Returns the predicate that decides, by `is_size`, whether a pair at this position is indexed.
    fn keeps_pair(&self) -> impl Fn(bool) -> bool + use<> {
        let is_early = self.position < PAIRED_WORDS && self.part != Part::Attributes;
        let is_size_kept = self.part != Part::Description;
        move |is_size| is_early || (is_size && is_size_kept)
    }

    /// Returns true if the pending word is the letters before the number of a sku: `PAN` in `PAN-0026` does not make the product a pan.
    fn is_prefix_of_sku(&self) -> bool {
        self.is_numbered_sku && !has_digit(&self.pending.word)
    }

    fn is_brand(&self, word: &str) -> bool {
        self.brand.iter().any(|own| own == word)
    }

    /// Counts the pending word as the kind of the product, if it may name one and ends a compound.
    fn count_kind(&mut self, is_end: bool) {
        let Some(source) = self.kind else { return };
        let word = &self.pending.word;
        let is_place = if is_thing_first(self.language) { !self.has_thing } else { is_end };
        let is_aside = self.pending.is_linked || self.pending.counts;
        if is_place && !is_aside && may_name(word, self.language) && !self.is_brand(word) {
            self.has_thing = true;
            self.counts.kind(word, source);
            for_each_ending(word, self.language, |ending| self.counts.kind(ending, source));
        }
    }

    /// Counts the pending word, now that it is known whether it modifies the next one, and whether the name of the thing may end
    /// with it.
    fn flush(&mut self, is_modified: bool, is_end: bool) {
        if self.pending.word.is_empty() {
            return;
        }
        self.count_kind(is_end);
        // A brand may precede any word and is not part of a compound.
        let (is_modifier, is_pair_modifier) = match is_thing_first(self.language) {
            true => (self.pending.is_after_thing, self.pending.follows_modifier),
            false => {
                let is_modifier = is_modified && !self.is_brand(&self.pending.word);
                (is_modifier, is_modifier)
            }
        };
        let role = self.role(is_modifier, self.pending.is_linked);
        let pair_value = self.role(is_pair_modifier, self.pending.is_linked).pair_value();
        let value = if self.is_prefix_of_sku() { role.value() / SKU_PREFIX_SHARE } else { role.value() };
        let Self { part, language, counts, pending, .. } = self;
        counts.word(&pending.word, *part, value, *language);
        if matches!(part, Part::Name | Part::Labels) {
            counts.endings(&pending.word, *part, role.value(), *language);
        }
        if !pending.pair.is_empty() {
            counts.pair(&pending.pair, *part, pair_value, *language);
        }
        if !pending.triple.is_empty() {
            counts.pair(&pending.triple, *part, pair_value, *language);
        }
        pending.triple.clear();
        pending.word.clear();
        pending.pair.clear();
    }
}

/// Returns the length of a token in words. Two characters of a script without spaces are about one word.
fn length(token: &Token<'_>) -> u32 {
    match token {
        Token::Word(..) => 1,
        Token::Sign(..) => 0,
        Token::Cjk(run) => (run.text().chars().count() as u32).div_ceil(2),
    }
}

/// Returns the dictionary of a word. A word that only a sku has is a code, so that no other word is corrected to it.
fn dictionary_of(word: &str, counts: &PartCounts) -> Dictionary {
    let is_only_in_sku =
        counts.iter().enumerate().all(|(part, count)| *count == 0 || part == Part::Sku as usize);
    if is_only_in_sku && !is_cjk(word) { Dictionary::Codes } else { Dictionary::of_word(word) }
}

/// Returns the weight of a word. It saturates: each further occurrence adds less than the one before.
fn weight(counts: &PartCounts, values: &[f32; PART_COUNT]) -> u8 {
    let sum: f32 = counts.iter().zip(values).map(|(count, value)| f32::from(*count) * value).sum();
    let share = sum / (sum + HALF_SATURATION);
    (share * f32::from(MAX_WEIGHT)).round().clamp(1.0, f32::from(MAX_WEIGHT)) as u8
}

#[cfg(test)]
#[path = "weights_tests.rs"]
mod tests;
