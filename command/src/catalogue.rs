//! The decisions of the write side: what a command makes of what the store holds.
//!
//! Every command takes the same way: read what is there, decide, make one conditional write, and begin again when
//! somebody else was quicker. What was written is then enqueued, unless the store does that by itself.

use std::collections::HashSet;
use std::sync::Arc;

use domain::input::{InputError, ProductInput, read_product};
use domain::merge_patch::merge_patch;
use domain::ports::{
    ChangeQueue, Envelope, IdempotencyRecord, ListError, OutboxEntryId, PortError, PortErrorKind,
    ProductPage, ProductStore, Write, WriteError, WriteOutcome, WriteResponse,
};
use domain::{Change, Content, Currency, Fault, FaultKind, Product, ProductId, Record, Tombstone, Version};
use futures::future::join_all;

use crate::error::CommandError;

/// How often a command is decided anew when others write the same product, before it is given up.
const MAX_ATTEMPTS: usize = 20;

/// The write side of the catalogue.
#[derive(Clone)]
pub struct Catalogue {
    store: Arc<dyn ProductStore>,
    queue: Arc<dyn ChangeQueue>,
    currency: Currency,
}

/// One thing to do to one product.
#[derive(Debug, Clone)]
pub struct Command {
    /// The product; for a create without an id, a new one.
    pub id: ProductId,
    /// What to do.
    pub operation: Operation,
    /// What must hold for it to be done.
    pub precondition: Precondition,
    /// The caller's idempotency key with a fingerprint of the request.
    pub idempotency: Option<IdempotencyKey>,
    /// The W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// What to do to a product.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Make it; it must not exist.
    Create(Content),
    /// Make it, under an id that was generated just now: there is nothing to read first.
    CreateNew(Content),
    /// Make or replace it.
    Put(Content),
    /// Change some of its fields by a JSON merge patch.
    Patch(Arc<[u8]>),
    /// Delete it.
    Delete,
}

/// What must hold of a product for a command to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// It exists, in any version (`If-Match: *`).
    Exists,
    /// It exists in one of these versions (`If-Match: "3"`).
    IsAt(Vec<Version>),
    /// It does not exist (`If-None-Match: *`).
    IsAbsent,
}

/// A caller's name for one request, so that repeating it changes nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The name.
    pub key: String,
    /// A hash of the request.
    pub fingerprint: [u8; 32],
}

impl Command {
    /// A command without conditions.
    pub fn new(id: ProductId, operation: Operation) -> Self {
        Self { id, operation, precondition: Precondition::None, idempotency: None, traceparent: None }
    }

    /// Make or replace a product; one without an id is new.
    pub fn upsert(input: ProductInput) -> Self {
        match input.id {
            Some(id) => Self::new(id, Operation::Put(input.content)),
            None => Self::new(ProductId::generate(), Operation::CreateNew(input.content)),
        }
    }
}

/// What a command makes of what the store holds.
enum Decision {
    /// Write this; the answer is what to say when it is written.
    Write(Box<Write>, WriteResponse),
    /// It is so already.
    Unchanged(WriteResponse),
}

impl Catalogue {
    /// A catalogue over a store and a queue. Prices that name no currency are in `currency`.
    pub fn new(store: Arc<dyn ProductStore>, queue: Arc<dyn ChangeQueue>, currency: Currency) -> Self {
        Self { store, queue, currency }
    }

    /// The currency of prices that name none.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The product as the store holds it.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] when there is none.
    pub async fn get(&self, id: &ProductId) -> Result<Arc<Product>, CommandError> {
        let records = self.store.get(std::slice::from_ref(id)).await?;
        let live = records.into_iter().flatten().find_map(|record| record.live().cloned());
        live.ok_or_else(|| CommandError::NotFound(id.clone()))
    }

