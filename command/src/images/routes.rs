//! The routes of images.

use access::Scope;
use api::extract::{
    IdempotencyHeader, IfMatchHeader, NoParameters, Parameters, WriteRequest, has_entity_tag,
    sync_token_header, version_tag,
};
use api::parameters::{ParameterReader, unknown_among};
use api::problems::{bad_parameters, of_fault};
use api::responses::{
    BadParameters, Components, DiskFull, PreconditionFailed, ProductNotFound, ServiceFailed,
};
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::image::{ImageKey, ImageName, ImageType, ImageVersion, MAX_IMAGE_BYTES};
use domain::ports::{ImageReader, ImageSize, StoredImage};
use domain::{Fault, FaultKind, ProductId, Version};
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use runtime::audit::Entry;
use runtime::http::SYNC_TOKEN;
use runtime::{Problem, Requirement, Routes};
use serde::Serialize;
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::routes;

use super::error::ImageError;
use super::service::{Images, WrittenImage};
use super::signature::image_type;
use crate::audit::entry_of;
use crate::routes::{Written, write_response};

/// The time for which the address of a direct upload is valid.
const DIRECT_UPLOAD: SignedDuration = SignedDuration::from_mins(15);

/// The caching of an image. Its address names its version, so its bytes never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The content security policy of an image: opened in a browser, it may load and run nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// Returns the routes of images with their OpenAPI document. Without `images`, those that write respond with 501.
pub fn image_routes(images: Option<Images>) -> Routes {
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Write, routes!(put, delete, allow_upload))
        .undocumented("/images/{id}/{version}/{name}", Method::GET, Requirement::Public, get(serve))
        .with_state(ImageService(images))
}

/// The images of this service, if it keeps any.
#[derive(Clone)]
struct ImageService(Option<Images>);

impl ImageService {
    fn images(self) -> Result<Images, Problem> {
        let detail = "this service keeps no images; set NOREN_IMAGES (--images) to `folder` or `s3`, or write the addresses of \
                      images elsewhere into the field `images` of products";
        self.0.ok_or_else(|| Problem::new(StatusCode::NOT_IMPLEMENTED, detail))
    }
}

/// The product and the name of an image in a path.
struct ImageInPath {
    id: ProductId,
    name: ImageName,
}

impl<S: Send + Sync> FromRequestParts<S> for ImageInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path((id, name))) = Path::<(String, String)>::from_request_parts(parts, state).await else {
            let message = "must be valid UTF-8 after percent-decoding";
            return Err(of_fault(StatusCode::BAD_REQUEST, Fault::new("name", FaultKind::Malformed, message)));
        };
        let refused = |field: &str, message: String| {
            of_fault(StatusCode::UNPROCESSABLE_ENTITY, Fault::new(field, FaultKind::Malformed, message))
        };
        let id = ProductId::parse(&id).map_err(|message| refused("id", message))?;
        let name = ImageName::parse(&name).map_err(|message| refused("name", message))?;
        Ok(Self { id, name })
    }
}

/// 404 for an image, or for its product.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "The product does not exist, or has no image with this name that was uploaded.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response")]
struct ImageNotFound(Problem);

/// 422 for a path that no image has.
#[derive(IntoResponses)]
#[response(
    status = 422,
    description = "The id is not a valid product id, the name not one of an image, or the product would be invalid with the image.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response")]
struct InvalidImage(Problem);

/// 501 for a service without images.
#[derive(IntoResponses)]
#[response(
    status = 501,
    description = "This service keeps no images, or takes them in another way, which the problem names.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response")]
struct NoImages(Problem);

/// The body of an upload.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes a body")]
struct ImageBytes(Vec<u8>);

/// An image that a product has now.
#[derive(Serialize, utoipa::ToSchema)]
struct UploadedImage {
    /// The name.
    #[schema(examples("front.webp"))]
    filename: String,
    /// The size in bytes.
    #[schema(examples(24_576))]
    size: u64,
    /// The media type, by the first bytes of the image.
    #[serde(rename = "type")]
    #[schema(value_type = String, examples("image/webp"))]
    kind: &'static str,
    /// The address, which `images` of the product has. It has these bytes forever.
    #[schema(examples("https://shop.example/images/lamp-1/8c2f0d1e5a7b4c3d9e8f7a6b5c4d3e2f/front.webp"))]
    url: String,
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    id: ProductId,
    /// Its version after the write.
    #[schema(value_type = u64, examples(2))]
    version: Version,
}

impl UploadedImage {
    fn of(image: &WrittenImage) -> Self {
        Self {
            filename: image.key.name.to_string(),
            size: image.bytes,
            kind: image.kind.media_type(),
            url: image.address.clone(),
            id: image.response.id.clone(),
            version: image.response.version,
        }
    }
}

