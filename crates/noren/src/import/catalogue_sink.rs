//! Writes to a catalogue in this process.

use std::sync::Arc;

use async_trait::async_trait;
use command::{Catalogue, Command, CommandError, Operation};
use domain::input::InputError;
use domain::{Fault, FaultKind, WriteMode};

use super::candidate::Candidate;
use super::sink::{PutResult, Sink};
use crate::failure::Failure;

/// Writes to a catalogue in this process. Candidates must be validated already.
pub(super) struct CatalogueSink {
    pub(super) catalogue: Catalogue,
    /// The source to write into the products.
    pub(super) source: Option<Arc<str>>,
}

#[async_trait]
impl Sink for CatalogueSink {
    async fn put(&self, candidates: &mut [&mut Candidate]) -> Result<Vec<PutResult>, Failure> {
        let mut commands = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let command = self.command(candidate);
            commands.push(
                command.ok_or_else(|| Failure::new("a product reached the catalogue without validation"))?,
            );
        }
        let mut results = Vec::with_capacity(commands.len());
        for result in self.catalogue.execute_many(commands).await {
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

impl CatalogueSink {
    /// Returns the command that writes a validated candidate.
    fn command(&self, candidate: &mut Candidate) -> Option<Command> {
        let input = candidate.take_input()?;
        let command = match candidate.mode() {
            WriteMode::Replace => Command::upsert(input),
            WriteMode::Merge => Command::new(input.id?, Operation::Merge(candidate.json().into())),
        };
        Some(Command { source: self.source.clone(), ..command })
    }
}
