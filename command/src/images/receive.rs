//! Receives an image: from the body of a request to the store.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use domain::image::{ImageType, MAX_IMAGE_BYTES};
use domain::ports::{ImageStore, ImageUpload};
use futures::StreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use runtime::Problem;
use runtime::body::check_content_encoding;
use sha2::{Digest, Sha256};

use super::error::ImageError;
use super::signature::{HEAD_BYTES, image_type};

/// The time limit of an upload. An image of the maximum size needs 35 KiB/s.
const MAX_DURATION: Duration = Duration::from_secs(5 * 60);

/// An image that has arrived and is not stored yet.
pub(super) struct ReceivedImage {
    pub(super) upload: Box<dyn ImageUpload>,
    pub(super) bytes: u64,
    pub(super) kind: ImageType,
    /// The SHA-256 of the image.
    pub(super) hash: [u8; 32],
}

/// Returns the type that a request declares; `None` if the first bytes decide.
///
/// # Errors
/// 415 for the type of anything but an image, and for an encoded body.
pub(super) fn declared_type(headers: &HeaderMap) -> Result<Option<ImageType>, Problem> {
    check_content_encoding(headers)?;
    let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let given = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match ImageType::of_media_type(given) {
        Some(kind) => Ok(Some(kind)),
        None if given.eq_ignore_ascii_case("application/octet-stream") => Ok(None),
        None => Err(ImageError::ContentType.into()),
    }
}

/// Receives an image, within the limits of size and time.
///
/// # Errors
/// When the body is no image, not of the declared type, too large, too slow, or breaks off. Nothing is stored then.
pub(super) async fn receive(
    store: &dyn ImageStore,
    body: Body,
    declared: Option<ImageType>,
) -> Result<ReceivedImage, ImageError> {
    let received = tokio::time::timeout(MAX_DURATION, receive_all(store, body, declared));
    received.await.unwrap_or(Err(ImageError::TooSlow(MAX_DURATION)))
}

async fn receive_all(
    store: &dyn ImageStore,
    body: Body,
    declared: Option<ImageType>,
) -> Result<ReceivedImage, ImageError> {
    // The length that the client declares, or zero.
    let announced = body.size_hint().lower();
    if announced > MAX_IMAGE_BYTES {
        return Err(ImageError::TooLarge);
    }
    let mut chunks = body.into_data_stream();
    let (mut head, mut hash, mut bytes) = (Vec::new(), Sha256::new(), 0);
    // An image is stored only once its type is known.
    while head.len() < HEAD_BYTES
        && let Some(chunk) = chunks.next().await
    {
        head.extend_from_slice(&chunk.map_err(|_| ImageError::BrokenOff)?);
    }
    let kind = match (image_type(&head), declared) {
        (None, _) => return Err(ImageError::NoImage),
        (Some(found), Some(declared)) if found != declared => {
            return Err(ImageError::OtherType { found, declared });
        }
        (Some(found), _) => found,
    };
    let mut upload = store.begin(announced).await?;
    let mut next = Some(Ok(Bytes::from(head)));
    while let Some(chunk) = next {
        let chunk = chunk.map_err(|_| ImageError::BrokenOff)?;
        bytes += chunk.len() as u64;
        if bytes > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLarge);
        }
        hash.update(&chunk);
        upload.write(&chunk).await?;
        next = chunks.next().await;
    }
    Ok(ReceivedImage { upload, bytes, kind, hash: hash.finalize().into() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use http::HeaderValue;

    use super::*;
    use crate::images::FolderImages;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";

    /// Receives a body of chunks in a new folder. Returns the result, and the number of files left in the folder.
    async fn received(
        chunks: Vec<&'static [u8]>,
        declared: Option<ImageType>,
    ) -> (Result<u64, ImageError>, usize) {
        let data = tempfile::tempdir().unwrap();
        let store = FolderImages::open(data.path().to_owned()).unwrap();
        let chunks = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
        let body = Body::from_stream(stream::iter(chunks));
        let received = receive(&store, body, declared).await.map(|image| image.bytes);
        let left = std::fs::read_dir(data.path().join("uploads")).map_or(0, Iterator::count);
        (received, left)
    }

    #[tokio::test]
    async fn an_image_may_arrive_byte_by_byte() {
        let (bytes, left) = received(PNG.chunks(1).collect(), Some(ImageType::Png)).await;
        assert_eq!((bytes.unwrap(), left), (PNG.len() as u64, 0));
    }

    #[tokio::test]
    async fn what_is_refused_leaves_nothing() {
        static MIB: [u8; 1024 * 1024] = [0; 1024 * 1024];
        let full = || std::iter::once(PNG).chain(std::iter::repeat_n(&MIB[..], 10));
        let (received_full, left) = received(full().collect(), None).await;
        assert!(matches!(received_full, Err(ImageError::TooLarge)) && left == 0, "{left}");
        let (other, left) = received(vec![PNG], Some(ImageType::Jpeg)).await;
        assert!(matches!(other, Err(ImageError::OtherType { .. })) && left == 0);
        for body in [vec![], vec![&b"<svg/>"[..]], vec![&PNG[..7]]] {
            assert!(matches!(received(body, None).await, (Err(ImageError::NoImage), 0)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_stalls_is_cut_off() {
        let data = tempfile::tempdir().unwrap();
        let store = FolderImages::open(data.path().to_owned()).unwrap();
        let stalls = stream::pending::<Result<Bytes, Infallible>>();
        let received = receive(&store, Body::from_stream(stalls), None).await;
        assert!(matches!(received, Err(ImageError::TooSlow(_))));
    }

    #[test]
    fn the_content_type_is_that_of_an_image_or_absent() {
        let declared = |value: Option<&'static str>| {
            let value = value.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value)));
            declared_type(&value.into_iter().collect()).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(declared(None), Ok(None));
        assert_eq!(declared(Some("application/octet-stream")), Ok(None));
        assert_eq!(declared(Some("Image/PNG; q=1")), Ok(Some(ImageType::Png)));
        for other in ["image/svg+xml", "image/gif", "text/html", "application/x-www-form-urlencoded", ""] {
            assert_eq!(declared(Some(other)), Err(415), "{other}");
        }
    }
}
