//! What a misspelt query was meant to be.
//!
//! A search that shows a product with the word itself, for each word, is not misspelt, and that is most of them.
//! For the rest it takes up to two more questions.

use std::collections::BTreeMap;

use domain::ports::PortError;
use domain::search::Hit;
use serde_json::{Map, Value, json};
use text::analysis::{Purpose, words};
use text::product::each_text;
use text::query::Word;
use text::typos::typos_allowed;
use text::weights::each_pair;

use crate::answer::{count, search};
use crate::client::Client;
use crate::filters::{is_active, term};
use crate::matching::{has_word, has_word_as_it_is};
use crate::schema::field;

/// Words that are considered in place of one.
const MAX_OPTIONS: usize = 20;

/// The query with each word that nothing contains replaced by the best word it was taken for; none when there is
/// no such word, or when the words find nothing.
pub(crate) async fn corrected(
    client: &Client,
    query: &str,
    sought: &[Word],
    hits: &[Hit],
) -> Result<Option<String>, PortError> {
    let doubtful: Vec<&Word> =
        sought.iter().filter(|word| typos_allowed(&word.text) > 0 && !is_shown(word, hits)).collect();
    if doubtful.is_empty() {
        return Ok(None);
    }
    let options = options_of_unknown(client, sought, &doubtful).await?;
    if options.is_empty() {
        return Ok(None);
    }
    let best = best_options(client, &options).await?;
    Ok(replaced(query, &best))
}

/// Whether a product that was found has the word as it was written.
fn is_shown(word: &Word, hits: &[Hit]) -> bool {
    hits.iter().any(|hit| {
        let mut is_shown = false;
        each_text(&hit.product.content, |text, _| {
            if !is_shown {
                words(text, Purpose::Document, |found, _| is_shown |= word.is_begun_by(found));
                each_pair(text, |pair, _| is_shown |= word.is_pair(pair));
            }
        });
        is_shown
    })
}

/// The words that no product has, with those of the index that are near.
async fn options_of_unknown<'a>(
    client: &Client,
    sought: &[Word],
    doubtful: &[&'a Word],
) -> Result<Vec<(&'a Word, Vec<String>)>, PortError> {
    let mut known = Map::new();
    let mut suggest = Map::new();
    for (number, word) in doubtful.iter().enumerate() {
        known.insert(number.to_string(), has_word_as_it_is(word));
        suggest.insert(
            number.to_string(),
            json!({ "text": word.text, "term": {
            "field": field::WORDS, "suggest_mode": "always", "max_edits": typos_allowed(&word.text),
            "prefix_length": 0, "min_word_length": 1, "accuracy": 0.0, "max_term_freq": i32::MAX,
            "size": MAX_OPTIONS, "string_distance": "damerau_levenshtein",
        } }),
        );
    }
    known.insert(
        "all".to_owned(),
        json!({ "bool": { "filter": sought.iter().map(has_word).collect::<Vec<_>>() } }),
    );
    let body = json!({
        "size": 0, "track_total_hits": false, "query": is_active(), "suggest": suggest,
        "aggs": { "known": { "filters": { "filters": known } } },
    });
    let mut answer = search(client, body).await?;
    if count(&answer, "known", "all") == 0 {
        return Ok(Vec::new());
    }
    let mut options = Vec::new();
    for (number, word) in doubtful.iter().enumerate() {
        let name = number.to_string();
        if count(&answer, "known", &name) == 0 {
            let suggested = answer.suggest.remove(&name).into_iter().flatten();
            let near = suggested.flat_map(|suggested| suggested.options).map(|option| option.text);
            options.push((*word, near.filter(|near| word.typos(near).is_some()).collect()));
        }
    }
    Ok(options)
}

/// For each word the one with the fewest typos, and of those the most frequent. The dictionary also has words of
/// products that are gone; those are counted out here.
async fn best_options<'a>(
    client: &Client,
    options: &[(&'a Word, Vec<String>)],
) -> Result<Vec<(&'a Word, String)>, PortError> {
    let filters: BTreeMap<&str, Value> = options
        .iter()
        .flat_map(|(_, near)| near)
        .map(|near| (near.as_str(), term(field::WORDS, near.as_str())))
        .collect();
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let body = json!({
        "size": 0, "track_total_hits": false, "query": is_active(),
        "aggs": { "near": { "filters": { "filters": filters } } },
    });
    let answer = search(client, body).await?;
    let best = options.iter().filter_map(|(word, near)| {
        let counted = near.iter().map(|near| (count(&answer, "near", near), near));
        let (_, best) = counted.filter(|(count, _)| *count > 0).min_by(|(a_count, a), (b_count, b)| {
            word.typos(a).cmp(&word.typos(b)).then(b_count.cmp(a_count)).then_with(|| a.cmp(b))
        })?;
        Some((*word, best.clone()))
    });
    Ok(best.collect())
}

/// The query with words replaced, in their order; none when there are none.
fn replaced(query: &str, words: &[(&Word, String)]) -> Option<String> {
    let (mut corrected, mut copied) = (String::new(), 0);
    for (word, by) in words {
        corrected.push_str(&query[copied..word.at.start]);
        corrected.push_str(by);
        copied = word.at.end;
    }
    (copied > 0).then(|| corrected + &query[copied..])
}
