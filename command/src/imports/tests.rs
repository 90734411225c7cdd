//! Retention of jobs, and jobs whose files are gone.

use std::sync::Arc;
use std::time::Duration;

use api::wire::imports::{Job, JobId, JobStatus};
use axum::body::Body;
use domain::{Currency, Language, WriteMode};
use embedded_store::EmbeddedStore;
use jiff::SignedDuration;
use runtime::audit::Caller;
use runtime::config::ImportLimits;
use tokio_util::sync::CancellationToken;

use super::Imports;
use super::checkpoint::FaultsPage;
use super::jobs::MAX_FINISHED;
use super::request::ImportRequest;
use crate::Catalogue;

fn imports(dir: &std::path::Path) -> Imports {
    let store = Arc::new(EmbeddedStore::open(dir, embedded_store::Options::default()).unwrap());
    let catalogue = Catalogue::new(store.clone(), store, Currency::USD);
    Imports::open(dir.join("imports"), catalogue, Language::default(), ImportLimits::default()).unwrap()
}

/// Uploads empty jobs and runs them until all are finished.
async fn finish(imports: &Imports, jobs: usize) {
    for _ in 0..jobs {
        imports.upload(ImportRequest::of_lines(), Body::empty(), Caller::default()).await.unwrap();
    }
    let stop = CancellationToken::new();
    let watch = async {
        while imports.0.next_unfinished().is_some() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    tokio::join!(imports.run(stop.clone()), watch);
}

async fn listed(imports: &Imports) -> usize {
    imports.list().await.unwrap().len()
}

#[tokio::test]
async fn finished_jobs_are_kept_for_a_week() {
    let dir = tempfile::tempdir().unwrap();
    let imports = imports(dir.path());
    finish(&imports, 2).await;
    let days = |days: i64| domain::now() + SignedDuration::from_hours(24 * days);
    imports.0.remove_expired(days(6)).unwrap();
    assert_eq!(listed(&imports).await, 2);
    imports.upload(ImportRequest::of_lines(), Body::empty(), Caller::default()).await.unwrap();
    imports.0.remove_expired(days(8)).unwrap();
    assert_eq!(listed(&imports).await, 1, "one that is not finished stays however old it is");
}

#[tokio::test]
async fn of_finished_jobs_only_so_many_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let imports = imports(dir.path());
    for _ in 0..5 {
        finish(&imports, 90).await;
    }
    imports.0.remove_expired(domain::now()).unwrap();
    assert_eq!(listed(&imports).await, MAX_FINISHED);
}

#[tokio::test]
async fn the_lines_of_a_finished_job_are_removed_and_the_job_is_still_told() {
    let dir = tempfile::tempdir().unwrap();
    let id = {
        let imports = imports(dir.path());
        let id = imports
            .upload(ImportRequest::of_lines(), Body::from("{}\n"), Caller::default())
            .await
            .unwrap()
            .id;
        finish(&imports, 0).await;
        id
    };
    assert!(!dir.path().join(format!("imports/{id}/lines.ndjson")).exists());
    let page = FaultsPage { after: 0, limit: 9 };
    let told = imports(dir.path()).get(id, page).await.unwrap();
    assert_eq!((told.job.rejected, told.faults.len()), (1, 1));
}

#[tokio::test]
async fn a_job_whose_lines_are_gone_fails() {
    let dir = tempfile::tempdir().unwrap();
    let imports = imports(dir.path());
    let id =
        imports.upload(ImportRequest::of_lines(), Body::from("{}\n"), Caller::default()).await.unwrap().id;
    std::fs::remove_file(dir.path().join(format!("imports/{id}/lines.ndjson"))).unwrap();
    finish(&imports, 0).await;
    let job = imports.list().await.unwrap().remove(0);
    assert_eq!(job.status, JobStatus::Failed);
    assert!(job.error.unwrap().contains("is gone"));
}