/// Upload an image of a product
///
/// The body is the image: JPEG, PNG, WebP or AVIF, at most 10 MB. Its first bytes tell the type; a content type, if there is one, must
/// agree. The response comes once the image is durable and its address is in `images` of the product, where searches find it.
///
/// The address names the version of the image, so caches may keep it. Another image under the same name takes the place of the one before
/// in `images`. The file that it replaces stays until the next upload under the name, because responses in caches refer to it. The
/// same image again changes nothing.
///
/// With `upload`, an image that was sent to the address from `POST` is added. A body is ignored then.
#[utoipa::path(
    put, path = "/products/{id}/images/{name}", tag = "products", operation_id = "putProductImage",
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"),
           ("name" = String, Path, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$", description = "The file name: 1 to 100 ASCII letters, digits and `.`, `_`, `-`, not beginning with a full stop.", example = "front.webp"),
           ("upload" = Option<String>, Query, nullable = false, pattern = "^[0-9a-f]{32}$", description = "`upload` of the response to `POST`."),
           IfMatchHeader, IdempotencyHeader),
    request_body(content = inline(ImageBytes), content_type = "application/octet-stream", description = "The image, or nothing with `upload`. Its own content type, such as `image/jpeg`, is accepted as well.",
        example = "RIFF    WEBPVP8L"),
    responses(
        BadParameters, ProductNotFound, PreconditionFailed, InvalidImage, NoImages, ServiceFailed, DiskFull,
        (status = 200, description = "The product has the image.", body = UploadedImage, headers(("ETag" = String, description = "The version of the product in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 408, description = "The image did not arrive within 5 minutes.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "With `upload`: no image was sent to the address from `POST`.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The image is larger than 10 MB.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JPEG, PNG, WebP or AVIF, another type than the content type says, or has a content encoding.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn put(
    State(service): State<ImageService>,
    ImageInPath { id, name }: ImageInPath,
    Parameters(mut parameters): Parameters,
    request: WriteRequest,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let uploaded = parameters.parsed("upload", |text| {
        let fault = || (FaultKind::Malformed, "must be `upload` of the response to POST".to_owned());
        ImageVersion::parse(text).ok_or_else(fault)
    });
    finish(parameters, &["upload"])?;
    let images = service.images()?;
    let detail = Some(name.to_string());
    let refused = Entry { detail: detail.clone(), ..Entry::of(id.to_string()) };
    let written = match uploaded {
        None => images.upload(id, name, &request, &headers, body).await,
        Some(version) => {
            images.add_uploaded(ImageKey { product: id, version, name }, &request, &headers).await
        }
    };
    let image = match written {
        Ok(image) => image,
        Err(problem) => return Ok((refused.attached(), problem.into_response()).into_response()),
    };
    let entry = Entry { detail, ..entry_of(None, &Ok(image.response.clone())) };
    let tags = [
        (ETAG, version_tag(image.response.version)),
        (SYNC_TOKEN, sync_token_header(&image.response.sync_token())),
    ];
    Ok((entry.attached(), tags, axum::Json(UploadedImage::of(&image))).into_response())
}

/// Remove an image of a product
///
/// Removes its address from `images`, and then the file. If the product is deleted, or does not have the address any more, only the
/// file is removed. Deleting a product keeps its files.
#[utoipa::path(
    delete, path = "/products/{id}/images/{name}", tag = "products", operation_id = "deleteProductImage",
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"),
           ("name" = String, Path, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$", description = "The file name.", example = "front.webp"),
           IfMatchHeader, IdempotencyHeader),
    responses(
        BadParameters, ImageNotFound, PreconditionFailed, InvalidImage, NoImages, ServiceFailed, DiskFull,
        (status = 200, description = "The product does not have the image any more.", body = Written, headers(("ETag" = String, description = "The version of the product in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 204, description = "The product did not have the image; its file is removed."),
    )
)]
async fn delete(
    State(service): State<ImageService>,
    ImageInPath { id, name }: ImageInPath,
    _: NoParameters,
    request: WriteRequest,
) -> Result<Response, Problem> {
    let images = service.images()?;
    let conditions = request.conditions(&[])?;
    let detail = Some(name.to_string());
    let removed = Entry { detail: detail.clone(), ..Entry::of(id.to_string()) };
    Ok(match images.delete(id, name, conditions).await {
        Ok(Some(response)) => {
            let entry = Entry { detail, ..entry_of(None, &Ok(response.clone())) };
            (entry.attached(), write_response(response)).into_response()
        }
        Ok(None) => (removed.attached(), StatusCode::NO_CONTENT).into_response(),
        Err(error) => (removed.attached(), Problem::from(error).into_response()).into_response(),
    })
}

/// An address to which a client may send an image.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImageUpload {
    /// Send it with `PUT` once the image is sent.
    #[schema(examples("019a2f6e5d1c7cc08f5e3a1b9f2d4c6e"))]
    upload: String,
    /// The method.
    #[schema(value_type = String, examples("PUT"))]
    method: &'static str,
    /// The address. Whoever knows it may send the image.
    url: String,
    /// The headers that the request must have.
    headers: std::collections::BTreeMap<&'static str, String>,
    /// The time until which the address is valid.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Send an image to S3
///
/// For services on AWS Lambda, whose requests have at most 6 MB, and for large images. Needs `NOREN_IMAGES=s3`.
///
/// 1. This request returns an address of S3 for an image of this size and type.
/// 2. Send the image there, with the method and the headers of the response, within 15 minutes.
/// 3. `PUT` the path of this request with `?upload=`, and with `If-Match` if you like. The image is checked, and added to the product.
///
/// An image without the third step is in no product.
#[utoipa::path(
    post, path = "/products/{id}/images/{name}", tag = "products", operation_id = "createImageUpload",
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"),
           ("name" = String, Path, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$", description = "The file name.", example = "front.webp"),
           ("size" = u64, Query, minimum = 1, maximum = 10_485_760, description = "The size of the image in bytes.", example = 24_576),
           ("type" = String, Query, pattern = "^image/(jpeg|png|webp|avif)$", description = "The media type of the image.", example = "image/webp")),
    responses(
        BadParameters, ProductNotFound, InvalidImage, NoImages, ServiceFailed,
        (status = 200, description = "The address.", body = ImageUpload),
    )
)]
async fn allow_upload(
    State(service): State<ImageService>,
    ImageInPath { id, name }: ImageInPath,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let image = read_size(parameters)?;
    let images = service.images()?;
    let version = ImageVersion::generate();
    let expires_at = domain::now() + DIRECT_UPLOAD;
    let key = ImageKey { product: id, version, name };
    let allowed = images.allow_upload(&key, image, DIRECT_UPLOAD.unsigned_abs()).await?;
    let upload = ImageUpload {
        upload: version.to_string(),
        method: "PUT",
        url: allowed.url,
        headers: allowed.headers.into_iter().collect(),
        expires_at,
    };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(upload)).into_response())
}

