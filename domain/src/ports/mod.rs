//! The ports: the traits through which the services reach the outside world.
//!
//! Each sentence of a port's documentation is checked by a contract test that runs against every adapter. No type of a
//! database or cloud SDK crosses a port.

mod dead_letters;
mod error;
mod images;
mod index;
mod maintenance;
mod queue;
mod store;

pub use dead_letters::{DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters};
pub use error::{PortError, PortErrorKind};
pub use images::{AllowedUpload, ImageReader, ImageSize, ImageStore, ImageUpload, ListedImage, StoredImage};
pub use index::{
    Applied, ENOUGH_PRODUCTS, FEW_PRODUCTS, IndexStats, IndexWriter, Indexed, IndexedState, SearchIndex,
};
pub use maintenance::{
    CLAIM_EXPIRY, CompareDepth, Fingerprint, Generation, GenerationState, Generations, IndexEntry,
    IndexMaintenance, Repair, RepairOutcome, TOMBSTONE_RETENTION,
};
pub use queue::{
    ChangeQueue, Delivery, Envelope, MAX_RECEIVES, QueueStats, REFILL_LEASE, Receipt, RefillId,
    ReleaseRequest, RetryRequest,
};
pub use store::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, ProductPage, ProductStore,
    RecordPage, StoredVersion, VersionPage, Write, WriteError, WriteOutcome, WriteResponse, Written,
};
