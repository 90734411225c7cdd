//! Jobs that delete a selection of products.
//!
//! The store is scanned before the job is acknowledged, and each selected product becomes a line that deletes it in the version that was
//! found. From then on the job is durable and resumable like an import, and applies each line once. A product that is written meanwhile
//! has another version, so its line is rejected and the product stays.

use std::sync::Arc;

use api::wire::imports::{Job, SelectedProducts};
use domain::input::DeleteInput;
use domain::ports::ListError;
use domain::{Product, Selection};
use futures::stream::{self, Stream, TryStreamExt as _};
use runtime::audit::Caller;
use tokio::sync::mpsc;

use super::error::ImportError;
use super::jobs::Imports;
use super::upload::Chunk;
use super::uploads::Upload;
use crate::Catalogue;

/// The number of products on a page of the scan.
pub(super) const PAGE: usize = 500;
/// The most ids in the response to a dry run.
const MAX_EXAMPLES: usize = 10;

impl Imports {
    /// Creates a job that deletes the selected products.
    pub(super) async fn delete(&self, selection: Selection, caller: Caller) -> Result<Job, ImportError> {
        let mut pages = Box::pin(selected(self.0.catalogue.clone(), selection));
        let send = |sender: mpsc::Sender<Chunk>, upload: Arc<Upload>| async move {
            while let Some(products) = pages.try_next().await? {
                if upload.displaced.is_cancelled() {
                    return Err(ImportError::Displaced);
                }
                let lines: String = products.iter().map(delete_line).collect();
                upload.add(lines.len());
                // If the thread that writes has ended, its own error says why.
                if sender.send(Chunk::Bytes(lines.into())).await.is_err() {
                    return Ok(());
                }
            }
            let _ = sender.send(Chunk::End).await;
            Ok(())
        };
        self.create(None, caller, 0, send).await
    }

    /// Returns the number of selected products and the ids of the first ten.
    pub(super) async fn count(&self, selection: Selection) -> Result<SelectedProducts, ImportError> {
        let mut pages = Box::pin(selected(self.0.catalogue.clone(), selection));
        let mut counted = SelectedProducts::default();
        while let Some(products) = pages.try_next().await? {
            counted.selected += products.len() as u64;
            let missing = MAX_EXAMPLES - counted.examples.len();
            counted.examples.extend(products.into_iter().take(missing).map(|product| product.id));
        }
        Ok(counted)
    }
}

/// Returns the selected products of each page of the store.
fn selected(
    catalogue: Catalogue,
    selection: Selection,
) -> impl Stream<Item = Result<Vec<Product>, ImportError>> + Send {
    stream::try_unfold(Some(None), move |page: Option<Option<String>>| {
        let (catalogue, selection) = (catalogue.clone(), selection.clone());
        async move {
            let Some(cursor) = page else { return Ok(None) };
            let page = catalogue.list(cursor.as_deref(), PAGE).await.map_err(|error| match error {
                ListError::Failed(error) => ImportError::Store(error),
                ListError::UnknownCursor => ImportError::CursorLost,
            })?;
            let products = page.products.into_iter().filter(|product| selection.accepts(product));
            Ok(Some((products.collect(), page.next.map(Some))))
        }
    })
}

/// Returns the line that deletes a product in this version.
pub(super) fn delete_line(product: &Product) -> String {
    let delete = DeleteInput { id: product.id.clone(), if_version: Some(product.version) };
    format!("{}\n", delete.to_json())
}
