//! Reading one's own writes: a request with sync tokens is answered once the index holds the writes that they name.
//!
//! No state is kept between requests, so any process can answer: each polls the index that it searches.

use std::time::{Duration, Instant};

use api::problems::{OrProblem as _, SEARCH_INDEX};
use axum::http::StatusCode;
use domain::ports::{Indexed, IndexedState};
use domain::search::Restriction;
use domain::{ProductId, SyncToken, Version};
use runtime::Problem;
use tracing::Instrument as _;

use crate::metrics::SYNC_WAIT_SECONDS;
use crate::reader::Reader;
use crate::search_service::SearchService;
use search_parameters::RequiredVersions;

/// The pause between the first two polls; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause between two polls.
const MAX_PAUSE: Duration = Duration::from_millis(50);

impl SearchService {
    /// Waits until new searches see every required version. For a client that may not know of unpublished products, only versions of
    /// products that it may find count as indexed: for any other product the wait times out, whether it exists or not.
    ///
    /// # Errors
    /// 504 if that takes too long, 503 if too many requests wait already.
    pub(crate) async fn wait_until_indexed(
        &self,
        required: &RequiredVersions,
        reader: &Reader,
    ) -> Result<(), Problem> {
        if required.is_empty() {
            return Ok(());
        }
        let span = tracing::info_span!(target: "noren::trace", "index.wait", noren.versions = required.iter().count());
        self.poll_until_indexed(required, reader).instrument(span).await
    }

    async fn poll_until_indexed(&self, required: &RequiredVersions, reader: &Reader) -> Result<(), Problem> {
        let mut missing: Vec<(&ProductId, Version)> = required.iter().collect();
        let start = Instant::now();
        let timeout = required.timeout();
        let (mut polled, mut pause, mut permit) = (None, FIRST_PAUSE, None);
        loop {
            // An unchanged snapshot holds no new version.
            let snapshot = self.newest_snapshot().await?;
            if snapshot.is_none() || snapshot != polled {
                self.remove_satisfied(&mut missing, reader).await?;
                polled = snapshot;
            }
            let waited = start.elapsed();
            if missing.is_empty() || waited >= timeout {
                metrics::histogram!(SYNC_WAIT_SECONDS).record(waited.as_secs_f64());
                return match missing.is_empty() {
                    true => Ok(()),
                    false => Err(not_indexed(&missing, reader.knows_unpublished, waited)),
                };
            }
            if permit.is_none() {
                permit = Some(self.waiters.enter(reader.waiter)?);
            }
            // Without identified snapshots every poll queries the index, so the rate of polls is limited.
            let least = if polled.is_none() { self.waiters.min_poll_interval() } else { Duration::ZERO };
            tokio::time::sleep(pause.max(least).min(timeout - waited)).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// Removes the versions that the index holds. Keeps those of products that the client may not know of.
    async fn remove_satisfied(
        &self,
        missing: &mut Vec<(&ProductId, Version)>,
        reader: &Reader,
    ) -> Result<(), Problem> {
        let ids: Vec<ProductId> = missing.iter().map(|(id, _)| (*id).clone()).collect();
        let indexed = self.index.versions(&ids).await.or_problem(SEARCH_INDEX)?;
        let mut indexed = indexed.into_iter();
        let may_be_found = match reader.knows_unpublished {
            true => vec![true; ids.len()],
            false => self.may_be_found(&ids, &reader.restriction).await?,
        };
        let mut may_be_found = may_be_found.into_iter();
        missing.retain(|(_, required)| {
            let is_indexed = indexed.next().flatten().is_some_and(|indexed| indexed >= *required);
            let is_visible = may_be_found.next().unwrap_or(false);
            !(is_indexed && is_visible)
        });
        Ok(())
    }

    /// Returns true for each product that the client may find.
    async fn may_be_found(&self, ids: &[ProductId], restriction: &Restriction) -> Result<Vec<bool>, Problem> {
        let indexed = self.index.get(ids).await.or_problem(SEARCH_INDEX)?;
        let is_inside = |indexed: Option<Indexed>| match indexed.map(|indexed| indexed.state) {
            Some(IndexedState::Active(product)) => restriction.accepts(&product.content),
            _ => false,
        };
        Ok(indexed.into_iter().map(is_inside).collect())
    }
}

/// Returns 504 with every sync token that the index does not satisfy.
fn not_indexed(missing: &[(&ProductId, Version)], knows_unpublished: bool, waited: Duration) -> Problem {
    let tokens: Vec<String> = missing
        .iter()
        .map(|(id, version)| SyncToken { id: (*id).clone(), version: *version }.to_string())
        .collect();
    let seconds = waited.as_secs_f64();
    let subject = match missing {
        [(id, version)] => format!("version {version} of product {id} is"),
        _ => format!("{} of the writes named are", missing.len()),
    };
    let or_outside = if knows_unpublished { "" } else { ", or not among the products that you may find" };
    let detail = format!(
        "{subject} not indexed yet after {seconds:.1} s{or_outside}; try again, wait longer with `syncTimeout`, or search without \
         the token"
    );
    Problem::new(StatusCode::GATEWAY_TIMEOUT, detail)
        .with("notIndexed", tokens)
        .retry_after(Duration::from_secs(1))
}
