//! The implementation of the search port.

use async_trait::async_trait;
use domain::ports::{IndexStats, Indexed, PortError, SearchIndex};
use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use domain::{ProductId, Version};
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::error::OpenError;
use crate::layout::aliases::{UsableIndex, check_live};
use crate::options::Options;
use crate::search::snapshot::Snapshot;
use crate::search::{execute, lookup};

/// A searcher of the index behind an alias. Until a writer has created the index, every call fails as
/// [`Unavailable`](domain::ports::PortErrorKind::Unavailable).
pub struct OpenSearchSearcher {
    client: Client,
    /// Set once a check has found a usable index.
    checked: OnceCell<UsableIndex>,
}

impl OpenSearchSearcher {
    /// Opens the index behind the alias.
    ///
    /// # Errors
    /// Returns [`OpenError::Address`] and [`OpenError::Alias`] for invalid options, [`OpenError::Denied`] if OpenSearch denies
    /// access, [`OpenError::Missing`] until a writer has created the index, [`OpenError::OtherLanguage`] for an index of
    /// another language, [`OpenError::Newer`] or [`OpenError::Unusable`] for an index that this program cannot read, and
    /// [`OpenError::Failed`] if a call to OpenSearch fails. An index that is too old to be read is no error: searches fail as
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable) until it has been rebuilt.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let searcher = Self::unchecked(options)?;
        match searcher.check().await {
            Err(error @ OpenError::Older { .. }) => {
                tracing::warn!(%error, "searches are unavailable until the index has been rebuilt");
            }
            checked => checked?,
        }
        Ok(searcher)
    }

    /// Opens the index behind the alias without looking at it. Every call fails until a usable index exists.
    ///
    /// # Errors
    /// Returns [`OpenError::Address`] and [`OpenError::Alias`] for invalid options.
    pub fn unchecked(options: &Options) -> Result<Self, OpenError> {
        Ok(Self { client: Client::new(options)?, checked: OnceCell::new() })
    }

    async fn check(&self) -> Result<(), OpenError> {
        self.checked.get_or_try_init(|| check_live(&self.client)).await.map(drop)
    }
}

#[async_trait]
impl SearchIndex for OpenSearchSearcher {
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
        self.check().await?;
        match requests {
            [] => Ok(Vec::new()),
            // A single search needs no point in time, which would take two more calls.
            [request] => Ok(vec![execute::search(&Snapshot::latest(&self.client), request).await?]),
            _ => {
                let snapshot = Snapshot::open_point_in_time(&self.client).await?;
                let answers = search_all(&snapshot, requests).await;
                snapshot.close().await;
                answers
            }
        }
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        self.check().await?;
        lookup::get(&self.client, ids).await
    }

    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        self.check().await?;
        lookup::versions(&self.client, ids).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        self.check().await?;
        execute::facet_values(&Snapshot::latest(&self.client), request).await
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        self.check().await?;
        execute::stats(&Snapshot::latest(&self.client)).await
    }

    fn back_end(&self) -> &'static str {
        "opensearch"
    }

    async fn ready(&self) -> Result<(), PortError> {
        // Not cached: the alias may have been removed since.
        check_live(&self.client).await?;
        Ok(())
    }
}

async fn search_all(
    snapshot: &Snapshot<'_>,
    requests: &[SearchRequest],
) -> Result<Vec<SearchAnswer>, PortError> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(execute::search(snapshot, request).await?);
    }
    Ok(answers)
}
