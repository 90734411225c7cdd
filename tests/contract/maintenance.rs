//! What every index must do for those who look after it: a function for each sentence of [`IndexMaintenance`]'s
//! documentation, called for each adapter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::input::read_product;
use domain::ports::{Applied, IndexWriter as _, SearchIndex};
use domain::ports::{
    CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance, Repair,
    RepairOutcome,
};
use domain::search::SearchRequest;
use domain::{Change, Currency, Product, ProductId, Record, Tombstone, Version};
use serde_json::{Value, json};

use super::index::{OpenSearchPlace, Place, TantivyPlace};

macro_rules! suite {
    ($adapter:ident, $place:ty, [$($test:ident),* $(,)?]) => {
        mod $adapter {
            use super::Place as _;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(place) = <$place>::new().await else { return };
                super::$test(place).await;
            })*
        }
    };
}

macro_rules! suites {
    ($($adapter:ident: $place:ty),* $(,)?) => {$(
        suite!(
            $adapter,
            $place,
            [
                what_is_projected_is_what_is_held,
                the_same_is_projected_in_any_order,
                a_document_differs_in_its_fingerprint_when_the_product_does,
                held_answers_in_the_order_asked,
                a_scan_goes_through_everything_by_id,
                a_scan_has_what_stays_there_exactly_once_while_writes_go_on,
                a_mend_makes_the_index_hold_a_record_whatever_it_held,
                a_mend_removes_what_the_store_never_had,
                what_was_mended_goes_on_as_if_it_had_been_applied,
                a_mend_of_what_was_written_meanwhile_changes_nothing,
                a_mend_survives_a_restart,
                nothing_is_built_until_it_is_begun,
                the_next_generation_is_empty_and_not_searched,
                both_generations_get_every_change,
                what_was_begun_is_gone_on_with_after_a_restart,
                the_next_generation_becomes_the_live_one,
                no_search_fails_while_generations_change,
                only_the_one_before_is_kept,
                the_previous_generation_comes_back_as_the_next_one,
                what_is_called_back_takes_the_place_of_what_was_begun,
                without_a_previous_generation_there_is_nothing_to_call_back,
                what_was_begun_can_be_given_up,
            ]
        );
    )*};
}

suites!(tantivy: super::TantivyPlace, opensearch: super::OpenSearchPlace);

// ------------------------------------------------------------------------------------------------ helpers

fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

fn product(id_text: &str, version: u64, content: &Value) -> Product {
    let content = read_product(content.to_string().as_bytes(), Currency::USD).unwrap().content;
    let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Product { id: id(id_text), version: Version(version), created_at: at, updated_at: at, content }
}

fn live(id_text: &str, version: u64, content: &Value) -> Record {
    Record::Live(Arc::new(product(id_text, version, content)))
}

fn named(id_text: &str, version: u64, name: &str) -> Record {
    live(id_text, version, &json!({ "name": name }))
}

fn deleted(id_text: &str, version: u64) -> Record {
    let deleted_at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Record::Deleted(Tombstone { id: id(id_text), version: Version(version), deleted_at })
}

fn change(record: &Record) -> Change {
    match record {
        Record::Live(product) => Change::Update(Arc::clone(product)),
        Record::Deleted(tombstone) => Change::Delete(tombstone.clone()),
    }
}

/// One record of every kind that an index treats in a way of its own.
fn of_every_kind() -> Vec<Record> {
    let description = "A lamp for reading. ".repeat(400);
    vec![
        named("plain", 1, "Desk lamp"),
        live("draft", 2, &json!({ "name": "Secret lamp", "status": "draft" })),
        live("archived", 3, &json!({ "name": "Old lamp", "status": "archived", "price": 5 })),
        deleted("deleted", 4),
        live(
            "japanese",
            1,
            &json!({ "name": "常滑焼の急須", "description": "「ほうじ茶」に。カタカナとひらがな" }),
        ),
        live("long", 1, &json!({ "name": "Lamp", "description": description })),
        live(
            "whole",
            7,
            &json!({
                "name": "Kyūsu <Teapot> & \"Cup\"", "brand": "Tokoname", "sku": "TK-1", "category": "Kitchen > Tea > Pots",
                "tags": ["tea", "clay", "gift"], "price": 1234, "currency": "JPY", "stock": 3,
                "attributes": {
                    "volume": 350, "weight": -1.25, "handmade": true, "colour": ["red", "赤"], "ratio": 1e-9,
                },
            }),
        ),
        live("no-stock", 1, &json!({ "name": "Cup", "stock": 0, "price": 0.99, "currency": "EUR" })),
    ]
}

