//! The store of images.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_setup::Aws;
use bytes::Bytes;
use domain::ProductId;
use domain::image::{ImageKey, ImageType};
use domain::ports::{
    AllowedUpload, ImageReader, ImageSize, ImageStore, ImageUpload, ListedImage, PortError, StoredImage,
};
use http::StatusCode;
use reqwest::Response;

use crate::error::{OpenError, RequestError};
use crate::list;
use crate::requests::Bucket;

/// The beginning of the keys of all objects.
const PREFIX: &str = "images/";
/// Caching of an object, which has the same bytes forever.
const CACHING: &str = "public, max-age=31536000, immutable";
/// Objects on a page of a list, the most that S3 returns.
const PAGE: usize = 1000;
/// The most pages of a list.
const MAX_PAGES: usize = 100;

/// Images in a bucket of S3.
pub struct S3Images {
    bucket: Arc<Bucket>,
    name: String,
    region: String,
}

impl S3Images {
    /// Uses a bucket. Sends no request.
    ///
    /// # Errors
    /// [`OpenError`] if no bucket can have the name.
    pub fn unchecked(aws: &Aws, name: &str) -> Result<Self, OpenError> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !(3..=63).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(OpenError::InvalidName { bucket: name.to_owned() });
        }
        let bucket = Arc::new(Bucket::new(aws, name)?);
        Ok(Self { bucket, name: name.to_owned(), region: aws.region().to_owned() })
    }

    /// Checks that the bucket can be used.
    ///
    /// # Errors
    /// [`OpenError`] if it cannot.
    pub async fn checked(self) -> Result<Self, OpenError> {
        let (bucket, region) = (self.name.clone(), self.region.clone());
        match self.bucket.list(PREFIX, None, 1).await {
            Ok(_) => Ok(self),
            Err(RequestError::Status { status: StatusCode::NOT_FOUND, .. }) => {
                Err(OpenError::NoBucket { bucket })
            }
            Err(RequestError::Status { status: StatusCode::FORBIDDEN, .. }) => {
                Err(OpenError::Refused { bucket })
            }
            Err(RequestError::Status { status: StatusCode::MOVED_PERMANENTLY, .. }) => {
                Err(OpenError::OtherRegion { bucket, region })
            }
            Err(error) => Err(OpenError::Unreachable(error.in_port("listing images"))),
        }
    }
}

fn object(key: &ImageKey) -> String {
    format!("{PREFIX}{key}")
}

/// Returns the headers with which an image is stored.
fn headers(kind: ImageType) -> Vec<(&'static str, String)> {
    vec![("cache-control", CACHING.to_owned()), ("content-type", kind.media_type().to_owned())]
}

#[async_trait]
impl ImageStore for S3Images {
    async fn begin(&self, bytes: u64) -> Result<Box<dyn ImageUpload>, PortError> {
        // S3 wants the size before the first byte, and the key depends on the last one.
        let bytes = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        Ok(Box::new(S3Upload { bucket: Arc::clone(&self.bucket), bytes }))
    }

    async fn open(&self, key: &ImageKey) -> Result<Option<StoredImage>, PortError> {
        let response =
            self.bucket.get(&object(key)).await.map_err(|error| error.in_port("reading an image"))?;
        Ok(response.map(|response| {
            let bytes = response.content_length().unwrap_or_default();
            StoredImage { bytes, reader: Box::new(S3Reader(response)) }
        }))
    }

    async fn list(&self, product: &ProductId) -> Result<Vec<ListedImage>, PortError> {
        let (prefix, mut images, mut after) = (format!("{PREFIX}{product}/"), Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let listed = async { list::parse(&self.bucket.list(&prefix, after.as_deref(), PAGE).await?) };
            let page = listed.await.map_err(|error| error.in_port("listing images"))?;
            images.extend(page.images);
            after = page.last;
            if after.is_none() {
                break;
            }
        }
        Ok(images)
    }

    async fn remove(&self, key: &ImageKey) -> Result<(), PortError> {
        self.bucket.delete(&object(key)).await.map_err(|error| error.in_port("removing an image"))
    }

    async fn allow_upload(
        &self,
        key: &ImageKey,
        image: ImageSize,
        lifetime: Duration,
    ) -> Result<Option<AllowedUpload>, PortError> {
        let mut headers = headers(image.kind);
        // Once only: another image under this key would change what caches keep.
        headers.push(("if-none-match", "*".to_owned()));
        let size = [("content-length", image.bytes.to_string())];
        let signed = [&headers[..], &size].concat();
        let url = self.bucket.signed_put(&object(key), &signed, lifetime).await;
        let url = url.map_err(|error| error.in_port("allowing the upload of an image"))?;
        // Every client sends the size by itself; browsers do not let scripts set it.
        Ok(Some(AllowedUpload { url, headers }))
    }
}

/// An image in memory.
struct S3Upload {
    bucket: Arc<Bucket>,
    bytes: Vec<u8>,
}

#[async_trait]
impl ImageUpload for S3Upload {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>, key: &ImageKey, kind: ImageType) -> Result<bool, PortError> {
        let object = object(key);
        let stored = async {
            let is_new = !self.bucket.exists(&object).await?;
            // Also if it is there already, which makes it the newest.
            self.bucket.put(&object, &headers(kind), Bytes::from(self.bytes)).await?;
            Ok(is_new)
        };
        stored.await.map_err(|error: RequestError| error.in_port("storing an image"))
    }
}

struct S3Reader(Response);

#[async_trait]
impl ImageReader for S3Reader {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, PortError> {
        loop {
            let chunk = self.0.chunk().await.map_err(RequestError::unreachable);
            match chunk.map_err(|error| error.in_port("reading an image"))? {
                Some(chunk) if chunk.is_empty() => {}
                chunk => return Ok(chunk.map(Vec::from)),
            }
        }
    }
}
