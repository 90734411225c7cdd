//! The command: opens the catalogue, deletes, and waits until searches no longer find the products.

use std::process::ExitCode;
use std::time::Duration;

use domain::input::DeleteInput;
use indicatif::ProgressBar;

use super::args::DeleteArgs;
use super::deletion::{Deleted, Deletion, count};
use crate::failure::Failure;
use crate::target::{Access, CatalogueHandle};
use crate::terminal::styled;

/// The time limit for removing the products from the index.
const INDEX_TIMEOUT: Duration = Duration::from_secs(3600);
/// The most ids that are reported as missing.
const MAX_MISSING: usize = 20;

/// Deletes products, and reports those that stay.
///
/// # Errors
/// If the catalogue cannot be opened, read or written.
pub(crate) async fn run(args: DeleteArgs) -> Result<ExitCode, Failure> {
    if args.dry_run {
        let selection = args.selection();
        let counted = async |catalogue: &CatalogueHandle| count(catalogue.api(), &selection).await;
        let (selected, examples) = args.target.with(Access::Store, counted).await?;
        let examples: Vec<String> = examples.iter().map(ToString::to_string).collect();
        let such_as = if examples.is_empty() { String::new() } else { format!(": {}", examples.join(", ")) };
        let more = if selected > examples.len() as u64 { " …" } else { "" };
        runtime::out_line!("{selected} products would be deleted{such_as}{more}");
        return Ok(ExitCode::SUCCESS);
    }
    let deleted = args.target.with(Access::Change, async |catalogue| delete(catalogue, &args).await).await?;
    let Deleted { deleted, missing, changed } = &deleted;
    runtime::err_line!("{deleted} products deleted");
    for id in missing.iter().take(MAX_MISSING) {
        runtime::err_line!("{id}: there is no such product");
    }
    if missing.len() > MAX_MISSING {
        runtime::err_line!("and {} more that do not exist", missing.len() - MAX_MISSING);
    }
    if *changed > 0 {
        runtime::err_line!(
            "{changed} products were written meanwhile and stay; run the command again to delete them"
        );
    }
    let is_complete = *changed == 0 && (args.ids.is_empty() || missing.is_empty());
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn delete(catalogue: &CatalogueHandle, args: &DeleteArgs) -> Result<Deleted, Failure> {
    let mut deletion = Deletion::new(catalogue.api());
    let progress = styled(ProgressBar::new_spinner(), "{spinner} {pos} products read, {elapsed} elapsed");
    let done = if args.ids.is_empty() {
        let selection = args.selection();
        let selects = |product: &_| selection.accepts(product);
        deletion.delete_selected(selects, |listed| progress.set_position(listed)).await
    } else {
        let delete = |id| DeleteInput { id, if_version: None };
        deletion.delete(&args.ids.iter().cloned().map(delete).collect::<Vec<_>>()).await
    };
    progress.finish_and_clear();
    if let Err(failure) = done {
        let deleted = deletion.result.deleted;
        return Err(failure.with_note(format!("before that: {deleted} products deleted")));
    }
    catalogue.wait_until_indexed(INDEX_TIMEOUT).await?;
    if catalogue.is_indexed_elsewhere() {
        runtime::err_line!("deleted from the store; noren-sync removes them from the index");
    }
    Ok(deletion.result)
}
