//! The ports: what the services need of the outside world.
//!
//! Each sentence of a port's documentation is held by a contract test that runs against every adapter. No type
//! of a database or of a cloud crosses a port.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Record};
use crate::product::{Product, ProductId, Version};
use crate::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use crate::sync_token::SyncToken;

/// How often a message is received before it becomes a dead letter.
pub const MAX_RECEIVES: u32 = 5;

// ------------------------------------------------------------------------------------------------ errors

/// Why a port could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct PortError {
    /// What a caller can do about it.
    pub kind: PortErrorKind,
    /// What was being done, in lower case: `reading products from the store`.
    pub context: String,
    /// What went wrong underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// Too much at once: try again later, more slowly.
    Throttled,
    /// Not reachable, not ready or out of time: try again later.
    Unavailable,
    /// No room left on the disk: someone has to make some.
    Full,
    /// A defect, or data that should not exist: trying again does not help.
    Internal,
}

impl PortError {
    /// An error with its cause.
    pub fn new(
        kind: PortErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, context: context.into(), source: Some(source.into()) }
    }

    /// An error that is its own cause.
    pub fn bare(kind: PortErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.kind != PortErrorKind::Internal
    }

    /// The error and all its causes in one line, for a log or a person.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            source = cause.source();
        }
        line
    }
}

// ------------------------------------------------------------------------------------------------- store

/// The authority: products by id, strongly consistent and durable.
#[async_trait]
pub trait ProductStore: Send + Sync {
    /// What the store holds under each id, in the order asked; `None` where nothing ever was. A write that was
    /// answered before is seen.
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError>;

    /// Makes each write on its own: all of it or nothing, durable when this returns, also across a power loss.
    /// The answers are in the order asked. One that fails leaves the others as they are.
    ///
    /// A write of a product at version n+1 succeeds only while the store holds version n. Among writes of one
    /// call to the same product, the first one wins.
    ///
    /// Every write puts the fact that it must be synced into the same atomic step. Either the store enqueues the
    /// change itself in that step (then there is no mark), or it leaves a mark: the caller enqueues the change,
    /// then clears the mark, and whatever a crash leaves behind is found by [`ProductStore::unsent`].
    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>>;

    /// Remembers the answer to a request that changed nothing, so that its repetition gets the same one.
    /// [`WriteError::AlreadyAnswered`] when the key is taken.
    async fn remember(&self, answered: Answered) -> Result<(), WriteError>;

    /// The answer that a write with this key got, for at least 24 hours after it.
    async fn answered(&self, key: &str) -> Result<Option<Answered>, PortError>;

    /// Live products in an order of the store's own, which stays the same. A product that is live from the first
    /// page to the last is listed exactly once, whatever is written meanwhile.
    ///
    /// `cursor` is what the page before gave; none for the first page. A cursor that no page gave is
    /// [`ListError::UnknownCursor`].
    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError>;

    /// Everything that the store holds, tombstones too, in the same order and under the same promise as
    /// [`ProductStore::list`]; the cursors of the two are not exchanged.
    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError>;

    /// As [`ProductStore::scan`], with its cursors, but the versions only, which costs less where the store can do that.
    async fn versions(&self, cursor: Option<&str>, limit: usize) -> Result<VersionPage, ListError> {
        let page = self.scan(cursor, limit).await?;
        let versions = page.records.iter().map(StoredVersion::of).collect();
        Ok(VersionPage { versions, next: page.next })
    }

    /// Changes whose marks are older than `age`, the oldest first, at most `limit`.
    async fn unsent(&self, age: Duration, limit: usize) -> Result<Vec<Unsent>, PortError>;

    /// Clears marks after their changes were enqueued. A mark that is gone already is no error.
    async fn clear(&self, marks: &[OutboxMark]) -> Result<(), PortError>;

    /// How many marks there are, and how old the oldest is. A store on many machines, such as DynamoDB, counts only as far
    /// as about a thousand.
    async fn outbox(&self) -> Result<OutboxStats, PortError>;

    /// The name of this back end in the configuration, such as `sqlite`.
    fn back_end(&self) -> &'static str;

    /// Whether the store can be read and written now.
    async fn ready(&self) -> Result<(), PortError>;
}

/// One atomic write.
#[derive(Debug, Clone)]
pub struct Write {
    /// What to write and to sync.
    pub change: Change,
    /// The version that the store must hold now (of a product or a tombstone); none when it must never have
    /// had the id. It is the version before the change's own.
    pub replaces: Option<Version>,
    /// The answer to remember in the same step, with the caller's idempotency key.
    pub answered: Option<Answered>,
    /// The W3C trace context of the request, to travel with the message.
    pub traceparent: Option<String>,
}

