//! The write side: validates, decides, makes one atomic write, and enqueues the change.

mod audit;
mod back_ends;
mod batch;
mod bulk;
mod catalogue;
mod categories_patch;
mod command;
mod converted_record;
mod decide;
mod error;
mod html;
mod image_change;
mod images;
mod imports;
mod lines;
mod product_list;
mod refill;
mod relay;
mod routes;
pub mod service;

pub use api::extract::{IdempotencyKey, Precondition};
pub use back_ends::{BackEnds, OpenBackEnds, check_aws, open_back_ends};
pub use catalogue::Catalogue;
pub use command::{Command, Operation};
pub use error::CommandError;
pub use images::{FolderImages, Images, image_routes, open_images};
pub use imports::{Imports, import_routes};
pub use relay::{relay_all, relay_forever, relay_once};
pub use routes::routes;
