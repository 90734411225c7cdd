-- Products and tombstones. A row is never removed and keeps its key, so the list of products has a stable order and
-- cursors stay valid. The JSON comes last, so that reading the columns before it does not read it.
CREATE TABLE products (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    action TEXT NOT NULL,
    sku TEXT,
    deleted_at INTEGER,
    json TEXT
);
CREATE UNIQUE INDEX products_by_sku ON products (sku) WHERE sku IS NOT NULL;

-- Messages of the queue. A message without a body carries the current record of its product.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    token INTEGER,
    sent_at INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    traceparent TEXT,
    body TEXT
);
CREATE INDEX messages_by_visibility ON messages (visible_at);

-- Messages that could not be applied.
CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY,
    died_at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    reason TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    traceparent TEXT,
    body TEXT
);

-- The outbox: writes whose change must still be enqueued in a queue elsewhere. AUTOINCREMENT, because the id of a removed
-- entry must never be reused.
CREATE TABLE marks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    traceparent TEXT
);
CREATE INDEX marks_by_age ON marks (at);

-- Idempotency records: responses by key.
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX answers_by_age ON answers (at);

-- One row, written to check that the store is writable.
CREATE TABLE probe (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    at INTEGER NOT NULL
);