async fn apply(writer: &impl IndexMaintenance, records: &[Record]) -> Vec<Applied> {
    let changes: Vec<Change> = records.iter().map(change).collect();
    writer.apply(&changes).await.unwrap()
}

/// Applies what the index has not, which it must take.
async fn add(writer: &impl IndexMaintenance, records: &[Record]) {
    assert_eq!(apply(writer, records).await, vec![Applied::Done; records.len()]);
}

fn repair(seen: impl Into<Option<u64>>, record: Record) -> Repair {
    Repair { id: record.id().clone(), expected_version: seen.into().map(Version), record: Some(record) }
}

fn removal(id_text: &str, seen: u64) -> Repair {
    Repair { id: id(id_text), expected_version: Some(Version(seen)), record: None }
}

fn projected(writer: &impl IndexMaintenance, records: &[Record]) -> Vec<IndexEntry> {
    writer.expected_entries(records).into_iter().map(Result::unwrap).collect()
}

async fn held(
    writer: &impl IndexMaintenance,
    generation: Generation,
    ids: &[&str],
) -> Vec<Option<IndexEntry>> {
    let ids: Vec<ProductId> = ids.iter().map(|text| id(text)).collect();
    writer.entries(generation, &ids, CompareDepth::Documents).await.unwrap()
}

/// The version under each of these ids.
async fn versions(writer: &impl IndexMaintenance, generation: Generation, ids: &[&str]) -> Vec<Option<u64>> {
    held(writer, generation, ids).await.into_iter().map(|held| held.map(|held| held.version.0)).collect()
}

/// Everything that a generation holds, by pages of `limit`.
async fn scanned(
    writer: &impl IndexMaintenance,
    generation: Generation,
    limit: usize,
    look: CompareDepth,
) -> Vec<IndexEntry> {
    let (mut all, mut after) = (Vec::<IndexEntry>::new(), None);
    loop {
        let page = writer.scan(generation, after.as_ref(), limit, look).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        all.extend(page);
        after = all.last().map(|held| held.id.clone());
        if is_last {
            return all;
        }
    }
}

/// Holds a generation to exactly these records.
async fn expect(writer: &impl IndexMaintenance, generation: Generation, records: &[Record]) {
    let mut expected = projected(writer, records);
    expected.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    assert_eq!(scanned(writer, generation, 100, CompareDepth::Documents).await, expected);
}

async fn found(searcher: &impl SearchIndex, words: &str) -> BTreeSet<String> {
    let request = SearchRequest { words: words.to_owned(), ..SearchRequest::all(Currency::USD) };
    let answer = searcher.search(&request).await.unwrap();
    answer.hits.iter().map(|hit| hit.product.id.to_string()).collect()
}

fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

async fn generations(writer: &impl IndexMaintenance) -> Generations {
    writer.generations().await.unwrap()
}

fn name(state: Option<GenerationState>) -> String {
    state.unwrap().name
}

// ------------------------------------------------------------------------------------------------ projection

async fn what_is_projected_is_what_is_held(place: impl Place) {
    let writer = place.writer().await;
    let records = of_every_kind();
    add(&writer, &records).await;
    let ids: Vec<&str> = records.iter().map(|record| record.id().as_str()).collect();
    let found: Vec<IndexEntry> =
        held(&writer, Generation::Live, &ids).await.into_iter().map(Option::unwrap).collect();
    let expected = projected(&writer, &records);
    assert_eq!(found, expected);
    let live: Vec<bool> = expected.iter().map(|held| held.is_live).collect();
    assert_eq!(live, [true, true, true, false, true, true, true, true]);
    expect(&writer, Generation::Live, &records).await;
    // The same through another writer, and once segments are put together.
    drop(writer);
    let again = place.writer().await;
    again.optimize().await.unwrap();
    expect(&again, Generation::Live, &records).await;
}

