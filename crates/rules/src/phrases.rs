//! Texts of one or several words, and where they stand in a query.

use domain::Language;
use domain::search::MAX_QUERY_WORDS;
use foldhash::{HashMap, HashMapExt as _};
use text::analysis::query_words;
use text::cjk::{bigrams, is_cjk, spellings};
use text::forms::normal_form;

/// A text of a rule as search reads it: without regard to case, accents, and forms of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// As it stands in the file.
    pub(crate) typed: String,
    /// Its words, folded.
    words: Vec<String>,
}

impl Phrase {
    pub(crate) fn new(typed: &str, language: Language) -> Self {
        Self { typed: typed.to_owned(), words: folded(typed, language).collect() }
    }

    /// How many words it has for those who wrote it: a run of a script without spaces is one.
    pub(crate) fn len(&self) -> usize {
        query_words(&self.typed).len()
    }

    /// Whether search takes both for the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

/// The words of a text in their order, as products have them in whichever form. A run of a script without spaces
/// counts as its pairs of characters, so that it is found inside others, and in one of its spellings.
fn folded(text: &str, language: Language) -> impl Iterator<Item = String> {
    query_words(text).into_iter().flat_map(move |(word, _)| match is_cjk(&word) {
        true => {
            let run = spellings(&word).into_iter().min().unwrap_or(word);
            bigrams(&run).map(str::to_owned).collect()
        }
        false => vec![normal_form(&word, language).1.into_owned()],
    })
}

/// The number of a word that stands in some phrase.
type WordId = u32;
/// Where the words of a phrase lead: a place in a [`Phrases`].
type Node = u32;

/// What belongs to phrases, found in a query by one look-up for each word of it that is in some phrase: a trie over
/// words.
#[derive(Debug)]
pub(crate) struct Phrases<T> {
    language: Language,
    words: HashMap<String, WordId>,
    steps: HashMap<(Node, WordId), Node>,
    /// By nodes; the first one is before any word.
    places: Vec<T>,
}

impl<T: Default> Phrases<T> {
    /// None yet. Those that come are in this language.
    pub(crate) fn new(language: Language) -> Self {
        Self { language, words: HashMap::new(), steps: HashMap::new(), places: vec![T::default()] }
    }

    /// What belongs to the phrase.
    pub(crate) fn place(&mut self, phrase: &Phrase) -> &mut T {
        let mut node = 0;
        for word in &phrase.words {
            let next_word = self.words.len() as WordId;
            let word = *self.words.entry(word.clone()).or_insert(next_word);
            let next_node = self.places.len() as Node;
            node = *self.steps.entry((node, word)).or_insert(next_node);
            if node == next_node {
                self.places.push(T::default());
            }
        }
        &mut self.places[node as usize]
    }

    /// Hands what belongs to every phrase in the query to `each`, and whether the phrase is the whole query.
    pub(crate) fn each_in(&self, query: &str, mut each: impl FnMut(&T, bool)) {
        if self.words.is_empty() {
            return;
        }
        let words = folded(query, self.language).take(MAX_QUERY_WORDS);
        let query: Vec<Option<WordId>> = words.map(|word| self.words.get(&word).copied()).collect();
        for start in 0..query.len() {
            let mut node = 0;
            for (at, word) in query.iter().enumerate().skip(start) {
                let Some(next) = word.and_then(|word| self.steps.get(&(node, word))) else { break };
                node = *next;
                each(&self.places[node as usize], start == 0 && at + 1 == query.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrases: &[&str], query: &str) -> Vec<(String, bool)> {
        found_in(Language::English, phrases, query)
    }

    fn found_in(language: Language, phrases: &[&str], query: &str) -> Vec<(String, bool)> {
        let mut known = Phrases::<Option<String>>::new(language);
        for phrase in phrases {
            *known.place(&Phrase::new(phrase, language)) = Some((*phrase).to_owned());
        }
        let mut found = Vec::new();
        known
            .each_in(query, |phrase, is_whole| found.extend(phrase.clone().map(|phrase| (phrase, is_whole))));
        found
    }

    #[test]
    fn phrases_are_found_wherever_they_stand() {
        let phrases = ["cell phone", "phone", "phone case", "black cell phone case"];
        let texts = |query| found(&phrases, query).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(texts("my Cell Phones"), ["cell phone", "phone"]);
        assert_eq!(texts("phone, cell"), ["phone"]);
        assert_eq!(texts("black cell phone"), ["cell phone", "phone"]);
        assert_eq!(
            texts("black cell phone case"),
            ["black cell phone case", "cell phone", "phone", "phone case"]
        );
        assert_eq!(texts("cell of a phone"), ["phone"]);
        assert_eq!(texts(""), [""; 0]);
    }

    #[test]
    fn a_phrase_is_the_whole_query_in_any_case_accent_and_number() {
        for (query, is_whole) in
            [("Café-Tables", true), ("cafe table", true), ("café table x", false), ("x café table", false)]
        {
            assert_eq!(found(&["CAFE TABLE"], query), [("CAFE TABLE".to_owned(), is_whole)], "{query}");
        }
    }

    #[test]
    fn words_of_scripts_without_spaces_stand_inside_others() {
        assert_eq!(found(&["トナー"], "大容量トナー").len(), 1);
        assert_eq!(found(&["トナー"], "トナー"), [("トナー".to_owned(), true)]);
        assert_eq!(found(&["東京"], "京都東"), []);
        for (typed, query) in [("プリンター", "ﾌﾟﾘﾝﾀ"), ("らあめん", "ラーメン"), ("ラーメン", "らあめん")]
        {
            assert_eq!(found(&[typed], query), [(typed.to_owned(), true)], "{typed}");
        }
    }

    #[test]
    fn forms_of_a_word_are_those_of_the_language() {
        assert_eq!(found_in(Language::German, &["Schwarze Lampe"], "schwarze Lampen").len(), 1);
        assert_eq!(found(&["Schwarze Lampe"], "schwarze Lampen"), []);
    }

    #[test]
    fn only_the_first_words_of_a_query_count() {
        let query = format!("{}phone", "x ".repeat(MAX_QUERY_WORDS - 1));
        assert_eq!(found(&["phone"], &query).len(), 1);
        assert_eq!(found(&["phone"], &format!("x {query}")), []);
    }
}
