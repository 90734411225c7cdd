//! Black-box tests over HTTP against the real service.

mod answer_cache;
mod bounds;
mod bulk;
mod catalogue;
mod dead_letters;
mod explain;
mod facets;
mod faults;
mod imports;
mod openapi;
mod products;
mod rules;
mod scenarios;
mod search;
mod search_by_body;
mod service;
mod similar;
mod suggest;
mod sync_tokens;