#[tokio::test]
async fn a_principal_has_a_share_of_the_places() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(dir.path(), embedded_store::Options::default()).unwrap());
    let catalogue = Catalogue::new(store.clone(), store, Currency::USD);
    let limits = ImportLimits { import_max_jobs: 8, ..ImportLimits::default() };
    let imports = Imports::open(dir.path().join("imports"), catalogue, Language::default(), limits).unwrap();
    let upload = async |principal: &str, has_credentials| {
        let caller = Caller { principal: Some(principal.to_owned()), has_credentials, ..Caller::default() };
        imports
            .upload(ImportRequest::of_lines(), Body::empty(), caller)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for principal in ["key:a", "key:b"] {
        for _ in 0..2 {
            assert_eq!(upload(principal, true).await, Ok(()));
        }
        let refused = upload(principal, true).await.unwrap_err();
        assert!(refused.starts_with("2 of your import jobs"), "{refused}");
    }
    for _ in 0..4 {
        assert_eq!(upload("anyone", false).await, Ok(()), "all who have no credentials are one");
    }
    assert!(upload("anyone", false).await.unwrap_err().contains("8 import jobs"));
}

/// Uploads a table.
async fn upload_table(imports: &Imports, rows: usize) -> JobId {
    let rows: String = (0..rows).map(|at| format!("p{at},Cup {at}\n")).collect();
    let body = Body::from(format!("id,name\n{rows}p0,Another\n"));
    imports.upload(ImportRequest::of_lines().with_any_format(), body, Caller::default()).await.unwrap().id
}

async fn job(imports: &Imports, id: JobId) -> Job {
    imports.get(id, FaultsPage { after: 0, limit: 9 }).await.unwrap().job
}

#[tokio::test]
async fn a_table_is_converted_again_if_the_process_ended_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let id = upload_table(&imports(dir.path()), 3).await;
    // The process ended while it wrote the lines.
    std::fs::write(dir.path().join(format!("imports/{id}/lines.ndjson.new")), "{\"line\":2,\"prod").unwrap();
    let imports = imports(dir.path());
    finish(&imports, 0).await;
    let job = job(&imports, id).await;
    assert_eq!((job.created, job.rejected, job.mode), (3, 1, Some(WriteMode::Merge)));
    let left: Vec<String> = std::fs::read_dir(dir.path().join(format!("imports/{id}")))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("lines") || name == "upload")
        .collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_table_goes_on_where_the_process_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let id = {
        let imports = imports(dir.path());
        let id = upload_table(&imports, 3000).await;
        let stop = CancellationToken::new();
        let watch = async {
            while job(&imports, id).await.created == 0 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(imports.run(stop.clone()), watch);
        assert!(job(&imports, id).await.created < 3000);
        id
    };
    let imports = imports(dir.path());
    // A thread of the first run may hold the lock of the folder for a moment longer.
    let unlocked = async {
        while imports.list().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), unlocked).await.expect("the folder is unlocked");
    finish(&imports, 0).await;
    let job = job(&imports, id).await;
    assert_eq!((job.created, job.updated, job.unchanged, job.rejected), (3000, 0, 0, 1));
    assert_eq!((job.lines_done, job.bytes_done), (3001, job.bytes));
}

#[tokio::test]
async fn a_file_that_ends_the_process_fails_its_job() {
    let dir = tempfile::tempdir().unwrap();
    let id = upload_table(&imports(dir.path()), 3).await;
    let path = dir.path().join(format!("imports/{id}/job.json"));
    let checkpoint = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, checkpoint.replace("\"runsHere\":0", "\"runsHere\":2")).unwrap();
    let imports = imports(dir.path());
    finish(&imports, 0).await;
    let job = job(&imports, id).await;
    assert_eq!((job.status, job.created), (JobStatus::Failed, 0));
    assert!(job.error.unwrap().contains("ended twice while it read the file"));
}
