//! Retry and removal of dead letters.

use std::collections::HashMap;
use std::sync::Arc;

use api::wire::dead_letters::{LettersOutcome, RefusedLetter};
use domain::ports::{
    ChangeQueue, DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, Envelope, PortError, ProductStore,
};
use domain::{Change, ProductId, Record};

/// The most letters of one retry or removal.
pub const MAX_LETTERS_AT_ONCE: usize = 500;

/// The text for a key without a letter.
pub(crate) const MISSING: &str = "there is no such dead letter, or somebody else is reading it now";

/// The dead letters of a queue, with the store and the queue that a retry needs.
#[derive(Clone)]
pub struct DeadLetterService {
    store: Arc<dyn ProductStore>,
    queue: Arc<dyn ChangeQueue>,
    letters: Arc<dyn DeadLetters>,
}

/// A selection of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The letters with these keys: distinct, at most [`MAX_LETTERS_AT_ONCE`].
    Keys(Vec<DeadLetterKey>),
    /// The newest [`MAX_LETTERS_AT_ONCE`].
    Newest,
}

impl DeadLetterService {
    /// Creates the service for the dead letters of `queue`, whose changes are of the products in `store`.
    pub fn new(
        store: Arc<dyn ProductStore>,
        queue: Arc<dyn ChangeQueue>,
        letters: Arc<dyn DeadLetters>,
    ) -> Self {
        Self { store, queue, letters }
    }

    /// Returns the newest dead letters, see [`DeadLetters::newest`].
    ///
    /// # Errors
    /// When the queue does not respond.
    pub async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError> {
        self.letters.newest(limit).await
    }

    /// Returns the letter with this key.
    ///
    /// # Errors
    /// When the queue does not respond.
    pub async fn find(&self, key: DeadLetterKey) -> Result<Option<DeadLetter>, PortError> {
        Ok(self.letters.find(&[key]).await?.pop().flatten())
    }

    /// Enqueues the *current* records of the products that the letters are about, then removes the letters. The message of a
    /// letter itself is never sent again: it could bring back a product that was deleted since.
    ///
    /// A letter stays if its product is unknown, or if the store never had the product.
    ///
    /// # Errors
    /// When the queue or the store does not respond. A change that was enqueued may then still be a dead letter as well;
    /// retrying it is harmless, since the index ignores versions that it has.
    pub async fn retry(&self, selection: Selection) -> Result<LettersOutcome, PortError> {
        let (chosen, mut outcome) = self.choose(selection).await?;
        let ids = chosen.iter().filter_map(|letter| letter.id.clone()).collect();
        let (results, mut done) = (self.enqueue_current(ids).await?, Vec::new());
        for letter in chosen {
            match retry_result(letter.id.as_ref(), &results) {
                Ok(()) => done.push(letter.key),
                Err(reason) => outcome.refused.push(RefusedLetter { key: letter.key, reason }),
            }
        }
        // Removed after sending: a crash in between sends a change twice instead of never.
        self.letters.remove(&done).await?;
        outcome.done = done;
        Ok(outcome)
    }

    /// Removes letters permanently.
    ///
    /// # Errors
    /// When the queue does not respond.
    pub async fn drop_letters(&self, selection: Selection) -> Result<LettersOutcome, PortError> {
        let mut outcome = LettersOutcome::default();
        let keys = match selection {
            Selection::Keys(keys) => keys,
            Selection::Newest => {
                let DeadLetterList { letters, more } = self.letters.newest(MAX_LETTERS_AT_ONCE).await?;
                outcome.more = more;
                letters.into_iter().map(|letter| letter.key).collect()
            }
        };
        let removed = self.letters.remove(&keys).await?;
        for (key, removed) in keys.into_iter().zip(removed) {
            match removed {
                true => outcome.done.push(key),
                false => outcome.refused.push(missing(key)),
            }
        }
        Ok(outcome)
    }

    /// Reads the selected letters. Keys without a letter are refused.
    async fn choose(&self, selection: Selection) -> Result<(Vec<DeadLetter>, LettersOutcome), PortError> {
        let mut outcome = LettersOutcome::default();
        match selection {
            Selection::Newest => {
                let DeadLetterList { letters, more } = self.letters.newest(MAX_LETTERS_AT_ONCE).await?;
                outcome.more = more;
                Ok((letters, outcome))
            }
            Selection::Keys(keys) => {
                let mut chosen = Vec::with_capacity(keys.len());
                let found = self.letters.find(&keys).await?;
                for (key, letter) in keys.into_iter().zip(found) {
                    match letter {
                        Some(letter) => chosen.push(letter),
                        None => outcome.refused.push(missing(key)),
                    }
                }
                Ok((chosen, outcome))
            }
        }
    }

    /// Enqueues the current record of each product once. Returns the result for each product that the store ever had.
    async fn enqueue_current(
        &self,
        mut ids: Vec<ProductId>,
    ) -> Result<HashMap<ProductId, Result<(), String>>, PortError> {
        ids.sort();
        ids.dedup();
        let records: Vec<Record> = self.store.get(&ids).await?.into_iter().flatten().collect();
        let envelope = |record| Envelope { change: Change::to(record), traceparent: None };
        let sent = self.queue.send(records.iter().cloned().map(envelope).collect()).await;
        let result = |sent: Result<(), PortError>| {
            sent.map_err(|error| format!("it cannot be sent now: {}; try again", error.chain()))
        };
        Ok(records.iter().map(|record| record.id().clone()).zip(sent.into_iter().map(result)).collect())
    }
}

fn missing(key: DeadLetterKey) -> RefusedLetter {
    RefusedLetter { key, reason: MISSING.to_owned() }
}

/// Returns the result of sending the product of a letter again; the error is the reason why the letter stays.
fn retry_result(
    id: Option<&ProductId>,
    results: &HashMap<ProductId, Result<(), String>>,
) -> Result<(), String> {
    let Some(id) = id else {
        return Err("it cannot be read, so its product is unknown; drop it".to_owned());
    };
    let never_stored = || Err(format!("the store never had product {id}; drop it"));
    results.get(id).cloned().unwrap_or_else(never_stored)
}
