//! Errors of commands, and their problem documents.

use api::problems::{PRODUCT_STORE, bad_body};
use domain::image::ImageName;
use domain::input::InputError;
use domain::ports::PortError;
use domain::{Fault, FaultKind, Faults, ProductId, Version};
use http::StatusCode;
use runtime::Problem;

/// The error of a command. Nothing was changed, unless the store failed: then the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The product does not exist or is deleted.
    #[error("there is no product {0}")]
    NotFound(ProductId),
    /// The product has no uploaded image with this name.
    #[error("product {id} has no uploaded image {name}")]
    NoImage {
        /// The id.
        id: ProductId,
        /// The name.
        name: ImageName,
    },
    /// A product with this id exists already.
    #[error("there is a product {id} already, at version {version}; use PUT to replace it")]
    Exists {
        /// The id.
        id: ProductId,
        /// The current version.
        version: Version,
    },
    /// The precondition of the command does not hold.
    #[error("{}", stale(.id, *.current))]
    Stale {
        /// The id.
        id: ProductId,
        /// The current version; `None` if the product does not exist.
        current: Option<Version>,
    },
    /// Another product has this sku.
    #[error("the sku `{sku}` belongs to product {owner}; a sku must be unique")]
    SkuTaken {
        /// The sku.
        sku: String,
        /// The product that has it.
        owner: ProductId,
    },
    /// The input is not a valid product.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The idempotency key was used for another request.
    #[error("the Idempotency-Key was used for another request; take a new key for each new request")]
    KeyReused,
    /// Other writers won the version race in every attempt.
    #[error("product {0} is being written by many others at once; try again")]
    Contended(ProductId),
    /// A back end failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

fn stale(id: &ProductId, current: Option<Version>) -> String {
    match current {
        Some(version) => format!("product {id} is at version {version} now; read it again and retry"),
        None => format!("there is no product {id} that could have this version"),
    }
}

impl From<Faults> for CommandError {
    fn from(faults: Faults) -> Self {
        Self::Input(faults.into())
    }
}

impl CommandError {
    /// Returns the problem document for clients. The causes of a failed back end go to the log.
    pub fn to_problem(&self) -> Problem {
        let detail = self.to_string();
        match self {
            Self::NotFound(_) | Self::NoImage { .. } => Problem::new(StatusCode::NOT_FOUND, detail),
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
            Self::Input(error) => bad_body(error, "the product"),
            Self::KeyReused => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            Self::Contended(_) => Problem::unavailable(detail),
            Self::Port(error) => PRODUCT_STORE.problem(error),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        error.to_problem()
    }
}
