//! Stores and removes images, with their addresses in the products.

use std::sync::Arc;
use std::time::Duration;

use api::extract::{WriteConditions, WriteRequest};
use axum::body::Body;
use domain::hash::fnv1a;
use domain::image::{ImageKey, ImageName, ImageType, ImageVersion, MAX_IMAGE_BYTES};
use domain::ports::{AllowedUpload, ImageSize, ImageStore, PortError, StoredImage, WriteResponse};
use domain::{Product, ProductId};
use http::HeaderMap;
use http::header::HOST;
use http::uri::Authority;
use runtime::Problem;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use super::error::{ImageError, wrote_nothing};
use super::receive::{ReceivedImage, declared_type, receive};
use super::signature::image_type;
use crate::Catalogue;
use crate::command::{Command, Operation};
use crate::error::CommandError;
use crate::image_change::ImageChange;

/// The most uploads at a time.
const MAX_UPLOADS: usize = 16;
/// The number of locks that products share.
const LOCKS: usize = 64;

/// The images of a catalogue.
#[derive(Clone)]
pub struct Images(Arc<Shared>);

struct Shared {
    catalogue: Catalogue,
    store: Arc<dyn ImageStore>,
    /// The address of all images, without a slash at the end; `None` to use that of the request.
    address: Option<String>,
    uploads: Semaphore,
    /// Held from the storing of an image until its product names it, so that no other request of this process removes it as an image
    /// that no product names.
    locks: [Mutex<()>; LOCKS],
}

/// An image that a product names now.
#[derive(Debug)]
pub(super) struct WrittenImage {
    pub(super) key: ImageKey,
    pub(super) kind: ImageType,
    pub(super) bytes: u64,
    pub(super) address: String,
    pub(super) response: WriteResponse,
}

/// An image in the store that the product is going to name.
struct Stored {
    key: ImageKey,
    kind: ImageType,
    bytes: u64,
    /// True if it may be removed when the product cannot be written.
    is_new: bool,
}

impl Images {
    /// Creates the images of a catalogue. Their addresses begin with `address`, or with that of the request that uploads them.
    pub fn new(catalogue: Catalogue, store: Arc<dyn ImageStore>, address: Option<String>) -> Self {
        let uploads = Semaphore::new(MAX_UPLOADS);
        Self(Arc::new(Shared {
            catalogue,
            store,
            address,
            uploads,
            locks: [const { Mutex::const_new(()) }; LOCKS],
        }))
    }

    pub(super) fn store(&self) -> &dyn ImageStore {
        &*self.0.store
    }

