//! The transaction of one write, and what its cancellation means.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use aws_setup::{kind_of, port_error};
use domain::ports::{OutboxEntryId, PortError, PortErrorKind, Write, WriteError};
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
    pub(crate) mark: OutboxEntryId,
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
            write.idempotency.as_ref().map(|answered| answer_item(answered, now_seconds)).transpose()?;
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
            return Ok(Some(Attempt::Refused(WriteError::DuplicateKey)));
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

/// Whether a cancelled transaction met another one, or too much at once, and nothing else.
fn is_contended(reasons: &[CancellationReason]) -> bool {
    let mut codes = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    // A sku that was taken a moment ago, and whose owner the server does not name, is tried again, too.
    codes.all(|code| passes(code) || code == "ConditionalCheckFailed")
}

impl DynamoStore {
    /// Tries the transaction once. The SDK sends a call again when its answer is lost, and so do we. The token makes the
    /// server answer a repetition as it did the first one, where otherwise the write would conflict with itself; it belongs
    /// to a write and what it replaces.
    pub(crate) async fn attempt(
        &self,
        prepared: &Prepared<'_>,
        replaced: &Replaced,
        token: Uuid,
    ) -> Result<Attempt, PortError> {
        let items = prepared.items(&self.table, replaced);
        let items = items.map_err(|error| PortError::new(PortErrorKind::Internal, WRITING, error))?;
        let (parts, items): (Vec<Part>, Vec<TransactWriteItem>) = items.into_iter().unzip();
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        let error = match call.client_request_token(token.to_string()).send().await {
            Ok(_) => return Ok(Attempt::Made),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons();
                if let Some(attempt) = prepared.cancelled(&parts, reasons)? {
                    return Ok(attempt);
                }
                if is_contended(reasons) {
                    return Ok(Attempt::Contended(Box::new(error.into_service_error())));
                }
                Err(port_error(WRITING, error))
            }
            Some(_) if kind_of(&error) == PortErrorKind::Throttled => {
                Ok(Attempt::Contended(Box::new(error.into_service_error())))
            }
            _ => Err(port_error(WRITING, error)),
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

    const PARTS: [Part; 5] = [Part::Product, Part::Mark, Part::Answer, Part::NewSku, Part::OldSku];
    const FAILED: &str = "ConditionalCheckFailed";

    fn update() -> Write {
        let content = read_product(br#"{"name":"a","sku":"new"}"#, Currency::USD).unwrap().content;
        let (id, now) = (ProductId::parse("a").unwrap(), domain::now());
        let answer = WriteResponse { outcome: WriteOutcome::Updated, id: id.clone(), version: Version(3) };
        let answered = IdempotencyRecord { key: "key".to_owned(), fingerprint: [0; 32], response: answer };
        let product = Product { id, version: Version(3), created_at: now, updated_at: now, content };
        Write {
            change: Change::Update(Arc::new(product)),
            replaces: Some(Version(2)),
            idempotency: Some(answered),
            traceparent: None,
        }
    }

    fn reason(code: &str, item: Option<Item>) -> CancellationReason {
        CancellationReason::builder().code(code).set_item(item).build()
    }

    fn held(version: u64, sku: Option<&str>) -> Option<Item> {
        let mut item = product_key(&ProductId::parse("a").unwrap());
        item.insert(VERSION.to_owned(), number(version));
        item.extend(sku.map(|sku| (SKU.to_owned(), text(sku))));
        Some(item)
    }

    fn owned_by(id: &str) -> Option<Item> {
        Some(Item::from([(PRODUCT.to_owned(), text(id))]))
    }

    /// What a cancellation with these reasons means: product, mark, answer, new sku, old sku.
    fn meaning(reasons: &[CancellationReason; 5]) -> String {
        let write = update();
        let prepared = Prepared::new(&write, 0, 0).unwrap();
        match prepared.cancelled(&PARTS, reasons).unwrap() {
            Some(Attempt::Refused(error)) => format!("{error:?}"),
            Some(Attempt::SkuIs(sku)) => format!("sku is {sku:?}"),
            Some(Attempt::Made | Attempt::Contended(_)) => unreachable!("a cancellation is neither"),
            None if is_contended(reasons) => "again".to_owned(),
            None => "failed".to_owned(),
        }
    }

    #[test]
    fn a_cancellation_means_what_a_look_at_key_version_and_sku_would_have_found() {
        let none = || reason("None", None);
        let failed = |item| reason(FAILED, item);
        let conflict = || reason("TransactionConflict", None);
        let refused = [
            ([failed(held(7, None)), none(), failed(None), none(), none()], "DuplicateKey"),
            (
                [failed(held(7, None)), none(), none(), failed(owned_by("b")), none()],
                "Conflict { current: Some(Version(7)) }",
            ),
            ([failed(None), none(), conflict(), none(), none()], "Conflict { current: None }"),
            ([failed(held(2, Some("old"))), none(), none(), none(), none()], "sku is Some(\"old\")"),
            ([failed(held(2, None)), none(), none(), none(), none()], "sku is None"),
            ([none(), none(), none(), failed(owned_by("b")), none()], "SkuTaken { owner: ProductId(\"b\") }"),
        ];
        for (reasons, expected) in refused {
            assert_eq!(meaning(&reasons), expected);
        }
    }

    #[test]
    fn what_met_another_transaction_is_tried_again_and_what_is_a_defect_is_not() {
        let none = || reason("None", None);
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(meaning(&[none(), reason(code, None), none(), none(), none()]), "again");
        }
        assert_eq!(meaning(&[none(), none(), none(), reason(FAILED, None), none()]), "again");
        assert_eq!(meaning(&[reason("ValidationError", None), none(), none(), none(), none()]), "failed");
    }

    #[test]
    fn a_write_costs_no_more_items_than_it_must() {
        let write = update();
        let prepared = Prepared::new(&write, 0, 0).unwrap();
        let parts = |replaced: Replaced| -> Vec<Part> {
            prepared.items("table", &replaced).unwrap().into_iter().map(|(part, _)| part).collect()
        };
        let first = [Part::Product, Part::Mark, Part::Answer];
        assert_eq!(parts(Replaced::SameSku), first);
        assert_eq!(parts(Replaced::Sku(Some("new".to_owned()))), first);
        assert_eq!(parts(Replaced::Sku(None)), [&first[..], &[Part::NewSku]].concat());
        assert_eq!(parts(Replaced::Sku(Some("old".to_owned()))), PARTS);
    }
}
