//! What finding a word in a product is worth.
//!
//! All parts of a product are one text, in which an occurrence counts by the part it stands in and by how long that
//! part is: BM25F (Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009, section
//! 3.6), without the rarity of words, since each word of a query must be found anyway. The result is one small whole
//! number for each word of a product, its *level*. It is computed before anything is indexed, so every index ranks
//! alike, and a product's score does not change when others are written.

use std::ops::Range;

use domain::{Content, Language};
use foldhash::HashMap;

use crate::analysis::{Purpose, Token, joined, query_words, tokens};
use crate::cjk::CjkRun;
use crate::compound::{Role, RoleReader};
use crate::dictionary::Dictionary;
use crate::field_weights::FieldWeights;
use crate::forms::normal_form;
use crate::product::{PART_COUNT, Part, for_each_text};

/// The highest level of a word.
pub const MAX_WEIGHT: u8 = 31;

/// The sum of weights that is worth half of the most.
const HALF_WORTH: f32 = 10.0;
/// What the length of a very short part counts as: one word alone says no more than a few.
const LEAST_SHARE: f32 = 0.3;
/// A text says what it is about with its first words; neighbours among them are kept.
const PAIRED_WORDS: usize = 10;
/// The longest pair of neighbours that is kept, in bytes.
const MAX_PAIR_BYTES: usize = 40;
/// The longest number that has neighbours, in digits.
const MAX_NUMBER_BYTES: usize = 4;

/// How much an occurrence in a part counts.
struct Weight {
    /// One occurrence in a part of usual length.
    weight: f32,
    /// How much the length counts: not at all with 0, with 1 in full.
    by_length: f32,
    /// The usual length, in words.
    usual_words: f32,
}

/// By the numbers of [`Part`]; what a shop decided is multiplied with them.
const WEIGHTS: [Weight; PART_COUNT] = [
    // Name
    Weight { weight: 8.0, by_length: 0.5, usual_words: 8.0 },
    // Sku
    Weight { weight: 8.0, by_length: 0.0, usual_words: 1.0 },
    // Brand
    Weight { weight: 4.0, by_length: 0.0, usual_words: 1.0 },
    // Labels
    Weight { weight: 4.0, by_length: 0.3, usual_words: 6.0 },
    // Attributes
    Weight { weight: 0.4, by_length: 1.0, usual_words: 80.0 },
    // Description: a short one is a second name.
    Weight { weight: 4.0, by_length: 1.0, usual_words: 15.0 },
];

/// Weighs the words of products. It keeps its memory from one product to the next.
#[derive(Debug)]
pub struct Weigher {
    language: Language,
    weights: FieldWeights,
    counts: Counts,
    /// The words of the product's brand.
    brand: Vec<String>,
    pending: Pending,
}

/// How often words stand in each part, in the unit of [`Role`].
type InParts = [u16; PART_COUNT];

#[derive(Debug, Default)]
struct Counts {
    words: HashMap<String, InParts>,
    stems: HashMap<String, InParts>,
    pairs: HashMap<String, InParts>,
    lengths: [u32; PART_COUNT],
}

impl Counts {
    /// Counts a word and its base.
    fn word(&mut self, word: &str, part: Part, worth: u16, language: Language) {
        count(&mut self.words, word, part, worth);
        match normal_form(word, language) {
            (Dictionary::Stems, stem) => count(&mut self.stems, &stem, part, worth),
            (_, base) if base != word => count(&mut self.words, &base, part, worth),
            _ => {}
        }
    }

    /// Counts neighbours written as one, and their base.
    fn pair(&mut self, pair: &str, part: Part, worth: u16, language: Language) {
        count(&mut self.pairs, pair, part, worth);
        let (_, base) = normal_form(pair, language);
        if base != pair {
            count(&mut self.pairs, &base, part, worth);
        }
    }
}

impl Weigher {
    /// Weighs words in texts of a language, each part of a product by its own weight.
    pub fn new(language: Language) -> Self {
        let weights = FieldWeights::default();
        Self { language, weights, counts: Counts::default(), brand: Vec::new(), pending: Pending::default() }
    }

