//! Looks up products by id.

use domain::ports::{Indexed, IndexedState, PortError};
use domain::{ProductId, Version};

use crate::error::search_error;
use crate::layout::document::stored_product;
use crate::layout::schema::{STATE_ACTIVE, STATE_HIDDEN};
use crate::search::snapshot::Snapshot;

/// Returns the product or tombstone with an id; `None` if the snapshot has neither.
pub(crate) fn indexed(snapshot: &Snapshot, id: &ProductId) -> Result<Option<Indexed>, PortError> {
    let Some(found) = snapshot.find(id).map_err(search_error)? else { return Ok(None) };
    let state = match found.state {
        STATE_ACTIVE => {
            let product = stored_product(&snapshot.searcher, found.address).map_err(search_error)?;
            IndexedState::Active(product)
        }
        STATE_HIDDEN => IndexedState::Hidden,
        _ => IndexedState::Deleted,
    };
    Ok(Some(Indexed { version: Version(found.version), state }))
}

/// Returns the version of the product or tombstone with an id, without loading the product.
pub(crate) fn version(snapshot: &Snapshot, id: &ProductId) -> Result<Option<Version>, PortError> {
    Ok(snapshot.find(id).map_err(search_error)?.map(|found| Version(found.version)))
}
