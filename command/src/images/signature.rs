//! Detects the type of an image from its first bytes.

use domain::image::ImageType;
use imagesize::{Compression, ImageType as Found};

/// The number of first bytes from which a type is detected.
pub(super) const HEAD_BYTES: usize = 64;

/// Returns the type of an image that begins with these bytes; `None` if it is none of the types that are accepted.
pub(super) fn image_type(head: &[u8]) -> Option<ImageType> {
    match imagesize::image_type(head).ok()? {
        Found::Jpeg => Some(ImageType::Jpeg),
        Found::Png => Some(ImageType::Png),
        Found::Webp => Some(ImageType::Webp),
        Found::Heif(Compression::Av1) => Some(ImageType::Avif),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_recognised_by_their_signature() {
        for (head, kind) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"[..], Some(ImageType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Some(ImageType::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some(ImageType::Webp)),
            (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1", Some(ImageType::Avif)),
            (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif", Some(ImageType::Avif)),
            (b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heic", None),
            (b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isomiso2", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"<?xml version='1.0'?><svg></svg>", None),
            (b"GIF89a\x01\x00\x01\x00\x00\x00", None),
            (b"<!doctype html><script>alert(1)</script>", None),
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
            (b"%PDF-1.7\n%\xe2\xe3\xcf", None),
            (b"\xff\xd8\xff", None),
            (b"", None),
        ] {
            assert_eq!(image_type(head), kind, "{:?}", String::from_utf8_lossy(head));
        }
    }
}
