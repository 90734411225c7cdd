//! The corrected form of a misspelt query, written as the products of the result write it.

use domain::{Content, Language};

use crate::query::Word;
use crate::written::Written;

/// The number of products at the start of a page that decide how words are written.
const MAX_READ_HITS: usize = 20;

/// A word of a query, as an index has interpreted it.
#[derive(Debug, Clone, Copy)]
pub struct InterpretedWord<'a> {
    /// The word.
    pub word: &'a Word,
    /// The folded word that it most probably stands for; `None` if it is not misspelt.
    pub correction: Option<&'a str>,
    /// True if products need not have it.
    pub is_optional: bool,
}

/// Returns the query with corrections in place of its misspelt words; `None` if no word is corrected. `hits` are the products on
/// the page of the result.
///
/// The hits decide the spelling, first by their names and brands: `creme brulle` becomes `crème brûlée` if they write it so, and a
/// correction is the form of the word, such as its plural, that is nearest to the typed one. A word that became optional is
/// corrected only if a hit has the correction: otherwise the corrected query would promise what the result does not contain.
pub fn corrected_query<'a>(
    query: &str,
    words: impl IntoIterator<Item = InterpretedWord<'a>>,
    hits: impl IntoIterator<Item = &'a Content>,
    language: Language,
) -> Option<String> {
    let words: Vec<InterpretedWord<'_>> = words.into_iter().collect();
    if words.iter().all(|word| word.correction.is_none()) {
        return None;
    }
    let mut written: Vec<Written<'_>> = words
        .iter()
        .map(|own| match own.correction {
            Some(correction) => Written::correction(&own.word.text, correction, language),
            None => Written::as_typed(&own.word.text),
        })
        .collect();
    let hits: Vec<&Content> = hits.into_iter().take(MAX_READ_HITS).collect();
    // Names have most words, and are much shorter than descriptions.
    hits.iter().for_each(|content| Written::read_names(&mut written, content));
    if written.iter().any(|written| written.text().is_none()) {
        hits.iter().for_each(|content| Written::read_other_texts(&mut written, content));
    }
    let (mut corrected, mut copied, mut is_corrected) = (String::new(), 0, false);
    for (own, written) in words.iter().zip(&written) {
        let span = own.word.span.clone();
        let (Some(before), Some(typed)) = (query.get(copied..span.start), query.get(span.clone())) else {
            continue;
        };
        let text = match own.correction {
            Some(correction) if !own.is_optional => Some(written.text().unwrap_or(correction).to_owned()),
            Some(_) => written.text().map(str::to_owned),
            None => written.accented(typed),
        };
        let Some(text) = text else { continue };
        corrected.push_str(before);
        corrected.push_str(&text);
        copied = span.end;
        is_corrected |= own.correction.is_some();
    }
    is_corrected.then(|| corrected + &query[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use domain::Currency;
    use domain::input::read_product;
    use domain::search::SearchRequest;

    /// Corrects words of a query, each given with its correction, of which those in `optional` became optional.
    fn corrected(
        query: &str,
        corrections: &[(&str, &str)],
        optional: &[&str],
        hits: &[&str],
    ) -> Option<String> {
        let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
        let words = Query::new(&request, Language::English).words;
        let interpreted = words.iter().map(|word| InterpretedWord {
            word,
            correction: corrections.iter().find(|(typed, _)| *typed == word.text).map(|(_, to)| *to),
            is_optional: optional.contains(&word.text.as_str()),
        });
        let product = |name: &&str| {
            let json = serde_json::json!({ "name": name });
            read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content
        };
        let hits: Vec<Content> = hits.iter().map(product).collect();
        corrected_query(query, interpreted, &hits, Language::English)
    }

    #[test]
    fn a_correction_is_written_as_the_products_write_it() {
        for (query, corrections, hits, expected) in [
            ("creme brulle", &[("brulle", "brulee")][..], &["Crème brûlée set"][..], Some("crème brûlée")),
            ("Creme brulle", &[("brulle", "brulee")], &["CRÈME BRÛLÉE"], Some("Crème brûlée")),
            (
                "creme brulle",
                &[("brulle", "brulee")],
                &["Creme brulee", "Crème brûlée"],
                Some("creme brulee"),
            ),
            ("crème brulle", &[("brulle", "brulee")], &["Creme brulee"], Some("crème brulee")),
            ("creme brulle", &[("brulle", "brulee")], &[], Some("creme brulee")),
            ("«Procesor», please", &[("procesor", "processor")], &["Processor"], Some("«processor», please")),
            ("lapms", &[("lapms", "lamp")], &["Lamp", "Desk lamps"], Some("lamps")),
            ("lapms", &[("lapms", "lamp")], &["Lamp"], Some("lamp")),
            ("lapm", &[("lapm", "lamp")], &["Lamps"], Some("lamps")),
            ("creme", &[], &["Crème"], None),
        ] {
            assert_eq!(corrected(query, corrections, &[], hits).as_deref(), expected, "{query}: {hits:?}");
        }
    }

    #[test]
    fn names_decide_before_descriptions() {
        let request = SearchRequest { words: "lapms".to_owned(), ..SearchRequest::all(Currency::USD) };
        let words = Query::new(&request, Language::English).words;
        let hit = |json: &str| read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let written = |hits: &[Content]| {
            let word = InterpretedWord { word: &words[0], correction: Some("lamp"), is_optional: false };
            corrected_query("lapms", [word], hits, Language::English)
        };
        let (by_name, by_description) =
            (hit(r#"{"name":"Lamp"}"#), hit(r#"{"name":"Light","description":"Lamps"}"#));
        assert_eq!(written(&[by_description.clone(), by_name]).as_deref(), Some("lamp"));
        assert_eq!(written(&[by_description]).as_deref(), Some("lamps"));
    }

    #[test]
    fn an_optional_word_is_corrected_only_if_a_hit_has_the_correction() {
        let corrections = [("lapm", "lamp"), ("purpel", "purple")];
        for (hits, expected) in [
            (&["Purple chair"][..], Some("purple lapm")),
            (&["Purple chair", "Lamps"], Some("purple lamps")),
            (&["Purple lamp"], Some("purple lamp")),
            (&[], Some("purple lapm")),
        ] {
            assert_eq!(
                corrected("purpel lapm", &corrections, &["lapm"], hits).as_deref(),
                expected,
                "{hits:?}"
            );
        }
        assert_eq!(corrected("red lapm", &corrections[..1], &["lapm"], &["Red chair"]), None);
    }
}
