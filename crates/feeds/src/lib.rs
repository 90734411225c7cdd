//! Readers and field mappings for product import files.
