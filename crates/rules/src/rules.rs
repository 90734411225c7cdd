//! The rules of a shop, and the part of them that applies to one search.

use std::mem::discriminant;
use std::ops::Range;

use domain::search::{Boost, Synonym, Tuning};
use domain::{Currency, Language, ProductId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use text::field_weights::FieldWeights;
use toml::Spanned;

use crate::fault::{Faults, Found, shown};
use crate::file;
use crate::filters::Moved;
use crate::phrases::{Phrase, Phrases};
use crate::summary::Summary;
use crate::window::{Phase, Window};
use crate::{Locale, MAX_FILE_BYTES};

/// The most texts that one text finds as well.
pub(crate) const MAX_SYNONYMS_OF_A_TEXT: usize = 50;
/// The most products that all rules for one query put first, and the most that they take away.
const MAX_PRODUCTS_OF_A_QUERY: usize = 100;
/// The most boosts that hold for one query, and the most that hold for every search.
const MAX_BOOSTS_OF_A_QUERY: usize = 20;

/// The rules of a shop. Asking them costs a look-up for each word of the query, however many they are.
#[derive(Debug)]
pub struct Rules {
    version: u32,
    phrases: Phrases<Place>,
    synonyms: Vec<Synonyms>,
    rules: Vec<Rule>,
    /// Those that hold for every search.
    always: Vec<RuleId>,
    weights: FieldWeights,
    stop_words: usize,
}

/// The place of a rule in the file, among all.
type RuleId = usize;

/// What belongs to a text of the file, wherever it stands in a query.
#[derive(Debug, Default)]
struct Place {
    /// Places in [`Rules::synonyms`], and in [`Synonyms::from`] there.
    synonyms: Vec<(usize, usize)>,
    /// The word, where it is one.
    stop_word: Option<String>,
    /// Rules for queries that are this text.
    equals: Vec<RuleId>,
    /// Rules for queries that have this text in them.
    contains: Vec<RuleId>,
}

/// Texts that stand for others.
#[derive(Debug)]
pub(crate) struct Synonyms {
    /// In a query.
    pub(crate) from: Vec<Phrase>,
    /// In a product.
    pub(crate) to: Vec<Phrase>,
}

/// Something that happens to some searches at some time.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) window: Window,
    pub(crate) effect: Effect,
}

/// What a rule does.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Puts products first.
    Pin(Vec<ProductId>),
    /// Takes products away.
    Hide(Vec<ProductId>),
    /// Moves products by so much, down where it is negative.
    Move(Moved, f32),
}

/// For which searches a rule holds.
#[derive(Debug)]
pub(crate) enum On {
    /// Whatever their words are.
    Every,
    /// Those that are one of these texts or, if not `is_whole`, have it in them.
    Queries { is_whole: bool, queries: Vec<Spanned<Phrase>> },
}

impl Rules {
    /// No rules yet.
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

