//! The transaction of one write, and the meaning of its cancellation.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use aws_setup::{kind_of, port_error};
use backon::{Backoff, Retryable as _};
use domain::ports::{OutboxEntryId, PortError, PortErrorKind, Write, WriteError};
use uuid::Uuid;

use crate::idempotency::{KEY_IS_FREE, KEY_IS_FREE_NAMES, idempotency_item};
use crate::items::{
    Item, PK, PRODUCT, SKU, VERSION, number, product_item, read_id, read_version, sku_key, sku_of, text,
};
use crate::outbox::new_entry;
use crate::store::DynamoStore;

const WRITING: &str = "writing a product to the store";

/// A write with its items. All attempts use the same items.
pub(crate) struct PreparedWrite<'a> {
    write: &'a Write,
    pub(crate) outbox_entry: OutboxEntryId,
    product_item: Item,
    outbox_item: Item,
    idempotency_item: Option<Item>,
    now_seconds: i64,
}

/// An assumption about the record that a write replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// The id never existed.
    Nothing,
    /// A product that has the sku of the new one.
    SameSku,
    /// A product or tombstone with this sku.
    Sku(Option<String>),
}

/// The outcome of a transaction.
pub(crate) enum Outcome {
    /// The write is durable.
    Committed,
    /// Nothing was written.
    Rejected(WriteError),
    /// Nothing was written: the stored version is the expected one, but it has this sku instead of the assumed one.
    SkuIs(Option<String>),
}

/// The reason why an attempt has no outcome.
enum AttemptError {
    /// A conflict with another transaction on the same items, or throttling: another attempt may succeed.
    Contended(Box<TransactWriteItemsError>),
    /// The call failed.
    Failed(PortError),
}

impl From<PortError> for AttemptError {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

/// The role of an item in the transaction. The outbox entry and the old sku have no condition that could fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Product,
    OutboxEntry,
    IdempotencyRecord,
    NewSku,
    OldSku,
}

impl<'a> PreparedWrite<'a> {
    pub(crate) fn new(write: &'a Write, now_us: i64, now_seconds: i64) -> Result<Self, PortError> {
        let json = write.change.product().map(|product| serde_json::to_string(&**product)).transpose();
        let json = json
            .map_err(|error| PortError::new(PortErrorKind::Internal, "writing a product as JSON", error))?;
        let (outbox_entry, outbox_item) = new_entry(&write.change, write.traceparent.as_deref(), now_us);
        let record = write.idempotency.as_ref();
        let idempotency_item = record.map(|record| idempotency_item(record, now_seconds)).transpose()?;
        let product_item = product_item(&write.change, json);
        Ok(Self { write, outbox_entry, product_item, outbox_item, idempotency_item, now_seconds })
    }

    /// Returns the items to write, each with its role.
    fn items(&self, table: &str, replaced: &Replaced) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let new = sku_of(&self.write.change);
        let old = match replaced {
            Replaced::Nothing => None,
            Replaced::SameSku => new,
            Replaced::Sku(sku) => sku.as_deref(),
        };
        let put = |item: &Item| Put::builder().table_name(table).set_item(Some(item.clone()));
        let mut items = vec![
            (Part::Product, put_item(self.product_condition(put(&self.product_item), old))?),
            (Part::OutboxEntry, put_item(put(&self.outbox_item))?),
        ];
        if let Some(record) = &self.idempotency_item {
            let mut put = put(record).condition_expression(KEY_IS_FREE);
            for (name, attribute) in KEY_IS_FREE_NAMES {
                put = put.expression_attribute_names(name, attribute);
            }
            put = put.expression_attribute_values(":now", number(self.now_seconds));
            items.push((Part::IdempotencyRecord, put_item(put)?));
        }
        if new != old {
            if let Some(sku) = new {
                let mut item = sku_key(sku);
                item.insert(PRODUCT.to_owned(), text(self.write.change.id().as_str()));
                let put = put(&item)
                    .condition_expression("attribute_not_exists(#pk)")
                    .expression_attribute_names("#pk", PK)
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
                items.push((Part::NewSku, put_item(put)?));
            }
            if let Some(sku) = old {
                let delete = Delete::builder().table_name(table).set_key(Some(sku_key(sku))).build()?;
                items.push((Part::OldSku, TransactWriteItem::builder().delete(delete).build()));
            }
        }
        Ok(items)
    }

    /// Adds the condition that the table holds the version to replace, with the assumed sku.
    fn product_condition(&self, put: PutBuilder, sku: Option<&str>) -> PutBuilder {
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Some(version) = self.write.replaces else {
            return put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK);
        };
        let put = put
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", number(version.0))
            .expression_attribute_names("#sku", SKU);
        match sku {
            Some(sku) => put
                .condition_expression("#version = :version AND #sku = :sku")
                .expression_attribute_values(":sku", text(sku)),
            None => put.condition_expression("#version = :version AND attribute_not_exists(#sku)"),
        }
    }

    /// Derives the outcome of a cancelled transaction from its reasons. Returns `None` if no failed condition decides it.
    ///
    /// If several conditions failed, the idempotency key takes precedence, then the version, then the sku.
    fn cancelled(
        &self,
        parts: &[Part],
        reasons: &[CancellationReason],
    ) -> Result<Option<Outcome>, PortError> {
        let failed = |part: Part| {
            let mut reasons = parts.iter().zip(reasons).filter(|(of, _)| **of == part);
            reasons
                .find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
                .map(|(_, reason)| reason)
        };
        if failed(Part::IdempotencyRecord).is_some() {
            return Ok(Some(Outcome::Rejected(WriteError::DuplicateKey)));
        }
        if let Some(reason) = failed(Part::Product) {
            let current = reason.item().map(read_version).transpose()?;
            if current.is_some() && current == self.write.replaces {
                let sku = reason.item().and_then(|item| item.get(SKU)).and_then(|sku| sku.as_s().ok());
                return Ok(Some(Outcome::SkuIs(sku.cloned())));
            }
            return Ok(Some(Outcome::Rejected(WriteError::Conflict { current })));
        }
        if let Some(reason) = failed(Part::NewSku)
            && let Some(item) = reason.item()
        {
            let owner = read_id(item, PRODUCT)?;
            return Ok(Some(Outcome::Rejected(WriteError::SkuTaken { owner })));
        }
        Ok(None)
    }
}