    /// The same, with the weights of parts multiplied by what a shop decided.
    pub fn with_weights(self, weights: FieldWeights) -> Self {
        Self { weights, ..self }
    }

    /// Hands every word of the product and its [base](crate::forms::normal_form) to `emit`, and neighbours written as one
    /// word, so that `head phones` is found as `headphones` and `256 GB` as `256gb`; each once, in no order, with its
    /// level, from 1 to [`MAX_LEVEL`].
    ///
    /// Neighbours are kept where a text begins; a number and its unit also further on, but not in long descriptions.
    pub fn weigh(&mut self, content: &Content, mut emit: impl FnMut(Dictionary, &str, u8)) {
        let Self { language, weights, counts, brand, pending } = self;
        let language = *language;
        brand.clear();
        if let Some(name) = &content.brand {
            brand.extend(query_words(name).into_iter().map(|(word, _)| word));
        }
        for_each_text(content, |text, part| {
            TextWeigher::new(text, part, language, brand, counts, pending).weigh()
        });
        if let Some(sku) = &content.sku {
            let joined = joined(sku);
            if !joined.is_empty() {
                counts.word(&joined, Part::Sku, Role::WHOLE, language);
            }
        }
        let worth = worth_of_parts(&counts.lengths, weights);
        counts.lengths = [0; PART_COUNT];
        counts
            .words
            .drain()
            .for_each(|(word, own)| emit(Dictionary::of_word(&word), &word, weight(&own, &worth)));
        counts.stems.drain().for_each(|(stem, own)| emit(Dictionary::Stems, &stem, weight(&own, &worth)));
        counts.pairs.drain().for_each(|(pair, own)| emit(Dictionary::Pairs, &pair, weight(&own, &worth)));
    }
}

/// What one occurrence in each part is worth, in parts of so many words.
fn worth_of_parts(lengths: &[u32; PART_COUNT], weights: &FieldWeights) -> [f32; PART_COUNT] {
    let mut worth = *weights.by_part();
    for ((worth, length), own) in worth.iter_mut().zip(lengths).zip(&WEIGHTS) {
        let Weight { weight, by_length, usual_words } = own;
        let share = 1.0 - by_length + by_length * *length as f32 / usual_words;
        *worth *= weight / share.max(LEAST_SHARE) / f32::from(Role::WHOLE);
    }
    worth
}

/// A word that was read. What it is worth shows when the next one is known.
#[derive(Debug, Default)]
struct Pending {
    word: String,
    /// What it is together with the one before, when that is to be kept.
    pair: String,
    is_linked: bool,
}

/// Counts the words of one text.
struct TextWeigher<'a> {
    text: &'a str,
    part: Part,
    language: Language,
    brand: &'a [String],
    counts: &'a mut Counts,
    pending: &'a mut Pending,
    roles: RoleReader,
    neighbours: Pairs,
    /// Words and runs so far.
    place: usize,
}

impl<'a> TextWeigher<'a> {
    fn new(
        text: &'a str,
        part: Part,
        language: Language,
        brand: &'a [String],
        counts: &'a mut Counts,
        pending: &'a mut Pending,
    ) -> Self {
        let (roles, neighbours) = (RoleReader::default(), Pairs::default());
        Self { text, part, language, brand, counts, pending, roles, neighbours, place: 0 }
    }

    fn weigh(mut self) {
        let mut last_end = 0;
        tokens(self.text, Purpose::Document, |token| {
            self.counts.lengths[self.part as usize] += length(&token);
            match token {
                // Made of words that came already.
                Token::Word(word, at) if at.start < last_end => {
                    let role = self.role(false, self.roles.is_linked());
                    self.counts.word(word, self.part, role.worth(), self.language);
                }
                Token::Word(word, at) => {
                    last_end = at.end;
                    self.word(word, at);
                }
                Token::Cjk(run) => {
                    last_end = run.span().end;
                    self.run(run);
                }
            }
        });
        self.flush(false);
    }

