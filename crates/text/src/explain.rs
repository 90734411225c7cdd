//! Why a product ranks where it does: how each word of a search is found in it, and what that is worth.
//!
//! This is told from the product and the search alone. What an index decided by looking at other products, whether typos
//! and beginnings count, shows in the score that it gave: of all ways in which the words may have been found, the first
//! is taken that adds up to it.

use std::fmt;
use std::ops::Range;

use domain::search::{MAX_BOOST, SearchRequest, Sort};
use domain::{AttributeValue, Content, Language, Product};

use crate::analysis::{Purpose, Token, has_digit, joined, tokens};
use crate::cjk::{is_cjk, spellings};
use crate::dictionary::Dictionary;
use crate::field_weights::FieldWeights;
use crate::forms::normal_form;
use crate::query::{Phrase, Query, Term, Word};
use crate::score::{
    MAX_SCALED_PHRASE_WEIGHT, MAX_SCALED_WEIGHT, PHRASE_WEIGHT_FACTOR, STEP, Spelling, Tier, UNBOOSTED_STEPS,
    boost_steps, class_steps, is_weighted, steps_per_scaled_weight,
};
use crate::terms::Terms;
use crate::typos::{Pattern, typos_allowed};
use crate::weights::{Pairs, Weigher};

/// Sums that are tried before the likeliest ways are taken as they are.
const MAX_TRIES: usize = 10_000;

/// Why a product ranks where it does. What all parts count adds up to its score, unless a rule pins it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What every product has to begin with, so that boosts leave none below zero; 0 where no words and no boosts rank.
    pub base: f32,
    /// The words of the search, in its order.
    pub words: Vec<WordMatch>,
    /// Words that follow each other in the search and in the product.
    pub phrases: Vec<PhraseMatch>,
    /// What the boosts of the shop's rules count together.
    pub boost: f32,
    /// Whether a rule puts the product before all others, whatever it scores.
    pub is_pinned: bool,
}

/// How one word of a search is found in a product.
#[derive(Debug, Clone, PartialEq)]
pub struct WordMatch {
    /// The word, as it stands in the search.
    pub word: String,
    /// How it is found.
    pub kind: MatchKind,
    /// As which word, where that is another one.
    pub matched_text: Option<String>,
    /// The fields of the product in which it is found so: `name`, `attributes.colour`.
    pub fields: Vec<String>,
    /// How much it says in these fields, from 1 to [`MAX_LEVEL`](crate::weights::MAX_LEVEL); 0 where it is missing.
    pub weight: u8,
    /// What it counts.
    pub score: f32,
}

/// Two words of a search that follow each other in a product.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseMatch {
    /// Both, as they stand in the search.
    pub words: String,
    /// What they count.
    pub score: f32,
}

/// How a word is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchKind {
    /// As it was typed, but for case, accents and width.
    Exact,
    /// In another form, such as singular or plural.
    OtherForm,
    /// Together with its neighbour where the search has them apart, or the other way round.
    Joined,
    /// As another word, which the shop's rules name for it.
    Synonym,
    /// As the beginning of a word.
    Beginning,
    /// With one typo.
    OneTypo,
    /// With two typos.
    TwoTypos,
    /// Not at all.
    Missing,
}

impl MatchKind {
    fn tier(self) -> Option<Tier> {
        match self {
            Self::Exact | Self::OtherForm | Self::Joined | Self::Synonym => Some(Tier::Exact),
            Self::Beginning => Some(Tier::Prefix),
            Self::OneTypo => Some(Tier::OneTypo),
            Self::TwoTypos => Some(Tier::TwoTypos),
            Self::Missing => None,
        }
    }
}

/// As programs read it.
impl fmt::Display for MatchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::OtherForm => "otherForm",
            Self::Joined => "joined",
            Self::Synonym => "synonym",
            Self::Beginning => "beginning",
            Self::OneTypo => "oneTypo",
            Self::TwoTypos => "twoTypos",
            Self::Missing => "missing",
        })
    }
}

/// Explains the products of one search.
pub struct Explainer<'a> {
    request: &'a SearchRequest,
    query: Query,
    patterns: Vec<Option<Pattern>>,
    weigher: Weigher,
    language: Language,
}

