//! The transaction of one write, and what its cancellation means.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use aws_setup::port_error;
use domain::ports::{OutboxMark, PortError, PortErrorKind, Write, WriteError};
use uuid::Uuid;

use crate::DynamoStore;
use crate::answers::{KEY_IS_FREE, KEY_IS_FREE_NAMES, answer_item};
use crate::items::{
    Item, PK, PRODUCT, SKU, VERSION, number, product_item, read_id, read_version, sku_key, sku_of, text,
};
use crate::outbox::new_mark;

const WRITING: &str = "writing a product to the store";

/// A write with everything that its attempts have in common.
pub(crate) struct Prepared<'a> {
    write: &'a Write,
    pub(crate) mark: OutboxMark,
    product: Item,
    mark_item: Item,
    answer: Option<Item>,
    now_seconds: i64,
}

/// What is known of what a write replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// There never was anything.
    Nothing,
    /// A product whose sku is taken to be the one that it shall have.
    SameSku,
    /// A product or tombstone with this sku.
    Sku(Option<String>),
}

/// What became of one attempt.
pub(crate) enum Attempt {
    Made,
    Refused(WriteError),
    /// The version is the right one, but its sku is another than was thought: this.
    SkuIs(Option<String>),
    /// Another transaction was at the same items, or there was too much at once.
    Contended(Box<TransactWriteItemsError>),
}

/// What an item of the transaction is there for; one that has no condition cannot refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Product,
    Mark,
    Answer,
    NewSku,
    OldSku,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(write: &'a Write, now_us: i64, now_seconds: i64) -> Result<Self, PortError> {
        let json = write.change.product().map(|product| serde_json::to_string(&**product)).transpose();
        let json = json
            .map_err(|error| PortError::new(PortErrorKind::Internal, "writing a product as JSON", error))?;
        let (mark, mark_item) = new_mark(&write.change, write.traceparent.as_deref(), now_us);
        let answer =
            write.answered.as_ref().map(|answered| answer_item(answered, now_seconds)).transpose()?;
        let product = product_item(&write.change, json);
        Ok(Self { write, mark, product, mark_item, answer, now_seconds })
    }

    /// The items to write, each with its part.
    fn items(&self, table: &str, replaced: &Replaced) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let new = sku_of(&self.write.change);
        let old = match replaced {
            Replaced::Nothing => None,
            Replaced::SameSku => new,
            Replaced::Sku(sku) => sku.as_deref(),
        };
        let put = |item: &Item| Put::builder().table_name(table).set_item(Some(item.clone()));
        let mut items = vec![
            (Part::Product, put_item(self.product_condition(put(&self.product), old))?),
            (Part::Mark, put_item(put(&self.mark_item))?),
        ];
        if let Some(answer) = &self.answer {
            let mut put = put(answer).condition_expression(KEY_IS_FREE);
            for (name, attribute) in KEY_IS_FREE_NAMES {
                put = put.expression_attribute_names(name, attribute);
            }
            put = put.expression_attribute_values(":now", number(self.now_seconds));
            items.push((Part::Answer, put_item(put)?));
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

    /// The table must hold the version that is replaced, with the sku that it is taken to have.
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

    /// What a cancelled transaction means. Of several reasons, the one counts that a store which looks at the key, the
    /// version and the sku in this order would have met first.
    fn cancelled(
        &self,
        parts: &[Part],
        reasons: &[CancellationReason],
    ) -> Result<Option<Attempt>, PortError> {
        let failed = |part: Part| {
            let mut reasons = parts.iter().zip(reasons).filter(|(of, _)| **of == part);
            reasons
                .find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
                .map(|(_, reason)| reason)
        };
        if failed(Part::Answer).is_some() {
            return Ok(Some(Attempt::Refused(WriteError::AlreadyAnswered)));
        }
        if let Some(reason) = failed(Part::Product) {
            let current = reason.item().map(read_version).transpose()?;
            if current.is_some() && current == self.write.replaces {
                let sku = reason.item().and_then(|item| item.get(SKU)).and_then(|sku| sku.as_s().ok());
                return Ok(Some(Attempt::SkuIs(sku.cloned())));
            }
            return Ok(Some(Attempt::Refused(WriteError::Conflict { current })));
        }
        if let Some(reason) = failed(Part::NewSku)
            && let Some(item) = reason.item()
        {
            let owner = read_id(item, PRODUCT)?;
            return Ok(Some(Attempt::Refused(WriteError::SkuTaken { owner })));
        }
        Ok(None)
    }
}

fn put_item(put: PutBuilder) -> Result<TransactWriteItem, BuildError> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

/// Whether another attempt may succeed, by the code of a cancelled item.
fn passes(code: &str) -> bool {
    matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
}

impl DynamoStore {
    pub(crate) async fn attempt(
        &self,
        prepared: &Prepared<'_>,
        replaced: &Replaced,
    ) -> Result<Attempt, PortError> {
        let items = prepared.items(&self.table, replaced);
        let items = items.map_err(|error| PortError::new(PortErrorKind::Internal, WRITING, error))?;
        let (parts, items): (Vec<Part>, Vec<TransactWriteItem>) = items.into_iter().unzip();
        // The SDK sends a call again when its answer is lost. The token makes the server answer the repetition as it
        // did the first one, where otherwise the write would conflict with itself.
        let token = Uuid::now_v7().to_string();
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        let error = match call.client_request_token(token).send().await {
            Ok(_) => return Ok(Attempt::Made),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons();
                if let Some(attempt) = prepared.cancelled(&parts, reasons)? {
                    return Ok(attempt);
                }
                // A sku that was taken a moment ago, and whose owner the server does not name, is tried again, too.
                let codes =
                    || reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None");
                if codes().all(|code| passes(code) || code == "ConditionalCheckFailed") {
                    return Ok(Attempt::Contended(Box::new(error.into_service_error())));
                }
                Err(port_error(WRITING, error))
            }
            Some(other) if other.code() == Some("TransactionInProgressException") => {
                Ok(Attempt::Contended(Box::new(error.into_service_error())))
            }
            _ => Err(port_error(WRITING, error)),
        }
    }
}
