//! The contract of [`IndexMaintenance`]: a test of each sentence of its documentation, for each index.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod entries;
mod generations;
mod repairs;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::input::read_product;
use domain::ports::{
    Applied, CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance, Repair,
    SearchIndex,
};
use domain::search::SearchRequest;
use domain::{Change, Currency, Product, ProductId, Record, Tombstone, Version};
use serde_json::{Value, json};

pub(super) fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

pub(super) fn product(id_text: &str, version: u64, content: &Value) -> Product {
    let content = read_product(content.to_string().as_bytes(), Currency::USD).unwrap().content;
    let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Product { id: id(id_text), version: Version(version), created_at: at, updated_at: at, content }
}

pub(super) fn live(id_text: &str, version: u64, content: &Value) -> Record {
    Record::Live(Arc::new(product(id_text, version, content)))
}

pub(super) fn named(id_text: &str, version: u64, name: &str) -> Record {
    live(id_text, version, &json!({ "name": name }))
}

pub(super) fn deleted(id_text: &str, version: u64) -> Record {
    let deleted_at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Record::Deleted(Tombstone { id: id(id_text), version: Version(version), deleted_at })
}

pub(super) fn change(record: &Record) -> Change {
    match record {
        Record::Live(product) => Change::Update(Arc::clone(product)),
        Record::Deleted(tombstone) => Change::Delete(tombstone.clone()),
    }
}

pub(super) async fn apply(writer: &impl IndexMaintenance, records: &[Record]) -> Vec<Applied> {
    let changes: Vec<Change> = records.iter().map(change).collect();
    writer.apply(&changes).await.unwrap()
}

/// Applies records, all of which must be new to the index.
pub(super) async fn add(writer: &impl IndexMaintenance, records: &[Record]) {
    assert_eq!(apply(writer, records).await, vec![Applied::Done; records.len()]);
}

pub(super) fn repair(seen: impl Into<Option<u64>>, record: Record) -> Repair {
    Repair { id: record.id().clone(), expected_version: seen.into().map(Version), record: Some(record) }
}

pub(super) fn removal(id_text: &str, seen: u64) -> Repair {
    Repair { id: id(id_text), expected_version: Some(Version(seen)), record: None }
}

pub(super) fn expected(writer: &impl IndexMaintenance, records: &[Record]) -> Vec<IndexEntry> {
    writer.expected_entries(records).into_iter().map(Result::unwrap).collect()
}

pub(super) async fn entries(
    writer: &impl IndexMaintenance,
    generation: Generation,
    ids: &[&str],
) -> Vec<Option<IndexEntry>> {
    let ids: Vec<ProductId> = ids.iter().map(|text| id(text)).collect();
    writer.entries(generation, &ids, CompareDepth::Documents).await.unwrap()
}

/// Returns the version of the entry for each id.
pub(super) async fn versions(
    writer: &impl IndexMaintenance,
    generation: Generation,
    ids: &[&str],
) -> Vec<Option<u64>> {
    entries(writer, generation, ids)
        .await
        .into_iter()
        .map(|entry| entry.map(|entry| entry.version.0))
        .collect()
}

/// Scans a generation in pages of `limit`.
pub(super) async fn scanned(
    writer: &impl IndexMaintenance,
    generation: Generation,
    limit: usize,
    depth: CompareDepth,
) -> Vec<IndexEntry> {
    let (mut all, mut after) = (Vec::<IndexEntry>::new(), None);
    loop {
        let page = writer.scan(generation, after.as_ref(), limit, depth).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        all.extend(page);
        after = all.last().map(|entry| entry.id.clone());
        if is_last {
            return all;
        }
    }
}

/// Asserts that a generation holds exactly these records.
pub(super) async fn expect_entries(
    writer: &impl IndexMaintenance,
    generation: Generation,
    records: &[Record],
) {
    let mut expected = expected(writer, records);
    expected.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    assert_eq!(scanned(writer, generation, 100, CompareDepth::Documents).await, expected);
}

pub(super) async fn found(searcher: &impl SearchIndex, words: &str) -> BTreeSet<String> {
    let request = SearchRequest { words: words.to_owned(), ..SearchRequest::all(Currency::USD) };
    let answer = searcher.search(&request).await.unwrap();
    answer.hits.iter().map(|hit| hit.product.id.to_string()).collect()
}

pub(super) fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

pub(super) async fn generations(writer: &impl IndexMaintenance) -> Generations {
    writer.generations().await.unwrap()
}

pub(super) fn name(state: Option<GenerationState>) -> String {
    state.unwrap().name
}