impl<'a> Explainer<'a> {
    /// For this search, in an index whose parts count so.
    pub fn new(request: &'a SearchRequest, language: Language, weights: FieldWeights) -> Self {
        let query = Query::new(request, language);
        let pattern = |word: &Word| {
            let allowed = typos_allowed(&word.text);
            Pattern::new(&word.text, allowed).filter(|_| allowed > 0)
        };
        let patterns = query.words.iter().map(pattern).collect();
        Self { request, query, patterns, weigher: Weigher::new(language).with_weights(weights), language }
    }

    /// Explains a product, with the score that an index gave it; without one, the likeliest ways are told.
    pub fn explain(&mut self, product: &Product, score: Option<f32>) -> Explanation {
        let terms = Terms::new(&product.content, &mut self.weigher);
        let words: Vec<Vec<Finding>> =
            (0..self.query.words.len()).map(|place| self.findings(place, &terms)).collect();
        let phrases: Vec<Vec<u32>> =
            self.query.phrases.iter().map(|phrase| self.phrase_steps(phrase, &words, &terms)).collect();
        let (base, boost) = self.base_and_boost(&product.content);
        let tuning = &self.request.tuning;
        let is_pinned = self.request.sort == Sort::Relevance
            && tuning.pinned.contains(&product.id)
            && !tuning.hidden.contains(&product.id);
        let steps: Vec<Vec<u32>> = words
            .iter()
            .map(|findings| findings.iter().map(|finding| finding.steps).collect())
            .chain(phrases)
            .collect();
        let sought = score.filter(|_| !is_pinned).map(|score| (score / STEP).round() as i64);
        let sought =
            sought.and_then(|sought| u32::try_from(sought - i64::from(base) - i64::from(boost)).ok());
        let chosen = sought.and_then(|sought| that_add_up_to(&steps, sought));
        let chosen = chosen.unwrap_or_else(|| vec![0; steps.len()]);
        let (chosen_words, chosen_phrases) = chosen.split_at(words.len());
        let found = chosen_words.iter().zip(&words).enumerate();
        let phrase_steps = chosen_phrases.iter().zip(&steps[words.len()..]);
        Explanation {
            base: score_of(base),
            words: found
                .map(|(place, (at, findings))| self.word_found(place, &findings[*at], &product.content))
                .collect(),
            phrases: self
                .query
                .phrases
                .iter()
                .zip(phrase_steps)
                .filter_map(|(phrase, (at, steps))| self.phrase_found(phrase, steps[*at]))
                .collect(),
            boost: boost as f32 * STEP,
            is_pinned,
        }
    }

    fn base_and_boost(&self, content: &Content) -> (u32, i32) {
        let boosts = &self.request.tuning.boosts;
        if self.query.words.is_empty() && boosts.is_empty() {
            return (0, 0);
        }
        let currency = self.request.currency;
        let passing = boosts.iter().filter(|boost| boost.filters.failed_by(content, currency).is_empty());
        let most = boost_steps(MAX_BOOST);
        let boost = passing.map(|boost| boost_steps(boost.by)).fold(0, i32::saturating_add);
        (UNBOOSTED_STEPS, boost.clamp(-most, most))
    }

    /// The ways in which a word may be found, the likeliest first.
    fn findings(&self, place: usize, terms: &Terms) -> Vec<Finding> {
        let word = &self.query.words[place];
        let finding = |kind: MatchKind, weight: u8, spelling: Spelling| {
            let half_weights =
                weight.saturating_mul(word.weight_factor(spelling)).clamp(1, MAX_SCALED_WEIGHT);
            Finding { kind, weight, steps: self.steps(place, kind, u32::from(half_weights)) }
        };
        let matching = |alternative: &crate::query::Alternative| {
            let kind = match alternative.spelling {
                Spelling::Same => MatchKind::Exact,
                Spelling::Joined => MatchKind::Joined,
                Spelling::Synonym => MatchKind::Synonym,
            };
            Some(finding(kind, terms.weight(alternative)?, alternative.spelling))
        };
        // Of ways that are worth as much, the first one is the nearest.
        let exact = word.alternatives.iter().rev().filter_map(matching).max_by_key(|finding| finding.steps);
        if let Some(exact) = exact {
            return vec![exact];
        }
        let beginning =
            beginning(word, terms).map(|weight| finding(MatchKind::Beginning, weight, Spelling::Same));
        let near = self.patterns[place].as_ref().and_then(|pattern| nearest(pattern, terms, self.language));
        let near = near.map(|(kind, weight)| finding(kind, weight, Spelling::Same));
        let missing = Finding { kind: MatchKind::Missing, weight: 0, steps: 0 };
        beginning.into_iter().chain(near).chain([missing]).collect()
    }