/// A write that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The mark to clear after enqueuing; none where the store enqueued by itself.
    pub mark: Option<OutboxMark>,
}

/// Names one fact "must be synced" in the store that left it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OutboxMark(pub String);

/// How much is to be enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxStats {
    /// Marks that were not cleared.
    pub marks: u64,
    /// The age of the oldest; none where there is no mark.
    pub oldest_age: Option<Duration>,
}

/// A change whose mark is still there.
#[derive(Debug, Clone)]
pub struct Unsent {
    /// The mark to clear.
    pub mark: OutboxMark,
    /// The change, or a later one of the same product.
    pub envelope: Envelope,
}

/// Why a write was not made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store holds another version than the write was to replace.
    #[error("the store holds another version")]
    Conflict {
        /// The version it holds; none when it never had the id.
        current: Option<Version>,
    },
    /// The sku belongs to another live product.
    #[error("the sku belongs to product {owner}")]
    SkuTaken {
        /// That product.
        owner: ProductId,
    },
    /// A request with this idempotency key was answered already.
    #[error("a request with this idempotency key was answered already")]
    AlreadyAnswered,
    /// The store failed; nothing was written.
    #[error(transparent)]
    Failed(#[from] PortError),
}

/// The answer to a write, remembered under the caller's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The caller's key.
    pub key: String,
    /// A hash of the request, to tell a repetition from another request under the same key.
    pub fingerprint: [u8; 32],
    /// The answer.
    pub answer: WriteAnswer,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteAnswer {
    /// What happened.
    pub outcome: WriteOutcome,
    /// The product.
    pub id: ProductId,
    /// The version that it has now.
    pub version: Version,
}

impl WriteAnswer {
    /// What a search must be told to see this write.
    pub fn sync_token(&self) -> SyncToken {
        SyncToken { id: self.id.clone(), version: self.version }
    }
}

/// What a write did to its product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WriteOutcome {
    /// It is new, or new after a delete.
    Created,
    /// It has a new version.
    Updated,
    /// It was so already, and keeps its version.
    Unchanged,
    /// It is deleted.
    Deleted,
}

/// A page of the list of products.
#[derive(Debug, Clone)]
pub struct ProductPage {
    /// The products, each as it is now.
    pub products: Vec<Product>,
    /// The cursor of the next page; none on the last one.
    pub next: Option<String>,
}

/// A page of everything that a store holds.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The records, each as it is now.
    pub records: Vec<Record>,
    /// The cursor of the next page; none on the last one.
    pub next: Option<String>,
}

/// A page of the versions that a store holds.
#[derive(Debug, Clone)]
pub struct VersionPage {
    /// The versions, each as it is now.
    pub versions: Vec<StoredVersion>,
    /// The cursor of the next page; none on the last one.
    pub next: Option<String>,
}

/// Which version a store holds of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// The product.
    pub id: ProductId,
    /// Its version, or that of its tombstone.
    pub version: Version,
    /// When it was deleted; none of one that is live.
    pub deleted_at: Option<Timestamp>,
}

impl StoredVersion {
    /// The version of a record.
    pub fn of(record: &Record) -> Self {
        let deleted_at = match record {
            Record::Live(_) => None,
            Record::Deleted(tombstone) => Some(tombstone.deleted_at),
        };
        Self { id: record.id().clone(), version: record.version(), deleted_at }
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor is none of this store's.
    #[error("the cursor is not one that a list answered with")]
    UnknownCursor,
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] PortError),
}

// ------------------------------------------------------------------------------------------------- queue

/// Changes on their way from `command` to `sync`: at least once, in no order, retried, dead-lettered.
#[async_trait]
pub trait ChangeQueue: Send + Sync {
    /// Enqueues changes; each is durable when its answer is `Ok`. The answers are in the order given, and one that
    /// fails leaves the others enqueued.
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>>;

    /// Up to `max` messages that no other receiver holds. It answers as soon as there is any, and with none after
    /// `wait`. A message received is hidden from others for the visibility time-out of the queue; then it comes
    /// again, with one receive more, unless it was acknowledged.
    ///
    /// A message may carry a later change of the same product than the one that was sent.
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError>;

    /// Removes messages for good. One whose receipt is out of date is left alone; that is no error.
    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError>;

    /// Gives back messages that could not be worked on: each comes again after its delay. One that was received
    /// [`MAX_RECEIVES`] times becomes a dead letter with its reason, at once.
    async fn give_back(&self, failed: &[GivenBack]) -> Result<(), PortError>;

