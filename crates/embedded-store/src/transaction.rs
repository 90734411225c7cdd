//! The transaction in which a job runs.

use std::cell::Cell;

use rusqlite::Connection;

/// A write transaction, as a job sees it.
pub(crate) struct WriteTransaction<'a> {
    /// The connection, inside the transaction.
    pub(crate) conn: &'a Connection,
    /// The time of the transaction, in milliseconds since 1970.
    pub(crate) now: i64,
    effects: Cell<Effects>,
}

/// The effects of a transaction that matter after its commit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effects {
    /// True if there are messages to receive.
    pub(crate) made_messages_visible: bool,
    /// The number of idempotency records that were added.
    pub(crate) idempotency_records: usize,
}

impl<'a> WriteTransaction<'a> {
    pub(crate) fn new(conn: &'a Connection, now: i64) -> Self {
        Self { conn, now, effects: Cell::default() }
    }

    /// Notes that there are messages to receive after the commit.
    pub(crate) fn note_visible_messages(&self) {
        self.effects.set(Effects { made_messages_visible: true, ..self.effects.get() });
    }

    /// Notes that an idempotency record was added.
    pub(crate) fn note_idempotency_record(&self) {
        let effects = self.effects.get();
        self.effects.set(Effects { idempotency_records: effects.idempotency_records + 1, ..effects });
    }

    /// Returns the effects so far.
    pub(crate) fn effects(&self) -> Effects {
        self.effects.get()
    }
}
