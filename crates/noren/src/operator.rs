//! Where the commands of an operator work: on a running service, on a folder while no service runs, or on the back ends
//! of services that run elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use command::{Catalogue, OpenBackEnds};
use domain::ports::IndexMaintenance;
use domain::ports::{ChangeQueue, DeadLetters, ProductStore};
use runtime::StartError;
use sync::{DeadLetterService, StoreAndIndex};

use crate::cli::DEFAULT_URL;
use crate::client::{Api, InProcess, Service};
use crate::failure::Failure;

/// Where a command of an operator works.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub struct OperatorPlace {
    /// The running service [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Work on this folder in this process, without a service
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Work on the store, queue and index that NOREN_STORE, NOREN_QUEUE and NOREN_INDEX and the other variables name, as
    /// the services open them
    #[arg(long)]
    pub back_ends: bool,
}

impl OperatorPlace {
    /// Opens what it names. A service is not asked yet.
    ///
    /// # Errors
    /// When the address is none, there is no such folder, or a back end cannot be opened.
    pub async fn open(&self) -> Result<Place, Failure> {
        if let Some(data_dir) = &self.data_dir {
            return Ok(Place::Local(Box::new(Parts::open(BackEnds::in_folder(data_dir)?).await?)));
        }
        if self.back_ends {
            return Ok(Place::Local(Box::new(Parts::open(BackEnds::of_services()?).await?)));
        }
        Ok(Place::Service(Service::at(self.url.as_deref().unwrap_or(DEFAULT_URL))?))
    }
}

/// A catalogue as an operator reaches it.
pub enum Place {
    /// By the routes of a running service.
    Service(Service),
    /// By its parts, opened in this process.
    Local(Box<Parts>),
}

impl Place {
    /// The routes that commands ask: those of the service, or the same ones over the parts.
    ///
    /// # Errors
    /// When the configuration of the parts is not right.
    pub fn api(&self) -> Result<Box<dyn Api>, Failure> {
        Ok(match self {
            Self::Service(service) => Box::new(service.clone()),
            Self::Local(parts) => Box::new(InProcess(parts.router()?)),
        })
    }
}

/// What an index is opened for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// To be compared with the store: it must be one that this program can use.
    Compare,
    /// To be rebuilt, whatever is there.
    Rebuild,
}

/// The parts of a catalogue, opened without a worker between them.
pub struct Parts {
    /// Where the products are.
    pub store: Arc<dyn ProductStore>,
    /// Where changes wait to be indexed.
    pub queue: Arc<dyn ChangeQueue>,
    /// What the queue gave up.
    pub dead_letters: Arc<dyn DeadLetters>,
    back_ends: BackEnds,
}

impl Parts {
    async fn open(back_ends: BackEnds) -> Result<Self, StartError> {
        let OpenBackEnds { store, queue, dead_letters } = command::open_back_ends(&back_ends.written).await?;
        Ok(Self { store, queue, dead_letters, back_ends })
    }

    /// The routes that look after the index, over an index that is opened as `purpose` wants. An embedded index has one
    /// writer at a time, so that this fails while a service writes it.
    ///
    /// # Errors
    /// When it cannot be opened, with what to do about it.
    pub async fn index_routes(&self, purpose: Purpose) -> Result<InProcess, StartError> {
        let index: Arc<dyn IndexMaintenance> = match purpose {
            Purpose::Compare => sync::open_index(&self.back_ends.indexed).await?,
            Purpose::Rebuild => sync::open_index_to_rebuild(&self.back_ends.indexed).await?,
        };
        let sides = StoreAndIndex { store: self.store.clone(), index };
        Ok(InProcess(sync::admin::index_routes(sides).split_for_parts().0))
    }

    /// The routes of a service that need no index.
    fn router(&self) -> Result<axum::Router, Failure> {
        let currency = self.back_ends.indexed.catalogue.currency();
        let catalogue = Catalogue::new(self.store.clone(), self.queue.clone(), currency);
        let office =
            DeadLetterService::new(self.store.clone(), self.queue.clone(), self.dead_letters.clone());
        let routes = command::routes(catalogue).merge(sync::admin::dead_letters::routes(office));
        Ok(routes.split_for_parts().0)
    }
}

/// How the services are configured on both sides of the queue.
struct BackEnds {
    written: command::BackEnds,
    indexed: sync::BackEnds,
}

impl BackEnds {
    /// What the variables of the services name. Nothing is made: what is missing is for the services to make.
    fn of_services() -> Result<Self, Failure> {
        let (mut written, mut indexed) = (variables::<command::BackEnds>()?, variables::<sync::BackEnds>()?);
        written.create_tables.create_tables = false;
        indexed.create_tables.create_tables = false;
        Ok(Self { written, indexed })
    }

    /// The embedded ones in a folder.
    fn in_folder(data_dir: &Path) -> Result<Self, Failure> {
        if !data_dir.is_dir() {
            let message =
                format!("there is no folder {}; name the data folder of a catalogue", data_dir.display());
            return Err(Failure::new(message));
        }
        let Self { written, indexed } = Self::of_services()?;
        Ok(Self {
            written: written.embedded_in(data_dir.to_owned()),
            indexed: indexed.embedded_in(data_dir.to_owned()),
        })
    }
}

/// Reads flags as a service that was given none: from its variables, with the same defaults and the same faults.
fn variables<T: Args>() -> Result<T, Failure> {
    let command = T::augment_args(clap::Command::new("noren"));
    let read = command.try_get_matches_from(["noren"]).and_then(|matches| T::from_arg_matches(&matches));
    read.map_err(|error| {
        // What follows the first line is about the flags of a service.
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Failure::usage(line.strip_prefix("error: ").unwrap_or(line))
    })
}
