//! The destination of an import.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::WriteOutcome;

use super::candidate::Candidate;
use crate::failure::Failure;

/// The result for one product: the outcome of the write, or the faults that prevented it.
pub type PutResult = Result<WriteOutcome, Vec<Fault>>;

/// A destination that writes batches of products, several at a time.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Writes products, and returns a result for each in their order.
    ///
    /// # Errors
    /// If the catalogue cannot be written at all.
    async fn put(&self, candidates: &mut [&mut Candidate]) -> Result<Vec<PutResult>, Failure>;
}