async fn the_same_is_projected_in_any_order(place: impl Place) {
    let writer = place.writer().await;
    let mut records = of_every_kind();
    let mut forwards = projected(&writer, &records);
    records.reverse();
    forwards.reverse();
    assert_eq!(projected(&writer, &records), forwards);
    assert!(writer.expected_entries(&[]).is_empty());
}

async fn a_document_differs_in_its_fingerprint_when_the_product_does(place: impl Place) {
    let writer = place.writer().await;
    let of = |content: Value| projected(&writer, &[live("a", 1, &content)])[0].fingerprint;
    let prints = [
        of(json!({ "name": "Lamp" })),
        of(json!({ "name": "Lamb" })),
        of(json!({ "name": "Lamp", "price": 1 })),
        of(json!({ "name": "Lamp", "price": 2 })),
        of(json!({ "name": "Lamp", "stock": 1 })),
        of(json!({ "name": "Lamp", "stock": 2 })),
        of(json!({ "name": "Lamp", "tags": ["a"] })),
        of(json!({ "name": "Lamp", "attributes": { "a": "b" } })),
        of(json!({ "name": "Lamp", "attributes": { "b": "a" } })),
        of(json!({ "name": "Lamp", "status": "draft" })),
    ];
    for (at, print) in prints.iter().enumerate() {
        assert!(print.is_some() && !prints[..at].contains(print), "{at}");
    }
}

// ------------------------------------------------------------------------------------------------ reading

async fn held_answers_in_the_order_asked(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 2, "lamp"), deleted("c", 3)]).await;
    let asked = ["c", "never", "a", "b", "a"];
    let expected = [Some(3), None, Some(1), Some(2), Some(1)];
    assert_eq!(versions(&writer, Generation::Live, &asked).await, expected);
    // What was applied before is seen, each time.
    for version in 2..20 {
        add(&writer, &[named("a", version, "lamp")]).await;
        assert_eq!(versions(&writer, Generation::Live, &["a"]).await, [Some(version)]);
    }
    assert!(held(&writer, Generation::Live, &[]).await.is_empty());
    let ids = [id("a"), id("c")];
    let looked = writer.entries(Generation::Live, &ids, CompareDepth::Versions).await.unwrap();
    let looked: Vec<IndexEntry> = looked.into_iter().map(Option::unwrap).collect();
    assert_eq!(
        looked,
        [
            IndexEntry { id: id("a"), version: Version(19), is_live: true, fingerprint: None },
            IndexEntry { id: id("c"), version: Version(3), is_live: false, fingerprint: None },
        ]
    );
}

async fn a_scan_goes_through_everything_by_id(place: impl Place) {
    let writer = place.writer().await;
    // Ids whose order is that of their bytes and of nothing else, in several commits.
    let mut ids: Vec<String> = (0..120).map(|n| format!("p{n}")).collect();
    ids.extend(["A", "a", "Z", "z", "~", "0", "a.b", "a-b", "a:b", "a_b", "aB", "ab"].map(str::to_owned));
    let records: Vec<Record> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| match n % 5 {
            0 => deleted(id, 2),
            1 => live(id, 3, &json!({ "name": "lamp", "status": "draft" })),
            _ => named(id, 1, "lamp"),
        })
        .collect();
    for some in records.chunks(37) {
        add(&writer, some).await;
    }
    let mut sorted = ids.clone();
    sorted.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    for limit in [1, 7, 44, 132, 1000] {
        let all = scanned(&writer, Generation::Live, limit, CompareDepth::Versions).await;
        let found: Vec<&str> = all.iter().map(|held| held.id.as_str()).collect();
        assert_eq!(found, sorted, "by {limit}");
    }
    expect(&writer, Generation::Live, &records).await;
    let behind = writer.scan(Generation::Live, Some(&id("zz")), 10, CompareDepth::Versions).await.unwrap();
    assert_eq!(behind.iter().map(|held| held.id.as_str()).collect::<Vec<_>>(), ["~"]);
    // A place to go on from need not be there any more.
    let behind = writer.scan(Generation::Live, Some(&id("p5")), 2, CompareDepth::Versions).await.unwrap();
    let between = writer.scan(Generation::Live, Some(&id("p4z")), 3, CompareDepth::Versions).await.unwrap();
    assert_eq!((between[0].id.as_str(), &between[1..]), ("p5", &behind[..]));
}