    fn steps(&self, place: usize, kind: MatchKind, half_weights: u32) -> u32 {
        let words = self.query.words.len();
        let Some(tier) = kind.tier() else { return 0 };
        let half_weights = if is_weighted(place) { half_weights } else { 0 };
        class_steps(tier.points(words)) + half_weights * steps_per_scaled_weight(words)
    }

    /// What neighbours may count: as they were typed, as what they were meant to be, or nothing.
    fn phrase_steps(&self, phrase: &Phrase, words: &[Vec<Finding>], terms: &Terms) -> Vec<u32> {
        let steps = |term: &Term| {
            let weight = terms.weight_of(term)?;
            let half_weights = weight.saturating_mul(PHRASE_WEIGHT_FACTOR).clamp(1, MAX_SCALED_PHRASE_WEIGHT);
            let half_weights = if is_weighted(phrase.second) { u32::from(half_weights) } else { 0 };
            Some(half_weights * steps_per_scaled_weight(self.query.words.len()))
        };
        let meant = |place: usize| match &words[place][0] {
            Finding { kind: MatchKind::OneTypo | MatchKind::TwoTypos, .. } => {
                let pattern = self.patterns[place].as_ref()?;
                nearest_text(pattern, terms)
            }
            _ => Some(self.query.words[place].text.as_str()),
        };
        let respelt = meant(phrase.first)
            .zip(meant(phrase.second))
            .map(|(first, second)| phrase.corrected(first, second, self.language).term);
        let mut all: Vec<u32> = respelt.iter().chain([&phrase.term]).filter_map(steps).chain([0]).collect();
        all.dedup();
        let is_certain = [phrase.first, phrase.second].iter().all(|place| words[*place].len() == 1);
        all.truncate(if is_certain { 1 } else { all.len() });
        all
    }

    fn phrase_found(&self, phrase: &Phrase, steps: u32) -> Option<PhraseMatch> {
        let (first, last) = (&self.query.words[phrase.first], &self.query.words[phrase.second]);
        let words = self.request.words.get(first.span.start..last.span.end)?;
        (steps > 0).then(|| PhraseMatch { words: words.to_owned(), score: score_of(steps) })
    }

    fn word_found(&self, place: usize, finding: &Finding, content: &Content) -> WordMatch {
        let word = &self.query.words[place];
        let mut seen =
            Seen { word, kind: finding.kind, pattern: self.patterns[place].as_ref(), has_itself: false };
        let (mut fields, mut matched_text) = (Vec::<String>::new(), None);
        each_field(content, |field, text| {
            let Some(as_word) = seen.in_text(field, text) else { return };
            matched_text.get_or_insert(as_word);
            let field = field.to_string();
            if fields.last() != Some(&field) {
                fields.push(field);
            }
        });
        let is_itself = seen.has_itself || is_cjk(&word.text);
        let kind = match finding.kind {
            MatchKind::Exact if !is_itself => MatchKind::OtherForm,
            kind => kind,
        };
        WordMatch {
            word: self.request.words.get(word.span.clone()).unwrap_or(&word.text).to_owned(),
            kind,
            matched_text: matched_text.filter(|_| kind != MatchKind::Exact),
            fields,
            weight: finding.weight,
            score: score_of(finding.steps),
        }
    }
}

fn score_of(steps: u32) -> f32 {
    steps as f32 * STEP
}

/// A way in which a word may be found.
#[derive(Debug, Clone, Copy)]
struct Finding {
    kind: MatchKind,
    weight: u8,
    steps: u32,
}

