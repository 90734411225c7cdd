//! `noren delete` as people use it, on a service, a folder and configured back ends.

use std::path::Path;

use serde_json::Value;

use crate::support::{TestApp, finished};

const PRODUCTS: &str = r#"{"id":"a","name":"Desk lamp","source":"erp","category":"Home > Lamps"}
{"id":"b","name":"Floor lamp","source":"erp","status":"draft"}
{"id":"c","name":"Lamp oil","source":"shop"}
"#;

/// Runs `noren` and returns its exit code, output and errors.
fn noren(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let output = finished("noren", arguments, variables);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn import(folder: &Path, target: &[&str], variables: &[(&str, &str)]) {
    let file = folder.join("products.ndjson");
    std::fs::write(&file, PRODUCTS).unwrap();
    let arguments = [&["import", file.to_str().unwrap()], target].concat();
    let (code, _, errors) = noren(&arguments, variables);
    assert_eq!(code, 0, "{errors}");
}

fn ids(target: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let (code, output, errors) = noren(&[&["export"], target].concat(), variables);
    assert_eq!(code, 0, "{errors}");
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let mut ids: Vec<String> = output.lines().map(id).collect();
    ids.sort();
    ids
}

fn check(folder: &Path, target: &[&str], variables: &[(&str, &str)]) {
    let delete = |arguments: &[&str]| noren(&[&["delete"], arguments, target].concat(), variables);
    import(folder, target, variables);
    let (code, output, errors) = delete(&["--source", "erp", "--dry-run"]);
    assert_eq!(code, 0, "{errors}");
    assert!(output.starts_with("2 products would be deleted: "), "{output}");
    assert_eq!(ids(target, variables), ["a", "b", "c"]);
    let (code, _, errors) = delete(&["--source", "erp", "--status", "draft"]);
    assert_eq!((code, ids(target, variables)), (0, vec!["a".to_owned(), "c".to_owned()]), "{errors}");
    assert!(errors.contains("1 products deleted"), "{errors}");
    let (code, _, errors) = delete(&["a", "nothing"]);
    assert_eq!((code, ids(target, variables)), (1, vec!["c".to_owned()]), "{errors}");
    assert!(errors.contains("nothing: there is no such product"), "{errors}");
    let (code, _, errors) = delete(&["--all"]);
    assert_eq!((code, ids(target, variables).len()), (0, 0), "{errors}");
}

#[test]
fn products_of_a_folder_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let target = ["--data-dir", data.to_str().unwrap()];
    check(folder.path(), &target, &[]);
    import(folder.path(), &target, &[]);
    noren(&["delete", "--category", "Home", "--data-dir", target[1]], &[]);
    let (_, output, _) = noren(&["search", "lamp", "--json", "--data-dir", target[1]], &[]);
    let found: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(found["total"], 1, "searches find no deleted product: {found}");
}

#[test]
fn products_of_configured_back_ends_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    check(folder.path(), &["--back-ends"], &[("NOREN_DATA_DIR", data.to_str().unwrap())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn products_of_a_service_are_deleted() {
    let app = TestApp::spawn().await;
    let url = app.url.clone();
    let checked = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path(), &["--url", &url], &[]);
    });
    checked.await.unwrap();
}

#[test]
fn a_mistake_deletes_nothing_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("typo");
    let typo = ["--data-dir", missing.to_str().unwrap()];
    for (arguments, code, word) in [
        (&["delete"][..], 2, "required"),
        (&["delete", "a", "--all"], 2, "cannot be used with"),
        (&["delete", "a b"], 2, "must consist of ASCII letters"),
        (&["delete", "--status", "gone"], 2, "active, draft, archived"),
        (&["delete", "--updated-before", "yesterday"], 2, "--updated-before"),
        (&["delete", "--all", typo[0], typo[1]], 1, "there is no folder"),
    ] {
        let (actual, _, errors) = noren(arguments, &[]);
        assert_eq!(actual, code, "{arguments:?}: {errors}");
        assert!(errors.contains(word), "{arguments:?}: {errors}");
    }
    assert!(!missing.exists());
}

#[test]
fn a_sync_deletes_what_the_file_lacks_unless_that_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("feed.csv"));
    let target = ["--data-dir", data.to_str().unwrap()];
    import(folder.path(), &target, &[]);
    let sync = |rows: std::ops::Range<u32>, more: &[&str]| {
        let rows: String = rows.map(|row| format!("r{row},Lamp {row}\n")).collect();
        std::fs::write(&file, format!("id,name\n{rows}")).unwrap();
        let arguments = ["import", file.to_str().unwrap(), "--source", "feed"];
        noren(&[&arguments[..], more, &target].concat(), &[])
    };
    assert_eq!(sync(0..20, &[]).0, 0);
    let (code, _, errors) = sync(0..15, &["--sync"]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("5 of 20 products are not in the files"), "{errors}");
    let (code, _, errors) = sync(0..15, &["--sync", "--dry-run", "--max-delete", "5"]);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("5 of 20 products are not in the files and would be deleted"), "{errors}");
    assert_eq!(ids(&target, &[]).len(), 23);
    let (code, _, errors) = sync(1..20, &["--sync"]);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("19 unchanged, 0 rejected, 1 deleted"), "{errors}");
    assert_eq!(ids(&target, &[]).len(), 22, "products of other sources stay");
    let (code, _, errors) = noren(&[&["import", "-", "--sync"], &target[..]].concat(), &[]);
    assert_eq!(code, 2, "{errors}");
}
