//! Comparing the index with the store, and rebuilding it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::FaultKind;
use domain::ports::{CompareDepth, Generation, Generations};
use domain::ports::{PortError, PortErrorKind};
use http::{StatusCode, Uri};
use runtime::Problem;
use serde::Serialize;
use tokio::sync::{Mutex, OwnedMutexGuard};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{fault, no_parameters, parameters, problem_of_port, stream};
use crate::reconcile::{Comparison, Event, Outcome, Sides, reconcile};
use crate::reindex::{Step, reindex, roll_back};

/// How long sync is given to write what differs, unless the caller says otherwise.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(5);
/// The longest that it is given.
const MAX_PATIENCE: Duration = Duration::from_secs(600);

const NO_PREVIOUS: &str = "there is no index before this one to go back to";

/// The routes with their description.
pub fn index_routes(sides: Sides) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(verify))
        .routes(routes!(state))
        .routes(routes!(rebuild, give_up))
        .routes(routes!(go_back))
        .with_state(Maintained { sides, rebuilding: Arc::default(), comparing: Arc::default() })
}

#[derive(Clone)]
struct Maintained {
    sides: Sides,
    /// Held by the one rebuild that may run.
    rebuilding: Arc<Mutex<()>>,
    /// Held by the one comparison that may run: it reads the whole store.
    comparing: Arc<Mutex<()>>,
}

impl Maintained {
    fn begin(&self) -> Result<OwnedMutexGuard<()>, Problem> {
        the_only_one(&self.rebuilding, "the index is being rebuilt already; wait until that has ended")
    }
}

fn the_only_one(running: &Arc<Mutex<()>>, busy: &str) -> Result<OwnedMutexGuard<()>, Problem> {
    Arc::clone(running).try_lock_owned().map_err(|_| Problem::new(StatusCode::CONFLICT, busy))
}

/// One line of a comparison.
#[derive(Serialize)]
#[serde(untagged)]
enum VerifyLine {
    Event(Event),
    Summary(Summary),
}

/// The last line of a comparison.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename = "summary", rename_all = "camelCase")]
struct Summary {
    /// Whether the index equals the store now.
    is_converged: bool,
    #[serde(flatten)]
    outcome: Outcome,
}

