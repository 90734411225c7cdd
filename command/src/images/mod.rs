//! Uploaded images: their bytes go to an [`ImageStore`](domain::ports::ImageStore), their addresses into the products.
//!
//! The address of an image names its product, a version and its name, so an address has the same bytes forever, and caches may keep
//! them. The bytes are durable before the product names their address. For each name the store keeps the current version and the newest
//! other one, because searches and caches may still refer to the previous version. A crash between the two steps leaves an image without an
//! address; a later upload under its name removes it.

mod error;
mod folder;
mod open;
mod receive;
mod routes;
mod service;
mod signature;

pub use folder::FolderImages;
pub use open::open_images;
pub use routes::image_routes;
pub use service::Images;
