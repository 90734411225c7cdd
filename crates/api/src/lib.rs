//! The HTTP surface that the services share.
//!
//! The services use this crate to connect [`runtime`], which knows HTTP and no products, with [`domain`], which knows
//! products and no HTTP.
//!
//! | module | contents |
//! | --- | --- |
//! | [`access`] | the access store that is configured; routes for API keys |
//! | [`config`] | currency, language and rules of a catalogue; the list of all variables |
//! | [`problems`] | a [`PortError`](domain::ports::PortError) or [`Faults`](domain::Faults) as a problem document |
//! | [`extract`] | product ids, requests without parameters, the conditions of a write, entity tags, sync tokens |
//! | [`parameters`] | the strict reader of query strings |
//! | [`responses`] | responses and headers as OpenAPI documents describe them |
//! | [`wire`] | the JSON that services write and the command line reads |
//! | [`probes`] | readiness and queue depth of ports |

#![warn(missing_docs)]

pub mod access;
pub mod config;
pub mod extract;
pub mod parameters;
pub mod probes;
pub mod problems;
pub mod responses;
pub mod wire;
