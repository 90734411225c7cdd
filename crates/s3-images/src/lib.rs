//! Images in a bucket of S3.
//!
//! The key of an object is `images/` and the [`ImageKey`](domain::image::ImageKey), so the address of an image is that of the bucket, or
//! of a CDN in front of it, and the same path. Objects have the content type of the image, and caching without limit.
//!
//! **Requests.** The SDK for S3 would be one of the largest dependencies of Noren, for five kinds of requests. Instead, the signing
//! library of the SDK, which the other adapters bring, signs an address, and any HTTP client can send the request: this crate's own, or
//! that of a client which sends an image to S3 itself.
//!
//! **Permissions.** `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject` on `images/*`, and `s3:ListBucket` on the bucket.
//!
//! `AWS_ENDPOINT_URL_S3`, or `AWS_ENDPOINT_URL`, names another server than AWS.

#![warn(missing_docs)]

mod error;
mod list;
mod requests;
mod sign;
mod store;

pub use error::OpenError;
pub use store::S3Images;
