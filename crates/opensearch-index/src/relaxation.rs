//! Which words of a query to leave out when no product has all of them.

use std::collections::BTreeMap;

use domain::ports::PortError;
use serde_json::{Value, json};
use text::query::{Word, by_telling};

use crate::answer::{count, search};
use crate::client::Client;
use crate::filters::{all_of, is_active};
use crate::matching::{has_word, has_word_exactly};

/// Which words to keep: one `bool` a word, all of them where some product has every word or none has any.
pub(crate) async fn words_to_keep(client: &Client, words: &[Word]) -> Result<Vec<bool>, PortError> {
    let all = vec![true; words.len()];
    if words.len() < 2 {
        return Ok(all);
    }
    let mut filters = BTreeMap::from([("all".to_owned(), having(words, &all))]);
    for (number, word) in words.iter().enumerate() {
        filters.insert(format!("exact{number}"), has_word_exactly(word));
        filters.insert(format!("any{number}"), has_word(word));
    }
    let counted = counts(client, filters).await?;
    if counted("all") > 0 {
        return Ok(all);
    }
    let found: Vec<u64> = (0..words.len())
        .map(|number| match counted(&format!("exact{number}")) {
            0 => counted(&format!("any{number}")),
            exact => exact,
        })
        .collect();
    let mut kept = vec![false; words.len()];
    for (place, at) in by_telling(&found).into_iter().enumerate() {
        kept[at] = true;
        // The first one is found, as was counted.
        if place > 0 {
            let filters = BTreeMap::from([("kept".to_owned(), having(words, &kept))]);
            kept[at] = counts(client, filters).await?("kept") > 0;
        }
    }
    Ok(if kept.contains(&true) { kept } else { all })
}

/// Products with all words that are kept.
fn having(words: &[Word], kept: &[bool]) -> Value {
    all_of(words.iter().zip(kept).filter(|(_, kept)| **kept).map(|(word, _)| has_word(word)).collect())
}

/// How many products pass each of the filters.
async fn counts(
    client: &Client,
    filters: BTreeMap<String, Value>,
) -> Result<impl Fn(&str) -> u64, PortError> {
    let body = json!({
        "size": 0, "track_total_hits": false, "query": is_active(),
        "aggs": { "words": { "filters": { "filters": filters } } },
    });
    let answer = search(client, body).await?;
    Ok(move |name: &str| count(&answer, "words", name))
}
