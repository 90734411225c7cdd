//! The access rights of the client of a search.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::search::Restriction;
use runtime::Problem;
use runtime::access::{ClientAddress, network_of, principal};

use crate::search_service::SearchService;
use crate::waiters::Waiter;

/// The access rights of a client.
pub(crate) struct Reader {
    /// The products that the client may find, by the filters of its credentials.
    pub(crate) restriction: Restriction,
    /// True if the client may learn that a draft, archived or deleted product exists.
    pub(crate) knows_unpublished: bool,
    /// The class of the client among the requests that wait for the index.
    pub(crate) waiter: Waiter,
}

impl FromRequestParts<Arc<SearchService>> for Reader {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &Arc<SearchService>) -> Result<Self, Problem> {
        let principal = principal(&parts.extensions)?;
        let restriction = service.restrictions.of(&principal.filters)?;
        let knows_unpublished = principal.knows_unpublished();
        let waiter = match knows_unpublished {
            true => Waiter::Trusted,
            false => {
                let address = parts.extensions.get::<ClientAddress>();
                Waiter::Public(address.map(|ClientAddress(address)| network_of(*address)))
            }
        };
        Ok(Self { restriction, knows_unpublished, waiter })
    }
}