/// The level of the word that says most among those that begin with the last one.
fn beginning(word: &Word, terms: &Terms) -> Option<u8> {
    let begins = |term: &Term| {
        matches!(term.dictionary, Dictionary::Words | Dictionary::Codes)
            && term.text.len() > word.text.len()
            && term.text.starts_with(&word.text)
    };
    terms.iter().filter(|(term, _)| word.is_prefix && begins(term)).map(|(_, weight)| weight).max()
}

/// The words within reach of a pattern, with their typos.
fn near<'a>(pattern: &'a Pattern, terms: &'a Terms) -> impl Iterator<Item = (u8, &'a str)> {
    let words = terms.iter().filter(|(term, _)| term.dictionary == Dictionary::Words);
    words.filter_map(|(term, _)| Some((pattern.typos(&term.text).filter(|typos| *typos > 0)?, &*term.text)))
}

fn nearest_text<'a>(pattern: &'a Pattern, terms: &'a Terms) -> Option<&'a str> {
    near(pattern, terms).min().map(|(_, text)| text)
}

/// The fewest typos, and the level of the word that says most among those with as few.
fn nearest(pattern: &Pattern, terms: &Terms, language: Language) -> Option<(MatchKind, u8)> {
    let fewest = near(pattern, terms).map(|(typos, _)| typos).min()?;
    let weight = |text: &str| {
        let (dictionary, base) = normal_form(text, language);
        let base = Term { dictionary, text: base.into_owned() };
        terms
            .weight_of(&base)
            .or_else(|| terms.weight_of(&Term { dictionary: Dictionary::Words, text: text.to_owned() }))
    };
    let those = near(pattern, terms).filter(|(typos, _)| *typos == fewest);
    let weight = those.filter_map(|(_, text)| weight(text)).max()?;
    Some((if fewest == 1 { MatchKind::OneTypo } else { MatchKind::TwoTypos }, weight))
}

/// Which of the numbers of each list add up to a sum, the first ones that do; none where none do.
fn that_add_up_to(lists: &[Vec<u32>], sum: u32) -> Option<Vec<usize>> {
    let mut chosen = Vec::with_capacity(lists.len());
    let mut tries = 0;
    adds_up(lists, sum, &mut chosen, &mut tries).then_some(chosen)
}

/// A search has few words, so this goes no deeper than they are.
fn adds_up(lists: &[Vec<u32>], rest: u32, chosen: &mut Vec<usize>, tries: &mut usize) -> bool {
    let Some((first, others)) = lists.split_first() else { return rest == 0 };
    for (at, steps) in first.iter().enumerate() {
        *tries += 1;
        if *tries > MAX_TRIES {
            return false;
        }
        let Some(rest) = rest.checked_sub(*steps) else { continue };
        chosen.push(at);
        if adds_up(others, rest, chosen, tries) {
            return true;
        }
        chosen.pop();
    }
    false
}

// ------------------------------------------------------------------------------------------------ places

/// A field of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field<'a> {
    Name,
    Sku,
    Brand,
    Category,
    Tags,
    Attribute(&'a str),
    Description,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Sku => f.write_str("sku"),
            Self::Brand => f.write_str("brand"),
            Self::Category => f.write_str("category"),
            Self::Tags => f.write_str("tags"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            Self::Description => f.write_str("description"),
        }
    }
}

/// Hands every text of the product in which words are found to `each`, with its field.
fn each_field(content: &Content, mut each: impl FnMut(Field<'_>, &str)) {
    each(Field::Name, &content.name);
    content.sku.iter().for_each(|sku| each(Field::Sku, sku));
    content.brand.iter().for_each(|brand| each(Field::Brand, brand));
    let levels = content.category.iter().flat_map(|category| category.levels());
    levels.for_each(|level| each(Field::Category, level));
    content.tags.iter().for_each(|tag| each(Field::Tags, tag));
    for (key, value) in &content.attributes {
        if !matches!(value, AttributeValue::Flag(_)) {
            value.facet_values().for_each(|text| each(Field::Attribute(key), &text));
        }
    }
    content.description.iter().for_each(|description| each(Field::Description, description));
}

/// Looks for a word that is found in a certain way.
struct Seen<'a> {
    word: &'a Word,
    kind: MatchKind,
    pattern: Option<&'a Pattern>,
    /// Whether it stands anywhere as it was typed.
    has_itself: bool,
}

