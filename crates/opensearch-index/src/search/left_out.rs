//! The products that the operators of a query exclude.
//!
//! The terms of the index show which products have a word, and for many pairs which have the two words adjacent. For other phrases,
//! the stored products that have all of the words are read, page by page.

use domain::ports::PortError;
use domain::search::SearchRequest;
use serde_json::{Value, json};
use text::operand::{Operand, Operands, Sequence};

use crate::layout::schema::field;
use crate::search::filters::inside;
use crate::search::matching::has_alternative;
use crate::search::query_dsl::{any_of, none_of};
use crate::search::snapshot::{Snapshot, is_active};

/// The number of products in one response.
const PRODUCTS_PER_RESPONSE: usize = 1000;
/// The most products that are read for a phrase. If more have its words, only products whose terms show that the words are adjacent
/// match it.
const MAX_READ: usize = 10_000;

/// Returns the queries for products that the operators exclude: those that have a word or phrase after a minus, and those that lack a
/// phrase in quotation marks.
pub(super) async fn left_out(
    snapshot: &Snapshot<'_>,
    request: &SearchRequest,
) -> Result<Vec<Value>, PortError> {
    let Operands { required, excluded } = Operands::new(request, snapshot.language());
    let mut queries = Vec::with_capacity(required.len() + excluded.len());
    for operand in &required {
        queries.push(none_of(&has(operand, snapshot, request).await?));
    }
    for operand in &excluded {
        queries.push(has(operand, snapshot, request).await?);
    }
    Ok(queries)
}

/// Returns the filter for products that have an operand.
async fn has(
    operand: &Operand,
    snapshot: &Snapshot<'_>,
    request: &SearchRequest,
) -> Result<Value, PortError> {
    let by_terms = has_alternative(&operand.alternatives);
    let Some(sequence) = &operand.sequence else { return Ok(by_terms) };
    let ids = with_sequence(sequence, &by_terms, snapshot, request).await?;
    Ok(any_of(vec![by_terms, json!({ "terms": { field::ID: ids } })]))
}

/// Returns the ids of the products with a sequence of words, except those that are `known` to have it.
async fn with_sequence(
    sequence: &Sequence,
    known: &Value,
    snapshot: &Snapshot<'_>,
    request: &SearchRequest,
) -> Result<Vec<String>, PortError> {
    let mut filter = inside(&request.restriction);
    filter.extend([is_active(), has_alternative(std::slice::from_ref(&sequence.terms))]);
    let query = json!({ "bool": { "filter": filter, "must_not": [known] } });
    let mut ids = Vec::new();
    let mut after = None::<String>;
    for _ in 0..MAX_READ / PRODUCTS_PER_RESPONSE {
        let mut body = json!({
            "size": PRODUCTS_PER_RESPONSE, "query": query, "_source": [field::PRODUCT],
            "sort": [{ field::ID: "asc" }], "track_total_hits": MAX_READ + 1,
        });
        if let Some(after) = &after {
            body["search_after"] = json!([after]);
        }
        let response = snapshot.search(body).await?;
        if after.is_none() && response.total() > MAX_READ as u64 {
            tracing::warn!(
                phrase = sequence.key(),
                "too many products have the words of a phrase to read them all"
            );
            return Ok(Vec::new());
        }
        for hit in &response.hits.hits {
            let product = hit.product()?;
            if sequence.is_in(&product.content) {
                ids.push(product.id.as_str().to_owned());
            }
            after = Some(product.id.as_str().to_owned());
        }
        if response.hits.hits.len() < PRODUCTS_PER_RESPONSE {
            break;
        }
    }
    Ok(ids)
}
