//! Changes of the addresses of one uploaded image in a product.

use domain::Product;
use domain::image::{ImageKey, ImageName};
use serde_json::json;

/// A change of the addresses of one image. It is applied to the current product, so it keeps what others write meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageChange {
    /// Adds the image, in place of the first earlier version if there is one, otherwise at the end. Other versions are removed.
    Put {
        /// The name of the image.
        name: ImageName,
        /// Its address.
        address: String,
    },
    /// Removes all versions of the image.
    Remove {
        /// The name of the image.
        name: ImageName,
    },
}

impl ImageChange {
    /// Returns the name of the image.
    pub(crate) fn name(&self) -> &ImageName {
        match self {
            Self::Put { name, .. } | Self::Remove { name } => name,
        }
    }

    /// Returns the merge patch of a product, or `None` if there is nothing to remove.
    pub(crate) fn patch(&self, product: &Product) -> Option<Vec<u8>> {
        let is_version = |address: &str| {
            ImageKey::at_end_of(address)
                .is_some_and(|key| key.product == product.id && key.name == *self.name())
        };
        let images = &product.content.images;
        let first = images.iter().position(|address| is_version(address));
        let mut kept: Vec<&str> =
            images.iter().map(String::as_str).filter(|address| !is_version(address)).collect();
        match self {
            // No address before the first version is removed, so its position is the same among the kept ones.
            Self::Put { address, .. } => kept.insert(first.unwrap_or(kept.len()), address),
            Self::Remove { .. } => _ = first?,
        }
        Some(json!({ "images": kept }).to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use domain::input::read_product;
    use domain::{Currency, ProductId, Version};
    use serde_json::Value;

    use super::*;

    const OLD: &str = "https://a.example/lamp/00000000000000000000000000000001/front.jpg";
    const NEW: &str = "https://b.example/lamp/00000000000000000000000000000002/front.jpg";
    /// An image of this name of another product, such as the one that this product was copied from.
    const OTHER: &str = "https://a.example/cup/00000000000000000000000000000001/front.jpg";

    fn product(images: &[&str]) -> Product {
        let body = json!({"name": "Lamp", "images": images}).to_string();
        let content = read_product(body.as_bytes(), Currency::USD).unwrap().content;
        let (id, now) = (ProductId::parse("lamp").unwrap(), domain::now());
        Product { id, version: Version::FIRST, created_at: now, updated_at: now, content }
    }

    fn images(change: &ImageChange, images: &[&str]) -> Option<Vec<String>> {
        let patch: Value = serde_json::from_slice(&change.patch(&product(images))?).unwrap();
        Some(serde_json::from_value(patch["images"].clone()).unwrap())
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one() {
        let name = ImageName::parse("front.jpg").unwrap();
        let put = ImageChange::Put { name, address: NEW.to_owned() };
        let after = |before: &[&str]| images(&put, before).unwrap();
        assert_eq!(after(&[]), [NEW]);
        assert_eq!(after(&["https://c.example/x.jpg", OTHER]), ["https://c.example/x.jpg", OTHER, NEW]);
        assert_eq!(
            after(&[OTHER, OLD, "https://c.example/x.jpg", OLD]),
            [OTHER, NEW, "https://c.example/x.jpg"]
        );
        assert_eq!(after(&[NEW]), [NEW]);
    }

    #[test]
    fn only_the_image_of_this_product_is_removed() {
        let remove = ImageChange::Remove { name: ImageName::parse("front.jpg").unwrap() };
        assert_eq!(images(&remove, &[OLD, OTHER, NEW]).unwrap(), [OTHER]);
        assert_eq!(images(&remove, &[OTHER]), None);
    }
}
