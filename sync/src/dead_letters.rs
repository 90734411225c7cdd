//! What becomes of dead letters: looked at, sent again, dropped.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ports::{
    ChangeQueue, DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, Envelope, PortError, ProductStore,
};
use domain::{Change, ProductId, Record};

/// The most letters that one call sends again or drops.
pub const MAX_LETTERS_AT_ONCE: usize = 500;

const MISSING: &str = "there is no such dead letter, or somebody else looks at it now";

/// The dead letters of a queue, with what is needed to send them again.
#[derive(Clone)]
pub struct DeadLetterOffice {
    store: Arc<dyn ProductStore>,
    queue: Arc<dyn ChangeQueue>,
    letters: Arc<dyn DeadLetters>,
}

/// Which dead letters are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those with these keys, each named once, at most [`MAX_LETTERS_AT_ONCE`].
    Keys(Vec<DeadLetterKey>),
    /// The newest [`MAX_LETTERS_AT_ONCE`].
    Newest,
}

/// What became of dead letters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Those that were sent again, or dropped. They are dead letters no more.
    pub done: Vec<DeadLetterKey>,
    /// Those that stay, and why.
    pub refused: Vec<(DeadLetterKey, String)>,
    /// Whether there were others, when the newest were meant.
    pub more: bool,
}

impl DeadLetterOffice {
    /// The dead letters of `queue`, whose changes are of the products in `store`.
    pub fn new(
        store: Arc<dyn ProductStore>,
        queue: Arc<dyn ChangeQueue>,
        letters: Arc<dyn DeadLetters>,
    ) -> Self {
        Self { store, queue, letters }
    }

    /// The newest dead letters, see [`DeadLetters::newest`].
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError> {
        self.letters.newest(limit).await
    }

    /// The letter with this key.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn find(&self, key: DeadLetterKey) -> Result<Option<DeadLetter>, PortError> {
        Ok(self.letters.find(&[key]).await?.pop().flatten())
    }

    /// Sends what the store holds *now* of the products that letters are about, then removes the letters. The message of a
    /// letter is never sent again itself: it could bring back a product that was deleted since.
    ///
    /// A letter stays where nobody knows which product it is about, and where the store never had that product.
    ///
    /// # Errors
    /// When the queue or the store does not answer. What was sent again then may still be a dead letter, too, which harms
    /// nothing: the index knows a version that it has.
    pub async fn retry(&self, selection: Selection) -> Result<Settled, PortError> {
        let (chosen, mut settled) = self.choose(selection).await?;
        let known = chosen.iter().filter_map(|letter| letter.id.clone());
        let (outcomes, mut sent) = (self.send_records(known.collect()).await?, Vec::new());
        for letter in chosen {
            let outcome =
                match &letter.id {
                    None => Err("it cannot be read, so that nobody knows which product it is about; drop it"
                        .to_owned()),
                    Some(id) => outcomes
                        .get(id)
                        .cloned()
                        .unwrap_or_else(|| Err(format!("the store never had product {id}; drop it"))),
                };
            match outcome {
                Ok(()) => sent.push(letter.key),
                Err(reason) => settled.refused.push((letter.key, reason)),
            }
        }
        // Sent first and removed behind that: a crash in between sends it twice rather than never.
        self.letters.remove(&sent).await?;
        settled.done = sent;
        Ok(settled)
    }

    /// Removes letters for good.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn drop_letters(&self, selection: Selection) -> Result<Settled, PortError> {
        let (keys, mut settled) = match selection {
            Selection::Keys(keys) => (keys, Settled::default()),
            Selection::Newest => {
                let DeadLetterList { letters, more } = self.letters.newest(MAX_LETTERS_AT_ONCE).await?;
                let keys = letters.into_iter().map(|letter| letter.key).collect();
                (keys, Settled { more, ..Settled::default() })
            }
        };
        let removed = self.letters.remove(&keys).await?;
        for (key, removed) in keys.into_iter().zip(removed) {
            match removed {
                true => settled.done.push(key),
                false => settled.refused.push((key, MISSING.to_owned())),
            }
        }
        Ok(settled)
    }

    /// The letters that are meant. Keys without a letter are refused.
    async fn choose(&self, selection: Selection) -> Result<(Vec<DeadLetter>, Settled), PortError> {
        let mut settled = Settled::default();
        match selection {
            Selection::Newest => {
                let DeadLetterList { letters, more } = self.letters.newest(MAX_LETTERS_AT_ONCE).await?;
                settled.more = more;
                Ok((letters, settled))
            }
            Selection::Keys(keys) => {
                let mut chosen = Vec::with_capacity(keys.len());
                let found = self.letters.find(&keys).await?;
                for (key, letter) in keys.into_iter().zip(found) {
                    match letter {
                        Some(letter) => chosen.push(letter),
                        None => settled.refused.push((key, MISSING.to_owned())),
                    }
                }
                Ok((chosen, settled))
            }
        }
    }

    /// Enqueues what the store holds of each product, once; products that it never had are not in the answer.
    async fn send_records(
        &self,
        mut ids: Vec<ProductId>,
    ) -> Result<HashMap<ProductId, Result<(), String>>, PortError> {
        ids.sort();
        ids.dedup();
        let records: Vec<Record> = self.store.get(&ids).await?.into_iter().flatten().collect();
        let envelope = |record| Envelope { change: Change::to(record), traceparent: None };
        let sent = self.queue.send(records.iter().cloned().map(envelope).collect()).await;
        let outcome = |sent: Result<(), PortError>| {
            sent.map_err(|error| format!("it cannot be sent now: {}; try again", error.chain()))
        };
        Ok(records.iter().map(|record| record.id().clone()).zip(sent.into_iter().map(outcome)).collect())
    }
}