async fn a_scan_has_what_stays_there_exactly_once_while_writes_go_on(place: impl Place) {
    let writer = place.writer().await;
    let records: Vec<Record> = (0..100).map(|n| named(&format!("p{n:02}"), 1, "lamp")).collect();
    add(&writer, &records).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut after, mut pages) = (None, 0);
    loop {
        let page = writer.scan(Generation::Live, after.as_ref(), 9, CompareDepth::Documents).await.unwrap();
        for held in &page {
            *seen.entry(held.id.to_string()).or_default() += 1;
        }
        let Some(last) = page.last().filter(|_| page.len() == 9) else { break };
        after = Some(last.id.clone());
        let writes = [
            named(&format!("new-{pages}"), 1, "lamp"),
            named(&format!("zz-{pages}"), 1, "lamp"),
            named(&format!("p{:02}", pages % 100), 2, "light"),
            named(&format!("p{:02}", 99 - pages), 2, "light"),
            deleted(&format!("p{:02}", 50 + pages), 2),
        ];
        add(&writer, &writes).await;
        pages += 1;
    }
    assert!(pages > 10);
    for n in 0..100 {
        assert_eq!(seen.get(&format!("p{n:02}")), Some(&1), "p{n:02}");
    }
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
}

// ------------------------------------------------------------------------------------------------ mending

async fn a_mend_makes_the_index_hold_a_record_whatever_it_held(place: impl Place) {
    let (writer, searcher) = place.open().await;
    let before = [
        named("stale", 3, "wrong"),
        named("altered", 3, "wrong"),
        named("ahead", 9, "wrong"),
        named("ghost", 3, "wrong"),
        deleted("undead", 3),
        named("right", 3, "lamp"),
    ];
    add(&writer, &before).await;
    let after = [
        named("missing", 5, "lamp"),
        named("stale", 5, "lamp"),
        named("altered", 3, "lamp"),
        named("ahead", 4, "lamp"),
        deleted("ghost", 4),
        named("undead", 3, "lamp"),
    ];
    let seen = [None, Some(3), Some(3), Some(9), Some(3), Some(3)];
    let repairs: Vec<Repair> =
        after.iter().cloned().zip(seen).map(|(record, seen)| repair(seen, record)).collect();
    let outcomes = writer.repair(Generation::Live, &repairs).await.unwrap();
    assert_eq!(outcomes, vec![RepairOutcome::Done; repairs.len()]);
    assert_eq!(
        found(&searcher, "lamp").await,
        set(["missing", "stale", "altered", "ahead", "undead", "right"])
    );
    assert_eq!(found(&searcher, "wrong").await, set([]));
    let all: Vec<Record> = after.into_iter().chain([named("right", 3, "lamp")]).collect();
    expect(&writer, Generation::Live, &all).await;
    assert!(writer.repair(Generation::Live, &[]).await.unwrap().is_empty());
}

async fn a_mend_removes_what_the_store_never_had(place: impl Place) {
    let (writer, searcher) = place.open().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 2, "lamp"), deleted("c", 5)]).await;
    let outcomes = writer.repair(Generation::Live, &[removal("b", 2), removal("c", 5)]).await.unwrap();
    assert_eq!(outcomes, [RepairOutcome::Done, RepairOutcome::Done]);
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    expect(&writer, Generation::Live, &[named("a", 1, "lamp")]).await;
    assert_eq!(versions(&writer, Generation::Live, &["b", "c"]).await, [None, None]);
}

/// A mend leaves nothing behind by which later changes are judged otherwise.
async fn what_was_mended_goes_on_as_if_it_had_been_applied(place: impl Place) {
    let (writer, searcher) = place.open().await;
    add(&writer, &[named("altered", 3, "wrong"), named("ahead", 9, "wrong")]).await;
    let repairs = [repair(3, named("altered", 3, "lamp")), repair(9, named("ahead", 4, "lamp"))];
    assert_eq!(
        writer.repair(Generation::Live, &repairs).await.unwrap(),
        [RepairOutcome::Done, RepairOutcome::Done]
    );
    let stale = [named("altered", 3, "old"), named("ahead", 4, "old")];
    assert_eq!(apply(&writer, &stale).await, [Applied::Stale, Applied::Stale]);
    let newer = [named("altered", 4, "new"), named("ahead", 5, "new")];
    assert_eq!(apply(&writer, &newer).await, [Applied::Done, Applied::Done]);
    assert_eq!(found(&searcher, "new").await, set(["altered", "ahead"]));
    expect(&writer, Generation::Live, &newer).await;
}

