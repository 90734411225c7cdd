//! Back ends opened in this process, and the services' routers over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::Keyring;
use axum::Router;
use command::{Catalogue, OpenBackEnds};
use domain::ports::IndexMaintenance;
use domain::{Currency, Language};
use runtime::config::{self, IndexKind, StoreKind};
use runtime::{Routes, Service, Waiting};
use sync::{DeadLetterService, StoreAndIndex};

use super::access::Access;
use super::environment::from_environment;
use crate::failure::{Context as _, Failure};

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
        check_folder(data_dir)?;
        Self::in_new_folder(data_dir)
    }

    /// Checks that the data folder holds what `access` reads there, so that a command does not create an empty catalogue.
    ///
    /// # Errors
    /// If the folder or its store does not exist.
    pub(super) fn check_existing(&self, access: Access) -> Result<(), Failure> {
        let is_embedded = match access {
            Access::Write | Access::NewKeys => false,
            Access::Keys => {
                from_environment::<config::Access>()?.access_store == config::AccessStoreKind::Sqlite
            }
            Access::Search => {
                self.written.store.store == StoreKind::Sqlite
                    && self.indexed.index.index == IndexKind::Tantivy
            }
            Access::Store
            | Access::Change
            | Access::SearchAndStore
            | Access::CompareIndex
            | Access::RebuildIndex => self.written.store.store == StoreKind::Sqlite,
        };
        let folder = &self.written.data_dir.data_dir;
        let has_keys = access == Access::Keys && api::access::exists_in(folder);
        if is_embedded && !has_keys { check_folder(folder) } else { Ok(()) }
    }

    /// Selects the embedded back ends in a folder that need not hold a catalogue yet.
    pub(super) fn in_new_folder(data_dir: &Path) -> Result<Self, Failure> {
        let Self { written, indexed } = Self::of_environment()?;
        Ok(Self {
            written: written.embedded_in(data_dir.to_owned()),
            indexed: indexed.embedded_in(data_dir.to_owned()),
        })
    }

    /// Opens what `access` needs.
    ///
    /// # Errors
    /// Fails if a back end cannot be opened; the error says what to do.
    pub(super) async fn open(&self, access: Access) -> Result<OpenCatalogue, Failure> {
        if access == Access::Search {
            return Ok(OpenCatalogue { router: router_of(search_routes().await?), store: None });
        }
        if matches!(access, Access::Keys | Access::NewKeys) {
            return Ok(OpenCatalogue { router: key_routes(&self.written.data_dir).await?, store: None });
        }
        let store = OpenStore::open(&self.written).await?;
        let router = match access {
            Access::CompareIndex => store.index_router(sync::open_index(&self.indexed).await?),
            Access::RebuildIndex => store.index_router(sync::open_index_to_rebuild(&self.indexed).await?),
            Access::SearchAndStore => store.router(search_routes().await?),
            Access::Store
            | Access::Write
            | Access::Change
            | Access::Search
            | Access::Keys
            | Access::NewKeys => store.router(Routes::default()),
        };
        Ok(OpenCatalogue { router, store: Some(store) })
    }
}

/// Checks that a folder holds a catalogue, so that a command on the wrong folder does not create an empty one.
///
/// # Errors
/// If the folder or its store does not exist.
pub(super) fn check_folder(data_dir: &Path) -> Result<(), Failure> {
    let shown = data_dir.display();
    if !data_dir.is_dir() {
        return Err(Failure::new(format!("there is no folder {shown}; name the data folder of a catalogue")));
    }
    std::fs::read_dir(data_dir).context(|| format!("cannot read the data folder {shown}"))?;
    if !embedded_store::exists(data_dir) {
        return Err(Failure::new(format!("there is no catalogue in {shown}; name its data folder")));
    }
    Ok(())
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
        let api::config::Html { html } = from_environment()?;
        let catalogue =
            Catalogue::new(back_ends.store.clone(), back_ends.queue.clone(), currency).with_html(html);
        Ok(Self { catalogue, currency, back_ends })
    }

    /// Returns the routes that need no index, merged with others, with health and the state of the queue.
    fn router(&self, routes: Routes) -> Router {
        let OpenBackEnds { store, queue, dead_letters } = &self.back_ends;
        let service = DeadLetterService::new(store.clone(), queue.clone(), dead_letters.clone());
        let routes = routes
            .merge(command::routes(self.catalogue.clone()))
            .merge(sync::admin::dead_letters::routes(service));
        let queue = Some(self.catalogue.queue_probe());
        Service { routes, parts: self.catalogue.parts(), queue, ..Service::default() }.into_router()
    }

    fn index_router(&self, index: Arc<dyn IndexMaintenance>) -> Router {
        let both = StoreAndIndex::new(self.back_ends.store.clone(), index);
        router_of(sync::admin::index_routes(both))
    }
}

/// Returns the router of some routes, for requests of this process.
fn router_of(routes: Routes) -> Router {
    Service { routes, ..Service::default() }.into_router()
}

/// Returns the router of API keys, over the access store that the variables name.
async fn key_routes(data_dir: &config::DataDir) -> Result<Router, Failure> {
    let access: config::Access = from_environment()?;
    let store = api::access::open_store(&access, data_dir).await?;
    let api::config::Currency { currency } = from_environment()?;
    let check_filter = Arc::new(search_parameters::filter_check(currency));
    Ok(router_of(api::access::key_routes(Arc::new(Keyring::new(store)), check_filter)))
}

async fn search_routes() -> Result<Routes, Failure> {
    let mut config: query::service::Config = from_environment()?;
    config.waiting = Waiting::none();
    let (index, settings) = query::service::open(&config).await?;
    Ok(query::ReadSide::new(index, settings).routes())
}

/// Returns the currency of the catalogue from its variable.
///
/// # Errors
/// If the variable has an invalid value.
pub fn currency_of_environment() -> Result<Currency, Failure> {
    Ok(from_environment::<api::config::Currency>()?.currency)
}

/// Returns the language of the catalogue from its variable.
///
/// # Errors
/// If the variable has an invalid value.
pub fn language_of_environment() -> Result<Language, Failure> {
    Ok(from_environment::<api::config::Catalogue>()?.language())
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
