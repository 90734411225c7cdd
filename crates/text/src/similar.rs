//! Which words of a product find what is like it.

use domain::search::MAX_QUERY_CHARS;
use domain::{Content, Language};

use crate::analysis::{has_digit, query_words};
use crate::forms::normal_form;
use crate::function_words::is_function_word;

/// The most words that are looked for. Those that come first in a name say most.
const MAX_WORDS: usize = 16;

/// The words to look for with [`MatchMode::Any`](domain::search::MatchMode::Any): those of the name, without codes and sizes, then
/// brand, the narrowest category and tags.
pub fn distinctive_words(content: &Content) -> String {
    let category = content.category.iter().filter_map(|path| path.levels().last());
    let texts = [&content.name].into_iter().chain(&content.brand).chain(category).chain(&content.tags);
    let (mut query, mut bases) = (String::new(), Vec::<String>::new());
    for (word, _) in texts.flat_map(|text| query_words(text)) {
        let is_letter = word.len() == 1;
        // Which of two forms of a word is kept does not matter here, and most catalogues are in this language.
        let base = normal_form(&word, Language::default()).1.into_owned();
        if is_letter || has_digit(&word) || is_function_word(&word) || bases.contains(&base) {
            continue;
        }
        if bases.len() == MAX_WORDS || query.chars().count() + word.chars().count() >= MAX_QUERY_CHARS {
            break;
        }
        if !query.is_empty() {
            query.push(' ');
        }
        query.push_str(&word);
        bases.push(base);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    fn words(json: &str) -> String {
        distinctive_words(&read_product(json.as_bytes(), Currency::USD).unwrap().content)
    }

    #[test]
    fn codes_sizes_and_what_only_joins_are_left_out() {
        let json = r#"{"name":"Case for the ThinkPad X1, 14\" (2023), black w/ strap","brand":"Lenovo",
            "category":"Computers > Laptop cases","tags":["black","travel"],"description":"More words"}"#;
        assert_eq!(words(json), "case thinkpad black strap lenovo laptop travel");
        assert_eq!(words(r#"{"name":"X1 2023"}"#), "");
    }

    #[test]
    fn there_is_an_end_to_the_words() {
        let name: Vec<String> = ('a'..='z').map(|letter| format!("word{letter}")).collect();
        let all = words(&format!("{{\"name\":{:?}}}", name.join(" ")));
        assert_eq!(all.split(' ').count(), MAX_WORDS);
        let long: Vec<String> = ('a'..='z').map(|letter| letter.to_string().repeat(40)).collect();
        assert!(words(&format!("{{\"name\":{:?}}}", long[..10].join(" "))).len() <= MAX_QUERY_CHARS);
    }
}
