//! The writing side: changes in bulk, each with the version of its product.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use domain::Change;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use text::field_weights::FieldWeights;
use text::weights::Weigher;
use tokio::sync::OnceCell;

use crate::client::{Call, CallError, Client, OpenError, Options, described, kind_of};
use crate::document::document;
use crate::setup::{Ready, find, make};

/// The most bytes that go into one request; a single product may have more.
const MAX_BULK_BYTES: usize = 5 * 1024 * 1024;
/// How long one bulk request may take.
const BULK_PATIENCE: Duration = Duration::from_secs(30);
/// How long making changes visible may take.
const REFRESH_PATIENCE: Duration = Duration::from_secs(30);
/// How often what was refused for now is sent.
const TRIES: u32 = 5;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Writes the index behind an alias. Any number of writers may work at once: OpenSearch compares versions.
pub struct OpenSearchWriter {
    client: Client,
    /// Whether to make the index when there is none.
    makes: bool,
    weights: FieldWeights,
    /// Set once the index was made, or seen to be one that can be written.
    ready: OnceCell<Ready>,
}

/// A change on its way, with its place among those given.
struct Item {
    place: usize,
    /// The two lines of a bulk request.
    lines: Bytes,
}

/// What became of an item.
enum Outcome {
    Settled(Applied),
    /// It may be taken later.
    Later(PortErrorKind, String),
}

impl OpenSearchWriter {
    /// Looks at the index behind the alias. Where OpenSearch does not answer, that goes to the log, and the index is
    /// looked at again when it is needed.
    ///
    /// # Errors
    /// [`OpenError::Address`] and [`OpenError::Alias`] for options that mean nothing, [`OpenError::Denied`] where
    /// OpenSearch does not let us in, [`OpenError::Missing`] where nothing has the alias, [`OpenError::OtherLanguage`]
    /// for an index that was made for another language, [`OpenError::Newer`] and [`OpenError::Unusable`] for one that
    /// this program cannot write.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        Self::start(options, false).await
    }

    /// The same, but makes the index and its alias where they are not there, at once or as soon as OpenSearch
    /// answers.
    ///
    /// # Errors
    /// As [`OpenSearchWriter::open`].
    pub async fn create(options: &Options) -> Result<Self, OpenError> {
        Self::start(options, true).await
    }

    async fn start(options: &Options, makes: bool) -> Result<Self, OpenError> {
        let writer =
            Self { client: Client::new(options)?, makes, weights: options.weights, ready: OnceCell::new() };
        match writer.prepare().await {
            Ok(_) => {}
            Err(OpenError::Failed(error)) => {
                tracing::warn!(
                    error = error.chain(),
                    "the index cannot be written yet; look at NOREN_OPENSEARCH_URL and whether OpenSearch runs there"
                );
            }
            Err(error) => return Err(error),
        }
        Ok(writer)
    }

    async fn prepare(&self) -> Result<Ready, OpenError> {
        let look = async || match self.makes {
            true => make(&self.client).await,
            false => find(&self.client).await,
        };
        self.ready.get_or_try_init(look).await.copied()
    }

    /// Sends items until each is settled, or has been refused for now too often.
    async fn settle(&self, mut items: Vec<Item>, applied: &mut [Applied]) -> Result<(), PortError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut later = Vec::new();
            let mut reason = None;
            match self.bulk(&items).await {
                Ok(outcomes) => {
                    for (item, outcome) in items.into_iter().zip(outcomes) {
                        match outcome {
                            Outcome::Settled(what) => applied[item.place] = what,
                            Outcome::Later(kind, why) => {
                                reason = Some(PortError::bare(kind, format!("writing the index: {why}")));
                                later.push(item);
                            }
                        }
                    }
                }
                Err(error) if is_busy(&error) => {
                    reason = Some(error.during("writing the index"));
                    later = items;
                }
                Err(error) => return Err(error.during("writing the index")),
            }
            let Some(reason) = reason else { return Ok(()) };
            if tries == TRIES {
                return Err(reason);
            }
            tracing::debug!(changes = later.len(), error = reason.chain(), "sending changes again");
            items = later;
            // Cut by chance, so that many writers do not come back in step.
            let longest = FIRST_PAUSE * 2_u32.pow(tries - 1);
            tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        }
    }

    /// Sends items once. The outcomes are in their order.
    async fn bulk(&self, items: &[Item]) -> Result<Vec<Outcome>, CallError> {
        let mut body = BytesMut::with_capacity(items.iter().map(|item| item.lines.len()).sum());
        items.iter().for_each(|item| body.put_slice(&item.lines));
        let call = Call {
            method: Method::Post,
            path: format!("{}/_bulk", self.client.alias),
            // Without the alias, an index would be made from whatever comes first.
            query: &[("require_alias", "true"), ("filter_path", "items.*.status,items.*.error")],
            body: Some(body.freeze()),
            patience: BULK_PATIENCE,
        };
        let answer: BulkAnswer = self.client.call(call).await?;
        let mut outcomes: Vec<Outcome> = answer.items.into_iter().map(|item| item.index.outcome()).collect();
        // An answer that is too short says nothing of the rest.
        let untold = || Outcome::Later(PortErrorKind::Internal, "the answer leaves changes out".to_owned());
        outcomes.resize_with(items.len(), untold);
        Ok(outcomes)
    }

    /// Makes what was written visible to searches.
    async fn refresh(&self) -> Result<(), PortError> {
        let call = Call {
            method: Method::Post,
            path: format!("{}/_refresh", self.client.alias),
            query: &[],
            body: None,
            patience: REFRESH_PATIENCE,
        };
        let failed = |error: CallError| error.during("making changes visible to searches");
        let answer: Value = self.client.call(call).await.map_err(failed)?;
        match answer["_shards"]["failed"].as_u64() {
            Some(0) => Ok(()),
            _ => Err(PortError::bare(PortErrorKind::Unavailable, "a part of the index shows no changes")),
        }
    }
}

