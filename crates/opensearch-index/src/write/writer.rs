//! The writing side: changes in bulk, each with the version of its product.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use domain::ports::IndexMaintenance;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind};
use domain::{Change, Record, Version};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use text::projection::Projector;

use crate::client::{Call, CallError, Client, OpenError, Options, answer_for_each, described, kind_of};
use crate::layout::aliases::{Family, make, next_alias};
use crate::layout::document::document;

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

/// Writes the index behind an alias, and the one that is being built beside it. Any number of writers may work at once:
/// OpenSearch compares versions.
pub struct OpenSearchWriter {
    pub(crate) client: Client,
    /// Whether to make the index when there is none.
    makes: bool,
}

/// Something to do to a document, with its place among what was given.
pub(crate) struct Item {
    pub(crate) place: usize,
    /// The lines of a bulk request.
    pub(crate) lines: Bytes,
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
    /// for an index that was made for another language, [`OpenError::Newer`], [`OpenError::Older`] and
    /// [`OpenError::Unusable`] for one that this program cannot write.
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

    /// The same for one who rebuilds the index: whether what is there can be used plays no part.
    ///
    /// # Errors
    /// [`OpenError::Address`] and [`OpenError::Alias`] for options that mean nothing.
    pub fn open_to_rebuild(options: &Options) -> Result<Self, OpenError> {
        Ok(Self { client: Client::new(options)?, makes: false })
    }

