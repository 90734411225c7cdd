//! A real catalogue imported by the command line; search must return the same counts as the file.

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
