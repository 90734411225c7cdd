//! Clients that write, and their responses.

use std::sync::{Arc, Mutex, PoisonError};

use command::{Command, CommandError, IdempotencyKey, Operation, Precondition};
use domain::input::read_product;
use domain::ports::WriteResponse;
use domain::{Content, Currency, ProductId, Version};

use super::index::{REFUSED, TOXIC};
use super::process::CommandProcess;
use super::world::{Event, World};

/// The maximum number of attempts of a request.
const MAX_ATTEMPTS: u64 = 5;
/// The number of requests of a client.
const REQUESTS: u64 = 10;

/// A request of a client, with its attempts and responses.
pub(super) struct Request {
    pub(super) wish: Wish,
    pub(super) precondition: Precondition,
    /// True if it had an idempotency key, which makes all its attempts one request.
    pub(super) keyed: bool,
    pub(super) attempts: Vec<Attempt>,
}

/// A write that a client wants.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Create(ProductId, Content),
    /// Under an id that the service assigns.
    CreateNew(Content),
    Put(ProductId, Content),
    /// A patch of the stock.
    Stock(ProductId, u64),
    Delete(ProductId),
}

/// One attempt of a request.
pub(super) struct Attempt {
    /// Sent with the write as its trace context.
    pub(super) tag: String,
    /// `None` if there was no response.
    pub(super) answer: Option<Result<WriteResponse, CommandError>>,
}

/// All requests of all clients.
pub(super) type Log = Arc<Mutex<Vec<Request>>>;

pub(super) struct Client {
    pub(super) number: u64,
    pub(super) world: Arc<World>,
    pub(super) processes: Vec<Arc<CommandProcess>>,
    pub(super) ids: Vec<ProductId>,
    pub(super) log: Log,
}

impl Client {
    pub(super) async fn run(self) {
        for request in 0..REQUESTS {
            self.world.wait(self.world.milliseconds(1..4000)).await;
            let name = format!("c{}r{request}", self.number);
            let done = match self.world.chance(0.15) {
                true => self.send_many(&name).await,
                false => vec![self.send(&name).await],
            };
            self.log.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
        }
    }

    /// Sends one request until it gets a final response or has used up its attempts.
    async fn send(&self, name: &str) -> Request {
        let wish = self.wish(name);
        let precondition = self.precondition(&wish).await;
        let keyed = self.world.chance(0.5);
        let mut attempts = Vec::new();
        for number in 0..MAX_ATTEMPTS {
            let tag = format!("{name}a{number}");
            let mut command = wish.command(&tag);
            command.precondition = precondition.clone();
            command.idempotency =
                keyed.then(|| IdempotencyKey { key: name.to_owned(), fingerprint: [self.number as u8; 32] });
            let process = self.world.pick(&self.processes);
            let catalogue = process.catalogue();
            let answer = process.handle(async move { catalogue.execute(command).await }).await;
            self.note(&tag, &wish, answer.as_ref());
            let is_final = answer.as_ref().is_some_and(is_final);
            attempts.push(Attempt { tag, answer });
            if is_final || (!keyed && self.world.chance(0.5)) {
                break;
            }
            if self.world.chance(0.5) {
                self.world.wait(self.world.milliseconds(1..3000)).await;
            }
        }
        Request { wish, precondition, keyed, attempts }
    }

    /// Sends several wishes together, once.
    async fn send_many(&self, name: &str) -> Vec<Request> {
        let tags: Vec<String> = (0..self.world.number(2..5)).map(|line| format!("{name}l{line}")).collect();
        let wishes: Vec<Wish> = tags.iter().map(|tag| self.wish(tag)).collect();
        let commands: Vec<Command> = wishes.iter().zip(&tags).map(|(wish, tag)| wish.command(tag)).collect();
        let process = self.world.pick(&self.processes);
        let catalogue = process.catalogue();
        let answers = process.handle(async move { catalogue.execute_many(commands).await }).await;
        let mut answers = answers.map(Vec::into_iter);
        let requests = wishes.into_iter().zip(tags).map(|(wish, tag)| {
            let answer = answers.as_mut().and_then(Iterator::next);
            self.note(&tag, &wish, answer.as_ref());
            let attempts = vec![Attempt { tag, answer }];
            Request { wish, precondition: Precondition::None, keyed: false, attempts }
        });
        requests.collect()
    }