    async fn start(options: &Options, makes: bool) -> Result<Self, OpenError> {
        let writer = Self { client: Client::new(options)?, makes };
        let looked = writer.family().await;
        match looked.and_then(|family| family.live(&writer.client).map(|_| family)) {
            Ok(family) => family.warn(&writer.client),
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

    /// The indexes that there are now, from no memory: another process may have begun to build one.
    async fn family(&self) -> Result<Family, OpenError> {
        match self.makes {
            true => make(&self.client).await,
            false => Family::look(&self.client).await,
        }
    }

    /// Makes projections as this writer's documents are made.
    pub(crate) fn projector(&self) -> Projector {
        Projector::new(self.client.language, self.client.weights)
    }

    /// Writes changes into the index behind an alias, and makes them visible.
    async fn write(&self, alias: &str, made: i64, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let mut applied = vec![Applied::Stale; changes.len()];
        let mut bulk = Bulk::new(self, alias);
        let mut projector = self.projector();
        for (place, change) in changes.iter().enumerate() {
            // Only a version above the one that is there is taken.
            match index_lines(&change.record(), "external", made, &mut projector) {
                Ok(lines) => bulk.add(Item { place, lines }, &mut applied).await?,
                Err(reason) => applied[place] = Applied::Refused(reason),
            }
        }
        bulk.finish(&mut applied).await?;
        // Also for what was there before: whoever wrote it may have come no further.
        self.refresh(alias).await?;
        Ok(applied)
    }

    /// Sends items until each is settled, or has been refused for now too often.
    async fn settle(
        &self,
        alias: &str,
        mut items: Vec<Item>,
        applied: &mut [Applied],
    ) -> Result<(), PortError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut later = Vec::new();
            let mut reason = None;
            match self.bulk(alias, &items).await {
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
    async fn bulk(&self, alias: &str, items: &[Item]) -> Result<Vec<Outcome>, CallError> {
        let mut body = BytesMut::with_capacity(items.iter().map(|item| item.lines.len()).sum());
        items.iter().for_each(|item| body.put_slice(&item.lines));
        let call = Call {
            method: Method::Post,
            path: format!("{alias}/_bulk"),
            // Without the alias, an index would be made from whatever comes first.
            query: &[("require_alias", "true"), ("filter_path", "items.*.status,items.*.error")],
            body: Some(body.freeze()),
            patience: BULK_PATIENCE,
        };
        let answer: BulkAnswer = self.client.call(call).await?;
        let answers = answer_for_each(&self.client.address, items.len(), answer.items)?;
        Ok(answers.into_iter().map(|item| item.answer().outcome()).collect())
    }

    /// Makes what was written visible to searches.
    pub(crate) async fn refresh(&self, alias: &str) -> Result<(), PortError> {
        let call = Call {
            method: Method::Post,
            path: format!("{alias}/_refresh"),
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

/// Items that are gathered into requests of a good size.
pub(crate) struct Bulk<'a> {
    writer: &'a OpenSearchWriter,
    alias: &'a str,
    items: Vec<Item>,
    bytes: usize,
}

impl<'a> Bulk<'a> {
    pub(crate) fn new(writer: &'a OpenSearchWriter, alias: &'a str) -> Self {
        Self { writer, alias, items: Vec::new(), bytes: 0 }
    }

    /// Takes an item along. What becomes of it stands in `applied` after [`Bulk::finish`] at the latest.
    pub(crate) async fn add(&mut self, item: Item, applied: &mut [Applied]) -> Result<(), PortError> {
        if self.bytes + item.lines.len() > MAX_BULK_BYTES && !self.items.is_empty() {
            self.send(applied).await?;
        }
        self.bytes += item.lines.len();
        self.items.push(item);
        Ok(())
    }

    /// Sends what is left.
    pub(crate) async fn finish(mut self, applied: &mut [Applied]) -> Result<(), PortError> {
        match self.items.is_empty() {
            true => Ok(()),
            false => self.send(applied).await,
        }
    }

    async fn send(&mut self, applied: &mut [Applied]) -> Result<(), PortError> {
        self.bytes = 0;
        self.writer.settle(self.alias, std::mem::take(&mut self.items), applied).await
    }
}

#[async_trait]
impl IndexWriter for OpenSearchWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let family = self.family().await?;
        let live = family.live(&self.client)?;
        let next_alias = next_alias(&self.client.alias);
        let next = async {
            match family.usable_next(&self.client) {
                Some(next) => self.write(&next_alias, next.made, changes).await.map(drop),
                None => Ok(()),
            }
        };
        let (applied, next) = tokio::join!(self.write(&self.client.alias, live.made, changes), next);
        match (applied, next) {
            // What is wrong with both is not for the one that is being built to pay for.
            (Err(error), _) => Err(error),
            // Where the one that is being built may lack the changes now, or became the live one meanwhile, they come
            // again.
            (Ok(_), Err(error)) if error.is_transient() => Err(error),
            (Ok(applied), Err(error)) => {
                tracing::error!(
                    error = error.chain(),
                    "the index that is being built failed and is given up"
                );
                self.discard_next().await?;
                Ok(applied)
            }
            (Ok(applied), Ok(())) => Ok(applied),
        }
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.family().await?.live(&self.client)?;
        Ok(())
    }
}

/// The lines of a bulk request that put the document of a record in its place, or why there cannot be any.
pub(crate) fn index_lines(
    record: &Record,
    version_type: &str,
    made: i64,
    projector: &mut Projector,
) -> Result<Bytes, String> {
    let projection = projector.project(record).map_err(|error| error.to_string())?;
    let version = version_number(projection.version)?;
    let action = json!({ "index": {
        "_id": projection.id.as_str(), "version": version, "version_type": version_type,
    } });
    Ok(Bytes::from(format!("{action}\n{}\n", document(record, &projection, made))))
}

/// The version as OpenSearch counts.
pub(crate) fn version_number(version: Version) -> Result<i64, String> {
    i64::try_from(version.0).map_err(|_| format!("version {version} is above what OpenSearch can count"))
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
#[serde(rename_all = "lowercase")]
enum BulkItem {
    Index(ItemAnswer),
    Delete(ItemAnswer),
}

impl BulkItem {
    fn answer(self) -> ItemAnswer {
        match self {
            Self::Index(answer) | Self::Delete(answer) => answer,
        }
    }
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
            // What was to be removed is not there; an index that is not there comes as an error with a name.
            404 if name.is_empty() => Outcome::Settled(Applied::Done),
            // The document is at fault, whenever it comes.
            400 | 413 => Outcome::Settled(Applied::Refused(format!("OpenSearch refuses it: {reason}"))),
            status => Outcome::Later(kind_of(status, &name), reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_for_another_number_of_changes_is_that_of_none() {
        let read = |items: &str, asked| {
            let answer: BulkAnswer = serde_json::from_str(items).unwrap();
            answer_for_each("http://localhost/", asked, answer.items).map(|items| items.len())
        };
        let two = r#"{"items":[{"index":{"status":201}},{"delete":{"status":200}}]}"#;
        assert_eq!(read(two, 2).unwrap(), 2);
        for (answer, asked) in [(two, 1), (two, 3), ("{}", 1)] {
            let error = read(answer, asked).unwrap_err();
            assert!(!is_busy(&error), "it is not sent again as it is");
            assert!(error.during("writing the index").is_transient(), "{answer}");
        }
    }
}
