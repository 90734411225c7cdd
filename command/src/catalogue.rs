//! The write side of the catalogue.
//!
//! Every command follows the same steps: read the current record, decide, make one conditional write, and start over if
//! another writer was faster. Changes are then enqueued, unless the store enqueues them itself.

use std::collections::HashSet;
use std::sync::Arc;

use api::extract::IdempotencyKey;
use api::probes;
use domain::input::ProductInput;
use domain::ports::{
    ChangeQueue, Envelope, ListError, OutboxEntryId, PortError, PortErrorKind, ProductPage, ProductStore,
    Write, WriteError, WriteOutcome, WriteResponse,
};
use domain::{Currency, HtmlPolicy, Product, ProductId, Record};
use futures::future::join_all;
use observed_ports::{ObservedQueue, ObservedStore};
use runtime::{Part, QueueProbe, off_thread};

use crate::command::{Command, Operation};
use crate::decide::{Decision, WriteRules, decide, idempotency_record};
use crate::error::CommandError;

/// The maximum number of attempts of a command that loses version races.
const MAX_ATTEMPTS: usize = 20;

/// Products that were written, by `action`.
const WRITES: &str = "noren_product_writes_total";

/// The result of a command.
type CommandResult = Result<WriteResponse, CommandError>;

/// The write side of the catalogue.
#[derive(Clone)]
pub struct Catalogue {
    store: Arc<dyn ProductStore>,
    queue: Arc<dyn ChangeQueue>,
    currency: Currency,
    html: HtmlPolicy,
}

impl Catalogue {
    /// Creates a catalogue over a store and a queue. Prices without a currency are in `currency`. HTML is stored unchanged.
    pub fn new(store: Arc<dyn ProductStore>, queue: Arc<dyn ChangeQueue>, currency: Currency) -> Self {
        metrics::describe_counter!(WRITES, "Products that were created, updated or deleted, by `action`");
        let (store, queue) = (ObservedStore::around(store), ObservedQueue::around(queue));
        Self { store, queue, currency, html: HtmlPolicy::Raw }
    }

    /// Stores HTML in the texts of products as the policy says.
    pub fn with_html(self, html: HtmlPolicy) -> Self {
        Self { html, ..self }
    }

    /// Returns the currency of prices without one.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Returns a product from the store.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] if the product does not exist or is deleted.
    pub async fn get(&self, id: &ProductId) -> Result<Arc<Product>, CommandError> {
        let records = self.store.get(std::slice::from_ref(id)).await?;
        let live = records.into_iter().flatten().find_map(|record| record.live().cloned());
        live.ok_or_else(|| CommandError::NotFound(id.clone()))
    }

