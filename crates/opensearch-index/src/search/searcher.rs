//! The reading side.

use async_trait::async_trait;
use domain::ports::{IndexStats, Indexed, PortError, SearchIndex};
use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use domain::{ProductId, Version};
use tokio::sync::OnceCell;

use crate::client::{Client, OpenError, Options};
use crate::documents::{get, versions};
use crate::layout::aliases::{Ready, find};
use crate::search::execute;
use crate::search::snapshot::State;

/// Searches the index behind an alias. It makes none: until a writer did, everything is
/// [`Unavailable`](domain::ports::PortErrorKind::Unavailable).
pub struct OpenSearchSearcher {
    client: Client,
    /// Set once the index was seen to be one that can be read.
    checked: OnceCell<Ready>,
}

impl OpenSearchSearcher {
    /// Looks at the index behind the alias. Where OpenSearch does not answer, or has no such alias yet, that goes to
    /// the log, and the index is looked at again when it is needed.
    ///
    /// # Errors
    /// [`OpenError::Address`] and [`OpenError::Alias`] for options that mean nothing, [`OpenError::Denied`] where
    /// OpenSearch does not let us in, [`OpenError::OtherLanguage`] for an index that was made for another language,
    /// [`OpenError::Newer`] and [`OpenError::Unusable`] for one that this program cannot read.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let searcher = Self { client: Client::new(options)?, checked: OnceCell::new() };
        match searcher.check().await {
            Ok(()) => {}
            Err(error @ (OpenError::Failed(_) | OpenError::Missing { .. })) => {
                let error = PortError::from(error).chain();
                tracing::warn!(
                    error,
                    "the index cannot be searched yet; look at NOREN_OPENSEARCH_URL and NOREN_OPENSEARCH_INDEX, \
                     and whether noren-sync runs, which makes the index"
                );
            }
            Err(error) => return Err(error),
        }
        Ok(searcher)
    }

    async fn check(&self) -> Result<(), OpenError> {
        self.checked.get_or_try_init(|| find(&self.client)).await.map(drop)
    }
}

#[async_trait]
impl SearchIndex for OpenSearchSearcher {
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
        self.check().await?;
        match requests {
            [] => Ok(Vec::new()),
            [request] => Ok(vec![execute::search(&State::newest(&self.client), request).await?]),
            _ => {
                let state = State::kept(&self.client).await?;
                let answers = search_all(&state, requests).await;
                state.give_up().await;
                answers
            }
        }
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        self.check().await?;
        get(&self.client, ids).await
    }

    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        self.check().await?;
        versions(&self.client, ids).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        self.check().await?;
        execute::facet_values(&State::newest(&self.client), request).await
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        self.check().await?;
        execute::stats(&State::newest(&self.client)).await
    }

    async fn ready(&self) -> Result<(), PortError> {
        // Not from memory: the alias may have gone since.
        find(&self.client).await?;
        Ok(())
    }
}

async fn search_all(state: &State<'_>, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(execute::search(state, request).await?);
    }
    Ok(answers)
}
