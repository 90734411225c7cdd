//! Commands: the operations that a client requests on one product.

use std::sync::Arc;

use api::extract::{IdempotencyKey, Precondition, WriteConditions};
use domain::input::{DeleteInput, LineInput, ProductInput, RawObject};
use domain::{Content, ProductId, WriteMode};

use crate::image_change::ImageChange;

/// A command for one product.
#[derive(Debug, Clone)]
pub struct Command {
    /// The id of the product, generated for a create without one.
    pub id: ProductId,
    /// The operation.
    pub operation: Operation,
    /// The state that the product must have.
    pub precondition: Precondition,
    /// The client's idempotency key with a fingerprint of the request.
    pub idempotency: Option<IdempotencyKey>,
    /// The W3C trace context of the request.
    pub traceparent: Option<String>,
    /// The source to write into the product, whatever the product says.
    pub source: Option<Arc<str>>,
}

/// An operation on a product.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Creates the product, which must not exist.
    Create(Content),
    /// Creates the product under an id that was generated just now, so there is no record to read.
    CreateNew(Content),
    /// Creates or replaces the product.
    Put(Content),
    /// Changes some fields by a JSON merge patch (RFC 7396).
    Patch(Arc<[u8]>),
    /// Changes some fields as `Patch` does, or creates the product from the patch if it does not exist.
    Merge(Arc<[u8]>),
    /// Changes the addresses of one image.
    Image(ImageChange),
    /// Deletes the product.
    Delete,
}

impl Command {
    /// Creates a command without conditions.
    pub fn new(id: ProductId, operation: Operation) -> Self {
        Self {
            id,
            operation,
            precondition: Precondition::None,
            idempotency: None,
            traceparent: None,
            source: None,
        }
    }

    /// Creates a command that creates or replaces a product; one without an id is created under a new id.
    pub fn upsert(input: ProductInput) -> Self {
        match input.id {
            Some(id) => Self::new(id, Operation::Put(input.content)),
            None => Self::new(ProductId::generate(), Operation::CreateNew(input.content)),
        }
    }

    /// Creates a command from a line of a bulk write.
    pub fn of_line(line: LineInput) -> Self {
        match line {
            LineInput::Product(product) => Self::upsert(*product),
            LineInput::Delete(DeleteInput { id, if_version }) => {
                let precondition =
                    if_version.map_or(Precondition::None, |version| Precondition::IsAt(vec![version]));
                Self { precondition, ..Self::new(id, Operation::Delete) }
            }
        }
    }

    /// Creates a command from a line and its text. In the mode `merge`, a line that is not a delete is a patch.
    pub(crate) fn of_text(line: LineInput, text: &[u8], mode: WriteMode) -> Self {
        match (mode, line) {
            (WriteMode::Merge, LineInput::Product(patch)) => {
                let id = patch.id.unwrap_or_else(ProductId::generate);
                Self::new(id, Operation::Merge(text.into()))
            }
            (_, line) => Self::of_line(line),
        }
    }

    /// Adds the conditions of a request.
    #[must_use]
    pub fn with_conditions(self, conditions: WriteConditions) -> Self {
        let WriteConditions { precondition, idempotency, traceparent } = conditions;
        Self { precondition, idempotency, traceparent, ..self }
    }

    /// Returns the sku that the command sets, for error texts.
    pub(crate) fn sku(&self) -> Option<String> {
        match &self.operation {
            Operation::Create(content) | Operation::CreateNew(content) | Operation::Put(content) => {
                content.sku.clone()
            }
            Operation::Patch(patch) | Operation::Merge(patch) => {
                let fields = RawObject::parse(patch).ok()?.0;
                let (_, sku) = fields.iter().rev().find(|(name, _)| name == "sku")?;
                serde_json::from_str(sku.get()).ok()
            }
            Operation::Image(_) | Operation::Delete => None,
        }
    }
}
