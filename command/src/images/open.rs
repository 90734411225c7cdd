//! Opens the configured store of images.

use std::sync::Arc;

use domain::ports::ImageStore;
use runtime::StartError;
use runtime::config::{self, ImagesKind, StoreKind};

use super::folder::FolderImages;
use crate::back_ends::BackEnds;

/// Opens the store of images; `None` if there is none. On Lambda, which keeps no files, it is S3 or none.
///
/// # Errors
/// Fails if the store cannot be opened; the error says what to do.
pub async fn open_images(
    config: &config::Images,
    back_ends: &BackEnds,
    is_lambda: bool,
) -> Result<Option<Arc<dyn ImageStore>>, StartError> {
    let default = match back_ends.store.store {
        StoreKind::Sqlite if !is_lambda => ImagesKind::Folder,
        _ => ImagesKind::Off,
    };
    match config.images.unwrap_or(default) {
        ImagesKind::Off => Ok(None),
        ImagesKind::Folder if is_lambda => Err(StartError::usage(
            "NOREN_IMAGES=folder is not possible on Lambda, which keeps no files; set it to s3 or off",
        )),
        ImagesKind::Folder => {
            let folder = back_ends.data_dir.images();
            let opened = FolderImages::open(folder.clone()).map_err(|error| {
                let message = format!(
                    "cannot use the images in {}; give this user the right to write there, or choose another data folder",
                    folder.display()
                );
                StartError::because(message, error)
            });
            Ok(Some(Arc::new(opened?)))
        }
        ImagesKind::S3 => {
            let Some(bucket) = &config.images_bucket else {
                return Err(StartError::usage(
                    "NOREN_IMAGES=s3 needs a bucket; set NOREN_IMAGES_BUCKET (--images-bucket)",
                ));
            };
            if is_lambda && config.images_url.is_none() {
                return Err(StartError::usage(
                    "NOREN_IMAGES=s3 needs the address of the images on Lambda; set NOREN_IMAGES_URL to that of the bucket or of a CDN",
                ));
            }
            s3::open(bucket, back_ends).await.map(Some)
        }
    }
}

#[cfg(feature = "aws")]
mod s3 {
    use std::sync::Arc;

    use aws_setup::Aws;
    use domain::ports::ImageStore;
    use runtime::StartError;
    use s3_images::{OpenError, S3Images};

    use crate::back_ends::BackEnds;

    pub(super) async fn open(bucket: &str, back_ends: &BackEnds) -> Result<Arc<dyn ImageStore>, StartError> {
        let aws = Aws::load().await.map_err(|error| StartError::because("cannot use AWS", error))?;
        let opening = |error| StartError::opening("store of images", error, OpenError::is_transient);
        let unchecked = || S3Images::unchecked(&aws, bucket).map_err(opening);
        let attempt = async || unchecked()?.checked().await.map_err(opening);
        Ok(Arc::new(back_ends.waiting.open("images", attempt, unchecked).await?))
    }
}

#[cfg(not(feature = "aws"))]
mod s3 {
    use std::sync::Arc;

    use domain::ports::ImageStore;
    use runtime::StartError;
    use runtime::config::compiled_out;

    use crate::back_ends::BackEnds;

    #[expect(clippy::unused_async, reason = "has the signature of the one that opens S3")]
    pub(super) async fn open(_: &str, _: &BackEnds) -> Result<Arc<dyn ImageStore>, StartError> {
        Err(compiled_out("NOREN_IMAGES", "s3", "aws"))
    }
}