    fn word(&mut self, word: &str, at: Range<usize>) {
        let (is_described, is_linked) = self.roles.next(self.text, word, &at);
        self.flush(is_described);
        let is_kept = self.keeps_pair();
        self.pending.word.push_str(word);
        self.pending.is_linked = is_linked;
        if let Some(pair) = self.neighbours.next(&Token::Word(word, at))
            && is_kept(pair.is_size)
        {
            self.pending.pair.push_str(pair.text);
        }
        self.place += 1;
    }

    fn run(&mut self, run: &CjkRun) {
        self.flush(false);
        self.roles.interrupt();
        let role = self.role(false, self.roles.is_linked());
        let is_kept = self.keeps_pair();
        if let Some(pair) = self.neighbours.next(&Token::Cjk(run))
            && is_kept(pair.is_size)
        {
            self.counts.pair(pair.text, self.part, role.worth_of_pair(), self.language);
        }
        let Self { part, language, counts, .. } = self;
        run.for_each_word(|word, _| counts.word(word, *part, role.worth(), *language));
        self.place += 1;
    }

    /// The role of a word in this text. The value of an attribute does not name the product, so nothing in it is more the
    /// thing than the rest.
    fn role(&self, is_modifier: bool, is_linked: bool) -> Role {
        match self.part {
            Part::Attributes => Role::default(),
            _ => Role { is_modifier, is_linked },
        }
    }

    /// Which neighbours are kept here, by whether they are a number and its unit.
    fn keeps_pair(&self) -> impl Fn(bool) -> bool + use<> {
        let is_early = self.place < PAIRED_WORDS && self.part != Part::Attributes;
        let is_size_kept = self.part != Part::Description;
        move |is_size| is_early || (is_size && is_size_kept)
    }

    /// Counts the word before, now that it is known whether it tells more about the next.
    fn flush(&mut self, is_described: bool) {
        if self.pending.word.is_empty() {
            return;
        }
        // A brand stands before everything and is no part of a compound.
        let is_modifier = is_described && !self.brand.contains(&self.pending.word);
        let role = self.role(is_modifier, self.pending.is_linked);
        let Self { part, language, counts, pending, .. } = self;
        counts.word(&pending.word, *part, role.worth(), *language);
        if !pending.pair.is_empty() {
            counts.pair(&pending.pair, *part, role.worth_of_pair(), *language);
        }
        pending.word.clear();
        pending.pair.clear();
    }
}

/// How many words a piece of a text counts as. Two characters of a script without spaces are about one.
fn length(token: &Token<'_>) -> u32 {
    match token {
        Token::Word(..) => 1,
        Token::Cjk(run) => (run.text().chars().count() as u32).div_ceil(2),
    }
}

fn count(counts: &mut HashMap<String, InParts>, word: &str, part: Part, worth: u16) {
    let parts = match counts.get_mut(word) {
        Some(parts) => parts,
        None => counts.entry(word.to_owned()).or_default(),
    };
    let count = &mut parts[part as usize];
    *count = count.saturating_add(worth);
}

/// Worth grows ever more slowly with the sum, so that one more occurrence adds less than the first.
fn weight(counts: &InParts, worth: &[f32; PART_COUNT]) -> u8 {
    let sum: f32 = counts.iter().zip(worth).map(|(count, worth)| f32::from(*count) * worth).sum();
    let share = sum / (sum + HALF_WORTH);
    (share * f32::from(MAX_WEIGHT)).round().clamp(1.0, f32::from(MAX_WEIGHT)) as u8
}

/// Hands each two words of a query that follow each other to `emit`: written as one, and their place in the text.
/// Product codes have no neighbours. Those in scripts without spaces need none: what a query has apart is found in a
/// product that has it joined.
pub fn for_each_pair(text: &str, mut emit: impl FnMut(&str, Range<usize>)) {
    let mut pairs = Pairs::default();
    tokens(text, Purpose::Query, |token| {
        let is_word = matches!(token, Token::Word(..));
        if let Some(pair) = pairs.next(&token)
            && is_word
        {
            emit(pair.text, pair.span);
        }
    });
}

