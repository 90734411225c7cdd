//! The list of all products.

use domain::Product;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::Api;
use super::response::read_json;
use crate::failure::Failure;

/// Products per request.
const PAGE_PRODUCTS: usize = 500;

/// A page of `GET /products`. Products stay JSON, so their numbers keep their digits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    products: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

/// Pages through all products of a catalogue.
pub struct ProductPages<'a> {
    api: &'a dyn Api,
    cursor: Option<String>,
    is_at_end: bool,
}

impl<'a> ProductPages<'a> {
    /// Begins at the first page.
    pub fn new(api: &'a dyn Api) -> Self {
        Self { api, cursor: None, is_at_end: false }
    }

    /// Returns the products of the next page, like [`next`](Self::next).
    ///
    /// # Errors
    /// If the catalogue does not return a page of products.
    pub async fn next_products(&mut self) -> Result<Option<Vec<Product>>, Failure> {
        let Some(page) = self.next().await? else { return Ok(None) };
        page.iter()
            .map(|json| read_json(json.get().as_bytes(), "a product"))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Returns the next page, or `None` after the last one. A product that exists throughout is on exactly one page, whatever is
    /// written or deleted meanwhile.
    ///
    /// # Errors
    /// If the catalogue does not return a page.
    pub async fn next(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Failure> {
        if self.is_at_end {
            return Ok(None);
        }
        let mut parameters = vec![("limit".to_owned(), PAGE_PRODUCTS.to_string())];
        parameters.extend(self.cursor.iter().map(|cursor| ("cursor".to_owned(), cursor.clone())));
        let body = self.api.get("/products", &parameters).await?.success()?;
        let page: Page = read_json(&body, "a page of products")?;
        if page.next_cursor.is_some() && page.next_cursor == self.cursor {
            return Err(Failure::new("the service returns the same page repeatedly"));
        }
        self.is_at_end = page.next_cursor.is_none();
        self.cursor = page.next_cursor;
        Ok(Some(page.products))
    }
}
