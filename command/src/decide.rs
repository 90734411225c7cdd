//! Decides what a command writes, given the current record of its product. No I/O.

use std::sync::Arc;

use api::extract::{IdempotencyKey, Precondition};
use domain::input::{InputError, read_product};
use domain::merge_patch::merge_patch;
use domain::ports::{IdempotencyRecord, PortError, PortErrorKind, Write, WriteOutcome, WriteResponse};
use domain::{
    Change, Content, Currency, Fault, FaultKind, Faults, HtmlPolicy, Product, ProductId, Record, Tombstone,
    Version,
};

use crate::categories_patch::before_patch;
use crate::command::{Command, Operation};
use crate::error::CommandError;
use crate::html;

/// The effect of a command.
pub(crate) enum Decision {
    /// The write to make, and the response once it is made.
    Write(Box<Write>, WriteResponse),
    /// Nothing to write: the product has this content already.
    Unchanged(WriteResponse),
}

/// The rules of a catalogue for the content that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriteRules {
    /// The currency of prices without one.
    pub(crate) currency: Currency,
    /// The form in which HTML is stored.
    pub(crate) html: HtmlPolicy,
}

/// Decides the effect of a command on the current record.
///
/// # Errors
/// When the precondition does not hold, or the operation is not possible on this record.
pub(crate) fn decide(
    command: &Command,
    current: Option<&Record>,
    rules: WriteRules,
) -> Result<Decision, CommandError> {
    let currency = rules.currency;
    let live = current.and_then(Record::live);
    check(&command.precondition, &command.id, live.map(|product| product.version))?;
    let content = match (&command.operation, live) {
        (Operation::Create(_) | Operation::CreateNew(_), Some(product)) => {
            return Err(CommandError::Exists { id: command.id.clone(), version: product.version });
        }
        (Operation::Patch(_) | Operation::Image(_) | Operation::Delete, None) => {
            return Err(CommandError::NotFound(command.id.clone()));
        }
        (Operation::Delete, Some(_)) => None,
        (Operation::Patch(patch) | Operation::Merge(patch), Some(product)) => {
            Some(patched(product, patch, currency)?)
        }
        (Operation::Image(change), Some(product)) => {
            let patch = change.patch(product).ok_or_else(|| CommandError::NoImage {
                id: command.id.clone(),
                name: change.name().clone(),
            })?;
            Some(patched(product, &patch, currency)?)
        }
        (Operation::Merge(patch), None) => Some(read_product(&merge_patch(b"{}", patch)?, currency)?.content),
        (Operation::Create(content) | Operation::CreateNew(content) | Operation::Put(content), _) => {
            Some(content.clone())
        }
    };
    let content =
        content.map(|content| html::apply(rules.html, content)).transpose().map_err(Faults::from)?;
    let content = content.map(|content| match &command.source {
        Some(source) => Content { source: Some(source.to_string()), ..content },
        None => content,
    });
    if let Some(product) = live
        && content.as_ref() == Some(&product.content)
    {
        return Ok(Decision::Unchanged(WriteResponse {
            outcome: WriteOutcome::Unchanged,
            id: command.id.clone(),
            version: product.version,
        }));
    }
    let version = Version::after(current.map(Record::version));
    let (change, outcome) = change_to(&command.id, version, content, live);
    let response = WriteResponse { outcome, id: command.id.clone(), version };
    let write = Write {
        change,
        replaces: current.map(Record::version),
        idempotency: command.idempotency.as_ref().map(|key| idempotency_record(key, &response)),
        traceparent: command.traceparent.clone(),
    };
    Ok(Decision::Write(Box::new(write), response))
}

/// Returns the change of a product to this content; `None` deletes it.
fn change_to(
    id: &ProductId,
    version: Version,
    content: Option<Content>,
    live: Option<&Arc<Product>>,
) -> (Change, WriteOutcome) {
    let (id, now) = (id.clone(), domain::now());
    let Some(content) = content else {
        return (Change::Delete(Tombstone { id, version, deleted_at: now }), WriteOutcome::Deleted);
    };
    let created_at = live.map_or(now, |product| product.created_at);
    let product = Arc::new(Product { id, version, created_at, updated_at: now, content });
    match live {
        Some(_) => (Change::Update(product), WriteOutcome::Updated),
        None => (Change::Create(product), WriteOutcome::Created),
    }
}

/// Returns the content of a product after a merge patch.
fn patched(product: &Product, patch: &[u8], currency: Currency) -> Result<Content, CommandError> {
    let mut json = serde_json::to_vec(product)
        .map_err(|error| PortError::new(PortErrorKind::Internal, "writing a product as JSON", error))?;
    if product.content.price.is_some_and(|price| price.currency() == currency) {
        // The catalogue's currency is implied, so it is left out: otherwise `{"price": null}` would leave a currency without a price.
        json = merge_patch(&json, br#"{"currency":null}"#)?;
    }
    if let Some(change) = before_patch(&product.content.categories, patch)? {
        json = merge_patch(&json, change.as_bytes())?;
    }
    let input = read_product(&merge_patch(&json, patch)?, currency)?;
    match input.id {
        Some(id) if id == product.id => Ok(input.content),
        _ => Err(InputError::from(other_id_fault(&product.id)).into()),
    }
}

/// Checks the precondition on a product that is at version `current`, or does not exist.
fn check(precondition: &Precondition, id: &ProductId, current: Option<Version>) -> Result<(), CommandError> {
    let holds = match precondition {
        Precondition::None => true,
        Precondition::Exists => current.is_some(),
        Precondition::IsAt(versions) => current.is_some_and(|current| versions.contains(&current)),
        Precondition::IsAbsent => current.is_none(),
    };
    if holds { Ok(()) } else { Err(CommandError::Stale { id: id.clone(), current }) }
}

/// Returns the record of a response under an idempotency key.
pub(crate) fn idempotency_record(key: &IdempotencyKey, response: &WriteResponse) -> IdempotencyRecord {
    IdempotencyRecord { key: key.key.clone(), fingerprint: key.fingerprint, response: response.clone() }
}

/// Returns the fault of a body whose id is not the id in the path.
pub(crate) fn other_id_fault(id: &ProductId) -> Fault {
    Fault::new("id", FaultKind::Malformed, format!("must be `{id}`, as in the path, or be omitted"))
}