    /// Reads the bytes of a rules file.
    ///
    /// # Errors
    /// All faults at once; where the file is not TOML, only what makes it none.
    pub fn parse(bytes: &[u8], locale: Locale) -> Result<Self, Faults> {
        let mut found = Found::default();
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                found.add(&(at..at), "is not UTF-8; save the file with this encoding");
                return Err(found.in_text(str::from_utf8(&bytes[..at]).unwrap_or_default()));
            }
        };
        if bytes.len() > MAX_FILE_BYTES {
            found.add(&(0..0), format!("the file has more than {MAX_FILE_BYTES} bytes; make it shorter"));
            return Err(found.in_text(text));
        }
        let rules = file::read(text, locale, &mut found);
        match found.len() {
            0 => Ok(Self { version: Self::version_of(bytes), ..rules }),
            _ => Err(found.in_text(text)),
        }
    }

    /// The version of the rules in a file with these bytes: the beginning of their SHA-256.
    pub fn version_of(bytes: &[u8]) -> u32 {
        Sha256::digest(bytes).iter().take(4).fold(0, |version, byte| version << 8 | u32::from(*byte))
    }

    /// Tells rules apart: equal when their files are. 0 without a file.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How much each part of a product counts, from the next time that it is indexed.
    pub fn weights(&self) -> FieldWeights {
        self.weights
    }

    /// What the shop decided about a search for these words at this moment, with prices in this currency.
    pub fn tuning(&self, words: &str, currency: Currency, now: Timestamp) -> Tuning {
        let mut tuning = Tuning::default();
        let mut rules = self.always.clone();
        self.phrases.each_in(words, |place, is_whole| {
            tuning.synonyms.extend(place.synonyms.iter().map(|(at, from)| self.synonyms[*at].of(*from)));
            tuning.stop_words.extend(place.stop_word.clone());
            rules.extend(&place.contains);
            if is_whole {
                rules.extend(&place.equals);
            }
        });
        // In the order of the file, each once.
        rules.sort_unstable();
        rules.dedup();
        for rule in rules.into_iter().map(|id| &self.rules[id]) {
            if rule.window.phase(now) == Phase::Now {
                rule.effect.add_to(&mut tuning, currency);
            }
        }
        tuning.pinned.retain(|product| !tuning.hidden.contains(product));
        tuning
    }

    /// How many rules of each kind there are at this moment.
    pub fn summary(&self, now: Timestamp) -> Summary {
        let count = |is: fn(&Effect) -> bool| self.rules.iter().filter(|rule| is(&rule.effect)).count();
        let in_phase = |phase| self.rules.iter().filter(|rule| rule.window.phase(now) == phase).count();
        Summary {
            synonyms: self.synonyms.len(),
            stop_words: self.stop_words,
            pins: count(|effect| matches!(effect, Effect::Pin(_))),
            hides: count(|effect| matches!(effect, Effect::Hide(_))),
            boosts: count(|effect| matches!(effect, Effect::Move(_, by) if *by > 0.0)),
            buries: count(|effect| matches!(effect, Effect::Move(_, by) if *by < 0.0)),
            has_weights: self.weights != FieldWeights::default(),
            ahead: in_phase(Phase::Ahead),
            over: in_phase(Phase::Over),
        }
    }
}

impl Synonyms {
    /// What one of the texts stands for.
    fn of(&self, from: usize) -> Synonym {
        let from = &self.from[from];
        let to = self.to.iter().filter(|to| !to.is(from)).map(|to| to.typed.clone());
        Synonym { from: from.typed.clone(), to: to.collect() }
    }
}

impl Effect {
    /// How much it adds to what is bounded.
    fn size(&self) -> usize {
        match self {
            Self::Pin(products) | Self::Hide(products) => products.len(),
            Self::Move(..) => 1,
        }
    }

    fn add_to(&self, tuning: &mut Tuning, currency: Currency) {
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
            // Amounts of one currency say nothing of prices in another.
            Self::Move(moved, _) if moved.currency.is_some_and(|theirs| theirs != currency) => {}
            Self::Move(moved, by) => tuning.boosts.push(Boost { filters: moved.filters.clone(), by: *by }),
        }
    }
}

// ----------------------------------------------------------------------------------------------- building

impl Rules {
    /// `places` are those of the texts that stand for others.
    pub(crate) fn add_synonyms(&mut self, synonyms: Synonyms, places: &[Range<usize>], found: &mut Found) {
        for (at, (from, place)) in synonyms.from.iter().zip(places).enumerate() {
            let known = &mut self.phrases.place(from).synonyms;
            let earlier = known.iter().filter_map(|(at, _)| self.synonyms.get(*at));
            let total = earlier.chain([&synonyms]).map(|synonyms| synonyms.to.len()).sum::<usize>();
            if total <= MAX_SYNONYMS_OF_A_TEXT {
                known.push((self.synonyms.len(), at));
            } else {
                let from = shown(&from.typed);
                let message = format!(
                    "`{from}` has {total} synonyms here and above; write at most {MAX_SYNONYMS_OF_A_TEXT}"
                );
                found.add(place, message);
            }
        }
        self.synonyms.push(synonyms);
    }

    pub(crate) fn add_stop_word(&mut self, word: &Phrase) {
        if self.phrases.place(word).stop_word.replace(word.typed.clone()).is_none() {
            self.stop_words += 1;
        }
    }

    pub(crate) fn set_weights(&mut self, weights: FieldWeights) {
        self.weights = weights;
    }

