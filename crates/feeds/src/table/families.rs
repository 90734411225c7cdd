//! Rows that belong together: a product and its variants.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use csv::ByteRecord;
use domain::input::MAX_LIST_LENGTH;

use super::cell_values::split_addresses;
use super::column_names::position;
use super::mapping_file::{Grouping, TableMapping};

/// Size limit in bytes of the rows that are kept because variants refer to them.
const MAX_PARENT_BYTES: usize = 512 * 1024 * 1024;

/// The part that a row has in its family.
#[derive(Debug)]
pub(crate) enum Member {
    /// A product.
    Product { parent: Option<Arc<ByteRecord>>, group: Option<String>, images: Vec<String> },
    /// A row that is no product itself. Nothing is lost, because its variants have its values.
    Absorbed,
    /// A row that is left out, with the reason.
    Skipped(String),
    /// A row that belongs to no product, with the fault.
    Fault(String),
}

/// The families of a file. [`survey`](Self::survey) must see every row before [`member`](Self::member) sees the first.
#[derive(Debug)]
pub(crate) struct Families {
    grouping: Grouping,
    columns: HashMap<String, usize>,
    parents: HashMap<String, Arc<ByteRecord>>,
    /// The parent of each variant, where the parent names its variants.
    parent_of: HashMap<String, String>,
    /// Parents that have variants; in Magento, all products that can be variants; in Shopify, all products with a title.
    pub(super) with_variants: HashSet<String>,
    pub(super) images: HashMap<String, Vec<String>>,
    pub(super) current: Option<(String, Arc<ByteRecord>)>,
    pub(super) bytes: usize,
}

