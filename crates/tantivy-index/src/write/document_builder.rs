//! Builds documents before they reach the writer thread, so that one batch is analysed while another is committed.

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
    /// Idle projectors, for reuse: at most as many as batches were ever built at once.
    idle_projectors: Arc<Mutex<Vec<Projector>>>,
}

impl DocumentBuilder {
    pub(super) fn new(folder: &GenerationFolder, options: WriterOptions) -> Self {
        let options = WriterOptions { language: folder.language, ..options };
        Self { fields: folder.fields, options, idle_projectors: Arc::default() }
    }

    /// Builds the documents of replacements on a blocking thread. A record that cannot be serialized becomes the reason, as a text.
    ///
    /// # Errors
    /// [`PortErrorKind::Internal`] if building one panics.
    pub(super) async fn build(
        &self,
        replacements: Vec<Replacement<Option<Record>>>,
    ) -> Result<Vec<Replacement>, PortError> {
        let builder = self.clone();
        let building = tokio::task::spawn_blocking(move || {
            let idle = builder.idle_projectors().pop();
            let mut projector =
                idle.unwrap_or_else(|| Projector::new(builder.options.language, builder.options.weights));
            let built = replacements.into_iter().map(|Replacement { id, content, condition }| {
                let projection = content.as_ref().map(|record| projector.project(record)).transpose();
                let content = projection
                    .map(|projection| projection.map(|projection| document(builder.fields, &projection)))
                    .map_err(|error| error.to_string());
                Replacement { id, content, condition }
            });
            let built = built.collect();
            // A projector that panicked never gets here: its state may be that of half a product.
            builder.idle_projectors().push(projector);
            built
        });
        building.await.map_err(|panic| {
            PortError::new(PortErrorKind::Internal, "building documents of the index", panic)
        })
    }

    fn idle_projectors(&self) -> MutexGuard<'_, Vec<Projector>> {
        // Nothing panics while it is locked.
        self.idle_projectors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
