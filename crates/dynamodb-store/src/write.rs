//! Writes: independent ones run concurrently, conflicting ones in request order.

use std::collections::HashMap;

use aws_setup::{backoff, port_error};
use domain::ports::{PortError, PortErrorKind, Write, WriteError, Written};
use domain::{Action, Version};
use futures::{StreamExt, stream};

use crate::items::{SKU, VERSION, product_key, read_version, sku_of};
use crate::store::DynamoStore;
use crate::transaction::{Outcome, PreparedWrite, Replaced};

/// The most concurrent writes of one call.
const CONCURRENT_WRITES: usize = 32;
const WRITING: &str = "writing a product to the store";

impl DynamoStore {
    /// Applies writes independently and returns the results in request order.
    pub(crate) async fn write_all(&self, writes: &[Write]) -> Vec<Result<Written, WriteError>> {
        let mut results: Vec<(usize, Result<Written, WriteError>)> = Vec::with_capacity(writes.len());
        for round in rounds(writes) {
            let round = stream::iter(round).map(async |index| (index, self.write_one(&writes[index]).await));
            results.extend(round.buffer_unordered(CONCURRENT_WRITES).collect::<Vec<_>>().await);
        }
        results.sort_unstable_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Applies one write.
    async fn write_one(&self, write: &Write) -> Result<Written, WriteError> {
        if write.change.version() != Version::after(write.replaces) {
            let text = format!("a write of {} skips or repeats a version", write.change.id());
            return Err(PortError::bare(PortErrorKind::Internal, text).into());
        }
        let prepared = PreparedWrite::new(write, self.now_us(), self.now_seconds())?;
        let mut replaced = self.replaced(write).await?;
        let mut pauses = backoff();
        loop {
            match self.transact(&prepared, &replaced, &mut pauses).await? {
                Outcome::Committed => return Ok(Written { outbox_entry: Some(prepared.outbox_entry) }),
                Outcome::Rejected(error) => return Err(error),
                // A version never changes its sku, so this happens once.
                Outcome::SkuIs(sku) if replaced == Replaced::SameSku => replaced = Replaced::Sku(sku),
                Outcome::SkuIs(_) => {
                    let text = format!("product {} changed and kept its version", write.change.id());
                    return Err(PortError::bare(PortErrorKind::Internal, text).into());
                }
            }
        }
    }

    /// Determines the current sku of the product, which must be freed if it changes. An update is assumed to keep the sku, as
    /// most do; a wrong assumption costs one cancelled transaction. A delete always frees the sku, so the product is read.
    async fn replaced(&self, write: &Write) -> Result<Replaced, WriteError> {
        let Some(version) = write.replaces else { return Ok(Replaced::Nothing) };
        if write.change.product().is_some() {
            return Ok(match write.change.action() {
                // A create that replaces a version replaces a tombstone.
                Action::Create => Replaced::Sku(None),
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

/// Groups writes, given by their indices, into rounds that run one after the other. No two writes of a round have a product,
/// sku or idempotency key in common; of writes that do, the first in the call is in the earlier round.
fn rounds(writes: &[Write]) -> Vec<Vec<usize>> {
    #[derive(PartialEq, Eq, Hash)]
    enum Name<'a> {
        Product(&'a str),
        Sku(&'a str),
        Key(&'a str),
    }
    let mut next_round: HashMap<Name<'_>, usize> = HashMap::new();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (index, write) in writes.iter().enumerate() {
        let names = || {
            let sku = sku_of(&write.change).map(Name::Sku);
            let key = write.idempotency.as_ref().map(|record| Name::Key(&record.key));
            [Some(Name::Product(write.change.id().as_str())), sku, key].into_iter().flatten()
        };
        let round = names().filter_map(|name| next_round.get(&name).copied()).max().unwrap_or(0);
        next_round.extend(names().map(|name| (name, round + 1)));
        if round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[round].push(index);
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
    fn writes_with_a_name_in_common_run_one_after_the_other() {
        let writes = ["a", "b", "a", "c", "a", "b"].map(write);
        assert_eq!(rounds(&writes), [vec![0, 1, 3], vec![2, 5], vec![4]]);
        assert!(rounds(&[]).is_empty());
    }

    #[test]
    fn every_write_has_one_round() {
        let writes: Vec<Write> = (0..500).map(|i| write(&format!("p{}", i * i % 77))).collect();
        let rounds = rounds(&writes);
        for round in &rounds {
            let ids: HashSet<_> = round.iter().map(|index| writes[*index].change.id()).collect();
            assert_eq!(ids.len(), round.len());
        }
        let mut all = rounds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
    }
}
