//! Black-box tests over HTTP against the real service.

mod bulk;
mod catalogue;
mod faults;
mod products;
mod search;
mod service;
