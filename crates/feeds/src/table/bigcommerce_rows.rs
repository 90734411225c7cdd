//! Rows of BigCommerce: each product is followed by its variants and images.

use std::sync::Arc;

use csv::ByteRecord;

use super::families::{Families, Member};

/// Columns with the address of an image.
const IMAGES: [&str; 2] = ["image url (import)", "internal image url (export)"];

impl Families {
    pub(super) fn survey_bigcommerce(&mut self, row: &ByteRecord) {
        let id = self.cell(row, "id").to_owned();
        match self.cell(row, "item").to_ascii_lowercase().as_str() {
            "product" => self.current = Some((id, Arc::new(row.clone()))),
            "variant" | "sku" => {
                if let Some((parent, _)) = &self.current {
                    self.bytes += parent.len() + 24;
                    self.with_variants.insert(parent.clone());
                }
            }
            "image" => {
                let images: Vec<String> = IMAGES
                    .iter()
                    .map(|column| self.cell(row, column).to_owned())
                    .filter(|it| !it.is_empty())
                    .collect();
                if let Some((parent, _)) = &self.current {
                    self.bytes += images.iter().map(|image| image.len() + 24).sum::<usize>();
                    self.images.entry(parent.clone()).or_default().extend(images);
                }
            }
            _ => {}
        }
    }

    pub(super) fn bigcommerce_member(&mut self, row: &ByteRecord) -> Member {
        let item = self.cell(row, "item").to_owned();
        match item.to_ascii_lowercase().as_str() {
            "product" => {
                let id = self.cell(row, "id").to_owned();
                let images = self.images.get(&id).cloned().unwrap_or_default();
                let has_variants = self.with_variants.contains(&id);
                self.current = Some((id, Arc::new(row.clone())));
                match has_variants {
                    true => Member::Absorbed,
                    false => Member::Product { parent: None, group: None, images },
                }
            }
            "variant" | "sku" => {
                let Some((id, parent)) = &self.current else {
                    return Member::Fault("is a variant, and no row of a product is above it".to_owned());
                };
                let group = match self.cell(parent, "sku") {
                    "" => id,
                    sku => sku,
                };
                let images = self.images.get(id).cloned().unwrap_or_default();
                Member::Product { parent: Some(Arc::clone(parent)), group: Some(group.to_owned()), images }
            }
            "image" if self.current.is_some() => Member::Absorbed,
            "image" => Member::Fault("is an image, and no row of a product is above it".to_owned()),
            _ => Member::Skipped(format!("skipped, it is a `{item}` and no product")),
        }
    }
}