    /// Returns messages that nobody has worked on, as at a stop: they come again at once. A queue that counts receives itself
    /// takes this one back; in SQS it counts. No message becomes a dead letter by being released, however often.
    async fn release(&self, untouched: &[Released]) -> Result<(), PortError>;

    /// Hides messages that are still being worked on for another visibility time-out, counted from now.
    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError>;

    /// How long a message received stays hidden.
    fn visibility_timeout(&self) -> Duration;

    /// How much there is to do. A queue on one machine counts exactly; one on many, such as SQS, is right about a
    /// minute after the last change.
    async fn stats(&self) -> Result<QueueStats, PortError>;

    /// The name of this back end in the configuration, such as `sqlite`.
    fn back_end(&self) -> &'static str;

    /// Whether messages can be sent and received now.
    async fn ready(&self) -> Result<(), PortError>;
}

/// A change with what travels along.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The change.
    pub change: Change,
    /// The W3C trace context of the request that made it.
    pub traceparent: Option<String>,
}

/// Names one receive of one message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// A message received.
#[derive(Debug)]
pub struct Delivery {
    /// To acknowledge, extend or give back.
    pub receipt: Receipt,
    /// What the message says, or why it cannot be read.
    pub envelope: Result<Envelope, String>,
    /// How often it was received, with this time.
    pub receives: u32,
    /// The message as text, where it is to be given back with it: on its last receive, from a queue that makes the dead
    /// letter from what it is given.
    pub body: Option<String>,
}

impl Delivery {
    /// What to tell the queue when nobody worked on it.
    pub fn released(&self) -> Released {
        let Self { receipt, receives, body, .. } = self;
        Released { receipt: receipt.clone(), receives: *receives, body: body.clone() }
    }

    /// What to tell the queue when it cannot be worked on.
    pub fn given_back(&self, reason: impl Into<String>, delay: Duration) -> GivenBack {
        let Self { receipt, receives, body, .. } = self;
        GivenBack {
            receipt: receipt.clone(),
            receives: *receives,
            body: body.clone(),
            reason: reason.into(),
            delay,
        }
    }
}

/// A message given back.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// Which.
    pub receipt: Receipt,
    /// How often it was received, as the delivery says.
    pub receives: u32,
    /// The message as text, where the delivery has it.
    pub body: Option<String>,
    /// Why, for the person who reads the dead letters.
    pub reason: String,
    /// When it should come again.
    pub delay: Duration,
}

/// A message that nobody has worked on.
#[derive(Debug, Clone)]
pub struct Released {
    /// Which.
    pub receipt: Receipt,
    /// How often it was received, as the delivery says.
    pub receives: u32,
    /// The message as text, where the delivery has it.
    pub body: Option<String>,
}

/// How much there is to do in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that can be received now or later.
    pub waiting: u64,
    /// Messages that a receiver holds; in SQS also those that were given back and wait out their delay.
    pub in_flight: u64,
    /// Dead letters.
    pub dead: u64,
    /// The age of the oldest message that was not acknowledged, dead letters not counted; none where there is no such
    /// message, or where the queue does not tell its age, as SQS.
    pub oldest_age: Option<Duration>,
}

// ------------------------------------------------------------------------------------------ dead letters

/// The messages that a queue gave up, for a person who finds out why and decides what becomes of them.
///
/// In a queue on many machines, such as SQS, a letter that another caller looks at in the same moment may be missing in
/// an answer, and a call takes a second or more.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The newest dead letters, the newest first: at most `limit`, and fewer where they are large. In SQS they are the
    /// newest ones of some thousands that it happens to show.
    async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError>;

    /// The letters with these keys, in the order asked; `None` where there is no such letter.
    async fn find(&self, keys: &[DeadLetterKey]) -> Result<Vec<Option<DeadLetter>>, PortError>;

    /// Removes letters for good. The answers say, in the order asked, whether there was such a letter.
    async fn remove(&self, keys: &[DeadLetterKey]) -> Result<Vec<bool>, PortError>;
}

/// Names a dead letter in its queue, for as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadLetterKey(pub String);

/// Some dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterList {
    /// The newest first.
    pub letters: Vec<DeadLetter>,
    /// Whether there are others.
    pub more: bool,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its name.
    pub key: DeadLetterKey,
    /// The product it is about; none where it cannot be read.
    pub id: Option<ProductId>,
    /// The version that it was sent for; none where it cannot be read.
    pub version: Option<Version>,
    /// Why it was given up; none where the queue gave it up by itself and kept no reason.
    pub reason: Option<String>,
    /// How often it was received.
    pub receives: u32,
    /// When it was given up; none where the queue did not keep that.
    pub died_at: Option<Timestamp>,
    /// The message as text; none where it stood for what the store holds.
    pub body: Option<String>,
}

