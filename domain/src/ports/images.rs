//! The store of images.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::PortError;
use crate::image::{ImageKey, ImageType};
use crate::product::ProductId;

/// The bytes of uploaded images. An image never changes: other bytes have another key.
#[async_trait]
pub trait ImageStore: Send + Sync {
    /// Begins to store an image of `bytes` bytes; 0 if the size is unknown.
    async fn begin(&self, bytes: u64) -> Result<Box<dyn ImageUpload>, PortError>;

    /// Opens an image, or returns `None` if there is none under this key.
    async fn open(&self, key: &ImageKey) -> Result<Option<StoredImage>, PortError>;

    /// Returns all images of a product, in any order. It observes every image that was stored or removed before the call.
    async fn list(&self, product: &ProductId) -> Result<Vec<ListedImage>, PortError>;

    /// Removes an image. An image that is gone already is ignored.
    async fn remove(&self, key: &ImageKey) -> Result<(), PortError>;

    /// Allows a client to send an image to the back end itself, once and within `lifetime`. Returns `None` if the back end takes no
    /// images from clients.
    async fn allow_upload(
        &self,
        key: &ImageKey,
        image: ImageSize,
        lifetime: Duration,
    ) -> Result<Option<AllowedUpload>, PortError>;
}

/// An image that is being stored. Dropping it stores nothing.
#[async_trait]
pub trait ImageUpload: Send {
    /// Appends bytes.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// Stores the bytes under a key: all of them or nothing, durable once this returns. Returns false if the key has an image already,
    /// which then counts as stored now.
    async fn finish(self: Box<Self>, key: &ImageKey, kind: ImageType) -> Result<bool, PortError>;
}

/// An image that is open.
pub struct StoredImage {
    /// The size in bytes.
    pub bytes: u64,
    /// The contents.
    pub reader: Box<dyn ImageReader>,
}

/// Reads an image.
#[async_trait]
pub trait ImageReader: Send {
    /// Returns the next bytes, at least one, or `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, PortError>;
}

/// An image of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// The key.
    pub key: ImageKey,
    /// The time at which it was stored, or stored again.
    pub stored_at: Timestamp,
}

/// The size and type of an image that a client is going to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// The size in bytes.
    pub bytes: u64,
    /// The type.
    pub kind: ImageType,
}

/// A request that a client may send to the back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedUpload {
    /// The address for a `PUT`. Whoever knows it may use it.
    pub url: String,
    /// The headers that the request must have.
    pub headers: Vec<(&'static str, String)>,
}