    /// Returns a page of all products, see [`ProductStore::list`].
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        self.store.list(cursor, limit).await
    }

    /// Creates or replaces products, each independently, with the results in the order given. A batch of a few
    /// hundred costs little more than one product.
    pub async fn put_many(&self, inputs: Vec<ProductInput>) -> Vec<Result<WriteResponse, CommandError>> {
        self.execute_many(inputs.into_iter().map(Command::upsert).collect()).await
    }

    /// Executes one command. If its idempotency key was used for the same request before, returns that response.
    ///
    /// # Errors
    /// [`CommandError`]. Nothing was changed, unless the store failed: then the outcome is unknown.
    pub async fn execute(&self, command: Command) -> Result<WriteResponse, CommandError> {
        let Some(key) = command.idempotency.clone() else { return self.execute_one(command).await };
        if let Some(response) = self.find_response(&key).await? {
            return Ok(response);
        }
        self.execute_one(command).await
    }

    async fn execute_one(&self, command: Command) -> CommandResult {
        let mut results = self.execute_many(vec![command]).await;
        results.pop().unwrap_or_else(|| Err(internal("a command has no result").into()))
    }

    /// Returns the response that the request with this key received before.
    async fn find_response(&self, key: &IdempotencyKey) -> Result<Option<WriteResponse>, CommandError> {
        match self.store.find_idempotent(&key.key).await? {
            Some(record) if record.fingerprint == key.fingerprint => Ok(Some(record.response)),
            Some(_) => Err(CommandError::KeyReused),
            None => Ok(None),
        }
    }

    /// Executes commands, each independently, with the results in the order given. Commands on the same product are
    /// executed in the order given.
    pub async fn execute_many(&self, commands: Vec<Command>) -> Vec<Result<WriteResponse, CommandError>> {
        let mut results: Vec<Option<CommandResult>> = Vec::new();
        results.resize_with(commands.len(), || None);
        let mut attempts = vec![0; commands.len()];
        let mut open: Vec<usize> = (0..commands.len()).collect();
        while !open.is_empty() {
            // Of several commands on one product, the later ones wait for the next round.
            let mut taken = HashSet::new();
            let (round, mut later): (Vec<usize>, Vec<usize>) =
                open.iter().copied().partition(|at| taken.insert(commands[*at].id.clone()));
            let batch: Vec<&Command> = round.iter().map(|at| &commands[*at]).collect();
            for (at, result) in round.into_iter().zip(self.attempt(&batch).await) {
                attempts[at] += 1;
                match result {
                    Some(result) => results[at] = Some(result),
                    None if attempts[at] == MAX_ATTEMPTS => {
                        results[at] = Some(Err(CommandError::Contended(commands[at].id.clone())));
                    }
                    None => later.push(at),
                }
            }
            later.sort_unstable();
            open = later;
        }
        let missing = || Err(internal("a command has no result").into());
        results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
    }

    /// Executes one round of commands on distinct products. `None` means that the command lost a version race and must be
    /// retried.
    async fn attempt(&self, commands: &[&Command]) -> Vec<Option<CommandResult>> {
        let current = match self.read(commands).await {
            Ok(current) => current,
            Err(error) => return commands.iter().map(|_| Some(Err(error.clone().into()))).collect(),
        };
        let mut results: Vec<Option<CommandResult>> = Vec::with_capacity(commands.len());
        let (mut writes, mut unchanged) = (Vec::with_capacity(commands.len()), Vec::new());
        for (at, (command, current)) in commands.iter().zip(&current).enumerate() {
            results.push(match self.decide(command, current.as_ref()).await {
                Ok(Decision::Write(write, response)) => {
                    writes.push((at, *write, response));
                    None
                }
                Ok(Decision::Unchanged(response)) => {
                    unchanged.push(async move { (at, self.record_response(command, response).await) });
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        for (at, result) in join_all(unchanged).await {
            results[at] = result;
        }
        for (at, result) in self.write(commands, writes).await {
            results[at] = result;
        }
        let results =
            commands.iter().zip(results).map(|(command, result)| self.unless_repeated(command, result));
        join_all(results).await
    }

    /// Replaces a rejection by the earlier response to the same request, if there is one: a repeated request may be rejected only because
    /// of what the first one wrote.
    async fn unless_repeated(
        &self,
        command: &Command,
        result: Option<CommandResult>,
    ) -> Option<CommandResult> {
        let is_rejected = matches!(&result, Some(Err(error)) if !matches!(error, CommandError::Port(_)));
        match &command.idempotency {
            Some(key) if is_rejected => self.find_response(key).await.transpose().or(result),
            _ => result,
        }
    }

    /// Decides the effect of a command. A large patch is merged off the threads of the runtime.
    async fn decide(&self, command: &Command, current: Option<&Record>) -> Result<Decision, CommandError> {
        let rules = WriteRules { currency: self.currency, html: self.html };
        let (Operation::Patch(patch) | Operation::Merge(patch)) = &command.operation else {
            return decide(command, current, rules);
        };
        let (command, current) = (command.clone(), current.cloned());
        off_thread(patch.len(), move || decide(&command, current.as_ref(), rules)).await
    }

    /// Returns the current record for each command.
    async fn read(&self, commands: &[&Command]) -> Result<Vec<Option<Record>>, PortError> {
        let is_new = |command: &Command| matches!(command.operation, Operation::CreateNew(_));
        let ids: Vec<ProductId> =
            commands.iter().filter(|command| !is_new(command)).map(|command| command.id.clone()).collect();
        let mut records = match ids.is_empty() {
            true => Vec::new(),
            false => self.store.get(&ids).await?,
        }
        .into_iter();
        let record = |command: &&Command| if is_new(command) { None } else { records.next().flatten() };
        Ok(commands.iter().map(record).collect())
    }

    /// Makes writes and enqueues their changes. Each write comes with the position of its command and its response.
    async fn write(
        &self,
        commands: &[&Command],
        writes: Vec<(usize, Write, WriteResponse)>,
    ) -> Vec<(usize, Option<CommandResult>)> {
        if writes.is_empty() {
            return Vec::new();
        }
        let envelope =
            |write: &Write| Envelope { change: write.change.clone(), traceparent: write.traceparent.clone() };
        let envelopes: Vec<Envelope> = writes.iter().map(|(_, write, _)| envelope(write)).collect();
        let (mut pending, mut batch) = (Vec::with_capacity(writes.len()), Vec::with_capacity(writes.len()));
        for (at, write, response) in writes {
            pending.push((at, response));
            batch.push(write);
        }
        let written = self.store.write(batch).await;
        let (mut results, mut entries) = (Vec::with_capacity(pending.len()), Vec::new());
        for (((at, response), written), envelope) in pending.into_iter().zip(written).zip(envelopes) {
            let result = match written {
                Ok(written) => {
                    count_write(response.outcome);
                    entries.extend(written.outbox_entry.map(|entry| (entry, envelope)));
                    Some(Ok(response))
                }
                Err(error) => self.result_of_error(commands[at], error).await,
            };
            results.push((at, result));
        }
        self.enqueue(entries).await;
        results
    }

    /// Records the response to a command that changed nothing, so that a repetition returns it.
    async fn record_response(&self, command: &Command, response: WriteResponse) -> Option<CommandResult> {
        let Some(key) = &command.idempotency else { return Some(Ok(response)) };
        match self.store.record_idempotent(idempotency_record(key, &response)).await {
            Ok(()) => Some(Ok(response)),
            Err(error) => self.result_of_error(command, error).await,
        }
    }

    /// Converts the error of a write to the result of its command. `None` if the command must be retried.
    async fn result_of_error(&self, command: &Command, error: WriteError) -> Option<CommandResult> {
        match error {
            WriteError::Conflict { .. } => None,
            WriteError::SkuTaken { owner } => {
                let sku = command.sku().unwrap_or_default();
                Some(Err(CommandError::SkuTaken { sku, owner }))
            }
            WriteError::DuplicateKey => match &command.idempotency {
                Some(key) => self.find_response(key).await.transpose(),
                None => Some(Err(internal("the store has an idempotency key that was not given").into())),
            },
            WriteError::Failed(error) => Some(Err(error.into())),
        }
    }

    /// Enqueues changes and removes their outbox entries. Returns how many were enqueued.
    ///
    /// Failures are left to the relay: the write is durable, and so is its outbox entry.
    pub(crate) async fn enqueue(&self, entries: Vec<(OutboxEntryId, Envelope)>) -> usize {
        if entries.is_empty() {
            return 0;
        }
        let (ids, envelopes): (Vec<OutboxEntryId>, Vec<Envelope>) = entries.into_iter().unzip();
        let mut sent = Vec::with_capacity(ids.len());
        for (id, result) in ids.into_iter().zip(self.queue.send(envelopes).await) {
            match result {
                Ok(()) => sent.push(id),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot enqueue a change; the relay will retry");
                }
            }
        }
        if let Err(error) = self.store.remove_from_outbox(&sent).await {
            tracing::warn!(
                error = error.chain(),
                "cannot remove outbox entries; the relay will enqueue their changes again"
            );
        }
        sent.len()
    }

    pub(crate) fn store(&self) -> &Arc<dyn ProductStore> {
        &self.store
    }

    pub(crate) fn queue(&self) -> &Arc<dyn ChangeQueue> {
        &self.queue
    }

    /// Returns the parts that must be ready: the store and the queue.
    pub fn parts(&self) -> Vec<Part> {
        vec![
            probes::part("store", &self.store, |store| async move { store.ready().await }),
            probes::part("queue", &self.queue, |queue| async move { queue.ready().await }),
        ]
    }

    /// Returns a probe of the depth of the queue and of the outbox.
    pub fn queue_probe(&self) -> QueueProbe {
        probes::queue_probe(self.queue.clone(), Some(self.store.clone()))
    }
}

fn internal(context: &str) -> PortError {
    PortError::bare(PortErrorKind::Internal, context)
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;

/// Counts a write that is durable.
fn count_write(outcome: WriteOutcome) {
    let action = match outcome {
        WriteOutcome::Created => "create",
        WriteOutcome::Updated => "update",
        WriteOutcome::Deleted => "delete",
        WriteOutcome::Unchanged => return,
    };
    metrics::counter!(WRITES, "action" => action).increment(1);
}
