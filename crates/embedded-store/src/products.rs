//! Products and their tombstones: reading, listing, and the one conditional write.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, PortErrorKind,
    ProductPage, ProductStore, RecordPage, StoredVersion, VersionPage, Write, WriteError, Written,
};
use domain::{Action, Change, Product, ProductId, Record, Tombstone, Version};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::unreadable;
use crate::writer::Step;
use crate::{BACK_END, EmbeddedStore, Outbox, answers, defect, marks, queue, repeat_error, to_millis};

/// From this many writes on, their JSON is made on a thread that may take its time.
const MANY_WRITES: usize = 16;
/// The most JSON on a page of the list; a page that reaches it ends early.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// What a write costs beside its JSON, roughly.
const ROW_BYTES: usize = 200;

#[async_trait]
impl ProductStore for EmbeddedStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.to_vec();
        let read = move |conn: &Connection| ids.iter().map(|id| find(conn, id)).collect();
        self.0.readers.run("reading products from the store", read).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        let (count, outbox) = (writes.len(), self.0.outbox);
        if count == 0 {
            return Vec::new();
        }
        let prepared = match prepare_all(writes).await {
            Ok(prepared) => prepared,
            Err(error) => return repeat_error(error, count),
        };
        let bytes = prepared.iter().map(Prepared::bytes).sum();
        let work = move |step: &Step<'_>| {
            prepared.iter().map(|write| write.make(step, outbox)).collect::<rusqlite::Result<Vec<_>>>()
        };
        let written = self.0.writer.run("writing products to the store", bytes, work).await;
        written.unwrap_or_else(|error| repeat_error(error, count))
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        const CONTEXT: &str = "remembering an answer";
        let text = answers::to_text(&record)
            .map_err(|error| PortError::new(PortErrorKind::Internal, CONTEXT, error))?;
        let work = move |step: &Step<'_>| match answers::is_taken(step, &record.key)? {
            true => Ok(false),
            false => answers::insert(step, &record, &text).map(|()| true),
        };
        match self.0.writer.run(CONTEXT, ROW_BYTES, work).await? {
            true => Ok(()),
            false => Err(WriteError::DuplicateKey),
        }
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        let key = key.to_owned();
        let read = move |conn: &Connection| answers::find(conn, &key);
        self.0.readers.run("reading an answer", read).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| page(conn, after, limit.max(1));
        let page = self.0.readers.run("listing products", read).await?;
        let (products, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(ProductPage { products, next })
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| scan(conn, after, limit.max(1));
        let page = self.0.readers.run("reading all of the store", read).await?;
        let (records, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(RecordPage { records, next })
    }

    async fn versions(&self, cursor: Option<&str>, limit: usize) -> Result<VersionPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| versions(conn, after, limit.max(1));
        let page = self.0.readers.run("reading the versions in the store", read).await?;
        let (versions, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(VersionPage { versions, next })
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        let until = self.now().saturating_sub(to_millis(age));
        let read = move |conn: &Connection| marks::unsent(conn, until, limit);
        self.0.readers.run("reading what is unsent", read).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = entries.to_vec();
        let work = move |step: &Step<'_>| marks::clear(step, &entries);
        self.0.writer.run("clearing marks", 0, work).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        let now = self.now();
        self.0.readers.run("counting what is unsent", move |conn| marks::stats(conn, now)).await
    }

    fn back_end(&self) -> &'static str {
        BACK_END
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}

// ------------------------------------------------------------------------------------------------ reading

fn find(conn: &Connection, id: &ProductId) -> rusqlite::Result<Option<Record>> {
    conn.prepare_cached("SELECT version, deleted_at, json FROM products WHERE id = ?1")?
        .query_row([id.as_str()], |row| match row.get_ref(2)?.as_str_or_null()? {
            Some(json) => Ok(Record::Live(read_product(json)?)),
            None => {
                let version = version_from_sql(row.get(0)?);
                let deleted_at = timestamp(row.get(1)?).map_err(unreadable)?;
                Ok(Record::Deleted(Tombstone { id: id.clone(), version, deleted_at }))
            }
        })
        .optional()
}

pub(crate) const PAGE: &str =
    "SELECT key, json FROM products WHERE key > ?1 AND json IS NOT NULL ORDER BY key LIMIT ?2";

/// The key of the last row of the page before; 0 for the first page.
fn parse_cursor(cursor: Option<&str>) -> Result<i64, ListError> {
    cursor.map_or(Ok(0), |cursor| cursor::parse(cursor).ok_or(ListError::UnknownCursor))
}

/// A page with the cursor of the next one; none when no row has the key that the page before ended with, so that there
/// can be no such page.
type Page<T> = Option<(Vec<T>, Option<String>)>;

