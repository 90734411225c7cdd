//! Collects the reports of store, queue and index, and writes them.

use api::wire::explain::ProductExplanation;

use super::args::ExplainArgs;
use super::report::Report;
use super::store_report::{StoredProduct, dead_letters_of, read_backlog};
use crate::client::{Api, connect, read_json};
use crate::failure::{Context as _, Failure};
use crate::target::{Access, CatalogueHandle};
use crate::terminal::print;

/// Limit of the dead letters that are searched for changes of the product, newest first.
const DEAD_LETTERS: usize = 10_000;

/// Explains the place of a product in a search, and writes the report to standard output.
///
/// # Errors
/// If the index cannot be queried or rejects the parameters, or nobody reads the output.
pub(crate) async fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let explain = async |catalogue: &CatalogueHandle| report(catalogue, args).await;
    print(&args.target.with(Access::SearchAndStore, explain).await?)
}

async fn report(catalogue: &CatalogueHandle, args: &ExplainArgs) -> Result<String, Failure> {
    let id = args.id.as_str();
    let dead_letters = catalogue.dead_letters(DEAD_LETTERS).await?;
    let write_service = args.command_url.as_deref().map(|url| connect(Some(url), None)).transpose()?;
    let writes: &dyn Api = match &write_service {
        Some(service) => service,
        None => catalogue.api(),
    };
    let stored = StoredProduct::read(writes, id).await;
    let backlog = read_backlog(writes).await;
    let path = format!("/products/{id}/explain");
    let body = catalogue.api().get(&path, &args.parameters()).await?.success()?;
    let index: ProductExplanation<'_> = read_json(&body, "the response")?;
    let dead_letters = dead_letters.map(|letters| dead_letters_of(letters, id));
    let report = Report { id, stored, backlog, dead_letters, index };
    match args.json {
        true => serde_json::to_string(&report.to_json()).context(|| "writing the report".to_owned()),
        false => Ok(report.to_text()),
    }
}