async fn a_mend_of_what_was_written_meanwhile_changes_nothing(place: impl Place) {
    let writer = place.writer().await;
    // What each holds is later than what was seen of it.
    let holds = [
        named("created", 1, "lamp"),
        named("updated", 6, "lamp"),
        deleted("deleted", 6),
        named("ghost", 6, "lamp"),
        named("ahead", 8, "lamp"),
        named("same", 5, "lamp"),
    ];
    add(&writer, &holds).await;
    let repairs = [
        repair(None, named("created", 1, "wrong")),
        repair(5, named("updated", 6, "wrong")),
        repair(5, named("deleted", 5, "wrong")),
        removal("ghost", 5),
        repair(7, named("ahead", 4, "wrong")),
        repair(4, named("same", 5, "wrong")),
        repair(None, named("missing", 1, "lamp")),
    ];
    let outcomes = writer.repair(Generation::Live, &repairs).await.unwrap();
    let mut expected = vec![RepairOutcome::Overtaken; 6];
    expected.push(RepairOutcome::Done);
    assert_eq!(outcomes, expected);
    let all: Vec<Record> = holds.into_iter().chain([named("missing", 1, "lamp")]).collect();
    expect(&writer, Generation::Live, &all).await;
}

async fn a_mend_survives_a_restart(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("altered", 2, "wrong"), named("ghost", 2, "wrong")]).await;
    let repairs =
        [repair(2, named("altered", 2, "lamp")), removal("ghost", 2), repair(None, named("new", 1, "lamp"))];
    writer.repair(Generation::Live, &repairs).await.unwrap();
    drop(writer);
    let (writer, searcher) = place.open().await;
    assert_eq!(found(&searcher, "lamp").await, set(["altered", "new"]));
    expect(&writer, Generation::Live, &[named("altered", 2, "lamp"), named("new", 1, "lamp")]).await;
}

/// OpenSearch counts versions to 2^63 - 1.
#[tokio::test]
async fn a_mend_that_no_document_can_be_made_of_is_refused_alone() {
    let Some(place) = OpenSearchPlace::new().await else { return };
    let writer = place.writer().await;
    let repairs = [repair(None, named("a", u64::MAX, "lamp")), repair(None, named("b", 1, "lamp"))];
    let outcomes = writer.repair(Generation::Live, &repairs).await.unwrap();
    assert!(
        matches!(&outcomes[..], [RepairOutcome::Refused(reason), RepairOutcome::Done] if !reason.is_empty()),
        "{outcomes:?}"
    );
    expect(&writer, Generation::Live, &[named("b", 1, "lamp")]).await;
}

// ------------------------------------------------------------------------------------------------ generations

async fn nothing_is_built_until_it_is_begun(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 1, "lamp"), deleted("b", 2)]).await;
    let state = generations(&writer).await;
    assert_eq!(state.live.as_ref().unwrap().documents, 2);
    assert_eq!((state.next, state.previous), (None, None));
    assert!(writer.promote_next().await.is_err());
    assert!(writer.entries(Generation::Next, &[id("a")], CompareDepth::Versions).await.is_err());
    assert!(writer.scan(Generation::Next, None, 1, CompareDepth::Versions).await.is_err());
    assert!(writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.is_err());
    writer.discard_next().await.unwrap();
    expect(&writer, Generation::Live, &[named("a", 1, "lamp"), deleted("b", 2)]).await;
}

