//! `noren reindex`: rebuilds the index, restores the previous one, or discards an unfinished one.

use api::wire::Failed;
use api::wire::reindex::{IndexState, Indexes, ReindexEvent};
use clap::Args;
use reqwest::Method;

use crate::client::{Api, read_json};
use crate::failure::Failure;
use crate::maintenance_events::{drift_line, progress_bar, show_progress};
use crate::target::{Access, Target};

/// `noren reindex`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren reindex                               in the service at http://127.0.0.1:8080
  noren reindex --data-dir ./data             a folder, while no service runs
  noren reindex --back-ends                   DynamoDB and OpenSearch, while the services run
  noren reindex --rollback                    return to the previous index
  noren reindex --discard                     remove an unfinished index

Fills a new index while the live one is searched and written, compares it with the store, and switches to it in one step. \
The previous index is kept. After an interruption, the next call continues. Exit code: 0 done, 1 failed, 2 wrong \
arguments.")]
pub struct ReindexArgs {
    #[command(flatten)]
    pub target: Target,
    /// Bring the previous index up to date and return to it
    #[arg(long, conflicts_with = "discard")]
    pub rollback: bool,
    /// Remove an unfinished index
    #[arg(long)]
    pub discard: bool,
}

/// Rebuilds the index, restores the previous one, or discards an unfinished one.
///
/// # Errors
/// If the catalogue cannot be reached or the operation fails.
pub(crate) async fn reindex(args: &ReindexArgs) -> Result<(), Failure> {
    args.target
        .with(Access::RebuildIndex, async |catalogue| match (args.rollback, args.discard) {
            (true, _) => rebuild(catalogue.api(), "/admin/reindex/rollback").await,
            (_, true) => discard(catalogue.api()).await,
            _ => rebuild(catalogue.api(), "/admin/reindex").await,
        })
        .await
}

async fn discard(api: &dyn Api) -> Result<(), Failure> {
    api.stream(Method::DELETE, "/admin/reindex", &[], &mut |_| Ok(())).await?;
    eprintln!("there is no unfinished index any more");
    Ok(())
}

async fn rebuild(api: &dyn Api, path: &str) -> Result<(), Failure> {
    let progress = progress_bar();
    let mut finished = None;
    let mut show = |line: &[u8]| {
        match read_json(line, "an event")? {
            ReindexEvent::Resumed => progress.suspend(|| eprintln!("continuing the unfinished index")),
            ReindexEvent::Filling { done, total } => {
                show_progress(&progress, "filling the new index", done, total)
            }
            ReindexEvent::Verifying { done, total } => {
                show_progress(&progress, "comparing with the store", done, Some(total));
            }
            ReindexEvent::Refused(drift) => {
                progress.suspend(|| eprintln!("left out: {}", drift_line(&drift)))
            }
            ReindexEvent::Done { indexes } => finished = Some(indexes),
            ReindexEvent::Failed(Failed { detail }) => return Err(Failure::new(detail)),
            ReindexEvent::Switched { .. } => {}
        }
        Ok(())
    };
    api.stream(Method::POST, path, &[], &mut show).await?;
    progress.finish_and_clear();
    let Some(Indexes { live: Some(live), previous, .. }) = finished else {
        return Err(Failure::new("the rebuild broke off before its end; call it again to continue"));
    };
    let IndexState { name, documents } = live;
    eprintln!("searches use the index {name} now, with {documents} products and tombstones");
    if let Some(previous) = previous {
        eprintln!("the previous index, {previous}, is kept; `noren reindex --rollback` returns to it");
    }
    Ok(())
}
