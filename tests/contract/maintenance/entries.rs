//! The contract of `expected_entries`, `entries` and `scan`.

use std::collections::BTreeMap;

use domain::ports::{CompareDepth, Generation, IndexEntry, IndexMaintenance as _, IndexWriter as _};
use domain::{Record, Version};
use serde_json::{Value, json};

use super::{add, deleted, entries, expect_entries, expected, id, live, named, scanned, versions};
use crate::contract::index::{IndexLocation, OpenSearchAlias, TantivyFolder};
use crate::support::on_each;

/// Returns one record of every kind that an index treats differently.
fn records_of_every_kind() -> Vec<Record> {
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
        live(
            "categories",
            2,
            &json!({ "name": "Pot", "categories": ["Kitchen > Tea", "Kitchen > Pots", "Sale"] }),
        ),
        live("no-stock", 1, &json!({ "name": "Cup", "stock": 0, "price": 0.99, "currency": "EUR" })),
    ]
}

async fn expected_entries_equal_entries(location: impl IndexLocation) {
    let writer = location.writer().await;
    let records = records_of_every_kind();
    add(&writer, &records).await;
    let ids: Vec<&str> = records.iter().map(|record| record.id().as_str()).collect();
    let found: Vec<IndexEntry> =
        entries(&writer, Generation::Live, &ids).await.into_iter().map(Option::unwrap).collect();
    let expected = expected(&writer, &records);
    assert_eq!(found, expected);
    let live: Vec<bool> = expected.iter().map(|entry| entry.is_live).collect();
    assert_eq!(live, [true, true, true, false, true, true, true, true, true]);
    expect_entries(&writer, Generation::Live, &records).await;
    // Another writer returns the same, also after segments are merged.
    drop(writer);
    let again = location.writer().await;
    again.optimize().await.unwrap();
    expect_entries(&again, Generation::Live, &records).await;
}

async fn expected_entries_come_in_request_order(location: impl IndexLocation) {
    let writer = location.writer().await;
    let mut records = records_of_every_kind();
    let mut expected_reversed = expected(&writer, &records);
    records.reverse();
    expected_reversed.reverse();
    assert_eq!(expected(&writer, &records), expected_reversed);
    assert!(writer.expected_entries(&[]).is_empty());
}

async fn different_products_have_different_fingerprints(location: impl IndexLocation) {
    let writer = location.writer().await;
    let fingerprint_of = |content: Value| expected(&writer, &[live("a", 1, &content)])[0].fingerprint;
    let fingerprints = [
        fingerprint_of(json!({ "name": "Lamp" })),
        fingerprint_of(json!({ "name": "Lamb" })),
        fingerprint_of(json!({ "name": "Lamp", "price": 1 })),
        fingerprint_of(json!({ "name": "Lamp", "price": 2 })),
        fingerprint_of(json!({ "name": "Lamp", "stock": 1 })),
        fingerprint_of(json!({ "name": "Lamp", "stock": 2 })),
        fingerprint_of(json!({ "name": "Lamp", "tags": ["a"] })),
        fingerprint_of(json!({ "name": "Lamp", "attributes": { "a": "b" } })),
        fingerprint_of(json!({ "name": "Lamp", "attributes": { "b": "a" } })),
        fingerprint_of(json!({ "name": "Lamp", "status": "draft" })),
    ];
    for (at, fingerprint) in fingerprints.iter().enumerate() {
        assert!(fingerprint.is_some() && !fingerprints[..at].contains(fingerprint), "{at}");
    }
}

async fn entries_come_in_request_order(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 2, "lamp"), deleted("c", 3)]).await;
    let ids = ["c", "never", "a", "b", "a"];
    let expected = [Some(3), None, Some(1), Some(2), Some(1)];
    assert_eq!(versions(&writer, Generation::Live, &ids).await, expected);
    // Every change applied before the call is observed.
    for version in 2..20 {
        add(&writer, &[named("a", version, "lamp")]).await;
        assert_eq!(versions(&writer, Generation::Live, &["a"]).await, [Some(version)]);
    }
    assert!(entries(&writer, Generation::Live, &[]).await.is_empty());
    let ids = [id("a"), id("c")];
    let entries = writer.entries(Generation::Live, &ids, CompareDepth::Versions).await.unwrap();
    let entries: Vec<IndexEntry> = entries.into_iter().map(Option::unwrap).collect();
    assert_eq!(
        entries,
        [
            IndexEntry { id: id("a"), version: Version(19), is_live: true, fingerprint: None },
            IndexEntry { id: id("c"), version: Version(3), is_live: false, fingerprint: None },
        ]
    );
}

async fn a_scan_returns_everything_in_byte_order_of_ids(location: impl IndexLocation) {
    let writer = location.writer().await;
    // Any order other than that of bytes sorts these ids differently. They are added in several commits.
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
    for chunk in records.chunks(37) {
        add(&writer, chunk).await;
    }
    let mut sorted = ids.clone();
    sorted.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    for limit in [1, 7, 44, 132, 1000] {
        let all = scanned(&writer, Generation::Live, limit, CompareDepth::Versions).await;
        let found: Vec<&str> = all.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(found, sorted, "by {limit}");
    }
    expect_entries(&writer, Generation::Live, &records).await;
    let after_zz = writer.scan(Generation::Live, Some(&id("zz")), 10, CompareDepth::Versions).await.unwrap();
    assert_eq!(after_zz.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["~"]);
    // The id to continue after need not exist.
    let after_p5 = writer.scan(Generation::Live, Some(&id("p5")), 2, CompareDepth::Versions).await.unwrap();
    let after_absent_id =
        writer.scan(Generation::Live, Some(&id("p4z")), 3, CompareDepth::Versions).await.unwrap();
    assert_eq!((after_absent_id[0].id.as_str(), &after_absent_id[1..]), ("p5", &after_p5[..]));
}

async fn a_scan_during_writes_returns_lasting_documents_exactly_once(location: impl IndexLocation) {
    let writer = location.writer().await;
    let records: Vec<Record> = (0..100).map(|n| named(&format!("p{n:02}"), 1, "lamp")).collect();
    add(&writer, &records).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut after, mut pages) = (None, 0);
    loop {
        let page = writer.scan(Generation::Live, after.as_ref(), 9, CompareDepth::Documents).await.unwrap();
        for entry in &page {
            *seen.entry(entry.id.to_string()).or_default() += 1;
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

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (location) [
            expected_entries_equal_entries,
            expected_entries_come_in_request_order,
            different_products_have_different_fingerprints,
            entries_come_in_request_order,
            a_scan_returns_everything_in_byte_order_of_ids,
            a_scan_during_writes_returns_lasting_documents_exactly_once,
        ]
    }
}
