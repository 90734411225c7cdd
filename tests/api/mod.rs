//! Black-box tests over HTTP against the real service.

mod access;
mod answer_cache;
mod bounds;
mod bulk;
mod catalogue;
mod dead_letters;
mod deletes;
mod encodings;
mod explain;
mod facets;
mod faults;
mod fields;
mod hostile_bodies;
mod imports;
mod openapi;
mod products;
mod rules;
mod safe_headers;
mod scenarios;
mod search;
mod search_by_body;
mod service;
mod similar;
mod suggest;
mod sync_tokens;
mod tenants;
