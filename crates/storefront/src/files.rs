//! The files that pages load. They are built by `web/build.mjs` and are part of the program.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A file that pages load.
#[derive(Debug)]
pub struct File {
    /// Its path, from the root of the service.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// The content, compressed by gzip.
    pub gzip: Vec<u8>,
    /// The beginning of the content's SHA-256, in hexadecimal digits.
    pub version: String,
}

/// All files.
pub static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    [
        File::new(
            "shop/storefront.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../dist/storefront.js"),
        ),
        File::new("shop/storefront.css", "text/css; charset=utf-8", include_bytes!("../dist/storefront.css")),
        File::new("shop/icon.svg", "image/svg+xml", include_bytes!("../icon.svg")),
    ]
});

impl File {
    fn new(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let version = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { path, content_type, bytes, gzip: gzip(bytes), version }
    }

    /// Returns the address of this version of the file, from the root of the service.
    pub fn address(&self) -> String {
        format!("{}?v={}", self.path, self.version)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    // Writing to memory cannot fail.
    written.unwrap_or_default()
}
