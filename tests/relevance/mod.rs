//! What shoppers type, and what must come of it: ratings of five kinds of shop, and queries made from the demo catalogue.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generated;
mod ratings;

use std::sync::Arc;

use domain::input::ProductInput;
use domain::{Change, Product, ProductId, Status, Version};

/// Returns the active products of the demo catalogue.
fn demo_products() -> Vec<Arc<Product>> {
    let products = demo::demo_catalogue().map(product);
    products.filter(|product| product.content.status == Status::Active).collect()
}

/// Returns a product at its first version.
fn product(input: ProductInput) -> Arc<Product> {
    let at = domain::now();
    let id = input.id.unwrap_or_else(ProductId::generate);
    Arc::new(Product { id, version: Version::FIRST, created_at: at, updated_at: at, content: input.content })
}

/// Returns the changes that create products.
fn creations(products: &[Arc<Product>]) -> Vec<Change> {
    products.iter().cloned().map(Change::Create).collect()
}
