//! Sends the search and writes its response.

use super::args::SearchArgs;
use super::render::render;
use crate::client::read_json;
use crate::failure::Failure;
use crate::target::Access;
use crate::terminal::print;

/// Searches and writes the response to standard output.
///
/// # Errors
/// If the catalogue cannot be searched or rejects the parameters, or nobody reads the output.
pub(crate) async fn search(args: &SearchArgs) -> Result<(), Failure> {
    let parameters = args.parameters();
    let search = async |catalogue: &crate::target::CatalogueHandle| {
        catalogue.api().get("/products/search", &parameters).await?.success()
    };
    let body = args.target.with(Access::Search, search).await?;
    match args.json {
        true => print(&String::from_utf8_lossy(&body)),
        false => print(&render(&read_json(&body, "the response")?)),
    }
}
