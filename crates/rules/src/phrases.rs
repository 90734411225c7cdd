//! Texts of one or more words, and finding them in a query.

use domain::Language;
use domain::search::MAX_QUERY_WORDS;
use foldhash::{HashMap, HashMapExt as _};
use text::analysis::query_words;
use text::cjk::{bigrams, is_cjk, spellings};
use text::forms::normal_form;

/// A text of a rule as search reads it: regardless of case, accents, and forms of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// The text as written in the file.
    pub(crate) typed: String,
    /// The normal forms of its words.
    words: Vec<String>,
}

impl Phrase {
    pub(crate) fn new(typed: &str, language: Language) -> Self {
        Self { typed: typed.to_owned(), words: normal_forms(typed, language).collect() }
    }

    /// Returns the number of words as a person counts them: a run of a script without spaces is one.
    pub(crate) fn len(&self) -> usize {
        query_words(&self.typed).len()
    }

    /// Returns true if search treats both as equal.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

/// Returns the normal forms of the words of a text, in order. A run of a script without spaces is replaced by the bigrams of one
/// of its spellings, so that it is found inside other runs.
fn normal_forms(text: &str, language: Language) -> impl Iterator<Item = String> {
    query_words(text).into_iter().flat_map(move |(word, _)| match is_cjk(&word) {
        true => {
            let run = spellings(&word).into_iter().min().unwrap_or(word);
            bigrams(&run).map(str::to_owned).collect()
        }
        false => vec![normal_form(&word, language).1.into_owned()],
    })
}

/// The number of a word that occurs in a phrase.
type WordId = u32;
/// The index of a trie node.
type Node = u32;

/// Values by phrase, in a trie over words. The time to find all phrases in a query depends on the words of the query and the
/// length of the phrases, not on the number of phrases.
#[derive(Debug)]
pub(crate) struct Phrases<T> {
    language: Language,
    words: HashMap<String, WordId>,
    edges: HashMap<(Node, WordId), Node>,
    /// The values by node; node 0 is the root.
    values: Vec<T>,
}

impl<T: Default> Phrases<T> {
    /// Creates an empty trie for phrases in a language.
    pub(crate) fn new(language: Language) -> Self {
        Self { language, words: HashMap::new(), edges: HashMap::new(), values: vec![T::default()] }
    }

    /// Returns the value of a phrase, inserting the default if there is none.
    pub(crate) fn entry(&mut self, phrase: &Phrase) -> &mut T {
        let mut node = 0;
        for word in &phrase.words {
            let next_word = self.words.len() as WordId;
            let word = *self.words.entry(word.clone()).or_insert(next_word);
            let next_node = self.values.len() as Node;
            node = *self.edges.entry((node, word)).or_insert(next_node);
            if node == next_node {
                self.values.push(T::default());
            }
        }
        &mut self.values[node as usize]
    }

    /// Calls `each` with the value of every phrase in the query, and true if the phrase is the whole query.
    pub(crate) fn for_each_in(&self, query: &str, mut each: impl FnMut(&T, bool)) {
        if self.words.is_empty() {
            return;
        }
        let words = normal_forms(query, self.language).take(MAX_QUERY_WORDS);
        let query: Vec<Option<WordId>> = words.map(|word| self.words.get(&word).copied()).collect();
        for start in 0..query.len() {
            let mut node = 0;
            for (at, word) in query.iter().enumerate().skip(start) {
                let Some(next) = word.and_then(|word| self.edges.get(&(node, word))) else { break };
                node = *next;
                each(&self.values[node as usize], start == 0 && at + 1 == query.len());
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
            *known.entry(&Phrase::new(phrase, language)) = Some((*phrase).to_owned());
        }
        let mut found = Vec::new();
        known.for_each_in(query, |phrase, is_whole| {
            found.extend(phrase.clone().map(|phrase| (phrase, is_whole)))
        });
        found
    }

    #[test]
    fn phrases_are_found_anywhere_in_a_query() {
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
    fn words_of_scripts_without_spaces_are_found_inside_others() {
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
