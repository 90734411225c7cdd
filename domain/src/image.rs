//! Images of products that are uploaded: their names, types and addresses.

use std::fmt;

use crate::product::ProductId;

/// The most bytes of an image: 10 MB.
pub const MAX_IMAGE_BYTES: u64 = 10 * 1024 * 1024;

/// The file name of an image: 1 to 100 ASCII letters, digits and `. _ -`, not beginning with a full stop. It needs no escaping in an
/// address, and is no hidden file in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageName(String);

impl ImageName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// Parses a name.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must have …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > Self::MAX_CHARS {
            return Err(format!("must have 1 to {} characters", Self::MAX_CHARS));
        }
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(format!(
                "must consist of ASCII letters, digits and `.`, `_`, `-`; found `{}`",
                c.escape_default()
            ));
        }
        if text.starts_with('.') {
            return Err("must not begin with a full stop".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of an image, as 32 hexadecimal digits: the first half of the SHA-256 of its bytes, or random. Other bytes under the same
/// name have another version, so caches may keep an address without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageVersion([u8; 16]);

impl ImageVersion {
    /// Returns the version of an image whose bytes have this SHA-256.
    pub fn of_sha256(hash: &[u8; 32]) -> Self {
        let mut version = [0; 16];
        version.copy_from_slice(&hash[..16]);
        Self(version)
    }

    /// Generates a version for bytes that are not known yet.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().into_bytes())
    }

    /// Parses a version; `None` if the text is not 32 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_version = text.len() == 32 && text.bytes().all(is_hex);
        let number = is_version.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for ImageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Identifies the bytes of one image. As text it is the end of the address of the image: `lamp-1/0123…cdef/front.jpg`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageKey {
    /// The product.
    pub product: ProductId,
    /// The version.
    pub version: ImageVersion,
    /// The name.
    pub name: ImageName,
}

impl ImageKey {
    /// Returns the key at the end of an address, wherever the address begins: images may have moved to another site since. `None` if
    /// the address is not one of an uploaded image.
    pub fn at_end_of(address: &str) -> Option<Self> {
        let mut segments = address.rsplit('/');
        let (name, version, product) = (segments.next()?, segments.next()?, segments.next()?);
        Some(Self {
            product: ProductId::parse(product).ok()?,
            version: ImageVersion::parse(version)?,
            name: ImageName::parse(name).ok()?,
        })
    }
}

impl fmt::Display for ImageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.product, self.version, self.name)
    }
}

/// The type of an image. SVG is not among them, because it can contain scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
}

impl ImageType {
    /// All types with their media types.
    pub const ALL: [(&'static str, Self); 4] = [
        ("image/jpeg", Self::Jpeg),
        ("image/png", Self::Png),
        ("image/webp", Self::Webp),
        ("image/avif", Self::Avif),
    ];

    /// Returns the type with this media type.
    pub fn of_media_type(text: &str) -> Option<Self> {
        let named = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        named.map(|(_, kind)| *kind)
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_is_safe_in_a_path(text in ".{0,110}") {
            if let Ok(name) = ImageName::parse(&text) {
                prop_assert!(!name.as_str().contains(['/', '\\', '?', '#', '%', ' ', ':']));
                prop_assert!(!name.as_str().starts_with('.'));
            }
        }

        #[test]
        fn a_key_is_read_from_its_address(id in "[a-zA-Z0-9~:]{1,20}", hash: [u8; 32], name in "[a-z][a-zA-Z0-9._-]{0,20}") {
            let key = ImageKey {
                product: ProductId::parse(&id).unwrap(),
                version: ImageVersion::of_sha256(&hash),
                name: ImageName::parse(&name).unwrap(),
            };
            for site in ["http://127.0.0.1:8080/images", "https://cdn.example/a/b"] {
                prop_assert_eq!(ImageKey::at_end_of(&format!("{site}/{key}")), Some(key.clone()));
            }
        }
    }

    #[test]
    fn names_that_are_no_plain_file_are_refused() {
        for name in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ä.png", &"a".repeat(101)] {
            assert!(ImageName::parse(name).is_err(), "{name}");
        }
        for name in ["a", "front.jpg", "a..b", "A_1-2.webp", &"a".repeat(100)] {
            assert_eq!(ImageName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_addresses_have_no_key() {
        let version = "0123456789abcdef0123456789abcdef";
        assert!(ImageKey::at_end_of(&format!("https://a.example/lamp/{version}/a.jpg")).is_some());
        for address in [
            "https://a.example/lamp.jpg".to_owned(),
            format!("https://a.example/lamp/{}/a.jpg", version.to_uppercase()),
            format!("https://a.example/lamp/+{}/a.jpg", &version[1..]),
            format!("https://a.example/lamp/{version}/.jpg"),
            format!("https://a.example/lamp/{version}/a.jpg?w=80"),
            format!("{version}/a.jpg"),
        ] {
            assert_eq!(ImageKey::at_end_of(&address), None, "{address}");
        }
    }
}
