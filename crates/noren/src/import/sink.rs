//! Where an import writes to.

use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::WriteOutcome;
use serde::Deserialize;

use super::Candidate;
use crate::client::{Problem, Service};
use crate::failure::Failure;

/// Takes batches of products, several at the same time.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Writes products; the answers are in their order: what the write did, or why there was none.
    ///
    /// # Errors
    /// When the catalogue cannot be written at all.
    async fn put(
        &self,
        candidates: &mut [&mut Candidate],
    ) -> Result<Vec<Result<WriteOutcome, Vec<Fault>>>, Failure>;
}

/// How often a request is tried when the service is not there or has too much to do.
const ATTEMPTS: u32 = 6;
/// The pause before the second attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

#[async_trait]
impl Sink for Service {
    /// Sends the products in one request. They all have ids, so that a request that broke off can be sent again
    /// without making anything twice.
    async fn put(
        &self,
        candidates: &mut [&mut Candidate],
    ) -> Result<Vec<Result<WriteOutcome, Vec<Fault>>>, Failure> {
        let mut outcomes: Vec<Option<Result<WriteOutcome, Vec<Fault>>>> =
            candidates.iter().map(|_| None).collect();
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let open: Vec<usize> = (0..outcomes.len()).filter(|at| outcomes[*at].is_none()).collect();
            let last = attempt == ATTEMPTS;
            let failure = match self.put_once(candidates, &open).await {
                Ok(answers) => {
                    for (at, answer) in open.into_iter().zip(answers) {
                        outcomes[at] = answer.into_outcome(last);
                    }
                    None
                }
                Err(PutError::Final(failure)) => return Err(failure),
                Err(PutError::Transient(failure)) => Some(failure),
            };
            if outcomes.iter().all(Option::is_some) {
                break;
            }
            if let Some(failure) = failure.filter(|_| last) {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(outcomes.into_iter().flatten().collect())
    }
}

enum PutError {
    /// The same request may succeed later.
    Transient(Failure),
    /// It will not.
    Final(Failure),
}

impl Service {
    async fn put_once(&self, candidates: &[&mut Candidate], open: &[usize]) -> Result<Vec<Answer>, PutError> {
        let mut body = Vec::with_capacity(open.iter().map(|at| candidates[*at].json().len() + 1).sum());
        for at in open {
            body.extend_from_slice(candidates[*at].json());
            body.push(b'\n');
        }
        let (status, body) =
            self.post("/products/bulk", "application/x-ndjson", body.into()).await.map_err(|error| {
                match error.is_connect {
                    true => PutError::Final(error.failure),
                    false => PutError::Transient(error.failure),
                }
            })?;
        let is_transient = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
        let body = crate::client::success(status, body).map_err(|failure| match is_transient {
            true => PutError::Transient(failure),
            false => PutError::Final(failure),
        })?;
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let answers: Vec<Answer> =
            lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(|error| {
                PutError::Transient(
                    Failure::new("the service answered a bulk write unreadably").because(error),
                )
            })?;
        if answers.len() != open.len() {
            let message = format!(
                "the service answered {} of {} products and broke off; import again, what is written stays",
                answers.len(),
                open.len()
            );
            return Err(PutError::Transient(Failure::new(message)));
        }
        Ok(answers)
    }
}

/// The answer to one line of a bulk write.
#[derive(Deserialize)]
struct Answer {
    status: u16,
    outcome: Option<WriteOutcome>,
    #[serde(default)]
    problem: Problem,
}

impl Answer {
    /// None when the line should be tried again.
    fn into_outcome(self, last: bool) -> Option<Result<WriteOutcome, Vec<Fault>>> {
        match self.outcome {
            Some(outcome) => Some(Ok(outcome)),
            None if matches!(self.status, 429 | 503) && !last => None,
            None => Some(Err(self.problem.into_faults(self.status))),
        }
    }
}