async fn the_next_generation_is_empty_and_not_searched(place: impl Place) {
    let (writer, searcher) = place.open().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    assert!(!writer.create_next().await.unwrap());
    expect(&writer, Generation::Next, &[]).await;
    let filled = [repair(None, named("b", 1, "lamp")), repair(None, named("c", 1, "lamp"))];
    assert_eq!(
        writer.repair(Generation::Next, &filled).await.unwrap(),
        [RepairOutcome::Done, RepairOutcome::Done]
    );
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    expect(&writer, Generation::Next, &[named("b", 1, "lamp"), named("c", 1, "lamp")]).await;
    expect(&writer, Generation::Live, &[named("a", 1, "lamp")]).await;
    // To begin again is to go on.
    assert!(writer.create_next().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!((state.live.unwrap().documents, state.next.unwrap().documents), (1, 2));
}

async fn both_generations_get_every_change(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 3, "lamp"), named("b", 1, "lamp"), named("c", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    // What the live one makes of a change is the answer, whatever the other one holds.
    let changes = [
        named("a", 2, "older"),
        named("b", 2, "light"),
        deleted("c", 2),
        named("d", 1, "lamp"),
        deleted("e", 4),
    ];
    let applied = apply(&writer, &changes).await;
    assert_eq!(applied, [Applied::Stale, Applied::Done, Applied::Done, Applied::Done, Applied::Done]);
    let [_, written @ ..] = changes;
    let of_live: Vec<Record> = written.iter().cloned().chain([named("a", 3, "lamp")]).collect();
    expect(&writer, Generation::Live, &of_live).await;
    // It never had the later version that made the first change a stale one; a comparison with the store finds that.
    assert_eq!(
        versions(&writer, Generation::Next, &["a", "b", "c", "d", "e"]).await,
        [Some(2), Some(2), Some(2), Some(1), Some(4)]
    );
    // In the next one, too, no older version wins.
    let late = repair(Some(2), named("a", 3, "lamp"));
    assert_eq!(writer.repair(Generation::Next, &[late]).await.unwrap(), [RepairOutcome::Done]);
    assert_eq!(apply(&writer, &[named("a", 2, "older")]).await, [Applied::Stale]);
    expect(&writer, Generation::Next, &of_live).await;
}

async fn what_was_begun_is_gone_on_with_after_a_restart(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.unwrap();
    let begun = name(generations(&writer).await.next);
    drop(writer);
    let writer = place.writer().await;
    // It gets changes at once, before anybody goes on with it.
    add(&writer, &[named("b", 1, "lamp")]).await;
    assert!(writer.create_next().await.unwrap());
    assert_eq!(name(generations(&writer).await.next), begun);
    expect(&writer, Generation::Next, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    writer.promote_next().await.unwrap();
    assert_eq!(name(generations(&writer).await.live), begun);
}

async fn the_next_generation_becomes_the_live_one(place: impl Place) {
    let (writer, searcher) = place.open().await;
    let another = place.searcher().await;
    add(&writer, &[named("old", 1, "lamp")]).await;
    assert_eq!(found(&searcher, "lamp").await, set(["old"]));
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("new", 1, "lamp"))]).await.unwrap();
    let before = generations(&writer).await;
    writer.promote_next().await.unwrap();
    let after = generations(&writer).await;
    assert_eq!(after.live, before.next);
    assert_eq!((after.next, after.previous), (None, Some(name(before.live))));
    // Those that were open before change over, and so do those that were never asked.
    for searcher in [&searcher, &another, &place.searcher().await] {
        assert_eq!(found(searcher, "lamp").await, set(["new"]));
        let held = searcher.get(&[id("old"), id("new")]).await.unwrap();
        assert_eq!(held.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert_eq!(searcher.versions(&[id("old"), id("new")]).await.unwrap(), [None, Some(Version(1))]);
        assert_eq!(searcher.stats().await.unwrap().products, 1);
        searcher.ready().await.unwrap();
    }
    // Changes go to what is live now, and to nothing else.
    add(&writer, &[named("later", 1, "lamp")]).await;
    assert_eq!(found(&another, "lamp").await, set(["new", "later"]));
    assert!(writer.restore_previous().await.unwrap());
    expect(&writer, Generation::Next, &[named("old", 1, "lamp")]).await;
    drop(writer);
    let writer = place.writer().await;
    assert_eq!(name(generations(&writer).await.live), name(before.next));
    expect(&writer, Generation::Live, &[named("new", 1, "lamp"), named("later", 1, "lamp")]).await;
}