impl Families {
    pub(crate) fn new(mapping: &TableMapping, header: &[String]) -> Self {
        let columns = header.iter().enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at));
        let mut columns: HashMap<String, usize> = columns.collect();
        for (key, names) in &mapping.keys {
            columns.extend(position(header, names).map(|at| (key.clone(), at)));
        }
        Self {
            grouping: mapping.grouping,
            columns,
            parents: HashMap::new(),
            parent_of: HashMap::new(),
            with_variants: HashSet::new(),
            images: HashMap::new(),
            current: None,
            bytes: 0,
        }
    }

    /// Returns the first column that the grouping needs and the file does not have.
    pub(crate) fn missing_column(&self) -> Option<&'static str> {
        let needed: &[&str] = match self.grouping {
            Grouping::None => &[],
            Grouping::Shopify => &["handle", "title"],
            Grouping::Woocommerce => &["type"],
            Grouping::Magento => &["sku", "product_type"],
            Grouping::Amazon => &["item_sku", "parent_child"],
            Grouping::Bigcommerce => &["item", "id"],
        };
        needed.iter().find(|column| !self.columns.contains_key(**column)).copied()
    }

    pub(super) fn cell<'a>(&self, row: &'a ByteRecord, column: &str) -> &'a str {
        let cell = self.columns.get(column).and_then(|at| row.get(*at)).unwrap_or_default();
        std::str::from_utf8(cell).unwrap_or_default().trim()
    }

    /// Learns from a row what other rows need. Returns false if the families take too much memory.
    pub(crate) fn survey(&mut self, row: &ByteRecord) -> bool {
        match self.grouping {
            Grouping::None => {}
            Grouping::Shopify => self.survey_shopify(row),
            Grouping::Woocommerce => match self.cell(row, "type") {
                "variation" | "variation, virtual" | "variation, downloadable" => {
                    let parent = self.cell(row, "parent").to_owned();
                    self.with_variants.insert(parent);
                }
                kind if kind.contains("variable") => {
                    let keys = [self.cell(row, "sku").to_owned(), format!("id:{}", self.cell(row, "id"))];
                    self.keep_parent(row, &keys);
                }
                _ => {}
            },
            Grouping::Magento => self.survey_magento(row),
            Grouping::Bigcommerce => self.survey_bigcommerce(row),
            Grouping::Amazon => match self.cell(row, "parent_child").to_ascii_lowercase().as_str() {
                "parent" => {
                    let key = self.cell(row, "item_sku").to_owned();
                    self.keep_parent(row, &[key]);
                }
                "child" => {
                    let parent = self.cell(row, "parent_sku").to_owned();
                    self.with_variants.insert(parent);
                }
                _ => {}
            },
        }
        self.bytes <= MAX_PARENT_BYTES
    }

    fn keep_parent(&mut self, row: &ByteRecord, keys: &[String]) {
        let parent = Arc::new(row.clone());
        self.bytes += row.as_slice().len() + 24 * row.len();
        for key in keys.iter().filter(|key| !key.is_empty()) {
            self.parents.insert(key.clone(), Arc::clone(&parent));
        }
    }

    fn survey_shopify(&mut self, row: &ByteRecord) {
        let (handle, image) = (self.cell(row, "handle").to_owned(), self.cell(row, "image src").to_owned());
        if !self.cell(row, "title").is_empty() {
            self.bytes += handle.len() + 24;
            self.with_variants.insert(handle.clone());
        }
        if !image.is_empty() {
            // Rejects have the images of all rows of the product in one cell.
            let images = self.images.entry(handle).or_default();
            for image in split_addresses(&image, ",") {
                // One above the limit of a product is kept, for the warning that there are more.
                if images.len() <= MAX_LIST_LENGTH && !images.contains(&image) {
                    self.bytes += image.len() + 24;
                    images.push(image);
                }
            }
        }
    }

    fn survey_magento(&mut self, row: &ByteRecord) {
        if !self.cell(row, "store_view_code").is_empty() {
            return;
        }
        let variations = self.cell(row, "configurable_variations");
        let skus = variations.split(['|', ',']).filter_map(|part| part.trim().strip_prefix("sku="));
        let skus: Vec<String> = skus.map(str::to_owned).collect();
        if self.cell(row, "product_type") == "configurable" && !skus.is_empty() {
            let sku = self.cell(row, "sku").to_owned();
            self.keep_parent(row, std::slice::from_ref(&sku));
            for variant in skus {
                self.bytes += variant.len() + sku.len() + 48;
                self.parent_of.insert(variant, sku.clone());
            }
        }
        if self.cell(row, "product_type") != "configurable" {
            let sku = self.cell(row, "sku").to_owned();
            self.bytes += sku.len() + 24;
            self.with_variants.insert(sku);
        }
    }

    /// Returns the part that a row has in its family.
    pub(crate) fn member(&mut self, row: &ByteRecord) -> Member {
        match self.grouping {
            Grouping::None => Member::Product { parent: None, group: None, images: Vec::new() },
            Grouping::Shopify => self.shopify_member(row),
            Grouping::Woocommerce => {
                let kind = self.cell(row, "type");
                let keys = [self.cell(row, "sku").to_owned(), format!("id:{}", self.cell(row, "id"))];
                if kind.contains("variable") && keys.iter().any(|key| self.with_variants.contains(key)) {
                    return Member::Absorbed;
                }
                let is_variant = kind.starts_with("variation");
                self.variant(self.cell(row, "parent"), is_variant)
            }
            Grouping::Magento => self.magento_member(row),
            Grouping::Bigcommerce => self.bigcommerce_member(row),
            Grouping::Amazon => {
                let kind = self.cell(row, "parent_child").to_ascii_lowercase();
                if kind == "parent" && self.with_variants.contains(self.cell(row, "item_sku")) {
                    return Member::Absorbed;
                }
                self.variant(self.cell(row, "parent_sku"), kind == "child")
            }
        }
    }

    fn variant(&self, parent: &str, is_variant: bool) -> Member {
        if !is_variant || parent.is_empty() {
            return Member::Product { parent: None, group: None, images: Vec::new() };
        }
        let row = self.parents.get(parent).cloned();
        let sku = row.as_ref().map(|row| match self.cell(row, "sku") {
            "" => parent,
            sku => sku,
        });
        let group = sku.unwrap_or(parent).to_owned();
        Member::Product { parent: row, group: Some(group), images: Vec::new() }
    }

    /// Returns true if one of these cells has a text.
    fn has(&self, row: &ByteRecord, columns: &[&str]) -> bool {
        columns.iter().any(|column| !self.cell(row, column).is_empty())
    }

    fn magento_member(&self, row: &ByteRecord) -> Member {
        let store_view = self.cell(row, "store_view_code");
        if !store_view.is_empty() {
            return Member::Skipped(format!(
                "skipped, it has the texts of the store view `{store_view}`; one catalogue has one language"
            ));
        }
        let sku = self.cell(row, "sku");
        let is_configurable = self.cell(row, "product_type") == "configurable";
        let variations = self.cell(row, "configurable_variations");
        let has_variants = variations.split(['|', ',']).any(|part| {
            part.trim().strip_prefix("sku=").is_some_and(|variant| self.with_variants.contains(variant))
        });
        if is_configurable && has_variants {
            return Member::Absorbed;
        }
        match self.parent_of.get(sku) {
            Some(parent) => self.variant(parent, true),
            None => Member::Product { parent: None, group: None, images: Vec::new() },
        }
    }

    fn shopify_member(&mut self, row: &ByteRecord) -> Member {
        let handle = self.cell(row, "handle").to_owned();
        if !self.cell(row, "title").is_empty() {
            self.current = Some((handle.clone(), Arc::new(row.clone())));
        } else if !self.has(row, &["variant sku", "variant price", "option1 value"]) {
            return match self.with_variants.contains(&handle) {
                false => {
                    Member::Fault(format!("belongs to `{handle}`, of which the file has no row with a title"))
                }
                true if self
                    .has(row, &["variant inventory qty", "variant compare at price", "variant barcode"]) =>
                {
                    let message = "has values of a variant, but no SKU, price or option that tells which";
                    Member::Fault(message.to_owned())
                }
                true => Member::Absorbed,
            };
        }
        let parent =
            self.current.as_ref().filter(|(current, _)| *current == handle).map(|(_, row)| Arc::clone(row));
        let is_single = parent
            .as_ref()
            .is_some_and(|parent| self.cell(parent, "option1 value").eq_ignore_ascii_case("Default Title"));
        let images = self.images.get(&handle).cloned().unwrap_or_default();
        Member::Product { parent, group: (!is_single).then_some(handle), images }
    }
}