/// Puts words together with those before them.
#[derive(Default)]
pub(crate) struct Pairs {
    /// Ends with the last word.
    pair: String,
    last_length: usize,
    last_at: Range<usize>,
    last_letters: Option<Letters>,
}

/// Two neighbours.
pub(crate) struct Pair<'a> {
    /// Written as one.
    pub(crate) text: &'a str,
    /// Their place in the text.
    pub(crate) span: Range<usize>,
    /// Whether they are a number and its unit.
    pub(crate) is_size: bool,
}

/// What neighbours are written in, both of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    Latin,
    Kana,
    Hangul,
}

impl Pairs {
    /// The pair that the next piece of a text makes with the one before it.
    pub(crate) fn next(&mut self, token: &Token<'_>) -> Option<Pair<'_>> {
        let (text, at) = match token {
            Token::Word(word, at) => (*word, at.clone()),
            Token::Cjk(run) => (run.text(), run.span()),
        };
        if at.start < self.last_at.end {
            // A word made of those that came already.
            return None;
        }
        let start = std::mem::replace(&mut self.last_at, at.clone()).start;
        let letters = letters(token);
        let is_alike = letters.is_some() && letters == self.last_letters;
        self.last_letters = letters;
        self.pair.drain(..self.pair.len() - if is_alike { self.last_length } else { 0 });
        if letters.is_none() {
            self.last_length = 0;
            return None;
        }
        self.last_length = text.len();
        let before = self.pair.len();
        self.pair.push_str(text);
        let is_number = |text: &str| text.as_bytes()[0].is_ascii_digit();
        let is_size = is_number(&self.pair) && !is_number(text);
        let left_out =
            if let Token::Cjk(run) = token { run.text().len() - run.as_queried().len() } else { 0 };
        let end = self.pair.len() - left_out;
        (before > 0 && end <= MAX_PAIR_BYTES).then(|| Pair {
            text: &self.pair[..end],
            span: start..at.end,
            is_size,
        })
    }
}

/// What a piece is written in when it may have neighbours. A word in Latin letters may, or a short number, or a run in
/// kana or Hangul only. Anything else is a code, and codes with what follows them would be nearly as many words as there
/// are products; or a run with Chinese characters, whose end is not the end of a word.
fn letters(token: &Token<'_>) -> Option<Letters> {
    match token {
        Token::Word(word, _) => {
            let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase())
                || (word.len() <= MAX_NUMBER_BYTES && word.bytes().all(|byte| byte.is_ascii_digit()));
            is_plain.then_some(Letters::Latin)
        }
        Token::Cjk(run) => letters_of_run(run),
    }
}