// ------------------------------------------------------------------------------------------------- index

/// The writing side of an index.
#[async_trait]
pub trait IndexWriter: Send + Sync {
    /// Brings the index to these changes, at most one for a product. Everything that is answered with `Ok` is
    /// durable and found by searches that begin after this returns.
    ///
    /// A version that is not above the one the index holds, of a product or a tombstone, changes nothing and is
    /// [`Applied::Stale`], also after a restart. A delete leaves a tombstone with its version.
    ///
    /// The answers are in the order given. An error means that nothing is certain: the same changes may be applied
    /// again.
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError>;

    /// Whether the index can be written now.
    async fn ready(&self) -> Result<(), PortError>;

    /// Puts in order what was written, where an index would do that by itself after a while, and waits for it.
    /// Searches find the same before and after, and may be faster.
    async fn settle(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The index now holds it.
    Done,
    /// The index held this version or a later one already.
    Stale,
    /// The index cannot hold this document, however often it is tried.
    Refused(String),
}

/// The reading side of an index.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Answers searches, all on one state of the index, in the order asked. See [`SearchRequest`] and [`SearchAnswer`] for
    /// what the parts mean.
    ///
    /// A word is found in the name, brand, sku, category, tags, attributes and description: exactly, in singular or
    /// plural, written together with its neighbour or apart from it, in another word that the shop's rules name for it;
    /// or as a beginning, for the last word, where the shopper is still typing or fewer than [`ENOUGH_PRODUCTS`] products
    /// have it as a word. Every word must be found, unless the request needs [fewer](crate::search::Need).
    ///
    /// Where fewer than [`FEW_PRODUCTS`] products have every word so, whatever the filters say, words that fewer than
    /// [`FEW_PRODUCTS`] products have may have typos as well, as far as their length allows (0 to 2 letters: none, 3 to 5:
    /// one, more: two; none in words with digits).
    ///
    /// Where fewer than [`ENOUGH_PRODUCTS`] products have every word even so, the order is that of relevance and
    /// [`Need::Most`](crate::search::Need::Most) of the words are enough, some need not be found, and the answer names
    /// them: those that no product has, then one after the other the word that the most products have (exactly or, where
    /// none has it so, in any way; of several the last one), until enough products have the rest or one word is left. In another order words need not be found only where
    /// no product has them all. Where no product has any of the words, nothing is found.
    ///
    /// More words found exactly come first, then more found as beginnings, then more found at all, with fewer typos; after
    /// that it counts in which parts of a product words were found, and whether words that are neighbours in the search
    /// are neighbours there.
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError>;

    /// Answers one search.
    async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, PortError> {
        let mut answers = self.search_all(std::slice::from_ref(request)).await?;
        answers.pop().ok_or_else(|| PortError::bare(PortErrorKind::Internal, "the index answered no search"))
    }

    /// What the index holds under each id, in the order asked; none where it never held anything.
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError>;

    /// The version under each id that a search which begins after this returns sees or has overtaken, in the order
    /// asked: of a product, a hidden one or a tombstone; none where there never was any. What was written and cannot
    /// be found yet does not count.
    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        let held = self.get(ids).await?;
        Ok(held.into_iter().map(|indexed| indexed.map(|indexed| indexed.version)).collect())
    }

    /// The values of one facet with their counts: those that fit the prefix best first, of those the most frequent, then by
    /// value.
    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError>;

    /// The name of the newest state, as [`SearchAnswer::snapshot`] has it, so that what was answered on it before can be
    /// given again; none where it cannot be told at much less cost than that of a search.
    ///
    /// What was applied before is in the state that is named, or in a later one; never is an older one named.
    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    /// How large the index is.
    async fn stats(&self) -> Result<IndexStats, PortError>;

    /// Whether the index can be searched now.
    async fn ready(&self) -> Result<(), PortError>;
}

/// So few products have a word, or all words of a search, that it may be misspelt.
pub const FEW_PRODUCTS: usize = 20;
/// So many products are enough for a search: where fewer have all its words, those that have most of them follow.
pub const ENOUGH_PRODUCTS: usize = 100;

/// What an index holds under an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Indexed {
    /// The version, of the product or of its tombstone.
    pub version: Version,
    /// What search makes of it.
    pub state: IndexedState,
}

/// What search makes of what an index holds.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexedState {
    /// It can be found.
    Active(Arc<Product>),
    /// It exists and is not shown: a draft, or archived.
    Hidden,
    /// It was deleted.
    Deleted,
}

/// How large an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexStats {
    /// Products that are not deleted, whatever their status.
    pub products: u64,
    /// Bytes on disk, where the index knows them.
    pub bytes: Option<u64>,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