impl Seen<'_> {
    /// The first word of a text that is the one looked for, as it stands there.
    fn in_text(&mut self, field: Field<'_>, text: &str) -> Option<String> {
        let mut found = None::<Range<usize>>;
        let mut pairs = Pairs::default();
        tokens(text, Purpose::Document, |token| {
            let pair = pairs.next(&token).filter(|pair| self.is_exact() && self.word.matches_pair(pair.text));
            let place = match token {
                Token::Word(word, at) => self.is_word(word).then_some(at),
                Token::Cjk(run) if self.is_exact() && is_cjk(&self.word.text) => {
                    spellings(&self.word.text).iter().find_map(|spelling| run.find(spelling).next())
                }
                Token::Cjk(_) => None,
            };
            if found.is_none() {
                found = place.or(pair.map(|pair| pair.span));
            }
        });
        if found.is_none() && field == Field::Sku && self.is_word(&joined(text)) {
            found = Some(0..text.len());
        }
        found.map(|at| text[at].to_owned())
    }

    fn is_exact(&self) -> bool {
        self.kind.tier() == Some(Tier::Exact)
    }

    fn is_word(&mut self, word: &str) -> bool {
        let is_itself = word == self.word.text;
        self.has_itself |= is_itself && self.is_exact();
        match self.kind {
            MatchKind::Exact | MatchKind::OtherForm | MatchKind::Joined | MatchKind::Synonym => {
                self.word.matches_exactly(word)
            }
            MatchKind::Beginning => !is_itself && word.starts_with(&self.word.text),
            MatchKind::OneTypo => self.typos(word) == Some(1),
            MatchKind::TwoTypos => self.typos(word) == Some(2),
            MatchKind::Missing => false,
        }
    }

    fn typos(&self, word: &str) -> Option<u8> {
        self.pattern.filter(|_| !has_digit(word))?.typos(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::for_each_text;
    use domain::input::read_product;
    use domain::search::{Boost, Filters, Synonym, Tuning};
    use domain::{Currency, ProductId, Version};

    fn product(json: &str) -> Product {
        Product {
            id: ProductId::parse("p").unwrap(),
            version: Version(1),
            created_at: domain::now(),
            updated_at: domain::now(),
            content: read_product(json.as_bytes(), Currency::USD).unwrap().content,
        }
    }

    fn explained(query: &str, tuning: Tuning, json: &str) -> Explanation {
        let request = SearchRequest { words: query.to_owned(), tuning, ..SearchRequest::all(Currency::USD) };
        Explainer::new(&request, Language::English, FieldWeights::default()).explain(&product(json), None)
    }

    const LAMP: &str = r#"{"name":"Desk lamps by Hikari","sku":"AB-12","brand":"Hikari","category":"Home > Lamps",
        "tags":["office"],"attributes":{"material":"oak wood","bulbs":[ "lamp" ],"dimmable":true},
        "description":"For the desk top of an officer."}"#;

    /// How a word is found in the lamp, as what, and where.
    fn found(query: &str, tuning: Tuning) -> (MatchKind, Option<String>, Vec<String>) {
        let mut explanation = explained(query, tuning, LAMP);
        let WordMatch { kind, matched_text, fields, .. } = explanation.words.remove(0);
        (kind, matched_text, fields)
    }

    #[test]
    fn each_way_to_find_a_word_is_told() {
        let synonym = Synonym { from: "luminaire".to_owned(), to: vec!["lamp".to_owned()] };
        let tuning = Tuning { synonyms: vec![synonym], ..Tuning::default() };
        let cases: [(&str, MatchKind, Option<&str>, &[&str]); 11] = [
            ("desk", MatchKind::Exact, None, &["name", "description"]),
            ("HÍKARI", MatchKind::Exact, None, &["name", "brand"]),
            ("lamp", MatchKind::Exact, None, &["name", "category", "attributes.bulbs"]),
            ("desks", MatchKind::OtherForm, Some("Desk"), &["name", "description"]),
            ("desktop", MatchKind::Joined, Some("desk top"), &["description"]),
            ("luminaire", MatchKind::Synonym, Some("lamps"), &["name", "category", "attributes.bulbs"]),
            ("offi", MatchKind::Beginning, Some("office"), &["tags", "description"]),
            ("hikary", MatchKind::OneTypo, Some("Hikari"), &["name", "brand"]),
            ("hikarry", MatchKind::TwoTypos, Some("Hikari"), &["name", "brand"]),
            ("ab12", MatchKind::Exact, None, &["sku"]),
            ("kettle", MatchKind::Missing, None, &[]),
        ];
        for (query, kind, matched_text, fields) in cases {
            let expected =
                (kind, matched_text.map(str::to_owned), fields.iter().map(|f| (*f).to_owned()).collect());
            assert_eq!(found(query, tuning.clone()), expected, "{query}");
        }
    }

    #[test]
    fn what_all_parts_count_is_the_score() {
        let explanation = explained("desk lamp", Tuning::default(), LAMP);
        assert_eq!(
            explanation.phrases.iter().map(|phrase| &*phrase.words).collect::<Vec<_>>(),
            ["desk lamp"]
        );
        let [desk, lamp] = &explanation.words[..] else { panic!("{explanation:?}") };
        assert!(desk.weight > 0 && lamp.weight > 0 && desk.score > 0.0 && lamp.score > desk.score / 2.0);
        assert_eq!((explanation.base, explanation.boost, explanation.is_pinned), (1.0, 0.0, false));
    }

    #[test]
    fn a_score_tells_whether_typos_and_beginnings_counted() {
        let words = "desk lampz".to_owned();
        let request = SearchRequest { words, ..SearchRequest::all(Currency::USD) };
        let mut explainer = Explainer::new(&request, Language::English, FieldWeights::default());
        let product = product(LAMP);
        let likeliest = explainer.explain(&product, None);
        assert_eq!(likeliest.words[1].kind, MatchKind::OneTypo);
        let desk_alone = likeliest.base + likeliest.words[0].score;
        assert_eq!(explainer.explain(&product, Some(desk_alone)).words[1].kind, MatchKind::Missing);
        let both = desk_alone + likeliest.words[1].score;
        assert_eq!(explainer.explain(&product, Some(both)).words[1].kind, MatchKind::OneTypo);
        assert_eq!(explainer.explain(&product, Some(3.21)), likeliest, "a score that nothing adds up to");
    }

    #[test]
    fn rules_of_the_shop_show() {
        let boost = |brand: &str, by| Boost {
            filters: Filters { brand: vec![brand.to_owned()], ..Filters::default() },
            by,
        };
        let boosts = vec![boost("Hikari", 0.5), boost("Nobody", 0.25), boost("Hikari", 0.75)];
        let tuning = Tuning { boosts, pinned: vec![ProductId::parse("p").unwrap()], ..Tuning::default() };
        let explanation = explained("", tuning, LAMP);
        assert_eq!((explanation.base, explanation.boost, explanation.is_pinned), (1.0, 1.0, true));
        assert_eq!(explained("", Tuning::default(), LAMP).base, 0.0);
    }

    #[test]
    fn words_are_looked_for_in_the_same_texts_as_an_index_does() {
        let content = product(LAMP).content;
        let (mut indexed, mut explained) = (Vec::new(), Vec::new());
        for_each_text(&content, |text, _| indexed.push(text.to_owned()));
        each_field(&content, |_, text| explained.push(text.to_owned()));
        assert_eq!(explained, indexed);
    }

    #[test]
    fn sums_are_found_or_given_up() {
        assert_eq!(that_add_up_to(&[vec![5, 0], vec![3, 1, 0]], 1), Some(vec![1, 1]));
        assert_eq!(that_add_up_to(&[vec![5, 0], vec![3]], 5), None);
        assert_eq!(that_add_up_to(&[], 0), Some(Vec::new()));
        assert_eq!(that_add_up_to(&vec![vec![2; 32]; 32], 65), None);
    }
}
