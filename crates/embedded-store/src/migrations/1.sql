-- Products, and tombstones of deleted ones. A row is never removed and keeps its key, so the list of products has
-- a stable order and a cursor into it stays good. The JSON comes last: what stands before it is read without it.
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

-- Messages on their way to the index. One without a body stands for what the store holds under its id.
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

-- Writes whose change must still be handed to a queue elsewhere. AUTOINCREMENT, because the name of a mark that was
-- cleared must never be given to another.
CREATE TABLE marks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    traceparent TEXT
);
CREATE INDEX marks_by_age ON marks (at);

-- Answers by idempotency key.
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX answers_by_age ON answers (at);

-- Written when someone asks whether the store can be written.
CREATE TABLE probe (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    at INTEGER NOT NULL
);
