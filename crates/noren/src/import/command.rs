//! The command: opens the catalogue, imports, and waits until everything is searchable.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{MaxDelete, WriteMode};
use indicatif::ProgressBar;

use super::args::ImportArgs;
use super::catalogue_sink::CatalogueSink;
use super::http_sink::ServiceSink;
use super::options::Options;
use super::pipeline::import;
use super::sink::Sink;
use super::source::Source;
use super::summary::Summary;
use super::sync::SyncPlan;
use crate::app::App;
use crate::delete::Deleted;
use crate::failure::Failure;
use crate::target::{Access, CatalogueHandle, Writer, currency_of_environment};

/// Time limit for the catalogue to become searchable after an import.
const INDEX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Imports files or the demo catalogue, and reports what was rejected.
///
/// # Errors
/// If the catalogue cannot be opened or written, or a file cannot be read.
pub(crate) async fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    if let Some(name) = &args.show_mapping {
        runtime::out_line!("{}", feeds::embedded_mapping(name).map_err(Failure::usage)?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = args.table.options(args.currency)?;
    table.mode = match (args.merge, args.replace) {
        (true, _) => Some(WriteMode::Merge),
        (_, true) => Some(WriteMode::Replace),
        _ => None,
    };
    let mut options = Options {
        table,
        source: if args.demo { Source::Demo } else { Source::Files(args.files) },
        format: args.format.map(Into::into),
        currency: args.currency,
        check: None,
        source_name: args.source.map(Into::into),
        rejects: args.rejects,
        rejects_folder: ".".into(),
        is_quiet: false,
    };
    let max_delete = args.sync.then_some(args.max_delete);
    let summary = if args.dry_run {
        let currency = options.currency;
        options.check = Some(currency.map_or_else(currency_of_environment, Ok)?);
        if args.sync {
            let plan = async |catalogue: &CatalogueHandle| SyncPlan::new(&options, catalogue.api()).await;
            let plan = args.target.with(Access::Store, plan).await?;
            runtime::err_line!("{plan}");
            plan.check(args.max_delete)?;
        }
        import(options, None).await?
    } else {
        let import =
            async |catalogue: &CatalogueHandle| import_into_target(catalogue, options, max_delete).await;
        args.target.with(Access::Write, import).await?
    };
    runtime::err_line!("{summary}");
    for rejects in &summary.rejects {
        runtime::err_line!(
            "rejected products and their faults are in {}; correct and import it",
            rejects.display()
        );
    }
    Ok(if summary.rejected > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Imports; with `max_delete`, also deletes the products that the files do not have.
async fn import_into_target(
    catalogue: &CatalogueHandle,
    mut options: Options,
    max_delete: Option<MaxDelete>,
) -> Result<Summary, Failure> {
    let source = options.source_name.clone();
    let sink: Arc<dyn Sink> = match catalogue.writer()? {
        Writer::Service(service) => Arc::new(ServiceSink { service, source }),
        Writer::Catalogue(catalogue) => Arc::new(CatalogueSink { catalogue, source }),
    };
    options.check = catalogue.currency().map(|currency| options.currency.unwrap_or(currency));
    let plan = match max_delete {
        Some(max_delete) => {
            let plan = SyncPlan::new(&options, catalogue.api()).await?;
            plan.check(max_delete)?;
            Some(plan)
        }
        None => None,
    };
    let mut deleted = None;
    let indexed = async || {
        if let Some(plan) = plan {
            let Deleted { deleted: number, changed, .. } = plan.delete(catalogue.api()).await?;
            if changed > 0 {
                runtime::err_line!(
                    "{changed} products were written meanwhile and stay; import again to delete them"
                );
            }
            deleted = Some(number);
        }
        catalogue.wait_until_indexed(INDEX_TIMEOUT).await
    };
    let summary = import_and_index(sink, options, true, indexed).await?;
    let summary = Summary { deleted, ..summary };
    if catalogue.is_indexed_elsewhere() {
        runtime::err_line!("written to the store; noren-sync indexes the changes");
    }
    Ok(summary)
}

/// Imports into a catalogue in this process, and waits until every write is searchable or a dead letter.
///
/// # Errors
/// As [`import`], and as [`App::sync_all`].
pub async fn import_into(app: &App, options: Options, shows_progress: bool) -> Result<Summary, Failure> {
    let (catalogue, source) = (app.catalogue().clone(), options.source_name.clone());
    let sink = Arc::new(CatalogueSink { catalogue, source });
    let indexed = async || Ok(app.sync_all(INDEX_TIMEOUT).await?);
    import_and_index(sink, options, shows_progress, indexed).await
}

async fn import_and_index(
    sink: Arc<dyn Sink>,
    options: Options,
    shows_progress: bool,
    indexed: impl AsyncFnOnce() -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let started = Instant::now();
    let mut summary = import(options, Some(sink)).await?;
    let progress = if shows_progress { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.set_message("indexing the remaining changes");
    progress.enable_steady_tick(Duration::from_millis(100));
    let waited = indexed().await;
    progress.finish_and_clear();
    waited?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}
