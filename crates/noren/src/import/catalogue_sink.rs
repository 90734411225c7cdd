//! Writes to a catalogue in this process.

use async_trait::async_trait;
use command::{Catalogue, CommandError};
use domain::input::InputError;
use domain::{Fault, FaultKind};

use super::candidate::Candidate;
use super::sink::{PutResult, Sink};
use crate::failure::Failure;

/// Writes to a catalogue in this process. Candidates must be validated already.
pub(super) struct CatalogueSink(pub(super) Catalogue);

#[async_trait]
impl Sink for CatalogueSink {
    async fn put(&self, candidates: &mut [&mut Candidate]) -> Result<Vec<PutResult>, Failure> {
        let inputs: Option<Vec<_>> = candidates.iter_mut().map(|candidate| candidate.take_input()).collect();
        let inputs =
            inputs.ok_or_else(|| Failure::new("a product reached the catalogue without validation"))?;
        let mut results = Vec::with_capacity(inputs.len());
        for result in self.0.put_many(inputs).await {
            results.push(match result {
                Ok(answer) => Ok(answer.outcome),
                // The catalogue itself failed, so the next product would fail as well.
                Err(CommandError::Port(error)) => {
                    return Err(Failure::new("cannot write to the catalogue").because(error));
                }
                Err(CommandError::Input(InputError::Faults(faults))) => Err(faults.into_list()),
                Err(CommandError::SkuTaken { owner, .. }) => {
                    Err(vec![Fault::new("sku", FaultKind::Taken, format!("belongs to product {owner}"))])
                }
                Err(error) => Err(vec![Fault::new("", FaultKind::Malformed, error.to_string())]),
            });
        }
        Ok(results)
    }
}