/// The live products after a key.
fn page(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<Product>> {
    rows_after(conn, PAGE, after, limit, |row| {
        let json = row.get_ref(1)?.as_str()?;
        Ok((serde_json::from_str(json).map_err(unreadable)?, json.len()))
    })
}

pub(crate) const SCAN: &str =
    "SELECT key, id, version, deleted_at, json FROM products WHERE key > ?1 ORDER BY key LIMIT ?2";

/// Products and tombstones after a key.
fn scan(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<Record>> {
    rows_after(conn, SCAN, after, limit, |row| match row.get_ref(4)?.as_str_or_null()? {
        Some(json) => Ok((Record::Live(read_product(json)?), json.len())),
        None => {
            let StoredVersion { id, version, deleted_at } = stored_version(row)?;
            let deleted_at = deleted_at.ok_or_else(|| unreadable("a tombstone without its time"))?;
            Ok((Record::Deleted(Tombstone { id, version, deleted_at }), 0))
        }
    })
}

pub(crate) const VERSIONS: &str =
    "SELECT key, id, version, deleted_at FROM products WHERE key > ?1 ORDER BY key LIMIT ?2";

/// The versions after a key, of products and tombstones. No JSON is read for it.
fn versions(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<StoredVersion>> {
    rows_after(conn, VERSIONS, after, limit, |row| Ok((stored_version(row)?, 0)))
}

fn stored_version(row: &Row<'_>) -> rusqlite::Result<StoredVersion> {
    Ok(StoredVersion {
        id: ProductId::parse(row.get_ref(1)?.as_str()?).map_err(unreadable)?,
        version: version_from_sql(row.get(2)?),
        deleted_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose().map_err(unreadable)?,
    })
}

/// What `read` makes of the rows after a key, with the bytes of JSON in each.
fn rows_after<T>(
    conn: &Connection,
    sql: &str,
    after: i64,
    limit: usize,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<(T, usize)>,
) -> rusqlite::Result<Page<T>> {
    if after != 0 && !conn.prepare_cached("SELECT 1 FROM products WHERE key = ?1")?.exists([after])? {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(sql)?;
    // One more than asked for tells whether there is a next page.
    let mut rows = statement.query([after, i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)])?;
    let (mut found, mut last, mut bytes) = (Vec::new(), after, 0);
    while let Some(row) = rows.next()? {
        if found.len() == limit || bytes > MAX_PAGE_BYTES {
            return Ok(Some((found, Some(cursor::after(last)))));
        }
        let (item, size) = read(row)?;
        bytes += size;
        last = row.get(0)?;
        found.push(item);
    }
    Ok(Some((found, None)))
}

fn read_product(json: &str) -> rusqlite::Result<Arc<Product>> {
    serde_json::from_str(json).map(Arc::new).map_err(unreadable)
}

fn timestamp(milliseconds: i64) -> Result<Timestamp, jiff::Error> {
    Timestamp::from_millisecond(milliseconds)
}

/// A version in the file: all 64 bits, as SQLite has signed numbers only.
pub(crate) fn version_to_sql(version: Version) -> i64 {
    version.0.cast_signed()
}

/// What [`version_to_sql`] wrote.
pub(crate) fn version_from_sql(version: i64) -> Version {
    Version(version.cast_unsigned())
}

/// A row of the products, for the message that tells of it.
#[derive(Debug)]
pub(crate) struct Stored {
    version: Version,
    deleted_at: Option<i64>,
    json: Option<String>,
    action: String,
}

impl Stored {
    /// Reads the first four columns, `version, deleted_at, json, action`; none where the join found no product.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let Some(version) = row.get::<_, Option<i64>>(0)? else { return Ok(None) };
        Ok(Some(Self {
            version: version_from_sql(version),
            deleted_at: row.get(1)?,
            json: row.get(2)?,
            action: row.get(3)?,
        }))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.json.as_ref().map_or(0, String::len) + ROW_BYTES
    }

    /// The change that made the row, or why it cannot be read.
    pub(crate) fn change(&self, id: &str) -> Result<Change, String> {
        let Some(json) = &self.json else {
            let deleted_at =
                self.deleted_at.ok_or("neither a product nor the time of its delete is stored")?;
            let deleted_at = timestamp(deleted_at).map_err(|error| error.to_string())?;
            return Ok(Change::Delete(Tombstone {
                id: ProductId::parse(id)?,
                version: self.version,
                deleted_at,
            }));
        };
        let product = serde_json::from_str(json)
            .map(Arc::new)
            .map_err(|error| format!("the stored product cannot be read: {error}"))?;
        match self.action == Action::Create.as_str() {
            true => Ok(Change::Create(product)),
            false => Ok(Change::Update(product)),
        }
    }
}

// ------------------------------------------------------------------------------------------------ writing

/// A write with everything that can be made before it is its turn.
struct Prepared {
    write: Write,
    json: Option<String>,
    answer: Option<String>,
}

async fn prepare_all(writes: Vec<Write>) -> Result<Vec<Prepared>, PortError> {
    let failed = |error| PortError::new(PortErrorKind::Internal, "writing products as JSON", error);
    let prepare = |writes: Vec<Write>| writes.into_iter().map(Prepared::new).collect::<Result<Vec<_>, _>>();
    if writes.len() < MANY_WRITES {
        return prepare(writes).map_err(failed);
    }
    match tokio::task::spawn_blocking(move || prepare(writes)).await {
        Ok(prepared) => prepared.map_err(failed),
        Err(panic) => Err(PortError::new(PortErrorKind::Internal, "writing products as JSON", panic)),
    }
}

/// What the store holds under an id before a write.
struct Current {
    key: i64,
    version: Version,
    sku: Option<String>,
}

impl Prepared {
    fn new(write: Write) -> serde_json::Result<Self> {
        let json = write.change.product().map(|product| serde_json::to_string(&**product)).transpose()?;
        let answer = write.idempotency.as_ref().map(answers::to_text).transpose()?;
        Ok(Self { write, json, answer })
    }

    fn bytes(&self) -> usize {
        self.json.as_ref().map_or(0, String::len) + ROW_BYTES
    }

    /// Makes the write where nothing stands against it. What does is found before anything is written, so that the
    /// transaction can go on for others.
    fn make(&self, step: &Step<'_>, outbox: Outbox) -> rusqlite::Result<Result<Written, WriteError>> {
        let change = &self.write.change;
        if change.version() != Version::after(self.write.replaces) {
            let error = defect(format!("a write of {} skips or repeats a version", change.id()));
            return Ok(Err(error.into()));
        }
        if let Some(answered) = &self.write.idempotency
            && answers::is_taken(step, &answered.key)?
        {
            return Ok(Err(WriteError::DuplicateKey));
        }
        let current = self.current(step.conn)?;
        let version = current.as_ref().map(|current| current.version);
        if version != self.write.replaces {
            return Ok(Err(WriteError::Conflict { current: version }));
        }
        if let Some(owner) = self.owner_of_sku(step.conn, current.as_ref())? {
            return Ok(Err(WriteError::SkuTaken { owner }));
        }
        self.store(step.conn, current.as_ref())?;
        if let (Some(answered), Some(text)) = (&self.write.idempotency, &self.answer) {
            answers::insert(step, answered, text)?;
        }
        let (id, version) = (change.id().as_str(), version_to_sql(change.version()));
        let traceparent = self.write.traceparent.as_deref();
        let mark = match outbox {
            Outbox::Enqueue => queue::enqueue(step, id, version, traceparent, None).map(|()| None),
            Outbox::Mark => marks::insert(step, id, version, traceparent).map(Some),
        };
        Ok(Ok(Written { outbox_entry: mark? }))
    }

    fn sku(&self) -> Option<&str> {
        self.write.change.product().and_then(|product| product.content.sku.as_deref())
    }

    fn current(&self, conn: &Connection) -> rusqlite::Result<Option<Current>> {
        conn.prepare_cached("SELECT key, version, sku FROM products WHERE id = ?1")?
            .query_row([self.write.change.id().as_str()], |row| {
                Ok(Current { key: row.get(0)?, version: version_from_sql(row.get(1)?), sku: row.get(2)? })
            })
            .optional()
    }

    /// The other product that has the sku of this one.
    fn owner_of_sku(
        &self,
        conn: &Connection,
        current: Option<&Current>,
    ) -> rusqlite::Result<Option<ProductId>> {
        let Some(sku) = self.sku() else { return Ok(None) };
        if current.and_then(|current| current.sku.as_deref()) == Some(sku) {
            return Ok(None);
        }
        let owner: Option<String> = conn
            .prepare_cached("SELECT id FROM products WHERE sku = ?1")?
            .query_row([sku], |row| row.get(0))
            .optional()?;
        owner.map(|owner| ProductId::parse(&owner).map_err(unreadable)).transpose()
    }

    fn store(&self, conn: &Connection, current: Option<&Current>) -> rusqlite::Result<()> {
        let change = &self.write.change;
        let (version, action) = (version_to_sql(change.version()), change.action().as_str());
        let deleted_at = self.json.is_none().then(|| change.at().as_millisecond());
        match current {
            None => conn
                .prepare_cached(
                    "INSERT INTO products (id, version, action, sku, deleted_at, json)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![change.id().as_str(), version, action, self.sku(), deleted_at, self.json])?,
            Some(current) => conn
                .prepare_cached(
                    "UPDATE products SET version = ?2, action = ?3, sku = ?4, deleted_at = ?5, json = ?6
                     WHERE key = ?1",
                )?
                .execute(params![current.key, version, action, self.sku(), deleted_at, self.json])?,
        };
        Ok(())
    }
}

// ----------------------------------------------------------------------------------------------- cursors

mod cursor {
    //! Cursors name the last product of a page, with a check so that a number somebody made up is none.

    pub(super) fn after(key: i64) -> String {
        format!("{key:x}.{:08x}", check(key))
    }

    pub(super) fn parse(cursor: &str) -> Option<i64> {
        let (key, _) = cursor.split_once('.')?;
        let key = i64::from_str_radix(key, 16).ok().filter(|key| *key > 0)?;
        (after(key) == cursor).then_some(key)
    }

    /// FNV-1a, folded. It keeps out mistakes, not attackers: a cursor gives no right to anything.
    fn check(key: i64) -> u32 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in key.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        (hash ^ (hash >> 32)) as u32
    }
}
