//! The configuration of all services together.

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use runtime::StartError;
use runtime::config::{self, IndexKind, QueueKind, StoreKind};

/// The configuration of all services, read from one set of flags and variables.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) listen: config::Listen,
    pub(crate) caching: config::Caching,
    pub(crate) html: api::config::Html,
    pub(crate) images: config::Images,
    pub(crate) index: config::Index,
    pub(crate) command: command::BackEnds,
    pub(crate) sync: sync::BackEnds,
    pub(crate) query: query::service::Config,
    pub(crate) access: config::Access,
    pub(crate) logging: config::Logging,
}

impl Configuration {
    /// Returns true if the store and the queue are one file, which enqueues the change of each write itself.
    pub(crate) fn is_one_file(&self) -> bool {
        self.command.store.store == StoreKind::Sqlite && self.command.queue.queue == QueueKind::Sqlite
    }

    /// Describes where the catalogue is.
    pub(crate) fn places(&self) -> String {
        let folder = self.command.data_dir.data_dir.display();
        let store = match self.command.store.store {
            StoreKind::Sqlite => format!("its store in {folder}"),
            StoreKind::Dynamodb => format!("its store in the table {}", self.command.dynamodb.dynamodb_table),
        };
        let queue = match self.command.queue.queue {
            QueueKind::Sqlite => format!("its queue in {folder}"),
            QueueKind::Sqs => format!("its queue in the SQS queue {}", self.command.queue.sqs_queue),
        };
        match self.index.index {
            IndexKind::Tantivy if self.is_one_file() => format!("its data in {folder}"),
            IndexKind::Tantivy => format!("{store}, {queue} and its index in {folder}"),
            // The URL may contain a password.
            IndexKind::Opensearch => {
                format!("{store}, {queue} and its index in OpenSearch ({})", self.index.opensearch_index)
            }
        }
    }
}

impl Args for Configuration {
    fn augment_args(command: Command) -> Command {
        api::config::augment(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        api::config::augment(command)
    }
}

/// Reads each service's configuration from the same matches: the services share the names of their flags.
impl FromArgMatches for Configuration {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let command = command::BackEnds::from_arg_matches(matches)?;
        // The parts of one process share what they wait for.
        let waiting = command.waiting.clone();
        let sync = sync::BackEnds { waiting: waiting.clone(), ..sync::BackEnds::from_arg_matches(matches)? };
        let mut query = query::service::Config::from_arg_matches(matches)?;
        query.waiting = waiting;
        Ok(Self {
            listen: config::Listen::from_arg_matches(matches)?,
            caching: config::Caching::from_arg_matches(matches)?,
            html: api::config::Html::from_arg_matches(matches)?,
            images: config::Images::from_arg_matches(matches)?,
            index: config::Index::from_arg_matches(matches)?,
            access: config::Access::from_arg_matches(matches)?,
            logging: config::Logging::from_arg_matches(matches)?,
            command,
            sync,
            query,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The variables that choose back ends.
#[derive(Debug, Args)]
pub(crate) struct Kinds {
    #[command(flatten)]
    store: config::Store,
    #[command(flatten)]
    queue: config::Queue,
    #[command(flatten)]
    index: config::Index,
}

impl Kinds {
    /// Checks that the variables choose the embedded back ends, for a command that opens a data folder.
    ///
    /// # Errors
    /// If they choose another one, which the command would ignore.
    pub(crate) fn check_embedded(&self) -> Result<(), StartError> {
        let other = match (self.store.store, self.queue.queue, self.index.index) {
            (StoreKind::Dynamodb, ..) => "NOREN_STORE=dynamodb",
            (_, QueueKind::Sqs, _) => "NOREN_QUEUE=sqs",
            (.., IndexKind::Opensearch) => "NOREN_INDEX=opensearch",
            (StoreKind::Sqlite, QueueKind::Sqlite, IndexKind::Tantivy) => return Ok(()),
        };
        Err(StartError::usage(format!(
            "{other} is not in a data folder, which this command works on; unset the variable, or use --back-ends or --url \
             if the command has it"
        )))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        all: Configuration,
    }

    #[test]
    fn every_service_reads_the_same_flags() {
        let flags = ["noren", "--store=dynamodb", "--queue=sqs", "--index=opensearch", "--data-dir=d"];
        let all = Program::try_parse_from(flags).ok().unwrap().all;
        assert_eq!(
            (all.command.store.store, all.sync.store.store),
            (StoreKind::Dynamodb, StoreKind::Dynamodb)
        );
        assert_eq!((all.command.queue.queue, all.sync.queue.queue), (QueueKind::Sqs, QueueKind::Sqs));
        assert_eq!((all.index.index, all.sync.index.index), (IndexKind::Opensearch, IndexKind::Opensearch));
        assert_eq!(all.command.data_dir.data_dir, all.sync.data_dir.data_dir);
        assert!(!all.is_one_file());
        let places = "its store in the table noren-products, its queue in the SQS queue noren-sync and its index in OpenSearch \
                      (noren-products)";
        assert_eq!(all.places(), places);
    }
}
