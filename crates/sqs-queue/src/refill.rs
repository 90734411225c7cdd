//! Tags that record whether a queue lacks the messages of an earlier queue of its name.
//!
//! | tag | value |
//! | --- | --- |
//! | `noren-queue` | a random id, set when Noren creates the queue; no other queue needs a refill |
//! | `noren-refill-claim` | the claimant, and when its claim expires in seconds since 1970 |
//! | `noren-refilled` | the id of the queue whose refill is complete |
//!
//! A queue that goes missing takes its tags with it, so the queue that Noren creates next needs a refill, whichever process created
//! it. A refill that completes too late records an id that the next queue does not have.

use std::time::Duration;

use domain::ports::{PortError, REFILL_LEASE, RefillId};
use jiff::Timestamp;
use tokio::time::sleep;

use crate::queue::SqsQueue;
use crate::queue_info::call_error;
use crate::tags::{QUEUE, Tags};

const CLAIM: &str = "noren-refill-claim";
const REFILLED: &str = "noren-refilled";
/// The pause after which a new claim is checked. If several processes claim at the same moment, only the last claim remains.
const CLAIM_PAUSE: Duration = Duration::from_millis(500);

/// The refill that a queue needs.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// The queue needs none, or another process has claimed it.
    None,
    /// A claim may be made.
    Open(RefillId),
    /// This claimant has claimed it already.
    Claimed(RefillId),
}

/// Returns the refill that a queue with these tags needs.
fn need(tags: &Tags, claimant: &str, now: Timestamp) -> Need {
    let Some(id) = tags.get(QUEUE).filter(|id| tags.get(REFILLED) != Some(id)) else { return Need::None };
    let id = RefillId(id.clone());
    let claim = tags.get(CLAIM).and_then(|claim| claim.split_once(' '));
    match claim {
        Some((owner, _)) if owner == claimant => Need::Claimed(id),
        Some((_, expiry)) if expiry.parse().is_ok_and(|expiry: i64| expiry > now.as_second()) => Need::None,
        _ => Need::Open(id),
    }
}

impl SqsQueue {
    /// Claims the refill of the queue, or renews the claim. Returns `None` if no refill is needed or another process has the claim.
    pub(crate) async fn claim(&self, url: &str, claimant: &str) -> Result<Option<RefillId>, PortError> {
        let (id, pause) = match need(&self.tags(url).await?, claimant, Timestamp::now()) {
            Need::None => return Ok(None),
            Need::Open(id) => (id, CLAIM_PAUSE),
            Need::Claimed(id) => (id, Duration::ZERO),
        };
        let expiry = Timestamp::now().as_second().saturating_add_unsigned(REFILL_LEASE.as_secs());
        self.set_tag(url, CLAIM, &format!("{claimant} {expiry}")).await?;
        sleep(pause).await;
        // Another process may have overwritten the claim, or the queue may have been replaced.
        match need(&self.tags(url).await?, claimant, Timestamp::now()) {
            Need::Claimed(claimed) if claimed == id => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// Records that the refill of the queue with this id is complete.
    pub(crate) async fn complete(&self, url: &str, RefillId(id): &RefillId) -> Result<(), PortError> {
        self.set_tag(url, REFILLED, id).await
    }

    async fn tags(&self, url: &str) -> Result<Tags, PortError> {
        let call = self.client.list_queue_tags().queue_url(url);
        let response =
            call.send().await.map_err(|error| call_error(url, "reading the queue's tags", error))?;
        Ok(response.tags.unwrap_or_default())
    }

    async fn set_tag(&self, url: &str, name: &str, value: &str) -> Result<(), PortError> {
        let call = self.client.tag_queue().queue_url(url).tags(name, value);
        call.send().await.map(drop).map_err(|error| call_error(url, "tagging the queue", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_needs_a_refill_until_that_of_its_own_id_is_complete() {
        let now = Timestamp::from_second(1_000).unwrap();
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let id = || RefillId("q".to_owned());
        for (pairs, expected) in [
            // A queue that Noren did not create.
            (vec![], Need::None),
            (vec![(CLAIM, "other 1")], Need::None),
            (vec![(QUEUE, "q")], Need::Open(id())),
            (vec![(QUEUE, "q"), (REFILLED, "q")], Need::None),
            (vec![(QUEUE, "q"), (REFILLED, "earlier")], Need::Open(id())),
            (vec![(QUEUE, "q"), (CLAIM, "other 1001")], Need::None),
            (vec![(QUEUE, "q"), (CLAIM, "other 1000")], Need::Open(id())),
            (vec![(QUEUE, "q"), (CLAIM, "broken")], Need::Open(id())),
            (vec![(QUEUE, "q"), (CLAIM, "me 1")], Need::Claimed(id())),
        ] {
            assert_eq!(need(&tags(&pairs), "me", now), expected, "{pairs:?}");
        }
    }
}
