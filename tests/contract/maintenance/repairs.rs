//! Repairs.

use domain::Record;
use domain::ports::{Applied, Generation, IndexMaintenance as _, Repair, RepairOutcome};

use super::{add, apply, deleted, expect_entries, found, named, removal, repair, set, versions};
use crate::contract::index::{IndexLocation, OpenSearchAlias, TantivyFolder};
use crate::support::on_each;

async fn a_repair_replaces_whatever_the_index_holds(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
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
    expect_entries(&writer, Generation::Live, &all).await;
    assert!(writer.repair(Generation::Live, &[]).await.unwrap().is_empty());
}

async fn a_repair_removes_what_the_store_never_had(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 2, "lamp"), deleted("c", 5)]).await;
    let outcomes = writer.repair(Generation::Live, &[removal("b", 2), removal("c", 5)]).await.unwrap();
    assert_eq!(outcomes, [RepairOutcome::Done, RepairOutcome::Done]);
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    expect_entries(&writer, Generation::Live, &[named("a", 1, "lamp")]).await;
    assert_eq!(versions(&writer, Generation::Live, &["b", "c"]).await, [None, None]);
}

/// A repair leaves nothing behind that affects later changes.
async fn a_repaired_entry_takes_changes_as_if_it_had_been_applied(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
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
    expect_entries(&writer, Generation::Live, &newer).await;
}

async fn a_repair_of_another_version_than_expected_changes_nothing(location: impl IndexLocation) {
    let writer = location.writer().await;
    // Each entry is newer than the expected version.
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
    expect_entries(&writer, Generation::Live, &all).await;
}

async fn a_repair_survives_a_restart(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("altered", 2, "wrong"), named("ghost", 2, "wrong")]).await;
    let repairs =
        [repair(2, named("altered", 2, "lamp")), removal("ghost", 2), repair(None, named("new", 1, "lamp"))];
    writer.repair(Generation::Live, &repairs).await.unwrap();
    drop(writer);
    let (writer, searcher) = location.open().await;
    assert_eq!(found(&searcher, "lamp").await, set(["altered", "new"]));
    expect_entries(&writer, Generation::Live, &[named("altered", 2, "lamp"), named("new", 1, "lamp")]).await;
}

/// The maximum version in OpenSearch is 2^63 - 1.
#[tokio::test]
async fn a_repair_that_the_index_cannot_hold_is_refused_alone() {
    let Some(location) = OpenSearchAlias::new().await else { return };
    let writer = location.writer().await;
    let repairs = [repair(None, named("a", u64::MAX, "lamp")), repair(None, named("b", 1, "lamp"))];
    let outcomes = writer.repair(Generation::Live, &repairs).await.unwrap();
    assert!(
        matches!(&outcomes[..], [RepairOutcome::Refused(reason), RepairOutcome::Done] if !reason.is_empty()),
        "{outcomes:?}"
    );
    expect_entries(&writer, Generation::Live, &[named("b", 1, "lamp")]).await;
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (location) [
            a_repair_replaces_whatever_the_index_holds,
            a_repair_removes_what_the_store_never_had,
            a_repaired_entry_takes_changes_as_if_it_had_been_applied,
            a_repair_of_another_version_than_expected_changes_nothing,
            a_repair_survives_a_restart,
        ]
    }
}