    /// `at` is the place of the rule.
    pub(crate) fn add_rule(&mut self, rule: Rule, on: On, at: &Range<usize>, found: &mut Found) {
        let id = self.rules.len();
        match on {
            On::Every => match self.room(&self.always, &rule.effect) {
                Ok(()) => self.always.push(id),
                Err(fault) => found.add(at, format!("{fault} for every search")),
            },
            On::Queries { is_whole, queries } => {
                for query in queries {
                    let place = self.phrases.place(query.get_ref());
                    let known = [&place.equals[..], &place.contains].concat();
                    match self.room(&known, &rule.effect) {
                        Ok(()) => {
                            let place = self.phrases.place(query.get_ref());
                            if is_whole { &mut place.equals } else { &mut place.contains }.push(id);
                        }
                        Err(fault) => {
                            let query_text = shown(&query.get_ref().typed);
                            found.add(&query.span(), format!("{fault} for `{query_text}`"));
                        }
                    }
                }
            }
        }
        self.rules.push(rule);
    }

    /// Whether one more rule may hold for what these hold for. The error lacks what that is.
    fn room(&self, known: &[RuleId], effect: &Effect) -> Result<(), String> {
        let kind = discriminant(effect);
        let same =
            known.iter().map(|id| &self.rules[*id].effect).filter(|known| discriminant(*known) == kind);
        let total = same.map(Effect::size).sum::<usize>() + effect.size();
        let (most, what) = match effect {
            Effect::Pin(_) => (MAX_PRODUCTS_OF_A_QUERY, "pinned products"),
            Effect::Hide(_) => (MAX_PRODUCTS_OF_A_QUERY, "hidden products"),
            Effect::Move(..) => (MAX_BOOSTS_OF_A_QUERY, "boosts and buries"),
        };
        match total <= most {
            true => Ok(()),
            false => Err(format!("with this rule there are {total} {what}, and at most {most} are possible")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PriceRange;

    fn tuning_at(file: &str, words: &str, currency: Currency, now: &str) -> Tuning {
        let rules = Rules::parse(format!("version = 1\n{file}").as_bytes(), Locale::default()).unwrap();
        rules.tuning(words, currency, now.parse().unwrap())
    }

    fn tuning(file: &str, words: &str) -> Tuning {
        tuning_at(file, words, Currency::USD, "2026-06-01T00:00:00Z")
    }

    fn ids(products: &[ProductId]) -> Vec<&str> {
        products.iter().map(ProductId::as_str).collect()
    }

    #[test]
    fn each_text_of_a_group_finds_the_others() {
        let file = "[words]\nsynonyms = [[\"laptop\", \"notebook\", \"portable computer\"], [\"laptop\", \"ultrabook\"]]";
        let synonyms = |words| {
            let synonyms = tuning(file, words).synonyms;
            synonyms.into_iter().map(|synonym| (synonym.from, synonym.to.join(", "))).collect::<Vec<_>>()
        };
        let expected = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let laptop = [expected("laptop", "notebook, portable computer"), expected("laptop", "ultrabook")];
        assert_eq!(synonyms("LAPTOPS"), laptop);
        assert_eq!(synonyms("hp portable computers"), [expected("portable computer", "laptop, notebook")]);
        assert_eq!(synonyms("computer portable"), []);
    }

    #[test]
    fn a_one_way_synonym_goes_one_way() {
        let file = "[words.oneWay]\nhoover = \"vacuum cleaner\"\n";
        let there = Synonym { from: "hoover".to_owned(), to: vec!["vacuum cleaner".to_owned()] };
        assert_eq!(tuning(file, "red hoover").synonyms, [there]);
        assert_eq!(tuning(file, "vacuum cleaner").synonyms, []);
    }

    #[test]
    fn stop_words_of_the_query_are_named() {
        let file = "[words]\nstopWords = [\"for\", \"the\", \"The\"]";
        assert_eq!(tuning(file, "bag FOR laptop").stop_words, ["for"]);
        assert_eq!(tuning(file, "bag").stop_words, [""; 0]);
    }

    #[test]
    fn rules_hold_for_queries_that_equal_or_contain_theirs() {
        let file = r#"
            [[pin]]
            query = "laptop bag"
            products = ["a", "b"]
            [[pin]]
            query = ["laptop", "bag"]
            match = "contains"
            products = ["c", "a"]
            [[hide]]
            query = "bag"
            match = "contains"
            products = ["b", "d"]
            [[hide]]
            query = "laptop"
            products = ["c"]"#;
        let decided = |words| {
            let tuning = tuning(file, words);
            (ids(&tuning.pinned).join(" "), ids(&tuning.hidden).join(" "))
        };
        let both = |pinned: &str, hidden: &str| (pinned.to_owned(), hidden.to_owned());
        assert_eq!(
            decided("Laptop Bags"),
            both("a c", "b d"),
            "in the order of the file, each once, none hidden"
        );
        assert_eq!(decided("bag laptop"), both("c a", "b d"));
        assert_eq!(decided("laptop"), both("a", "c"));
        assert_eq!(decided("black laptop"), both("c a", ""));
        assert_eq!(decided("lap top"), both("", ""));
        assert_eq!(decided(""), both("", ""));
    }

    #[test]
    fn rules_hold_in_their_time() {
        let file = "[[pin]]\nquery = \"gift\"\nproducts = \"a\"\nfrom = 2026-12-01\nuntil = 2026-12-24";
        let pinned = |now| tuning_at(file, "gift", Currency::USD, now).pinned.len();
        assert_eq!(pinned("2026-11-30T23:59:59Z"), 0);
        assert_eq!(pinned("2026-12-24T23:59:59Z"), 1);
        assert_eq!(pinned("2026-12-25T00:00:00Z"), 0);
    }

    #[test]
    fn boosts_filter_as_searches_do() {
        let file = r#"
            [[boost]]
            by = 0.25
            [boost.filter]
            category = ["Home > Lamps", "Home>Lamps"]
            brand = "HP"
            tags = ["new"]
            priceRange = "10.50-20"
            inStock = true
            attributes = { colour = ["red", "blue"], width = "10..20", cores = 8, size = 13.50, dim = false }"#;
        let decided = tuning(file, "anything");
        let equals = |text: &str| domain::search::AttributeFilter::Equals(text.to_owned());
        let width = domain::search::AttributeFilter::Range { min: Some(10.0), max: Some(20.0) };
        let filters = domain::search::Filters {
            category: vec![domain::CategoryPath::parse("Home > Lamps").unwrap()],
            brand: vec!["HP".to_owned()],
            tags: vec!["new".to_owned()],
            price: vec![PriceRange { min: Some(1050), max: Some(2000) }],
            in_stock: Some(true),
            attributes: [
                ("colour", vec![equals("red"), equals("blue")]),
                ("width", vec![width]),
                ("cores", vec![equals("8")]),
                ("size", vec![equals("13.5")]),
                ("dim", vec![equals("false")]),
            ]
            .map(|(key, filters)| (key.to_owned(), filters))
            .into(),
        };
        assert_eq!(decided.boosts, [Boost { filters, by: 0.25 }]);
    }

    #[test]
    fn boosts_by_price_count_in_their_currency_only() {
        let file = r#"
            [[boost]]
            by = 1
            filter = { priceRange = "-10", currency = "EUR" }
            [[bury]]
            by = 0.5
            query = "lamp"
            filter = { priceRange = "100-" }
            [[bury]]
            by = 0.75
            filter = { inStock = false }"#;
        let by = |words, currency: &str| {
            let decided = tuning_at(file, words, Currency::parse(currency).unwrap(), "2026-06-01T00:00:00Z");
            decided.boosts.iter().map(|boost| boost.by).collect::<Vec<_>>()
        };
        assert_eq!(by("lamp", "EUR"), [1.0, -0.75]);
        assert_eq!(by("lamp", "USD"), [-0.5, -0.75]);
        assert_eq!(by("", "USD"), [-0.75]);
    }

    #[test]
    fn the_version_is_that_of_the_bytes() {
        let version = |file: &str| Rules::parse(file.as_bytes(), Locale::default()).unwrap().version();
        assert_eq!(version("version = 1"), Rules::version_of(b"version = 1"));
        assert_ne!(version("version = 1"), version("version = 1 "));
    }
}