fn put_item(put: PutBuilder) -> Result<TransactWriteItem, BuildError> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

/// Returns true if another attempt may succeed; `code` is the reason of one item.
fn is_transient(code: &str) -> bool {
    matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
}

/// Returns true if a transaction was cancelled only because of a conflict with another one or throttling.
fn is_contended(reasons: &[CancellationReason]) -> bool {
    let mut codes = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    // If another write has just taken the sku, the server may report the failed condition without the item. The next attempt
    // returns the owner.
    codes.all(|code| is_transient(code) || code == "ConditionalCheckFailed")
}

impl DynamoStore {
    /// Attempts the transaction until it has an outcome. `pauses` yields the pause before each further attempt.
    ///
    /// All attempts send the same token. An attempt, by the SDK or by this function, may repeat a call that succeeded but
    /// whose response was lost. The token makes the server answer the repetition like the first call; without it, the write
    /// would conflict with itself.
    ///
    /// # Errors
    /// [`PortErrorKind::Throttled`] if `pauses` ends before there is an outcome, and the errors of the call.
    pub(crate) async fn transact(
        &self,
        prepared: &PreparedWrite<'_>,
        replaced: &Replaced,
        pauses: &mut impl Backoff,
    ) -> Result<Outcome, PortError> {
        let token = Uuid::now_v7();
        let attempts = (|| self.attempt(prepared, replaced, token)).retry(pauses);
        let outcome = attempts.when(|error| matches!(error, AttemptError::Contended(_))).await;
        outcome.map_err(|error| match error {
            AttemptError::Contended(cause) => PortError::new(PortErrorKind::Throttled, WRITING, cause),
            AttemptError::Failed(error) => error,
        })
    }

