//! The query that finds products similar to a product.

use domain::search::MAX_QUERY_CHARS;
use domain::{Content, Language};

use crate::analysis::{has_digit, query_words};
use crate::forms::normal_form;
use crate::grammar::is_function_word;
use crate::kinds::names_several_things;
use crate::markup::plain_text;
use crate::units::INCH;

/// The most words in the query. The first words of a name are the most distinctive.
const MAX_WORDS: usize = 16;

/// Returns the query for [`MatchMode::Any`](domain::search::MatchMode::Any): the words of the name without codes and sizes, then
/// of the brand, of the narrowest level of the main category, of the tags, and of the narrowest levels of the other categories. A level
/// of several things, such as `Kettles & Teapots`, is left out if the name says which of them the product is.
pub fn distinctive_words(content: &Content, language: Language) -> String {
    let form = |word: &str| normal_form(word, language).1.into_owned();
    let name = plain_text(&content.name);
    let named: Vec<String> = query_words(&name).iter().map(|(word, _)| form(word)).collect();
    let says_more = |level: &&String| {
        let words = query_words(level);
        !names_several_things(level, language) || !words.iter().any(|(word, _)| named.contains(&form(word)))
    };
    let mut narrowest = content.categories.iter().filter_map(|path| path.levels().last()).filter(says_more);
    let main = narrowest.next();
    let texts =
        [&content.name].into_iter().chain(&content.brand).chain(main).chain(&content.tags).chain(narrowest);
    let (mut query, mut known) = (String::new(), Vec::<String>::new());
    for (word, _) in texts.flat_map(|text| query_words(&plain_text(text))) {
        let is_unit = word.len() == 1 || word == INCH;
        let form = form(&word);
        if is_unit || has_digit(&word) || is_function_word(&word, language) || known.contains(&form) {
            continue;
        }
        if known.len() == MAX_WORDS || query.chars().count() + word.chars().count() >= MAX_QUERY_CHARS {
            break;
        }
        if !query.is_empty() {
            query.push(' ');
        }
        query.push_str(&word);
        known.push(form);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    fn words(json: &str) -> String {
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        distinctive_words(&content, Language::English)
    }

    #[test]
    fn codes_sizes_and_what_only_joins_are_left_out() {
        let json = r#"{"name":"Case for the ThinkPad X1, 14\" (2023), black w/ strap","brand":"Lenovo",
            "category":"Computers > Laptop cases","tags":["black","travel"],"description":"More words"}"#;
        assert_eq!(words(json), "case thinkpad black strap lenovo laptop travel");
        assert_eq!(words(r#"{"name":"X1 2023"}"#), "");
        let json = r#"{"name":"Tent","categories":["Outdoor > Tents","Garden > Pavilions","Sale"],"tags":["camping"]}"#;
        assert_eq!(words(json), "tent camping pavilions sale");
        let in_several =
            |name: &str| words(&format!(r#"{{"name":{name:?},"category":"Kettles & Teapots"}}"#));
        assert_eq!(in_several("Glass teapot"), "glass teapot");
        assert_eq!(in_several("Kumo glass"), "kumo glass kettles teapots");
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
