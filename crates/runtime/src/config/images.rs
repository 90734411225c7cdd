//! Configuration of uploaded images.

use clap::{Args, ValueEnum};

use super::shop_url::parse_shop_url;

/// The store of uploaded images.
#[derive(Debug, Clone, Default, Args)]
pub struct Images {
    /// Store of uploaded images [default: folder with the store sqlite, except on Lambda; otherwise off]
    #[arg(long, env = "NOREN_IMAGES")]
    pub images: Option<ImagesKind>,
    /// Bucket of uploaded images in S3, with --images s3
    #[arg(long, env = "NOREN_IMAGES_BUCKET", value_name = "NAME")]
    pub images_bucket: Option<String>,
    /// Address under which shoppers reach uploaded images, such as https://images.example/images [default: /images at the address
    /// to which the image is uploaded]
    #[arg(long, env = "NOREN_IMAGES_URL", value_name = "ADDRESS", value_parser = parse_shop_url)]
    pub images_url: Option<String>,
}

/// A kind of store of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImagesKind {
    /// None: uploads are refused
    Off,
    /// The folder `images` in the data folder
    Folder,
    /// A bucket in S3
    S3,
}