impl From<Event> for VerifyLine {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

/// Compare the index with the store
///
/// Both ways, while writes go on. Each line of the answer is an event: `progress`, a `drift` for each product that
/// differs, and at the end a `summary`, or `failed`.
#[utoipa::path(
    post, path = "/admin/verify", tag = "operation",
    params(("repair" = Option<bool>, Query, description = "Whether to mend what differs; `false` unless given."),
           ("oneIn" = Option<u64>, Query, minimum = 1, description = "CompareDepth at one of so many products only, always the same ones; all unless given."),
           ("patience" = Option<f64>, Query, minimum = 0, maximum = 600, description = "Seconds that sync is given to write what differs before that counts; 5 unless given.")),
    responses(
        (status = 200, description = "The events, as NDJSON.", body = Event, content_type = "application/x-ndjson"),
        (status = 400, description = "A faulty parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The index is being compared already.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn verify(State(maintained): State<Maintained>, uri: Uri) -> Result<Response, Problem> {
    let comparison = comparison(&uri)?;
    let busy = "the index is being compared already; wait until that has ended";
    let guard = the_only_one(&maintained.comparing, busy)?;
    Ok(stream::answer(move |mut lines| async move {
        let _guard = guard;
        let outcome = reconcile(&maintained.sides, comparison, &mut lines).await?;
        Ok(VerifyLine::Summary(Summary { is_converged: outcome.is_converged(), outcome }))
    }))
}

fn comparison(uri: &Uri) -> Result<Comparison, Problem> {
    let mut comparison = Comparison {
        generation: Generation::Live,
        look: CompareDepth::Documents,
        repair: false,
        patience: DEFAULT_PATIENCE,
        one_in: 1,
    };
    let mut given = Vec::new();
    for (name, value) in parameters(uri) {
        if given.contains(&name) {
            let message = "is given twice; give it once";
            return Err(fault(StatusCode::BAD_REQUEST, &name, FaultKind::Repeated, message));
        }
        let wrong = |message: &str| fault(StatusCode::BAD_REQUEST, &name, FaultKind::Malformed, message);
        match name.as_str() {
            "repair" => comparison.repair = value.parse().map_err(|_| wrong("must be `true` or `false`"))?,
            "oneIn" => {
                let number = value.parse().ok().filter(|number| *number > 0);
                comparison.one_in = number.ok_or_else(|| wrong("must be a whole number above 0"))?;
            }
            "patience" => {
                let seconds =
                    value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                let patience = seconds.filter(|patience| *patience <= MAX_PATIENCE);
                comparison.patience =
                    patience.ok_or_else(|| wrong("must be a number of seconds from 0 to 600"))?;
            }
            _ => {
                let message = "is no parameter of this address; there are `repair`, `oneIn` and `patience`";
                return Err(fault(StatusCode::BAD_REQUEST, &name, FaultKind::Unknown, message));
            }
        }
        given.push(name);
    }
    Ok(comparison)
}

/// One line of a rebuild.
#[derive(Serialize)]
#[serde(untagged)]
enum RebuildLine {
    Step(Step),
    End(End),
}

/// The last line of a rebuild.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename = "done")]
struct End {
    /// Which indexes there are now.
    indexes: Indexes,
}

impl From<Step> for RebuildLine {
    fn from(step: Step) -> Self {
        Self::Step(step)
    }
}

/// Rebuild the index from the store
///
/// Beside the live one, while writes and searches go on; then searches change over in one step, and what was live is kept
/// to go back to. Each line of the answer is an event: `resumed`, `filling`, `verifying`, `refused` for a product that
/// the index cannot hold, `switched`, and at the end `done`, or `failed`. When the request ends before that, so does the
/// rebuild; the next one goes on where it was.
#[utoipa::path(
    post, path = "/admin/reindex", tag = "operation",
    responses(
        (status = 200, description = "The events, as NDJSON.", body = Step, content_type = "application/x-ndjson"),
        (status = 409, description = "The index is being rebuilt already.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn rebuild(State(maintained): State<Maintained>, uri: Uri) -> Result<Response, Problem> {
    no_parameters(&uri)?;
    let guard = maintained.begin()?;
    Ok(stream::answer(move |mut lines| async move {
        let _guard = guard;
        reindex(&maintained.sides, &mut lines).await?;
        end(&maintained.sides).await
    }))
}

/// Go back to the index before
///
/// It is brought up to date first, then searches change over in one step. Events as of a rebuild.
#[utoipa::path(
    post, path = "/admin/reindex/rollback", tag = "operation",
    responses(
        (status = 200, description = "The events, as NDJSON.", body = Step, content_type = "application/x-ndjson"),
        (status = 409, description = "There is none, or the index is being rebuilt.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn go_back(State(maintained): State<Maintained>, uri: Uri) -> Result<Response, Problem> {
    no_parameters(&uri)?;
    let guard = maintained.begin()?;
    let generations = maintained.sides.index.generations().await.map_err(|error| problem_of_port(&error))?;
    if generations.previous.is_none() {
        return Err(Problem::new(StatusCode::CONFLICT, NO_PREVIOUS));
    }
    Ok(stream::answer(move |mut lines| async move {
        let _guard = guard;
        if !roll_back(&maintained.sides, &mut lines).await? {
            return Err(PortError::bare(
                PortErrorKind::Internal,
                "the index before cannot be used by this noren",
            ));
        }
        end(&maintained.sides).await
    }))
}

async fn end(sides: &Sides) -> Result<RebuildLine, PortError> {
    Ok(RebuildLine::End(End { indexes: sides.index.generations().await?.into() }))
}

/// Give up an index that is being built
///
/// What was filled so far is removed.
#[utoipa::path(
    delete, path = "/admin/reindex", tag = "operation",
    responses(
        (status = 200, description = "There is none any more.", body = Indexes),
        (status = 409, description = "It is being filled right now.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn give_up(State(maintained): State<Maintained>, uri: Uri) -> Result<Json<Indexes>, Problem> {
    no_parameters(&uri)?;
    let _guard = maintained.begin()?;
    maintained.sides.index.discard_next().await.map_err(|error| problem_of_port(&error))?;
    indexes(&maintained.sides).await
}

/// Which indexes there are
#[utoipa::path(
    get, path = "/admin/index", tag = "operation",
    responses((status = 200, description = "The live one, one that is being built, and the one before.", body = Indexes))
)]
async fn state(State(maintained): State<Maintained>, uri: Uri) -> Result<Json<Indexes>, Problem> {
    no_parameters(&uri)?;
    indexes(&maintained.sides).await
}

/// Which indexes there are.
#[derive(Serialize, utoipa::ToSchema)]
struct Indexes {
    /// The one that is searched; none where this program cannot use it.
    live: Option<Built>,
    /// The one that is being built.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Built>,
    /// The name of the one before, to which one can go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// One index.
#[derive(Serialize, utoipa::ToSchema)]
struct Built {
    /// Its name.
    name: String,
    /// Products and tombstones in it.
    documents: u64,
}

impl From<Generations> for Indexes {
    fn from(generations: Generations) -> Self {
        let built =
            |state: domain::ports::GenerationState| Built { name: state.name, documents: state.documents };
        Self {
            live: generations.live.map(built),
            next: generations.next.map(built),
            previous: generations.previous,
        }
    }
}

async fn indexes(sides: &Sides) -> Result<Json<Indexes>, Problem> {
    let generations = sides.index.generations().await;
    Ok(Json(generations.map_err(|error| problem_of_port(&error))?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Comparison, Problem> {
        comparison(&format!("/admin/verify?{query}").parse().unwrap())
    }

    #[test]
    fn a_comparison_is_asked_for_exactly() {
        let asked = read("repair=true&oneIn=10&patience=0.5").unwrap();
        assert!(asked.repair && asked.one_in == 10 && asked.patience == Duration::from_millis(500));
        assert!(!read("").unwrap().repair);
        for wrong in [
            "repair=yes",
            "oneIn=0",
            "oneIn=-1",
            "patience=601",
            "patience=-1",
            "patience=NaN",
            "patience=inf",
            "fix=true",
            "repair=true&repair=false",
        ] {
            assert_eq!(read(wrong).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}