    /// Stores the image in a body, and adds its address to the product.
    ///
    /// # Errors
    /// When the body is no image or the product cannot be written. Nothing has changed then, unless a back end failed.
    pub(super) async fn upload(
        &self,
        id: ProductId,
        name: ImageName,
        request: &WriteRequest,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<WrittenImage, Problem> {
        let declared = declared_type(headers)?;
        let base = self.base(headers)?;
        // Fails for a missing product before the body is read.
        self.0.catalogue.get(&id).await?;
        let _place = self.0.uploads.try_acquire().map_err(|_| ImageError::TooMany(MAX_UPLOADS))?;
        let ReceivedImage { upload, bytes, kind, hash } = receive(self.store(), body, declared).await?;
        let conditions = request.conditions(&hash)?;
        let key = ImageKey { product: id, version: ImageVersion::of_sha256(&hash), name };
        let _lock = self.lock(&key.product).await;
        let is_new = upload.finish(&key, kind).await.map_err(ImageError::from)?;
        Ok(self.add(Stored { key, kind, bytes, is_new }, &base, conditions).await?)
    }

    /// Allows a client to send an image directly to the back end.
    ///
    /// # Errors
    /// When the product does not exist, or the back end takes no images from clients.
    pub(super) async fn allow_upload(
        &self,
        key: &ImageKey,
        image: ImageSize,
        lifetime: Duration,
    ) -> Result<AllowedUpload, ImageError> {
        self.0.catalogue.get(&key.product).await?;
        self.store().allow_upload(key, image, lifetime).await?.ok_or(ImageError::NotDirect)
    }

    /// Adds the address of an image that was sent to the back end.
    ///
    /// # Errors
    /// When there is no image, or the product cannot be written. An image that is too large or of no accepted type is removed.
    pub(super) async fn add_uploaded(
        &self,
        key: ImageKey,
        request: &WriteRequest,
        headers: &HeaderMap,
    ) -> Result<WrittenImage, Problem> {
        let base = self.base(headers)?;
        let conditions = request.conditions(key.version.to_string().as_bytes())?;
        let _lock = self.lock(&key.product).await;
        let opened = self.store().open(&key).await.map_err(ImageError::from)?;
        let Some(StoredImage { bytes, mut reader }) = opened else {
            return Err(ImageError::NotUploaded(key).into());
        };
        let head = reader.next().await.map_err(ImageError::from)?.unwrap_or_default();
        let checked = match image_type(&head) {
            _ if bytes > MAX_IMAGE_BYTES => Err(ImageError::TooLarge),
            Some(kind) => Ok(kind),
            None => Err(ImageError::NoImage),
        };
        let kind = match checked {
            Ok(kind) => kind,
            Err(error) => {
                self.remove(&key).await;
                return Err(error.into());
            }
        };
        // The client may repeat the request under another condition, so the image stays if the write fails.
        Ok(self.add(Stored { key, kind, bytes, is_new: false }, &base, conditions).await?)
    }

    /// Adds the address of a stored image to the product, and removes superseded versions. The caller holds the lock.
    async fn add(
        &self,
        stored: Stored,
        base: &str,
        conditions: WriteConditions,
    ) -> Result<WrittenImage, ImageError> {
        let Stored { key, kind, bytes, is_new } = stored;
        let address = format!("{base}/{key}");
        let change = ImageChange::Put { name: key.name.clone(), address: address.clone() };
        let command = Command::new(key.product.clone(), Operation::Image(change)).with_conditions(conditions);
        match self.0.catalogue.execute(command).await {
            Ok(response) => {
                self.remove_superseded(&key).await;
                Ok(WrittenImage { key, kind, bytes, address, response })
            }
            Err(error) => {
                if is_new && wrote_nothing(&error) && !self.is_named(&key).await {
                    self.remove(&key).await;
                }
                Err(error.into())
            }
        }
    }

    /// Removes an image from its product, and then all its versions.
    ///
    /// If the product does not name the image, or is deleted, only the files are removed, and the result is `None`.
    ///
    /// # Errors
    /// When there is no such image, or the product cannot be written.
    pub(super) async fn delete(
        &self,
        id: ProductId,
        name: ImageName,
        conditions: WriteConditions,
    ) -> Result<Option<WriteResponse>, ImageError> {
        let _lock = self.lock(&id).await;
        let change = ImageChange::Remove { name: name.clone() };
        let command = Command::new(id.clone(), Operation::Image(change)).with_conditions(conditions);
        let missing = match self.0.catalogue.execute(command).await {
            Ok(response) => {
                // A version that cannot be removed now only takes space.
                for key in self.unnamed(&id, &name).await {
                    self.remove(&key).await;
                }
                return Ok(Some(response));
            }
            Err(error @ (CommandError::NotFound(_) | CommandError::NoImage { .. })) => error,
            Err(error) => return Err(error.into()),
        };
        let versions = self.versions(&id, &name).await?;
        if versions.is_empty() {
            return Err(missing.into());
        }
        for key in versions {
            self.store().remove(&key).await?;
        }
        Ok(None)
    }

    /// Removes the versions of an image except `current`, those that the product names, and the newest of the others.
    async fn remove_superseded(&self, current: &ImageKey) {
        let others = self.unnamed(&current.product, &current.name).await;
        for key in others.into_iter().filter(|key| key != current).skip(1) {
            self.remove(&key).await;
        }
    }

    /// Returns the versions of an image that the product does not name, the newest first: none if the product cannot be read. The product
    /// is read again, because a repeated request gets the first response, and the product may name another version since.
    async fn unnamed(&self, id: &ProductId, name: &ImageName) -> Vec<ImageKey> {
        let versions = self.versions(id, name).await.unwrap_or_else(|error| ignored(&error));
        let named = match self.0.catalogue.get(id).await {
            Ok(product) => named_by(&product),
            Err(CommandError::NotFound(_)) => Vec::new(),
            Err(_) => return Vec::new(),
        };
        versions.into_iter().filter(|key| !named.contains(key)).collect()
    }

    /// Returns the versions of an image, the newest first.
    async fn versions(&self, id: &ProductId, name: &ImageName) -> Result<Vec<ImageKey>, PortError> {
        let mut images = self.store().list(id).await?;
        images.retain(|image| image.key.name == *name);
        images.sort_by_key(|image| std::cmp::Reverse(image.stored_at));
        Ok(images.into_iter().map(|image| image.key).collect())
    }

    /// Removes an image that no product needs. An error is only logged: the image takes space, but does no harm.
    async fn remove(&self, key: &ImageKey) {
        if let Err(error) = self.store().remove(key).await {
            tracing::warn!(error = error.chain(), image = %key, "cannot remove an image that no product names");
        }
    }

    /// Returns true if the product names an image, or may do so.
    async fn is_named(&self, key: &ImageKey) -> bool {
        match self.0.catalogue.get(&key.product).await {
            Ok(product) => named_by(&product).contains(key),
            Err(CommandError::NotFound(_)) => false,
            Err(_) => true,
        }
    }

    async fn lock(&self, id: &ProductId) -> MutexGuard<'_, ()> {
        let shard = fnv1a(id.as_str().as_bytes()) % LOCKS as u64;
        self.0.locks[shard as usize].lock().await
    }

    /// Returns the beginning of the addresses of images: the configured one, or `/images` at the address of the request.
    fn base(&self, headers: &HeaderMap) -> Result<String, ImageError> {
        if let Some(address) = &self.0.address {
            return Ok(address.clone());
        }
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .filter(|host| host.parse::<Authority>().is_ok());
        let host = host.ok_or(ImageError::NoAddress)?;
        // Everyone may send this header, but a client that may write may write any address anyway.
        let is_https = headers.get("x-forwarded-proto").is_some_and(|protocol| protocol == "https");
        let scheme = if is_https { "https" } else { "http" };
        Ok(format!("{scheme}://{host}/images"))
    }
}

/// Returns the uploaded images that a product names.
fn named_by(product: &Product) -> Vec<ImageKey> {
    product.content.images.iter().filter_map(|address| ImageKey::at_end_of(address)).collect()
}

fn ignored<T: Default>(error: &PortError) -> T {
    tracing::warn!(error = error.chain(), "cannot list images; those that no product names stay");
    T::default()
}