    async fn attempt(
        &self,
        prepared: &PreparedWrite<'_>,
        replaced: &Replaced,
        token: Uuid,
    ) -> Result<Outcome, AttemptError> {
        let items = prepared.items(&self.table, replaced);
        let items = items.map_err(|error| PortError::new(PortErrorKind::Internal, WRITING, error))?;
        let (parts, items): (Vec<Part>, Vec<TransactWriteItem>) = items.into_iter().unzip();
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        let error = match call.client_request_token(token.to_string()).send().await {
            Ok(_) => return Ok(Outcome::Committed),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons();
                if let Some(outcome) = prepared.cancelled(&parts, reasons)? {
                    return Ok(outcome);
                }
                if is_contended(reasons) {
                    return Err(AttemptError::Contended(Box::new(error.into_service_error())));
                }
                Err(port_error(WRITING, error).into())
            }
            Some(_) if kind_of(&error) == PortErrorKind::Throttled => {
                Err(AttemptError::Contended(Box::new(error.into_service_error())))
            }
            _ => Err(port_error(WRITING, error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::product_key;
    use domain::input::read_product;
    use domain::ports::{IdempotencyRecord, WriteOutcome, WriteResponse};
    use domain::{Change, Currency, Product, ProductId, Version};
    use std::sync::Arc;

    const PARTS: [Part; 5] =
        [Part::Product, Part::OutboxEntry, Part::IdempotencyRecord, Part::NewSku, Part::OldSku];
    const FAILED: &str = "ConditionalCheckFailed";

    fn update() -> Write {
        let content = read_product(br#"{"name":"a","sku":"new"}"#, Currency::USD).unwrap().content;
        let (id, now) = (ProductId::parse("a").unwrap(), domain::now());
        let response = WriteResponse { outcome: WriteOutcome::Updated, id: id.clone(), version: Version(3) };
        let record = IdempotencyRecord { key: "key".to_owned(), fingerprint: [0; 32], response };
        let product = Product { id, version: Version(3), created_at: now, updated_at: now, content };
        Write {
            change: Change::Update(Arc::new(product)),
            replaces: Some(Version(2)),
            idempotency: Some(record),
            traceparent: None,
        }
    }

    fn reason(code: &str, item: Option<Item>) -> CancellationReason {
        CancellationReason::builder().code(code).set_item(item).build()
    }

    fn stored(version: u64, sku: Option<&str>) -> Option<Item> {
        let mut item = product_key(&ProductId::parse("a").unwrap());
        item.insert(VERSION.to_owned(), number(version));
        item.extend(sku.map(|sku| (SKU.to_owned(), text(sku))));
        Some(item)
    }

    fn owned_by(id: &str) -> Option<Item> {
        Some(Item::from([(PRODUCT.to_owned(), text(id))]))
    }

    /// Returns the meaning of a cancellation with these reasons, in the order of [`PARTS`].
    fn meaning(reasons: &[CancellationReason; 5]) -> String {
        let write = update();
        let prepared = PreparedWrite::new(&write, 0, 0).unwrap();
        match prepared.cancelled(&PARTS, reasons).unwrap() {
            Some(Outcome::Rejected(error)) => format!("{error:?}"),
            Some(Outcome::SkuIs(sku)) => format!("sku is {sku:?}"),
            Some(Outcome::Committed) => unreachable!("a cancelled transaction is not committed"),
            None if is_contended(reasons) => "retried".to_owned(),
            None => "failed".to_owned(),
        }
    }

    #[test]
    fn a_cancellation_means_what_checking_key_version_and_sku_would_have_found() {
        let none = || reason("None", None);
        let failed = |item| reason(FAILED, item);
        let conflict = || reason("TransactionConflict", None);
        let rejected = [
            ([failed(stored(7, None)), none(), failed(None), none(), none()], "DuplicateKey"),
            (
                [failed(stored(7, None)), none(), none(), failed(owned_by("b")), none()],
                "Conflict { current: Some(Version(7)) }",
            ),
            ([failed(None), none(), conflict(), none(), none()], "Conflict { current: None }"),
            ([failed(stored(2, Some("old"))), none(), none(), none(), none()], "sku is Some(\"old\")"),
            ([failed(stored(2, None)), none(), none(), none(), none()], "sku is None"),
            ([none(), none(), none(), failed(owned_by("b")), none()], "SkuTaken { owner: ProductId(\"b\") }"),
        ];
        for (reasons, expected) in rejected {
            assert_eq!(meaning(&reasons), expected);
        }
    }

    #[test]
    fn a_conflict_with_another_transaction_is_retried_and_a_defect_is_not() {
        let none = || reason("None", None);
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(meaning(&[none(), reason(code, None), none(), none(), none()]), "retried");
        }
        assert_eq!(meaning(&[none(), none(), none(), reason(FAILED, None), none()]), "retried");
        assert_eq!(meaning(&[reason("ValidationError", None), none(), none(), none(), none()]), "failed");
    }

    #[test]
    fn a_write_has_no_more_items_than_it_needs() {
        let write = update();
        let prepared = PreparedWrite::new(&write, 0, 0).unwrap();
        let parts = |replaced: Replaced| -> Vec<Part> {
            prepared.items("table", &replaced).unwrap().into_iter().map(|(part, _)| part).collect()
        };
        let first = [Part::Product, Part::OutboxEntry, Part::IdempotencyRecord];
        assert_eq!(parts(Replaced::SameSku), first);
        assert_eq!(parts(Replaced::Sku(Some("new".to_owned()))), first);
        assert_eq!(parts(Replaced::Sku(None)), [&first[..], &[Part::NewSku]].concat());
        assert_eq!(parts(Replaced::Sku(Some("old".to_owned()))), PARTS);
    }
}
