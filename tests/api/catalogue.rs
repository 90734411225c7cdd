//! Catalogues imported by the command line: a real one, of which search must return the same counts as the file, and the
//! demo catalogue.

use crate::support::{Icecat, TestApp, finished};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_over_the_file_is_counted_by_search() {
    let app = TestApp::spawn().await;
    let icecat = Icecat::load();
    let output = finished("noren", &["import", icecat.file.to_str().unwrap(), "--url", &app.url], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The import returns once everything is searchable.
    icecat.expect_at(&app.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_catalogue_is_imported_once_only() {
    let app = TestApp::spawn().await;
    let import = || {
        let output = finished("noren", &["import", "--demo", "--url", &app.url], &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let summary = import();
    assert!(summary.starts_with("2000 created, 0 updated, 0 unchanged, 0 rejected"), "{summary}");
    app.sync_all().await;
    let found = app.search("query=kettle").await;
    let again = import();
    assert!(again.starts_with("0 created, 0 updated, 2000 unchanged, 0 rejected"), "{again}");
    app.sync_all().await;
    assert_eq!(app.search("query=kettle").await.ids(), found.ids());
    assert!(found.ids().iter().any(|id| id.starts_with("ket-")), "{:?}", found.ids());
}

#[test]
fn the_demo_catalogue_takes_no_option_of_files() {
    for option in [&["products.csv"][..], &["--format", "csv"], &["--currency", "EUR"], &["--rejects", "x"]] {
        let output = finished("noren", &[&["import", "--demo"], option].concat(), &[]);
        assert_eq!(output.status.code(), Some(2), "{option:?}: {output:?}");
    }
    let output = finished("noren", &["import", "--demo", "--dry-run"], &[]);
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(report.contains("\nnothing was written: 2000 would be accepted, 0 rejected"), "{report}");
}
