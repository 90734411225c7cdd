//! The catalogue that a command works on: arguments name a [`Target`], which opens one [`CatalogueHandle`].

mod access;
mod args;
mod back_ends;
mod environment;
mod handle;

pub use access::Access;
pub use args::Target;
pub use back_ends::{currency_of_environment, embedded_store_folder, language_of_environment};
pub(crate) use environment::check_embedded;
pub use handle::{CatalogueHandle, Writer};
