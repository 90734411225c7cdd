//! Writes to a running service.

use std::sync::Arc;
use std::time::Duration;

use api::parameters::push_pair;
use api::wire::imports::LineResult;
use async_trait::async_trait;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use domain::WriteMode;

use super::candidate::Candidate;
use super::sink::{PutResult, Sink};
use crate::client::{Problem, Service};
use crate::failure::Failure;

/// Retries of a request to a service that is overloaded or breaks off.
const RETRIES: usize = 5;
/// Pause before the first retry. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Writes to a running service.
pub(super) struct ServiceSink {
    pub(super) service: Service,
    /// The source to write into the products.
    pub(super) source: Option<Arc<str>>,
}

#[async_trait]
impl Sink for ServiceSink {
    /// Sends the products in one request, and retries those without a final answer. Every product has an id, so retries
    /// create no duplicates.
    async fn put(&self, candidates: &mut [&mut Candidate]) -> Result<Vec<PutResult>, Failure> {
        let mut results: Vec<Option<PutResult>> = candidates.iter().map(|_| None).collect();
        let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES);
        let mut pauses = pauses.with_factor(2.0).without_max_delay().build();
        loop {
            let open: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_none()).collect();
            let pause = pauses.next();
            let failure = match self.put_once(candidates, &open).await {
                Ok(answers) => {
                    for (at, answer) in open.into_iter().zip(answers) {
                        results[at] = result_of(answer, pause.is_none());
                    }
                    None
                }
                Err(PutError::Final(failure)) => return Err(failure),
                Err(PutError::Transient(failure)) => Some(failure),
            };
            if results.iter().all(Option::is_some) {
                return Ok(results.into_iter().flatten().collect());
            }
            match (pause, failure) {
                (Some(pause), _) => tokio::time::sleep(pause).await,
                (None, failure) => {
                    // Without a pause left, every answer is final, so only a failed request leaves products open.
                    return Err(
                        failure.unwrap_or_else(|| Failure::new("the service did not answer every product"))
                    );
                }
            }
        }
    }
}

enum PutError {
    /// A retry may succeed.
    Transient(Failure),
    /// A retry would fail as well.
    Final(Failure),
}

impl ServiceSink {
    /// Sends the candidates with these positions once.
    async fn put_once(
        &self,
        candidates: &[&mut Candidate],
        open: &[usize],
    ) -> Result<Vec<LineResult<Problem>>, PutError> {
        let mut body = Vec::with_capacity(open.iter().map(|at| candidates[*at].json().len() + 1).sum());
        for at in open {
            body.extend_from_slice(candidates[*at].json());
            body.push(b'\n');
        }
        // A batch comes from one file, so all its products have one mode.
        let merges = open.first().is_some_and(|at| candidates[*at].mode() == WriteMode::Merge);
        let mut query = String::new();
        if merges {
            push_pair(&mut query, "mode", "merge");
        }
        self.source.iter().for_each(|source| push_pair(&mut query, "source", source));
        let path =
            if query.is_empty() { "/products/bulk".to_owned() } else { format!("/products/bulk?{query}") };
        let sent = self.service.post_as(&path, "application/x-ndjson", body.into()).await;
        let response = sent.map_err(|error| match error.is_connect {
            true => PutError::Final(error.failure),
            false => PutError::Transient(error.failure),
        })?;
        let is_transient = matches!(response.status.as_u16(), 408 | 429 | 502 | 503 | 504);
        let body = response.success().map_err(|failure| match is_transient {
            true => PutError::Transient(failure),
            false => PutError::Final(failure),
        })?;
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let answers: Result<Vec<LineResult<Problem>>, _> = lines.map(serde_json::from_slice).collect();
        let answers = answers.map_err(|error| {
            let failure = Failure::new("the response to a bulk write is not readable").because(error);
            PutError::Transient(failure)
        })?;
        if answers.len() != open.len() {
            let message = format!(
                "the service broke off after {} of {} products; import again, written products are unchanged then",
                answers.len(),
                open.len()
            );
            return Err(PutError::Transient(Failure::new(message)));
        }
        Ok(answers)
    }
}

/// Returns the result of a line, or `None` if it should be retried.
fn result_of(answer: LineResult<Problem>, is_last: bool) -> Option<PutResult> {
    match answer.outcome {
        Some(outcome) => Some(Ok(outcome)),
        None if matches!(answer.status, 429 | 503) && !is_last => None,
        None => Some(Err(answer.problem.unwrap_or_default().into_faults(answer.status))),
    }
}