/// Reads the parameters `size` and `type`.
fn read_size(mut parameters: ParameterReader) -> Result<ImageSize, Problem> {
    for name in ["size", "type"] {
        if !parameters.has(name) {
            parameters.fault(name, FaultKind::Missing, "is required");
        }
    }
    let bytes = parameters.whole_number("size", 1..=MAX_IMAGE_BYTES);
    let kind = parameters.parsed("type", |text| {
        let names = ImageType::ALL.map(|(name, _)| name).join("`, `");
        ImageType::of_media_type(text)
            .ok_or_else(|| (FaultKind::Malformed, format!("must be one of `{names}`")))
    });
    finish(parameters, &["size", "type"])?;
    match (bytes, kind) {
        (Some(bytes), Some(kind)) => Ok(ImageSize { bytes, kind }),
        // A parameter without a value has a fault, which is reported above.
        _ => Err(Problem::internal()),
    }
}

fn finish(parameters: ParameterReader, known: &[&str]) -> Result<(), Problem> {
    parameters.finish(|_| unknown_among(known)).map_err(|faults| bad_parameters(&faults))
}

/// Serves an image to everyone who knows its address. An address cannot be guessed, because it contains the version, so images of drafts
/// are not found.
async fn serve(
    State(service): State<ImageService>,
    Path((id, version, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = ImageKey::at_end_of(&format!("{id}/{version}/{name}")).ok_or(ImageError::NotFound)?;
    let Some(images) = service.0 else { return Err(ImageError::NotFound.into()) };
    let opened = images.store().open(&key).await.map_err(ImageError::from)?;
    let Some(StoredImage { bytes, mut reader }) = opened else { return Err(ImageError::NotFound.into()) };
    let tag = HeaderValue::try_from(format!("\"{version}\"")).map_err(|_| ImageError::NotFound)?;
    let caching = [(ETAG, tag), (CACHE_CONTROL, FOREVER)];
    if has_entity_tag(&headers, &version) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let head = reader.next().await.map_err(ImageError::from)?.unwrap_or_default();
    let Some(kind) = image_type(&head) else {
        tracing::error!(image = %key, "a file of the image store is no image; it is not served");
        return Err(ImageError::NotFound.into());
    };
    // The middleware adds `nosniff`.
    let safe = [
        (CONTENT_TYPE, HeaderValue::from_static(kind.media_type())),
        (CONTENT_LENGTH, bytes.into()),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((caching, safe, Body::from_stream(chunks(head, reader))).into_response())
}

/// Returns the chunks of an image whose first chunk has been read already.
fn chunks(
    head: Vec<u8>,
    reader: Box<dyn ImageReader>,
) -> impl stream::Stream<Item = Result<Vec<u8>, domain::ports::PortError>> + Send {
    stream::try_unfold((Some(head), reader), |(head, mut reader)| async {
        let next = match head {
            Some(head) => Some(head),
            None => reader.next().await.inspect_err(|error| {
                tracing::warn!(error = error.chain(), "an image broke off while it was sent");
            })?,
        };
        Ok(next.map(|chunk| (chunk, (None, reader))))
    })
}
