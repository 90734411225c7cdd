//! Deletes products in batches, with a result for each.

use std::time::Duration;

use api::wire::imports::LineResult;
use axum::body::Bytes;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use domain::input::DeleteInput;
use domain::ports::WriteOutcome;
use domain::{Fault, Product, ProductId, Selection};

use crate::client::{Api, Problem, ProductPages, read_json};
use crate::failure::Failure;

/// The most deletes of a request.
const BATCH: usize = 500;
/// Retries of deletes that an overloaded service did not execute.
const RETRIES: usize = 5;
/// The pause before the first retry. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The results of the deletes so far.
#[derive(Debug, Default)]
pub(crate) struct Deleted {
    /// The number of products deleted.
    pub(crate) deleted: u64,
    /// The products that do not exist.
    pub(crate) missing: Vec<ProductId>,
    /// The number of products that were written after they were selected, so they stay.
    pub(crate) changed: u64,
}

/// Deletes products of one catalogue.
pub(crate) struct Deletion<'a> {
    api: &'a dyn Api,
    pub(crate) result: Deleted,
}

impl<'a> Deletion<'a> {
    /// Creates the deletion, which has deleted nothing yet.
    pub(crate) fn new(api: &'a dyn Api) -> Self {
        Self { api, result: Deleted::default() }
    }

    /// Deletes the products that `selects` returns true for, each in the version that was listed. Calls `progress` with the number of
    /// products listed.
    ///
    /// # Errors
    /// If the catalogue cannot be read or written.
    pub(crate) async fn delete_selected(
        &mut self,
        selects: impl Fn(&Product) -> bool,
        progress: impl Fn(u64),
    ) -> Result<(), Failure> {
        let mut pages = ProductPages::new(self.api);
        let mut listed = 0;
        while let Some(products) = pages.next_products().await? {
            listed += products.len() as u64;
            let selected = products.into_iter().filter(|product| selects(product));
            let deletes =
                selected.map(|product| DeleteInput { id: product.id, if_version: Some(product.version) });
            self.delete(&deletes.collect::<Vec<_>>()).await?;
            progress(listed);
        }
        Ok(())
    }

    /// Deletes products.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub(crate) async fn delete(&mut self, deletes: &[DeleteInput]) -> Result<(), Failure> {
        for batch in deletes.chunks(BATCH) {
            let mut open: Vec<&DeleteInput> = batch.iter().collect();
            let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES);
            let mut pauses = pauses.with_factor(2.0).without_max_delay().build();
            while !open.is_empty() {
                let pause = pauses.next();
                open = self.send(&open, pause.is_none()).await?;
                if let Some(pause) = pause.filter(|_| !open.is_empty()) {
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Ok(())
    }

    /// Sends deletes once and returns those to retry. The last attempt fails instead if any are left.
    async fn send<'d>(
        &mut self,
        deletes: &[&'d DeleteInput],
        is_last: bool,
    ) -> Result<Vec<&'d DeleteInput>, Failure> {
        let lines: String = deletes.iter().map(|delete| format!("{}\n", delete.to_json())).collect();
        let response = self.api.post_lines("/products/bulk", Bytes::from(lines)).await?;
        if !is_last && is_transient(response.status.as_u16()) {
            return Ok(deletes.to_vec());
        }
        let body = response.success()?;
        let answers = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let mut again = Vec::new();
        let mut answered = 0;
        for (delete, answer) in deletes.iter().zip(answers) {
            answered += 1;
            let answer: LineResult<Problem> = read_json(answer, "the result of a delete")?;
            match answer.outcome {
                Some(WriteOutcome::Deleted) => self.result.deleted += 1,
                _ if answer.status == 404 => self.result.missing.push(delete.id.clone()),
                _ if answer.status == 412 => self.result.changed += 1,
                None if is_transient(answer.status) && !is_last => again.push(*delete),
                _ => {
                    let faults = answer.problem.unwrap_or_default().into_faults(answer.status);
                    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
                    return Err(Failure::new(format!("{}: {}", delete.id, faults.join("; "))));
                }
            }
        }
        // The response ended early. Retry the rest; a product that was already deleted then counts as missing or changed.
        again.extend(&deletes[answered..]);
        if is_last && !again.is_empty() {
            return Err(Failure::new(
                "the service is overloaded or its response ended early, so not every delete was executed; run the command again",
            ));
        }
        Ok(again)
    }
}

fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 502 | 503 | 504)
}

/// Returns the number of products that the selection accepts, and the ids of the first five.
///
/// # Errors
/// If the catalogue cannot be read.
pub(super) async fn count(api: &dyn Api, selection: &Selection) -> Result<(u64, Vec<ProductId>), Failure> {
    const EXAMPLES: usize = 5;
    let mut pages = ProductPages::new(api);
    let (mut selected, mut examples) = (0, Vec::new());
    while let Some(products) = pages.next_products().await? {
        for product in products.into_iter().filter(|product| selection.accepts(product)) {
            selected += 1;
            examples.extend((examples.len() < EXAMPLES).then_some(product.id));
        }
    }
    Ok((selected, examples))
}