    fn note(&self, tag: &str, wish: &Wish, answer: Option<&Result<WriteResponse, CommandError>>) {
        self.world.count(Event::Request);
        if answer.is_some_and(Result::is_ok) {
            self.world.count(Event::AcknowledgedWrite);
        }
        match answer {
            Some(Ok(answer)) => self
                .world
                .note(format_args!("{tag} {wish}: {:?} {}@{}", answer.outcome, answer.id, answer.version)),
            Some(Err(error)) => self.world.note(format_args!("{tag} {wish}: {error}")),
            None => self.world.note(format_args!("{tag} {wish}: no answer")),
        }
    }

    fn wish(&self, name: &str) -> Wish {
        let id = self.world.pick(&self.ids);
        match self.world.number(0..100) {
            0..15 => Wish::Create(id, self.content(name)),
            15..22 => Wish::CreateNew(self.content(name)),
            22..55 => Wish::Put(id, self.content(name)),
            55..80 => Wish::Stock(id, self.world.number(0..1000)),
            _ => Wish::Delete(id),
        }
    }

    fn content(&self, name: &str) -> Content {
        let input = read_product(br#"{"name": "x"}"#, Currency::USD).unwrap();
        let name = match self.world.number(0..100) {
            0..3 => REFUSED,
            3..6 => TOXIC,
            6..20 => "the same",
            _ => name,
        };
        let sku = self.world.chance(0.15).then(|| self.world.pick(&["sku-1", "sku-2"]).to_owned());
        Content { name: name.to_owned(), sku, ..input.content }
    }

    /// Returns the precondition of a write, in most cases none.
    async fn precondition(&self, wish: &Wish) -> Precondition {
        let (Wish::Put(id, _) | Wish::Stock(id, _) | Wish::Delete(id)) = wish else {
            return Precondition::None;
        };
        match self.world.number(0..100) {
            0..30 => {
                let (process, id) = (self.world.pick(&self.processes), id.clone());
                let catalogue = process.catalogue();
                let read = process.handle(async move { catalogue.get(&id).await }).await;
                let version = read.and_then(Result::ok).map(|product| product.version);
                version.map_or(Precondition::None, |version| Precondition::IsAt(vec![version]))
            }
            30..35 => Precondition::Exists,
            35..40 if matches!(wish, Wish::Put(..)) => Precondition::IsAbsent,
            _ => Precondition::None,
        }
    }
}

/// Returns true if the client need not retry.
pub(super) fn is_final(answer: &Result<WriteResponse, CommandError>) -> bool {
    !matches!(answer, Err(CommandError::Port(_) | CommandError::Contended(_)))
}

impl Wish {
    fn command(&self, tag: &str) -> Command {
        let (id, operation) = match self.clone() {
            Self::Create(id, content) => (id, Operation::Create(content)),
            Self::CreateNew(content) => {
                let id = ProductId::parse(&format!("new-{tag}")).unwrap();
                (id, Operation::CreateNew(content))
            }
            Self::Put(id, content) => (id, Operation::Put(content)),
            Self::Stock(id, stock) => {
                (id, Operation::Patch(format!(r#"{{"stock":{stock}}}"#).into_bytes().into()))
            }
            Self::Delete(id) => (id, Operation::Delete),
        };
        let mut command = Command::new(id, operation);
        command.traceparent = Some(tag.to_owned());
        command
    }

    /// Returns the content after the write was applied to `before`; `None` for a delete.
    pub(super) fn made_of(&self, before: Option<&Content>) -> Option<Content> {
        match self {
            Self::Create(_, content) | Self::CreateNew(content) | Self::Put(_, content) => {
                Some(content.clone())
            }
            Self::Stock(_, stock) => before.map(|before| Content { stock: Some(*stock), ..before.clone() }),
            Self::Delete(_) => None,
        }
    }
}

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create(id, content) => write!(f, "create {id} `{}`", content.name),
            Self::CreateNew(content) => write!(f, "create `{}`", content.name),
            Self::Put(id, content) => write!(f, "put {id} `{}`", content.name),
            Self::Stock(id, stock) => write!(f, "patch {id} to {stock}"),
            Self::Delete(id) => write!(f, "delete {id}"),
        }
    }
}

/// Returns the version that the precondition names, if any.
pub(super) fn named_version(precondition: &Precondition) -> Option<Version> {
    match precondition {
        Precondition::IsAt(versions) => versions.first().copied(),
        _ => None,
    }
}