    /// A page of all products.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        self.store.list(cursor, limit).await
    }

    /// Makes or replaces products, each on its own, with the answers in the order given. A batch of some hundred
    /// costs little more than a single one.
    pub async fn put_many(&self, inputs: Vec<ProductInput>) -> Vec<Result<WriteResponse, CommandError>> {
        self.execute_many(inputs.into_iter().map(Command::upsert).collect()).await
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was changed then.
    pub async fn execute(&self, command: Command) -> Result<WriteResponse, CommandError> {
        let Some(key) = command.idempotency.clone() else { return self.execute_one(command).await };
        if let Some(answer) = self.answered_before(&key).await? {
            return Ok(answer);
        }
        match self.execute_one(command).await {
            Ok(answer) => Ok(answer),
            Err(CommandError::Port(error)) => Err(error.into()),
            // The same request may have been carried out meanwhile, and what refuses this repetition is its own work.
            Err(refused) => self.answered_before(&key).await?.ok_or(refused),
        }
    }

    async fn execute_one(&self, command: Command) -> Result<WriteResponse, CommandError> {
        let mut answers = self.execute_many(vec![command]).await;
        answers.pop().unwrap_or_else(|| Err(internal("a command got no answer").into()))
    }

    /// The answer that this request got before.
    async fn answered_before(&self, key: &IdempotencyKey) -> Result<Option<WriteResponse>, CommandError> {
        match self.store.find_idempotent(&key.key).await? {
            Some(answered) if answered.fingerprint == key.fingerprint => Ok(Some(answered.response)),
            Some(_) => Err(CommandError::KeyReused),
            None => Ok(None),
        }
    }

    /// Carries out commands, each on its own, with the answers in the order given. Commands on the same product are
    /// carried out in the order given.
    pub async fn execute_many(&self, commands: Vec<Command>) -> Vec<Result<WriteResponse, CommandError>> {
        let mut answers: Vec<Option<Result<WriteResponse, CommandError>>> = Vec::new();
        answers.resize_with(commands.len(), || None);
        let mut attempts = vec![0; commands.len()];
        let mut open: Vec<usize> = (0..commands.len()).collect();
        while !open.is_empty() {
            // Of several commands on one product, the later ones wait for the next round.
            let mut taken = HashSet::new();
            let (round, mut later): (Vec<usize>, Vec<usize>) =
                open.iter().copied().partition(|at| taken.insert(commands[*at].id.clone()));
            let batch: Vec<&Command> = round.iter().map(|at| &commands[*at]).collect();
            for (at, answer) in round.into_iter().zip(self.attempt(&batch).await) {
                attempts[at] += 1;
                match answer {
                    Some(answer) => answers[at] = Some(answer),
                    None if attempts[at] == MAX_ATTEMPTS => {
                        answers[at] = Some(Err(CommandError::Contended(commands[at].id.clone())));
                    }
                    None => later.push(at),
                }
            }
            later.sort_unstable();
            open = later;
        }
        let missing = || Err(internal("a command got no answer").into());
        answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }

    /// One round for commands on different products; `None` for one that somebody else was quicker than.
    async fn attempt(&self, commands: &[&Command]) -> Vec<Option<Result<WriteResponse, CommandError>>> {
        let current = match self.read(commands).await {
            Ok(current) => current,
            Err(error) => return commands.iter().map(|_| Some(Err(copy_of(&error).into()))).collect(),
        };
        let mut answers: Vec<Option<Result<WriteResponse, CommandError>>> =
            Vec::with_capacity(commands.len());
        let (mut writes, mut written, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (command, current)) in commands.iter().zip(&current).enumerate() {
            answers.push(match self.decide(command, current.as_ref()) {
                Ok(Decision::Write(write, answer)) => {
                    writes.push(*write);
                    written.push((at, answer));
                    None
                }
                Ok(Decision::Unchanged(answer)) => {
                    unchanged.push(async move { (at, self.remember(command, answer).await) });
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        for (at, answer) in join_all(unchanged).await {
            answers[at] = answer;
        }
        if writes.is_empty() {
            return answers;
        }
        let envelopes: Vec<Envelope> = writes
            .iter()
            .map(|write| Envelope { change: write.change.clone(), traceparent: write.traceparent.clone() })
            .collect();
        let mut unsent = Vec::new();
        for (((at, answer), result), envelope) in
            written.into_iter().zip(self.store.write(writes).await).zip(envelopes)
        {
            answers[at] = match result {
                Ok(written) => {
                    unsent.extend(written.outbox_entry.map(|mark| (mark, envelope)));
                    Some(Ok(answer))
                }
                Err(error) => self.settle(commands[at], error).await,
            };
        }
        self.enqueue(unsent).await;
        answers
    }

    /// What the store holds for each command.
    async fn read(&self, commands: &[&Command]) -> Result<Vec<Option<Record>>, PortError> {
        let is_new = |command: &Command| matches!(command.operation, Operation::CreateNew(_));
        let ids: Vec<ProductId> =
            commands.iter().filter(|command| !is_new(command)).map(|command| command.id.clone()).collect();
        let mut records = match ids.is_empty() {
            true => Vec::new(),
            false => self.store.get(&ids).await?,
        }
        .into_iter();
        Ok(commands
            .iter()
            .map(|command| if is_new(command) { None } else { records.next().flatten() })
            .collect())
    }

    /// What the command makes of what is there.
    fn decide(&self, command: &Command, current: Option<&Record>) -> Result<Decision, CommandError> {
        let live = current.and_then(Record::live);
        check(&command.precondition, &command.id, live.map(|product| product.version))?;
        let content = match (&command.operation, live) {
            (Operation::Create(_) | Operation::CreateNew(_), Some(product)) => {
                return Err(CommandError::Exists { id: command.id.clone(), version: product.version });
            }
            (Operation::Patch(_) | Operation::Delete, None) => {
                return Err(CommandError::NotFound(command.id.clone()));
            }
            (Operation::Delete, Some(_)) => None,
            (Operation::Patch(patch), Some(product)) => Some(self.patched(product, patch)?),
            (Operation::Create(content) | Operation::CreateNew(content) | Operation::Put(content), _) => {
                Some(content.clone())
            }
        };
        let version = Version::after(current.map(Record::version));
        let now = domain::now();
        let (change, outcome) = match (content, live) {
            (None, _) => {
                let tombstone = Tombstone { id: command.id.clone(), version, deleted_at: now };
                (Change::Delete(tombstone), WriteOutcome::Deleted)
            }
            (Some(content), Some(product)) if content == product.content => {
                return Ok(Decision::Unchanged(WriteResponse {
                    outcome: WriteOutcome::Unchanged,
                    id: command.id.clone(),
                    version: product.version,
                }));
            }
            (Some(content), live) => {
                let created_at = live.map_or(now, |product| product.created_at);
                let id = command.id.clone();
                let product = Arc::new(Product { id, version, created_at, updated_at: now, content });
                match live {
                    Some(_) => (Change::Update(product), WriteOutcome::Updated),
                    None => (Change::Create(product), WriteOutcome::Created),
                }
            }
        };
        let answer = WriteResponse { outcome, id: command.id.clone(), version };
        let write = Write {
            change,
            replaces: current.map(Record::version),
            idempotency: command.idempotency.as_ref().map(|key| key.answered(&answer)),
            traceparent: command.traceparent.clone(),
        };
        Ok(Decision::Write(Box::new(write), answer))
    }

    /// The product's content after a merge patch.
    fn patched(&self, product: &Product, patch: &[u8]) -> Result<Content, CommandError> {
        let json = serde_json::to_vec(product)
            .map_err(|error| PortError::new(PortErrorKind::Internal, "writing a product as JSON", error))?;
        let input = read_product(&merge_patch(&json, patch)?, self.currency)?;
        match input.id {
            Some(id) if id == product.id => Ok(input.content),
            _ => Err(InputError::from(id_differs(&product.id)).into()),
        }
    }

    /// Keeps the answer to a command that changed nothing, for when it is repeated.
    async fn remember(
        &self,
        command: &Command,
        answer: WriteResponse,
    ) -> Option<Result<WriteResponse, CommandError>> {
        let Some(key) = &command.idempotency else { return Some(Ok(answer)) };
        match self.store.record_idempotent(key.answered(&answer)).await {
            Ok(()) => Some(Ok(answer)),
            Err(error) => self.settle(command, error).await,
        }
    }

    /// What a failed write means for its command; `None` when it must be decided anew.
    async fn settle(
        &self,
        command: &Command,
        error: WriteError,
    ) -> Option<Result<WriteResponse, CommandError>> {
        match error {
            WriteError::Conflict { .. } => None,
            WriteError::SkuTaken { owner } => {
                let sku = match &command.operation {
                    Operation::Create(content) | Operation::CreateNew(content) | Operation::Put(content) => {
                        content.sku.clone()
                    }
                    Operation::Patch(patch) => sku_of_patch(patch),
                    Operation::Delete => None,
                };
                Some(Err(CommandError::SkuTaken { sku: sku.unwrap_or_default(), owner }))
            }
            WriteError::DuplicateKey => match &command.idempotency {
                Some(key) => self.answered_before(key).await.transpose(),
                None => Some(Err(internal("the store knew an idempotency key that was not given").into())),
            },
            WriteError::Failed(error) => Some(Err(error.into())),
        }
    }

    /// Enqueues what was written and clears the marks. What fails here is left to the relay: the write itself is
    /// durable, and so is its mark. Answers how many were enqueued.
    pub(crate) async fn enqueue(&self, unsent: Vec<(OutboxEntryId, Envelope)>) -> usize {
        if unsent.is_empty() {
            return 0;
        }
        let (marks, envelopes): (Vec<OutboxEntryId>, Vec<Envelope>) = unsent.into_iter().unzip();
        let mut sent = Vec::with_capacity(marks.len());
        for (mark, result) in marks.into_iter().zip(self.queue.send(envelopes).await) {
            match result {
                Ok(()) => sent.push(mark),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "a change was not enqueued; the relay will do it");
                }
            }
        }
        if let Err(error) = self.store.remove_from_outbox(&sent).await {
            tracing::warn!(error = error.chain(), "sent changes stay marked; the relay will send them again");
        }
        sent.len()
    }

    pub(crate) fn store(&self) -> &Arc<dyn ProductStore> {
        &self.store
    }

    pub(crate) fn queue(&self) -> &Arc<dyn ChangeQueue> {
        &self.queue
    }
}

impl IdempotencyKey {
    fn answered(&self, answer: &WriteResponse) -> IdempotencyRecord {
        IdempotencyRecord { key: self.key.clone(), fingerprint: self.fingerprint, response: answer.clone() }
    }
}

/// Whether the precondition holds of a product that is at `current`, or does not exist.
fn check(precondition: &Precondition, id: &ProductId, current: Option<Version>) -> Result<(), CommandError> {
    let holds = match precondition {
        Precondition::None => true,
        Precondition::Exists => current.is_some(),
        Precondition::IsAt(versions) => current.is_some_and(|current| versions.contains(&current)),
        Precondition::IsAbsent => current.is_none(),
    };
    if holds { Ok(()) } else { Err(CommandError::Stale { id: id.clone(), current }) }
}

/// The fault of a body whose id is not that of the address.
pub(crate) fn id_differs(id: &ProductId) -> Fault {
    Fault::new("id", FaultKind::Malformed, format!("must be `{id}`, as in the address, or be left out"))
}

fn sku_of_patch(patch: &[u8]) -> Option<String> {
    let patch: serde_json::Value = serde_json::from_slice(patch).ok()?;
    Some(patch.get("sku")?.as_str()?.to_owned())
}

fn internal(context: &str) -> PortError {
    PortError::bare(PortErrorKind::Internal, context)
}

/// One failed read fails every command of its round, and an error cannot be cloned with its cause.
fn copy_of(error: &PortError) -> PortError {
    PortError::bare(error.kind, error.chain())
}
