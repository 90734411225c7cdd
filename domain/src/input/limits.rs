//! The fields of a product and their limits.

use crate::product::MAX_PRODUCT_BYTES;

/// The most characters of a name.
pub const MAX_NAME_CHARS: usize = 500;
/// The most characters of a sku, brand, source or tag.
pub const MAX_LABEL_CHARS: usize = 128;
/// The most tags, and the most images, of a product.
pub const MAX_LIST_LENGTH: usize = 100;
/// The most categories of a product.
pub const MAX_CATEGORIES: usize = 10;
/// The most attributes of a product.
pub const MAX_ATTRIBUTES: usize = 1000;
/// The most texts in the list of an attribute. A product with more is larger than a product may be, even if all are empty.
pub const MAX_ATTRIBUTE_VALUES: usize = MAX_PRODUCT_BYTES / "\"\",".len();
/// The most fields of a body with a product, known or not. A body with more is one fault, and none of its fields is read.
pub const MAX_FIELDS: usize = 1000;
/// The most characters of an attribute's key.
pub const MAX_KEY_CHARS: usize = 128;
/// The most characters of an image's address.
pub const MAX_IMAGE_CHARS: usize = 2048;
/// The most pieces in stock: 2^53 - 1, the largest number that a JavaScript client reads exactly.
pub const MAX_STOCK: u64 = 9_007_199_254_740_991;

/// The fields that a caller may write, in the order of the documentation.
pub const FIELDS: [&str; 15] = [
    "id",
    "name",
    "description",
    "sku",
    "brand",
    "category",
    "categories",
    "tags",
    "price",
    "currency",
    "attributes",
    "images",
    "stock",
    "status",
    "source",
];

/// The fields that the catalogue sets. They are accepted and ignored, so that a product that was read or exported can be sent
/// back unchanged.
pub const READ_ONLY_FIELDS: [&str; 3] = ["version", "createdAt", "updatedAt"];
