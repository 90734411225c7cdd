//! The corrected form of a misspelt query.

use domain::search::{Hit, SearchRequest};
use text::corrected_query;

use crate::search::inside::Inside;
use crate::search::interpretation::InterpretedQuery;
use crate::search::snapshot::Snapshot;

/// Returns the query with corrections in place of the words that no product has, as the hits write them; `None` if no such word has a
/// correction.
pub(crate) fn corrected_query(
    request: &SearchRequest,
    query: &InterpretedQuery,
    hits: &[Hit],
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<Option<String>> {
    let mut words = Vec::with_capacity(query.words.len());
    for (at, own) in (0..).zip(&query.words) {
        words.push(corrected_query::InterpretedWord {
            word: &own.word,
            correction: own.correction(request.is_prefix_query, snapshot, inside)?,
            is_optional: query.interpretation.optional.contains(&at),
        });
    }
    let contents = hits.iter().map(|hit| &hit.product.content);
    Ok(corrected_query::corrected_query(&request.words, words, contents, snapshot.language))
}
