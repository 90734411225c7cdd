//! Writes: which may go side by side, and each until it is decided.

use std::collections::HashMap;

use aws_setup::{Backoff, port_error};
use domain::Version;
use domain::ports::{PortError, PortErrorKind, Write, WriteError, Written};
use futures::{StreamExt, stream};
use uuid::Uuid;

use crate::DynamoStore;
use crate::items::{SKU, VERSION, product_key, read_version, sku_of};
use crate::transaction::{Attempt, Prepared, Replaced};

/// How many writes of one call are under way at a time.
const CONCURRENT_WRITES: usize = 32;
const WRITING: &str = "writing a product to the store";

impl DynamoStore {
    pub(crate) async fn make_all(&self, writes: &[Write]) -> Vec<Result<Written, WriteError>> {
        let mut answers: Vec<(usize, Result<Written, WriteError>)> = Vec::with_capacity(writes.len());
        for round in rounds(writes) {
            let round = stream::iter(round).map(async |at| (at, self.make(&writes[at]).await));
            answers.extend(round.buffer_unordered(CONCURRENT_WRITES).collect::<Vec<_>>().await);
        }
        answers.sort_unstable_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// One write, until it is made or refused.
    async fn make(&self, write: &Write) -> Result<Written, WriteError> {
        if write.change.version() != Version::after(write.replaces) {
            let text = format!("a write of {} skips or repeats a version", write.change.id());
            return Err(PortError::bare(PortErrorKind::Internal, text).into());
        }
        let prepared = Prepared::new(write, self.now_us(), self.now_seconds())?;
        let mut replaced = self.replaced(write).await?;
        let mut token = Uuid::now_v7();
        let mut backoff = Backoff::default();
        loop {
            match self.attempt(&prepared, &replaced, token).await? {
                Attempt::Made => return Ok(Written { outbox_entry: Some(prepared.mark) }),
                Attempt::Refused(error) => return Err(error),
                // A version never changes its sku, so this happens once.
                Attempt::SkuIs(sku) if replaced == Replaced::SameSku => {
                    (replaced, token) = (Replaced::Sku(sku), Uuid::now_v7());
                }
                Attempt::SkuIs(_) => {
                    let text = format!("product {} changed and kept its version", write.change.id());
                    return Err(PortError::bare(PortErrorKind::Internal, text).into());
                }
                Attempt::Contended(cause) => {
                    if !backoff.pause().await {
                        return Err(PortError::new(PortErrorKind::Throttled, WRITING, cause).into());
                    }
                }
            }
        }
    }

    /// What is known of the sku that the product has now, which must be freed when it changes. An update mostly keeps
    /// it; to be wrong about that costs one refused transaction. A delete never keeps it, so it looks first.
    async fn replaced(&self, write: &Write) -> Result<Replaced, WriteError> {
        let Some(version) = write.replaces else { return Ok(Replaced::Nothing) };
        if write.change.product().is_some() {
            return Ok(match write.change.action() {
                // What is made anew was a tombstone.
                domain::Action::Create => Replaced::Sku(None),
                _ => Replaced::SameSku,
            });
        }
        let get = self.client.get_item().table_name(&*self.table).consistent_read(true);
        let get = get
            .set_key(Some(product_key(write.change.id())))
            .projection_expression("#version, #sku")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#sku", SKU);
        let item = get.send().await.map_err(|error| port_error(WRITING, error))?.item;
        let current = item.as_ref().map(read_version).transpose()?;
        if current != Some(version) {
            return Err(WriteError::Conflict { current });
        }
        let sku = item.and_then(|mut item| item.remove(SKU)).and_then(|sku| sku.as_s().ok().cloned());
        Ok(Replaced::Sku(sku))
    }
}

/// Which writes may go side by side: in each round no two have a product, a sku or an idempotency key in common, and
/// of those that do, the first in the call is in the earlier round.
fn rounds(writes: &[Write]) -> Vec<Vec<usize>> {
    #[derive(PartialEq, Eq, Hash)]
    enum Name<'a> {
        Product(&'a str),
        Sku(&'a str),
        Key(&'a str),
    }
    let mut next_round: HashMap<Name<'_>, usize> = HashMap::new();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (at, write) in writes.iter().enumerate() {
        let names = || {
            let sku = sku_of(&write.change).map(Name::Sku);
            let key = write.idempotency.as_ref().map(|answered| Name::Key(&answered.key));
            [Some(Name::Product(write.change.id().as_str())), sku, key].into_iter().flatten()
        };
        let round = names().filter_map(|name| next_round.get(&name).copied()).max().unwrap_or(0);
        next_round.extend(names().map(|name| (name, round + 1)));
        if round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[round].push(at);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Change, ProductId, Tombstone};
    use std::collections::HashSet;

    fn write(id: &str) -> Write {
        let id = ProductId::parse(id).unwrap();
        let change = Change::Delete(Tombstone { id, version: Version(2), deleted_at: domain::now() });
        Write { change, replaces: Some(Version(1)), idempotency: None, traceparent: None }
    }

    #[test]
    fn what_has_a_name_in_common_goes_one_after_the_other() {
        let writes = ["a", "b", "a", "c", "a", "b"].map(write);
        assert_eq!(rounds(&writes), [vec![0, 1, 3], vec![2, 5], vec![4]]);
        assert!(rounds(&[]).is_empty());
    }

    #[test]
    fn every_write_has_one_round() {
        let writes: Vec<Write> = (0..500).map(|i| write(&format!("p{}", i * i % 77))).collect();
        let rounds = rounds(&writes);
        for round in &rounds {
            let ids: HashSet<_> = round.iter().map(|at| writes[*at].change.id()).collect();
            assert_eq!(ids.len(), round.len());
        }
        let mut all = rounds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
    }
}