/// Searches go on without a pause, and each finds the products that are in both generations.
async fn no_search_fails_while_generations_change(place: impl Place) {
    let (writer, searcher) = place.open().await;
    let records: Vec<Record> = (0..20).map(|n| named(&format!("p{n}"), 1, "lamp")).collect();
    add(&writer, &records).await;
    let (done, searches) = (AtomicBool::new(false), AtomicU64::new(0));
    let changing = async {
        for _ in 0..4 {
            assert!(!writer.create_next().await.unwrap());
            let repairs: Vec<Repair> = records.iter().map(|record| repair(None, record.clone())).collect();
            writer.repair(Generation::Next, &repairs).await.unwrap();
            writer.promote_next().await.unwrap();
            assert!(writer.restore_previous().await.unwrap());
            writer.promote_next().await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
    };
    let searching = async {
        while !done.load(Ordering::Relaxed) {
            let answer = searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap();
            assert_eq!(answer.total, 20);
            searches.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    futures::join!(changing, searching);
    assert!(searches.into_inner() >= 8);
}

async fn only_the_one_before_is_kept(place: impl Place) {
    let writer = place.writer().await;
    let mut names = vec![name(generations(&writer).await.live)];
    for round in 1..=3 {
        writer.create_next().await.unwrap();
        writer.repair(Generation::Next, &[repair(None, named("a", round, "lamp"))]).await.unwrap();
        writer.promote_next().await.unwrap();
        let state = generations(&writer).await;
        assert_eq!(state.previous.as_ref(), names.last());
        names.push(name(state.live));
    }
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), 4, "no name comes twice: {names:?}");
    // The first one is gone: only one can be called back.
    assert!(writer.restore_previous().await.unwrap());
    assert_eq!(versions(&writer, Generation::Next, &["a"]).await, [Some(2)]);
    assert_eq!(generations(&writer).await.previous, None);
}

async fn the_previous_generation_comes_back_as_the_next_one(place: impl Place) {
    let (writer, searcher) = place.open().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.unwrap();
    let first = name(generations(&writer).await.live);
    writer.promote_next().await.unwrap();
    add(&writer, &[named("a", 2, "light")]).await;
    assert!(writer.restore_previous().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!((name(state.next), state.previous), (first.clone(), None));
    expect(&writer, Generation::Next, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    // It gets changes again, and is searched only once it is promoted.
    add(&writer, &[named("c", 1, "lamp")]).await;
    assert_eq!(found(&searcher, "lamp").await, set(["c"]));
    writer.repair(Generation::Next, &[repair(1, named("a", 2, "light"))]).await.unwrap();
    writer.promote_next().await.unwrap();
    assert_eq!(name(generations(&writer).await.live), first);
    assert_eq!(found(&searcher, "lamp").await, set(["b", "c"]));
    assert_eq!(found(&searcher, "light").await, set(["a"]));
}

async fn what_is_called_back_takes_the_place_of_what_was_begun(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.promote_next().await.unwrap();
    let previous = generations(&writer).await.previous.unwrap();
    writer.create_next().await.unwrap();
    let begun = name(generations(&writer).await.next);
    assert!(writer.restore_previous().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!(name(state.next), previous);
    assert_ne!(begun, previous);
    expect(&writer, Generation::Next, &[named("a", 1, "lamp")]).await;
}

async fn without_a_previous_generation_there_is_nothing_to_call_back(place: impl Place) {
    let writer = place.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    assert!(!writer.restore_previous().await.unwrap());
    writer.create_next().await.unwrap();
    // What is being built stays.
    assert!(!writer.restore_previous().await.unwrap());
    assert!(generations(&writer).await.next.is_some());
}

async fn what_was_begun_can_be_given_up(place: impl Place) {
    let (writer, searcher) = place.open().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("b", 1, "lamp"))]).await.unwrap();
    let begun = name(generations(&writer).await.next);
    writer.discard_next().await.unwrap();
    assert_eq!(generations(&writer).await.next, None);
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    add(&writer, &[named("c", 1, "lamp")]).await;
    expect(&writer, Generation::Live, &[named("a", 1, "lamp"), named("c", 1, "lamp")]).await;
    // What is begun then is another one, and empty.
    assert!(!writer.create_next().await.unwrap());
    expect(&writer, Generation::Next, &[]).await;
    assert!(begun != name(generations(&writer).await.live));
}
