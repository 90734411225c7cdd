//! The writing side: applies changes in bulk, each with the version of its product.

use async_trait::async_trait;
use domain::Change;
use domain::ports::{Applied, IndexMaintenance, IndexWriter, PortError};
use text::projection::Projector;

use crate::client::Client;
use crate::error::OpenError;
use crate::layout::aliases::{IndexAliases, next_alias};
use crate::options::Options;
use crate::write::bulk::{BulkLines, BulkWriter, VersionCheck};
use crate::write::claim::Claims;

/// A writer of the live index behind an alias, and of the next one while it is being built. Any number of writers may work
/// concurrently, because OpenSearch compares versions.
pub struct OpenSearchWriter {
    pub(super) client: Client,
    /// True to create the live index if there is none.
    creates_index: bool,
    pub(super) claims: Claims,
}

impl OpenSearchWriter {
    /// Opens the index behind the alias.
    ///
    /// # Errors
    /// Returns [`OpenError::Address`] and [`OpenError::Alias`] for invalid options, [`OpenError::Denied`] if OpenSearch denies
    /// access, [`OpenError::Missing`] if the alias does not exist, [`OpenError::OtherLanguage`] for an index of another
    /// language, [`OpenError::Newer`], [`OpenError::Older`] or [`OpenError::Unusable`] for an index that this program
    /// cannot write, and [`OpenError::Failed`] if a call to OpenSearch fails.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        Self::unchecked(options, false)?.checked(false).await
    }

    /// Opens the index behind the alias as [`Self::open`] does. Creates index and alias whenever they do not exist.
    ///
    /// # Errors
    /// As [`Self::open`], except [`OpenError::Missing`].
    pub async fn create(options: &Options) -> Result<Self, OpenError> {
        Self::unchecked(options, true)?.checked(false).await
    }

    /// Opens the index as [`Self::open`] does, or as [`Self::create`] if `creates_index`, for a caller that will rebuild an
    /// index of an older schema. An index that is too old to be read is no error; changes then fail as
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable) until the next index is live.
    ///
    /// # Errors
    /// As [`Self::open`] or [`Self::create`], except [`OpenError::Older`].
    pub async fn open_to_upgrade(options: &Options, creates_index: bool) -> Result<Self, OpenError> {
        Self::unchecked(options, creates_index)?.checked(true).await
    }

    /// Opens the index behind the alias without looking at it; each use checks it. `creates_index` is true to create index and
    /// alias whenever they do not exist.
    ///
    /// # Errors
    /// Returns [`OpenError::Address`] and [`OpenError::Alias`] for invalid options.
    pub fn unchecked(options: &Options, creates_index: bool) -> Result<Self, OpenError> {
        Ok(Self { client: Client::new(options)?, creates_index, claims: Claims::new() })
    }

    /// Opens the alias for rebuilding its index, without checking that the existing index is usable.
    ///
    /// # Errors
    /// Returns [`OpenError::Address`] and [`OpenError::Alias`] for invalid options.
    pub fn open_to_rebuild(options: &Options) -> Result<Self, OpenError> {
        Self::unchecked(options, false)
    }

    /// Checks the live index. If `tolerates_older`, an index that is too old to be read is no error.
    async fn checked(self, tolerates_older: bool) -> Result<Self, OpenError> {
        let aliases = self.load_aliases().await?;
        match aliases.live(&self.client) {
            Ok(_) => aliases.warn(&self.client),
            Err(error @ OpenError::Older { .. }) if tolerates_older => {
                tracing::info!(%error, "rebuilding an unusable index");
            }
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Loads the aliases, never from a cache: another process may have started to build an index.
    async fn load_aliases(&self) -> Result<IndexAliases, OpenError> {
        match self.creates_index {
            true => IndexAliases::load_or_create(&self.client).await,
            false => IndexAliases::load(&self.client).await,
        }
    }

    /// Returns a projector with the language and weights of this writer.
    pub(super) fn projector(&self) -> Projector {
        Projector::new(self.client.language, self.client.weights)
    }

    /// Writes changes into the index behind an alias and makes them visible.
    async fn write(
        &self,
        alias: &str,
        index_created_at: i64,
        changes: &[Change],
    ) -> Result<Vec<Applied>, PortError> {
        let mut bulk = BulkWriter::new(&self.client, alias, changes.len());
        let mut projector = self.projector();
        for (position, change) in changes.iter().enumerate() {
            let record = change.record();
            let lines = BulkLines::index(&record, VersionCheck::Newer, index_created_at, &mut projector);
            bulk.add(position, lines).await?;
        }
        bulk.finish().await
    }
}

#[async_trait]
impl IndexWriter for OpenSearchWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let aliases = self.load_aliases().await?;
        let live = aliases.live(&self.client)?;
        let next_alias = next_alias(&self.client.alias);
        let next = async {
            match aliases.usable_next(&self.client) {
                Some(next) => self.write(&next_alias, next.created_at, changes).await.map(drop),
                None => Ok(()),
            }
        };
        let (applied, next) = tokio::join!(self.write(&self.client.alias, live.created_at, changes), next);
        match (applied, next) {
            // A failure of both is not a fault of the next index.
            (Err(error), _) => Err(error),
            // The next index may lack the changes, or may have become the live one meanwhile, so the caller must retry.
            (Ok(_), Err(error)) if error.is_transient() => Err(error),
            (Ok(applied), Err(error)) => {
                tracing::error!(
                    error = error.chain(),
                    "writing the index that is being built failed; it is discarded"
                );
                self.discard_next().await?;
                Ok(applied)
            }
            (Ok(applied), Ok(())) => Ok(applied),
        }
    }

    fn back_end(&self) -> &'static str {
        "opensearch"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.load_aliases().await?.live(&self.client)?;
        Ok(())
    }
}