fn letters_of_run(run: &CjkRun) -> Option<Letters> {
    let consists_of = |range: std::ops::RangeInclusive<char>| run.text().chars().all(|c| range.contains(&c));
    if consists_of('\u{30A1}'..='\u{30FC}') {
        Some(Letters::Kana)
    } else if consists_of('\u{AC00}'..='\u{D7A3}') {
        Some(Letters::Hangul)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    #[derive(Default)]
    struct Weighed {
        words: Vec<(String, u8)>,
        stems: Vec<(String, u8)>,
        pairs: Vec<(String, u8)>,
    }

    fn weighed(json: &str) -> Weighed {
        weighed_in(Language::English, json)
    }

    fn weighed_in(language: Language, json: &str) -> Weighed {
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let (mut weigher, mut weighed) = (Weigher::new(language), Weighed::default());
        // What a product leaves behind does not count in the next one.
        for _ in 0..2 {
            weighed = Weighed::default();
            weigher.weigh(&content, |dictionary, word, weight| match dictionary {
                Dictionary::Words | Dictionary::Codes => weighed.words.push((word.to_owned(), weight)),
                Dictionary::Pairs => weighed.pairs.push((word.to_owned(), weight)),
                Dictionary::Stems => weighed.stems.push((word.to_owned(), weight)),
            });
        }
        weighed
    }

    #[test]
    fn a_shop_decides_what_a_part_counts_and_no_word_gets_lost() {
        let json = r#"{"name":"Lamp","brand":"Akari","description":"paper lamp"}"#;
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let weights = |field_weights: FieldWeights| {
            let mut weights = HashMap::default();
            Weigher::new(Language::English).with_weights(field_weights).weigh(&content, |_, word, weight| {
                weights.insert(word.to_owned(), weight);
            });
            ["lamp", "akari", "paper"].map(|word| weights[word])
        };
        let own = weights(FieldWeights::default());
        let with = |part, weight| weights(FieldWeights::default().with(part, weight).unwrap());
        assert_eq!(with(Part::Name, 1.0), own);
        let [lamp, akari, paper] = with(Part::Brand, 10.0);
        assert!(lamp == own[0] && akari > own[1] && paper == own[2], "{lamp} {akari} {paper}; {own:?}");
        let [lamp, akari, paper] = with(Part::Description, 0.0);
        assert!((1..own[0]).contains(&lamp) && akari == own[1] && paper == 1, "{lamp} {akari} {paper}");
    }

    fn weight_of(list: &[(String, u8)], word: &str) -> u8 {
        list.iter().find(|(known, _)| known == word).map_or(0, |(_, weight)| *weight)
    }

    #[test]
    fn the_name_counts_most_and_more_when_it_is_short() {
        let lamp = weighed(
            r#"{"name":"Lamp Hikari","brand":"Hikari","tags":["garden"],"attributes":{"material":"oak"},"description":"Made by hand, like all that we make, of nothing else than the best of old paper, glue and time, in a house at the end of a long road where nobody comes but those who know what they are looking for and have all the time that it takes."}"#,
        );
        let weights = ["hikari", "lamp", "garden", "oak", "paper"].map(|word| weight_of(&lamp.words, word));
        assert!(weights.is_sorted_by(|a, b| a > b), "{weights:?}");
        let long = weighed(r#"{"name":"Lamp with a long name that says all there is to say about it"}"#);
        assert!(weight_of(&long.words, "lamp") < weight_of(&lamp.words, "lamp"));
        let twice = weighed(r#"{"name":"A","description":"paper and glue and paper"}"#);
        assert!(weight_of(&twice.words, "paper") > weight_of(&twice.words, "glue"));
    }

    #[test]
    fn a_short_description_is_a_second_name() {
        let short = weighed(r#"{"name":"X25-M","description":"solid state drive, 80 GB"}"#);
        let long = weighed(
            r#"{"name":"X25-M","description":"This computer starts in no time since all it knows is on a drive, 80 GB, that has nothing in it that turns or hums"}"#,
        );
        assert!(weight_of(&short.words, "drive") > 2 * weight_of(&long.words, "drive"));
    }

    #[test]
    fn the_thing_counts_more_than_what_it_is_for() {
        let weight = |name: &str| {
            let json = format!(r#"{{"name":"{name}","brand":"Acme"}}"#);
            weight_of(&weighed(&json).words, "laptop")
        };
        let weights = ["Acme Laptop 15", "Acme Laptop bag", "Bag for Laptop"].map(weight);
        assert!(weights.is_sorted_by(|a, b| a > b), "{weights:?}");
        // A brand stands before everything.
        let acme = |name: &str| {
            let json = format!(r#"{{"name":"{name}","brand":"Acme"}}"#);
            weight_of(&weighed(&json).words, "acme")
        };
        assert_eq!(acme("Acme Laptop"), acme("Acme 15"));
        // Nothing in the value of an attribute names the product.
        let value = |value: &str| {
            let json =
                format!(r#"{{"name":"-","attributes":{{"a":"{value}","b":"1 2 3 4 5 6 7 8 9 10 11 12"}}}}"#);
            weight_of(&weighed(&json).words, "laptop")
        };
        assert_eq!(value("for laptop bags"), value("a b laptop"));
    }

    #[test]
    fn neighbours_are_kept_where_a_text_begins() {
        let product = weighed(
            r#"{"name":"Laser printer toner","tags":["ink jet"],"description":"Fits a desk jet, but is there, as you may know, no ink pad for 256 GB","attributes":{"a":"blue lamp 30 g"}}"#,
        );
        let weight = |pair: &str| weight_of(&product.pairs, pair);
        for pair in ["laserprinter", "printertoner", "inkjet", "deskjet", "30g"] {
            assert!(weight(pair) > 0, "{pair}");
        }
        for pair in ["inkpad", "256gb", "bluelamp"] {
            assert_eq!(weight(pair), 0, "{pair}");
        }
        assert!(weight("printertoner") > 2 * weight("laserprinter"));
        let long = weighed(r#"{"name":"A name of many words that goes on and on ink pad 256 GB"}"#);
        assert!(weight_of(&long.pairs, "256gb") > 0 && weight_of(&long.pairs, "inkpad") == 0);
    }

    #[test]
    fn every_word_has_a_level_in_any_product() {
        for json in [r#"{"name":"a"}"#, r#"{"name":"-","sku":"B"}"#, r#"{"name":"-","attributes":{"k":"c"}}"#]
        {
            let product = weighed(json);
            let weights = product.words.iter().map(|(_, weight)| *weight);
            assert!(
                !product.words.is_empty() && weights.clone().all(|weight| (1..=MAX_WEIGHT).contains(&weight)),
                "{json}"
            );
        }
    }

    #[test]
    fn plurals_and_neighbours_are_words_too() {
        let product = weighed(
            r#"{"name":"Head phones, 256 GB","attributes":{"weight":"30 g each"},"description":"for desk lamps"}"#,
        );
        assert!(weight_of(&product.words, "phones") > 0 && weight_of(&product.words, "phone") > 0);
        assert!(weight_of(&product.words, "lamp") > 0);
        let mut pairs: Vec<&str> = product.pairs.iter().map(|(pair, _)| pair.as_str()).collect();
        pairs.sort_unstable();
        assert_eq!(
            pairs,
            ["256gb", "30g", "desklamp", "desklamps", "fordesk", "headphone", "headphones", "phones256"]
        );
    }

    #[test]
    fn stems_stand_beside_words_and_count_all_forms() {
        let product =
            weighed_in(Language::German, r#"{"name":"Lampe","description":"Lampen aus Holz","sku":"X-Y"}"#);
        assert!(weight_of(&product.stems, "lamp") > weight_of(&product.words, "lampe"));
        assert!(weight_of(&product.words, "lamp") == 0 && weight_of(&product.words, "lampen") > 0);
        assert!(weight_of(&product.stems, "xy") > 0, "whatever a query looks for has a stem");
        assert!(weighed(r#"{"name":"Lamps"}"#).stems.is_empty());
    }

    #[test]
    fn words_in_kana_and_hangul_are_found_without_the_space_between_them() {
        let sorted_pairs = |name: &str| {
            let product = weighed(&format!(r#"{{"name":"{name}"}}"#));
            let mut pairs: Vec<String> = product.pairs.into_iter().map(|(pair, _)| pair).collect();
            pairs.sort_unstable();
            pairs
        };
        assert_eq!(
            sorted_pairs("ワイヤレス マウス 東京 プリンター・ケース 無線 무선 마우스 USB"),
            ["ワイヤレスマウス", "무선마우스"]
        );
        assert_eq!(sorted_pairs("USB メモリー カバー リーダー"), ["カバーリーダ", "メモリーカバー"]);
    }

    #[test]
    fn a_name_without_spaces_is_as_long_as_its_words() {
        let kanji = weighed(r#"{"name":"東京都立大学新聞"}"#);
        let latin = weighed(r#"{"name":"tokyo, metropolitan, university, newspaper"}"#);
        assert_eq!(weight_of(&kanji.words, "東京"), weight_of(&latin.words, "tokyo"));
    }

    #[test]
    fn codes_and_scripts_without_spaces_have_no_pairs() {
        let mut pairs = Vec::new();
        for_each_pair("ノート pc 13 用 in usb 4ab usb 12345 c", |pair, at| {
            pairs.push((pair.to_owned(), at))
        });
        assert_eq!(pairs, [("pc13".to_owned(), 10..15), ("inusb".to_owned(), 20..26)]);
    }
}
