//! The conditions that must hold once everything is idle.

use std::collections::BTreeMap;

use command::CommandError;
use domain::ports::{WriteOutcome, WriteResponse};
use domain::{Change, Content, ProductId, Record, Version};

use super::clients::{Attempt, Request, is_final, named_version};
use super::index::is_poison;
use super::queue::DeadLetter;
use super::store::Made;

/// The final state of a run.
pub(super) struct Remains<'a> {
    pub(super) requests: &'a [Request],
    pub(super) history: &'a [Made],
    pub(super) store: &'a BTreeMap<ProductId, Record>,
    pub(super) index: &'a BTreeMap<ProductId, Record>,
    pub(super) dead: &'a [DeadLetter],
    pub(super) garbage: usize,
    pub(super) went_back: &'a [String],
}

/// The writes of each product, in order.
type Chains<'a> = BTreeMap<&'a ProductId, Vec<&'a Made>>;

impl Remains<'_> {
    /// Returns the first condition that does not hold.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut chains: Chains<'_> = BTreeMap::new();
        for made in self.history {
            chains.entry(made.change.id()).or_default().push(made);
        }
        self.versions_have_no_gaps(&chains)?;
        for request in self.requests {
            self.request_was_kept(request, &chains)?;
        }
        self.store_holds_the_last_write(&chains)?;
        if let Some(line) = self.went_back.first() {
            return Err(format!("searches saw {line}"));
        }
        self.dead_letters_are_poison(&chains)?;
        self.index_equals_store(&chains)
    }

    fn versions_have_no_gaps(&self, chains: &Chains<'_>) -> Result<(), String> {
        for (id, chain) in chains {
            let versions: Vec<u64> = chain.iter().map(|made| made.change.version().0).collect();
            if versions.iter().zip(1..).any(|(version, expected)| *version != expected) {
                return Err(format!("the versions of {id} are {versions:?}"));
            }
        }
        Ok(())
    }

    fn store_holds_the_last_write(&self, chains: &Chains<'_>) -> Result<(), String> {
        let last = |chain: &Vec<&Made>| chain.last().map(|made| made.change.record());
        for (id, chain) in chains {
            if self.store.get(*id) != last(chain).as_ref() {
                return Err(format!("the store does not hold the last write of {id}"));
            }
        }
        match self.store.len() == chains.len() {
            true => Ok(()),
            false => Err("the store holds what nobody wrote".to_owned()),
        }
    }

    // ------------------------------------------------------------------------------------------- requests

    fn request_was_kept(&self, request: &Request, chains: &Chains<'_>) -> Result<(), String> {
        let tags: Vec<&str> = request.attempts.iter().map(|attempt| attempt.tag.as_str()).collect();
        let made: Vec<&Made> = self.history.iter().filter(|made| tags.contains(&made.by.as_str())).collect();
        for attempt in &request.attempts {
            let by_it = made.iter().filter(|made| made.by == attempt.tag).count();
            if by_it > 1 {
                return Err(format!("{} was carried out {by_it} times", attempt.tag));
            }
            match &attempt.answer {
                Some(Ok(answer)) => {
                    self.answer_is_true(request, attempt, answer, chains)
                        .map_err(|fault| format!("{} got {answer:?}, but {fault}", attempt.tag))?;
                }
                Some(refused @ Err(error)) if is_final(refused) => {
                    if by_it > 0 {
                        return Err(format!("{} was refused and carried out", attempt.tag));
                    }
                    if request.keyed {
                        refused_for_another(error, &made)
                            .map_err(|fault| format!("{} was refused because {fault}", attempt.tag))?;
                    }
                }
                _ => {}
            }
        }
        if request.keyed {
            let mut answers =
                request.attempts.iter().filter_map(|attempt| attempt.answer.as_ref()?.as_ref().ok());
            let first = answers.next();
            if made.len() > 1 || answers.any(|answer| Some(answer) != first) {
                return Err(format!("{tags:?} are one request and were carried out {} times", made.len()));
            }
        }
        Ok(())
    }

    fn answer_is_true(
        &self,
        request: &Request,
        attempt: &Attempt,
        answer: &WriteResponse,
        chains: &Chains<'_>,
    ) -> Result<(), String> {
        let chain = chains.get(&answer.id).ok_or("nothing was written")?;
        let at = answer.version.0.checked_sub(1).ok_or("there is no such version")? as usize;
        let made = chain.get(at).ok_or("that version was never written")?;
        if answer.outcome == WriteOutcome::Unchanged {
            let there = content(made);
            return match request.wish.made_of(there) == there.cloned() {
                true => Ok(()),
                false => Err("that version is not what was asked for".to_owned()),
            };
        }
        let is_its_own = match request.keyed {
            true => request.attempts.iter().any(|attempt| attempt.tag == made.by),
            false => attempt.tag == made.by,
        };
        if !is_its_own {
            return Err(format!("that version was made by {}", made.by));
        }
        let before = at.checked_sub(1).and_then(|before| content(chain[before]));
        let outcome = match (&made.change, before) {
            (Change::Delete(_), _) => WriteOutcome::Deleted,
            (_, Some(_)) => WriteOutcome::Updated,
            (_, None) => WriteOutcome::Created,
        };
        if answer.outcome != outcome {
            return Err(format!("the product was {outcome:?}"));
        }
        if request.wish.made_of(before).as_ref() != content(made) {
            return Err("that version is not what was asked for".to_owned());
        }
        match named_version(&request.precondition) {
            Some(Version(named)) if named as usize != at => Err(format!("it was to follow version {named}")),
            _ => Ok(()),
        }
    }

    // ---------------------------------------------------------------------------------------------- index

    fn dead_letters_are_poison(&self, chains: &Chains<'_>) -> Result<(), String> {
        for dead in self.dead {
            let Some(change) = dead.change.as_ref().filter(|_| !dead.carried_poison) else { continue };
            // If one batch has several changes of a product, all get the result of the last one.
            let from = change.version().0 as usize - 1;
            let chain = chains.get(change.id()).map(Vec::as_slice).unwrap_or_default();
            if !chain.iter().skip(from).any(|made| is_poison(&made.change)) {
                return Err(format!(
                    "{}@{} is a dead letter: {}",
                    change.id(),
                    change.version(),
                    dead.reason
                ));
            }
        }
        let unreadable = self.dead.iter().filter(|dead| dead.change.is_none()).count();
        match unreadable >= self.garbage {
            true => Ok(()),
            false => {
                Err(format!("{} of {} unreadable messages are gone", self.garbage - unreadable, self.garbage))
            }
        }
    }

    fn index_equals_store(&self, chains: &Chains<'_>) -> Result<(), String> {
        for (id, indexed) in self.index {
            let at = indexed.version().0 as usize - 1;
            let made = chains.get(id).and_then(|chain| chain.get(at));
            if made.map(|made| made.change.record()).as_ref() != Some(indexed) {
                return Err(format!("the index holds {id}@{}, which nobody wrote", indexed.version()));
            }
        }
        for (id, chain) in chains {
            let Some(last) = chain.last() else { continue };
            let version = last.change.version();
            let indexed = self.index.get(*id).map(Record::version);
            if is_poison(&last.change) {
                let is_its = |dead: &Change| dead.id() == *id && dead.version() == version;
                if !self.dead.iter().any(|dead| dead.change.as_ref().is_some_and(is_its)) {
                    return Err(format!("the index cannot hold {id}@{version}, and there is no dead letter"));
                }
            } else if indexed != Some(version) {
                return Err(format!("the store has {id}@{version}, the index {indexed:?}"));
            }
        }
        Ok(())
    }
}

/// Succeeds unless a request was rejected because of a write of its own earlier attempt.
fn refused_for_another(error: &CommandError, made: &[&Made]) -> Result<(), String> {
    let (id, version) = match error {
        CommandError::Exists { id, version } => (id, *version),
        CommandError::Stale { id, current: Some(version) } => (id, *version),
        _ => return Ok(()),
    };
    match made.iter().any(|made| made.change.id() == id && made.change.version() == version) {
        true => Err(format!("of its own write {id}@{version}")),
        false => Ok(()),
    }
}

fn content(made: &Made) -> Option<&Content> {
    made.change.product().map(|product| &product.content)
}
