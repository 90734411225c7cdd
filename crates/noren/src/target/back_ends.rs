//! Back ends opened in this process, and the services' routers over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use command::{Catalogue, OpenBackEnds};
use domain::Currency;
use domain::ports::IndexMaintenance;
use runtime::config::StoreKind;
use runtime::{Service, Waiting};
use sync::{DeadLetterService, StoreAndIndex};
use utoipa_axum::router::OpenApiRouter;

use super::access::Access;
use super::environment::from_environment;
use crate::failure::Failure;

/// Configuration of the back ends on both sides of the queue.
pub(super) struct BackEnds {
    written: command::BackEnds,
    indexed: sync::BackEnds,
}

impl BackEnds {
    /// Reads the variables of the services. Missing tables and queues are not created; that is left to the services.
    pub(super) fn of_environment() -> Result<Self, Failure> {
        let mut written: command::BackEnds = from_environment()?;
        let mut indexed: sync::BackEnds = from_environment()?;
        written.create_tables.create_tables = false;
        indexed.create_tables.create_tables = false;
        // A command that runs once does not wait: the call that needs an absent back end fails.
        (written.waiting, indexed.waiting) = (Waiting::none(), Waiting::none());
        Ok(Self { written, indexed })
    }

    /// Selects the embedded back ends in a folder.
    pub(super) fn in_folder(data_dir: &Path) -> Result<Self, Failure> {
        if !data_dir.is_dir() {
            let message =
                format!("there is no folder {}; name the data folder of a catalogue", data_dir.display());
            return Err(Failure::new(message));
        }
        let Self { written, indexed } = Self::of_environment()?;
        Ok(Self {
            written: written.embedded_in(data_dir.to_owned()),
            indexed: indexed.embedded_in(data_dir.to_owned()),
        })
    }

    /// Opens what `access` needs.
    ///
    /// # Errors
    /// If a back end cannot be opened, with what to do about it.
    pub(super) async fn open(&self, access: Access) -> Result<OpenCatalogue, Failure> {
        if access == Access::Search {
            return Ok(OpenCatalogue { router: search_routes().await?.split_for_parts().0, store: None });
        }
        let store = OpenStore::open(&self.written).await?;
        let router = match access {
            Access::CompareIndex => store.index_router(sync::open_index(&self.indexed).await?),
            Access::RebuildIndex => store.index_router(sync::open_index_to_rebuild(&self.indexed).await?),
            Access::SearchAndStore => store.router(search_routes().await?),
            Access::Store | Access::Write | Access::Search => store.router(OpenApiRouter::new()),
        };
        Ok(OpenCatalogue { router, store: Some(store) })
    }
}

/// A catalogue without a sync consumer: changes wait in the queue for a service.
pub(super) struct OpenCatalogue {
    pub(super) router: Router,
    /// `None` if only the index is open.
    pub(super) store: Option<OpenStore>,
}

/// An open store with its queue.
pub(super) struct OpenStore {
    pub(super) catalogue: Catalogue,
    pub(super) currency: Currency,
    pub(super) back_ends: OpenBackEnds,
}

impl OpenStore {
    async fn open(config: &command::BackEnds) -> Result<Self, Failure> {
        let currency = currency_of_environment()?;
        let back_ends = command::open_back_ends(config).await?;
        let catalogue = Catalogue::new(back_ends.store.clone(), back_ends.queue.clone(), currency);
        Ok(Self { catalogue, currency, back_ends })
    }

    /// Returns the routes that need no index, merged with others, with health and the state of the queue.
    fn router(&self, routes: OpenApiRouter) -> Router {
        let OpenBackEnds { store, queue, dead_letters } = &self.back_ends;
        let service = DeadLetterService::new(store.clone(), queue.clone(), dead_letters.clone());
        let routes = routes
            .merge(command::routes(self.catalogue.clone()))
            .merge(sync::admin::dead_letters::routes(service))
            .split_for_parts()
            .0;
        let queue = Some(self.catalogue.queue_probe());
        Service { routes, parts: self.catalogue.parts(), queue, ..Service::default() }.into_router()
    }

    fn index_router(&self, index: Arc<dyn IndexMaintenance>) -> Router {
        let both = StoreAndIndex { store: self.back_ends.store.clone(), index };
        sync::admin::index_routes(both).split_for_parts().0
    }
}

async fn search_routes() -> Result<OpenApiRouter, Failure> {
    let mut config: query::service::Config = from_environment()?;
    config.waiting = Waiting::none();
    let (index, settings) = query::service::open(&config).await?;
    Ok(query::routes(index, settings))
}

/// Returns the currency of the catalogue from its variable.
///
/// # Errors
/// If the variable has an invalid value.
pub fn currency_of_environment() -> Result<Currency, Failure> {
    Ok(from_environment::<api::config::Currency>()?.currency)
}

/// Returns the folder of the embedded store that the variables name.
///
/// # Errors
/// If they name another store.
pub fn embedded_store_folder() -> Result<PathBuf, Failure> {
    let config: command::BackEnds = from_environment()?;
    match config.store.store {
        StoreKind::Sqlite => Ok(config.data_dir.data_dir),
        StoreKind::Dynamodb => Err(Failure::usage(
            "NOREN_STORE=dynamodb cannot be copied to a file; use the point-in-time recovery of DynamoDB",
        )),
    }
}
