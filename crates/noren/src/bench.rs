//! `noren bench`: opens the catalogue that is measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::bench::{
    BenchArgs, BenchError, Cause, RemoteService, ScratchFolder, measure_catalogue, measure_load,
    measure_service,
};
use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use domain::ports::SearchIndex;
use query::Settings;

use crate::app::{App, Options};
use crate::client::{HOW_TO_GIVE_A_KEY, Service, connect};
use crate::failure::Failure;
use crate::import;
use crate::serve::fill_with_demo;
use crate::target::check_embedded;

/// Measures a service or a catalogue in this process, and writes the figures to standard output.
///
/// # Errors
/// If the files cannot be imported, a search fails or an assertion does not hold.
pub(crate) async fn bench(args: &BenchArgs) -> Result<(), Failure> {
    match (&args.url, &args.data_dir) {
        (Some(url), _) => bench_service(&connect(Some(url), args.api_key_file.as_deref())?, args).await,
        (None, Some(folder)) => bench_folder(folder, args).await,
        (None, None) => {
            let scratch = ScratchFolder::new(args.scratch.as_deref())?;
            bench_folder(scratch.path(), args).await
        }
    }
}

async fn bench_service(service: &Service, args: &BenchArgs) -> Result<(), Failure> {
    let Some(seconds) = args.seconds else {
        return Ok(measure_service(&service.host_and_port()?, args).await?);
    };
    let (client, base) = service.client_and_base();
    let remote = RemoteService::new(client, base, service.url_text());
    measure_load(remote, seconds, args).await.map_err(|error| {
        let is_unauthorized =
            matches!(&error, BenchError::Status { status, .. } if *status == StatusCode::UNAUTHORIZED);
        let failure = Failure::from(error);
        if is_unauthorized { failure.with_note(HOW_TO_GIVE_A_KEY) } else { failure }
    })
}

async fn bench_folder(folder: &Path, args: &BenchArgs) -> Result<(), Failure> {
    check_embedded()?;
    let app =
        App::open(folder, Options::of_search(Settings { answer_cache_mb: 0, ..Settings::default() })).await?;
    let measured = measure(&app, folder, args).await;
    app.stop().await;
    measured
}

async fn measure(app: &App, folder: &Path, args: &BenchArgs) -> Result<(), Failure> {
    if args.check && args.files.is_empty() && args.data_dir.is_none() {
        fill_with_demo(app).await?;
        app.optimize().await?;
    }
    Ok(measure_catalogue(app, folder, args).await?)
}

#[async_trait]
impl ::bench::Catalogue for App {
    fn router(&self, answer_cache_mb: u32) -> Router {
        self.router_with_answer_cache(answer_cache_mb)
    }

    fn index(&self) -> Arc<dyn SearchIndex> {
        Arc::clone(self.search())
    }

    async fn import(&self, files: &[PathBuf], rejects_folder: &Path) -> Result<String, Cause> {
        let options = import::Options {
            source: import::Source::Files(files.to_vec()),
            source_name: None,
            format: None,
            table: feeds::TableOptions::default(),
            currency: None,
            check: Some(self.currency()),
            rejects: None,
            rejects_folder: rejects_folder.to_owned(),
            is_quiet: true,
        };
        Ok(import::import_into(self, options, true).await?.to_string())
    }

    async fn wait_until_indexed(&self, timeout: Duration) -> Result<(), Cause> {
        Ok(self.sync_all(timeout).await?)
    }

    async fn optimize(&self) -> Result<(), Cause> {
        Ok(self.optimize().await?)
    }
}
