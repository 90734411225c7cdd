//! An open catalogue.

use std::path::Path;
use std::time::{Duration, Instant};

use api::wire::health::Readiness;
use command::Catalogue;
use domain::Currency;
use domain::ports::DeadLetter;

use super::access::Access;
use super::back_ends::{BackEnds, OpenStore, check_folder};
use super::environment::{check_embedded, check_embedded_keys, from_environment};
use crate::app::{App, Options};
use crate::client::{Api, InProcess, Service, connect};
use crate::failure::{Context as _, Failure};

/// Interval at which a service is asked whether everything is searchable.
const BACKLOG_POLL: Duration = Duration::from_millis(50);

/// An open catalogue.
pub struct CatalogueHandle {
    api: Box<dyn Api>,
    source: Source,
}

/// The place where the catalogue is open.
enum Source {
    /// In a running service.
    Service(Service),
    /// In this process, with a sync consumer.
    Folder(Box<App>),
    /// In this process, without a sync consumer; `None` if only the index is open.
    BackEnds(Option<OpenStore>),
}

/// The way products are written to a catalogue.
pub enum Writer {
    /// Requests to a running service.
    Service(Service),
    /// Calls in this process.
    Catalogue(Catalogue),
}

impl CatalogueHandle {
    /// Creates the handle of a running service, by default the one of the profile, or on this machine. Nothing is sent yet.
    ///
    /// # Errors
    /// If the address is invalid.
    pub(super) fn of_service(url: Option<&str>, key_file: Option<&Path>) -> Result<Self, Failure> {
        let service = connect(url, key_file)?;
        Ok(Self { api: Box::new(service.clone()), source: Source::Service(service) })
    }

    /// Opens a data folder. Searches and writes run a sync consumer, so earlier changes become searchable.
    ///
    /// # Errors
    /// If the folder or the index cannot be opened.
    pub(super) async fn of_folder(folder: &Path, access: Access) -> Result<Self, Failure> {
        check_embedded()?;
        match access {
            Access::Write | Access::Change | Access::Search | Access::SearchAndStore => {
                if access != Access::Write {
                    check_folder(folder)?;
                }
                // An explanation reports what the index lacks, so nothing may repair the index meanwhile.
                let repairs_at_start = access != Access::SearchAndStore;
                let api::config::Html { html } = from_environment()?;
                let options = Options { html, repairs_at_start, ..Options::of(&from_environment()?)? };
                let app = App::open(folder, options).await?;
                Ok(Self { api: Box::new(InProcess(app.router())), source: Source::Folder(Box::new(app)) })
            }
            Access::Store | Access::CompareIndex | Access::RebuildIndex => {
                Self::open(&BackEnds::in_folder(folder)?, access).await
            }
            // The first key may be created before the first start.
            Access::Keys | Access::NewKeys => {
                check_embedded_keys()?;
                let back_ends = BackEnds::in_new_folder(folder)?;
                back_ends.check_existing(access)?;
                Self::open(&back_ends, access).await
            }
        }
    }

    /// Opens the back ends that the variables of the services name.
    ///
    /// # Errors
    /// If a variable is invalid or a back end cannot be opened.
    pub(super) async fn of_configured_back_ends(access: Access) -> Result<Self, Failure> {
        let back_ends = BackEnds::of_environment()?;
        back_ends.check_existing(access)?;
        Self::open(&back_ends, access).await
    }

    async fn open(back_ends: &BackEnds, access: Access) -> Result<Self, Failure> {
        let opened = back_ends.open(access).await?;
        Ok(Self { api: Box::new(InProcess(opened.router)), source: Source::BackEnds(opened.store) })
    }

    /// Returns the HTTP API of the catalogue, as far as the access that it was opened with reaches.
    pub fn api(&self) -> &dyn Api {
        &*self.api
    }

    /// Returns the way to write products.
    ///
    /// # Errors
    /// If the catalogue was opened without its store.
    pub fn writer(&self) -> Result<Writer, Failure> {
        match &self.source {
            Source::Service(service) => Ok(Writer::Service(service.clone())),
            Source::Folder(app) => Ok(Writer::Catalogue(app.catalogue().clone())),
            Source::BackEnds(Some(store)) => Ok(Writer::Catalogue(store.catalogue.clone())),
            Source::BackEnds(None) => Err(Failure::new("the catalogue is open for searches only")),
        }
    }

    /// Returns the default currency of a catalogue that is open in this process, or `None` for a service, and for a catalogue without
    /// its store.
    pub fn currency(&self) -> Option<Currency> {
        match &self.source {
            Source::Service(_) | Source::BackEnds(None) => None,
            Source::Folder(app) => Some(app.currency()),
            Source::BackEnds(Some(store)) => Some(store.currency),
        }
    }

    /// Returns up to `limit` of the newest dead letters of a catalogue that is open in this process, or `None` for a service, and for
    /// a catalogue without its store.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub async fn dead_letters(&self, limit: usize) -> Result<Option<Vec<DeadLetter>>, Failure> {
        match &self.source {
            Source::Service(_) | Source::BackEnds(None) => Ok(None),
            Source::Folder(app) => Ok(Some(app.dead_letters(limit).await?)),
            Source::BackEnds(Some(store)) => {
                let list = store.back_ends.dead_letters.newest(limit).await;
                Ok(Some(list.context(|| "cannot read the dead letters".to_owned())?.letters))
            }
        }
    }

    /// Waits until searches find every earlier write, at most for `timeout`. Returns at once for back ends without a consumer, and
    /// for a service that does not report its backlog: the writes are durable and will be indexed by a service.
    ///
    /// # Errors
    /// If the sync consumer of this process fails or exceeds the time limit.
    pub async fn wait_until_indexed(&self, timeout: Duration) -> Result<(), Failure> {
        match &self.source {
            Source::Folder(app) => Ok(app.sync_all(timeout).await?),
            Source::Service(service) => {
                let written = Instant::now();
                while written.elapsed() < timeout && has_backlog_since(service, written).await {
                    tokio::time::sleep(BACKLOG_POLL).await;
                }
                Ok(())
            }
            Source::BackEnds(_) => Ok(()),
        }
    }

    /// Returns true if writes are indexed later, by services that run elsewhere.
    pub fn is_indexed_elsewhere(&self) -> bool {
        matches!(self.source, Source::BackEnds(_))
    }

    /// Stops the sync consumer of this process, if there is one.
    pub(super) async fn close(self) {
        if let Source::Folder(app) = self.source {
            app.stop().await;
        }
    }
}

/// Returns true if changes from before `moment` wait to be indexed. A service that does not report its backlog, or does
/// not respond, counts as done: what was written is durable there.
async fn has_backlog_since(service: &Service, moment: Instant) -> bool {
    // Taken before the request, because the age is as of the response; the slack is for clocks with millisecond steps.
    let age = moment.elapsed().saturating_sub(BACKLOG_POLL);
    let response = service.get("/health/ready", &[]).await.and_then(|response| response.success());
    let Ok(body) = response else { return false };
    let readiness: Option<Readiness> = serde_json::from_slice(&body).ok();
    readiness.and_then(|readiness| readiness.backlog).is_some_and(|backlog| {
        let oldest = backlog.oldest_unsynced_seconds.unwrap_or_default();
        oldest >= age.as_secs_f64() && backlog.waiting + backlog.in_flight > 0
    })
}
