//! Errors of images, and their problem documents.

use std::time::Duration;

use api::problems::BackEnd;
use domain::image::{ImageKey, ImageType, MAX_IMAGE_BYTES};
use domain::ports::PortError;
use http::StatusCode;
use runtime::Problem;

use crate::error::CommandError;

/// The store of images.
const IMAGE_STORE: BackEnd = BackEnd::written("the image store");

/// The accepted types, for messages.
pub(super) const TYPES: &str = "JPEG, PNG, WebP or AVIF";

/// The error of an operation on images.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImageError {
    /// The image is too large.
    #[error("an image has at most {} MB ({MAX_IMAGE_BYTES} bytes); nothing was stored", MAX_IMAGE_BYTES / 1024 / 1024)]
    TooLarge,
    /// The bytes are not an image of an accepted type.
    #[error("the body is no {TYPES}, by its first bytes; nothing was stored")]
    NoImage,
    /// The bytes are an image of another type than the request says.
    #[error("the body is {}, and the content type says {}; nothing was stored", .found.media_type(), .declared.media_type())]
    OtherType {
        /// The type of the bytes.
        found: ImageType,
        /// The type that the request says.
        declared: ImageType,
    },
    /// The content type is not that of an image.
    #[error("the body must be {TYPES}: send its content type, such as `image/jpeg`, or none")]
    ContentType,
    /// The connection broke before the end of the body.
    #[error("the body broke off; nothing was stored, so send it again")]
    BrokenOff,
    /// The upload took too long.
    #[error("the image did not arrive within {} minutes; nothing was stored, so send it again", .0.as_secs() / 60)]
    TooSlow(Duration),
    /// There are too many uploads.
    #[error("{0} images are being uploaded, as many as there may be; try again when one is done")]
    TooMany(usize),
    /// No image was sent to the address of a direct upload.
    #[error("there is no image {0}; send it to the address that the upload got, then repeat this request")]
    NotUploaded(ImageKey),
    /// The back end takes no images directly from clients.
    #[error("this service takes images itself; send the image with PUT to this address")]
    NotDirect,
    /// The address of images is unknown.
    #[error(
        "the request has no header `host`, so the address of the image is unknown; set NOREN_IMAGES_URL (--images-url)"
    )]
    NoAddress,
    /// There is no image at an address.
    #[error("there is no such image")]
    NotFound,
    /// The write of the product failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The store of images failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Self {
        let detail = error.to_string();
        let of = |status| Self::new(status, detail.as_str());
        match error {
            ImageError::TooLarge => of(StatusCode::PAYLOAD_TOO_LARGE),
            ImageError::NoImage | ImageError::OtherType { .. } | ImageError::ContentType => {
                of(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            ImageError::BrokenOff | ImageError::NoAddress => of(StatusCode::BAD_REQUEST),
            ImageError::TooSlow(_) => of(StatusCode::REQUEST_TIMEOUT),
            ImageError::TooMany(_) => of(StatusCode::TOO_MANY_REQUESTS).retry_after(Duration::from_secs(10)),
            ImageError::NotUploaded(_) => of(StatusCode::CONFLICT),
            ImageError::NotDirect => of(StatusCode::NOT_IMPLEMENTED),
            ImageError::NotFound => of(StatusCode::NOT_FOUND),
            ImageError::Command(error) => error.to_problem(),
            ImageError::Store(error) => IMAGE_STORE.problem(&error),
        }
    }
}

/// Returns true if the command certainly wrote nothing.
pub(super) fn wrote_nothing(error: &CommandError) -> bool {
    !matches!(error, CommandError::Port(_))
}
