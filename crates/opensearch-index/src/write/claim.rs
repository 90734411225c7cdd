//! The claim of a process to the index that it fills, recorded in the index.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use domain::ProductId;
use domain::ports::CLAIM_EXPIRY;

/// The claims of this process, and the last one that it saw of another process.
///
/// A claim contains no time, because the clocks of machines differ. It has expired if an observer has seen it unchanged for
/// [`CLAIM_EXPIRY`].
pub(super) struct Claims {
    process: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of claims of this process.
    made: u64,
    /// The claim of another process, and the time at which it was first seen.
    seen: Option<(String, Instant)>,
}

impl Claims {
    pub(super) fn new() -> Self {
        // Any identifier that no other process has.
        Self { process: ProductId::generate().to_string(), state: Mutex::default() }
    }

    /// Returns the first claim to an index that this process creates.
    pub(super) fn first(&self) -> String {
        self.next(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the claim to record in place of `recorded`; `None` if that belongs to another process and has not expired.
    pub(super) fn renewed(&self, recorded: Option<&str>) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let other = recorded.filter(|recorded| recorded.split(' ').next() != Some(&*self.process));
        if let Some(other) = other {
            match &state.seen {
                Some((seen, since)) if seen == other => {
                    if since.elapsed() < CLAIM_EXPIRY {
                        return None;
                    }
                }
                _ => {
                    state.seen = Some((other.to_owned(), Instant::now()));
                    return None;
                }
            }
        }
        Some(self.next(&mut state))
    }

    fn next(&self, state: &mut State) -> String {
        state.made += 1;
        format!("{} {}", self.process, state.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_another_process_holds_while_it_is_renewed() {
        let (ours, theirs) = (Claims::new(), Claims::new());
        let first = theirs.first();
        assert_eq!(ours.renewed(Some(&first)), None);
        let second = theirs.renewed(Some(&first)).unwrap();
        assert_ne!(first, second, "an observer sees that it was renewed");
        assert_eq!(ours.renewed(Some(&second)), None);
        // It has been seen unchanged for long enough.
        let long_ago = Instant::now().checked_sub(CLAIM_EXPIRY).unwrap();
        ours.state.lock().unwrap().seen = Some((second.clone(), long_ago));
        let taken = ours.renewed(Some(&second)).unwrap();
        assert_eq!(theirs.renewed(Some(&taken)), None, "the other one notices that it has lost the claim");
        assert!(ours.renewed(None).is_some(), "an index without a claim is free");
    }
}