#[async_trait]
impl IndexWriter for OpenSearchWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let Ready { made } = self.prepare().await?;
        let mut applied = vec![Applied::Stale; changes.len()];
        let (mut items, mut bytes) = (Vec::new(), 0);
        let mut weigher = Weigher::new(self.client.language).with_weights(self.weights);
        for (place, change) in changes.iter().enumerate() {
            let lines = match lines(change, made, &mut weigher) {
                Ok(lines) => lines,
                Err(reason) => {
                    applied[place] = Applied::Refused(reason);
                    continue;
                }
            };
            if bytes + lines.len() > MAX_BULK_BYTES && !items.is_empty() {
                self.settle(std::mem::take(&mut items), &mut applied).await?;
                bytes = 0;
            }
            bytes += lines.len();
            items.push(Item { place, lines });
        }
        if !items.is_empty() {
            self.settle(items, &mut applied).await?;
        }
        // Also for what was there before: whoever wrote it may have come no further.
        self.refresh().await?;
        Ok(applied)
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.prepare().await?;
        // Not from memory: the alias may have gone since.
        find(&self.client).await?;
        Ok(())
    }
}

/// The lines of a bulk request for a change, or why there cannot be any.
fn lines(change: &Change, made: i64, weigher: &mut Weigher) -> Result<Bytes, String> {
    let Ok(version) = i64::try_from(change.version().0) else {
        return Err(format!("version {} is above what OpenSearch can count", change.version()));
    };
    // Only a version above the one that is there is taken.
    let action = json!({ "index": {
        "_id": change.id().as_str(), "version": version, "version_type": "external",
    } });
    let document = document(change, made, weigher).map_err(|error| error.to_string())?;
    Ok(Bytes::from(format!("{action}\n{document}\n")))
}

/// Whether the same request may be taken in a moment.
fn is_busy(error: &CallError) -> bool {
    matches!(error.status(), Some(429 | 502 | 503 | 504)) && error.kind() != PortErrorKind::Full
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    index: ItemAnswer,
}

#[derive(Deserialize)]
struct ItemAnswer {
    status: u16,
    #[serde(default)]
    error: Value,
}

impl ItemAnswer {
    fn outcome(self) -> Outcome {
        let (name, reason) = described(&self.error);
        match self.status {
            200..300 => Outcome::Settled(Applied::Done),
            409 => Outcome::Settled(Applied::Stale),
            // The document is at fault, whenever it comes.
            400 | 413 => Outcome::Settled(Applied::Refused(format!("OpenSearch refuses it: {reason}"))),
            status => Outcome::Later(kind_of(status, &name), reason),
        }
    }
}
