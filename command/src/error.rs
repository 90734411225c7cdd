//! Why a command was not carried out, and how that is said over HTTP.

use domain::input::InputError;
use domain::ports::{PortError, PortErrorKind};
use domain::{Fault, FaultKind, Faults, ProductId, Version};
use http::StatusCode;
use runtime::Problem;

/// Why a command was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such product, or it is deleted.
    #[error("there is no product {0}")]
    NotFound(ProductId),
    /// A product with this id is there already.
    #[error("there is a product {id} already, at version {version}; use PUT to replace it")]
    Exists {
        /// Its id.
        id: ProductId,
        /// The version it has.
        version: Version,
    },
    /// The product has another version than the one the caller wants to change.
    #[error("{}", stale(.id, *.current))]
    Stale {
        /// Its id.
        id: ProductId,
        /// The version it has now; none when it does not exist.
        current: Option<Version>,
    },
    /// The sku belongs to another product.
    #[error("the sku `{sku}` belongs to product {owner}; a sku must be unique")]
    SkuTaken {
        /// The sku.
        sku: String,
        /// The product that has it.
        owner: ProductId,
    },
    /// What was sent is no product.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The idempotency key was used for another request.
    #[error("the Idempotency-Key was used for another request; take a new key for each new request")]
    KeyReused,
    /// So many others write this product at once that no attempt won.
    #[error("product {0} is being written by many others at once; try again")]
    Contended(ProductId),
    /// A part that the service needs has failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

fn stale(id: &ProductId, current: Option<Version>) -> String {
    match current {
        Some(version) => format!("product {id} is at version {version} now; read it and decide anew"),
        None => format!("there is no product {id} that could have this version"),
    }
}

impl From<Faults> for CommandError {
    fn from(faults: Faults) -> Self {
        Self::Input(faults.into())
    }
}

impl CommandError {
    /// The problem document that tells a client about it.
    pub fn to_problem(&self) -> Problem {
        let detail = self.to_string();
        match self {
            Self::NotFound(_) => Problem::new(StatusCode::NOT_FOUND, detail),
            Self::Exists { version, .. } => {
                Problem::new(StatusCode::CONFLICT, detail).with("currentVersion", version)
            }
            Self::Stale { current, .. } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, detail).with("currentVersion", current)
            }
            Self::SkuTaken { owner, .. } => {
                let fault = Fault::new("sku", FaultKind::Taken, format!("belongs to product {owner}"));
                Problem::of_faults(StatusCode::CONFLICT, detail, &[fault])
            }
            Self::Input(InputError::Syntax(_)) => Problem::new(StatusCode::BAD_REQUEST, detail),
            Self::Input(InputError::Faults(Faults(faults))) => {
                let detail = match faults.len() {
                    1 => "the product has a fault".to_owned(),
                    n => format!("the product has {n} faults"),
                };
                Problem::of_faults(StatusCode::UNPROCESSABLE_ENTITY, detail, faults)
            }
            Self::KeyReused => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            Self::Contended(_) => Problem::unavailable(detail),
            Self::Port(error) => problem_of_port(error),
        }
    }
}

/// The problem for a failed port. What it was goes to the log, once, with all its causes.
pub(crate) fn problem_of_port(error: &PortError) -> Problem {
    tracing::error!(error = error.chain(), "a part of the service failed");
    match error.kind {
        PortErrorKind::Throttled => Problem::unavailable("too many writes at once; try again more slowly"),
        PortErrorKind::Unavailable => Problem::unavailable("a part of the service is not ready; try again"),
        PortErrorKind::Full => Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "there is no room left to store anything; nothing was written",
        ),
        PortErrorKind::Internal => Problem::internal(),
    }
}
