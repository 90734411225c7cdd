//! A demo catalogue: deterministic sample products.
