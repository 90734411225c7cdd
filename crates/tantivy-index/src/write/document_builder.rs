//! Builds the documents of records before they reach the thread that writes, so that the next batch is analysed while one is
//! committed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Record;
use domain::ports::{PortError, PortErrorKind};
use text::projection::Projector;

use crate::layout::document::document;
use crate::layout::folder::GenerationFolder;
use crate::layout::schema::Fields;
use crate::write::options::WriterOptions;
use crate::write::writer_thread::Replacement;

/// Builds the documents of a generation.
#[derive(Clone)]
pub(super) struct DocumentBuilder {
    fields: Fields,
    options: WriterOptions,
    /// The projectors that no batch uses: at most as many as batches were built at once.
    idle: Arc<Mutex<Vec<Projector>>>,
}

impl DocumentBuilder {
    pub(super) fn new(folder: &GenerationFolder, options: WriterOptions) -> Self {
        let options = WriterOptions { language: folder.language, ..options };
        Self { fields: folder.fields, options, idle: Arc::default() }
    }

    /// Builds the documents of replacements, on a thread that may block.
    ///
    /// # Errors
    /// [`PortErrorKind::Internal`] if building one panics.
    pub(super) async fn build(
        &self,
        replacements: Vec<Replacement<Option<Record>>>,
    ) -> Result<Vec<Replacement>, PortError> {
        let builder = self.clone();
        let building = tokio::task::spawn_blocking(move || {
            let idle = builder.idle().pop();
            let mut projector =
                idle.unwrap_or_else(|| Projector::new(builder.options.language, builder.options.weights));
            let built = replacements.into_iter().map(|Replacement { id, by, condition }| {
                let projection = by.as_ref().map(|record| projector.project(record)).transpose();
                let by = projection
                    .map(|projection| projection.map(|projection| document(builder.fields, &projection)))
                    .map_err(|error| error.to_string());
                Replacement { id, by, condition }
            });
            let built = built.collect();
            // After a panic it is not used again: it may have stopped in the middle of a product.
            builder.idle().push(projector);
            built
        });
        building.await.map_err(|panic| {
            PortError::new(PortErrorKind::Internal, "building documents of the index", panic)
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Projector>> {
        // Nothing panics while it is locked.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
