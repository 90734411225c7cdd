//! Comparison of the index with the store, and rebuilds.

use std::sync::Arc;
use std::time::Duration;

use access::Scope;
use api::extract::{NoBody, NoParameters, Parameters};
use api::parameters::{ParameterReader, unknown_among};
use api::problems::{BackEnd, OrProblem as _, bad_parameters};
use api::responses::{BadParameters, Components, ServiceFailed};
use api::wire::Failed;
use api::wire::reindex::{IndexState, Indexes, ReindexEvent};
use api::wire::verify::{Drift, Summary, VerifyEvent};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::FaultKind;
use domain::ports::{CompareDepth, Generation, PortError, PortErrorKind};
use http::StatusCode;
use runtime::audit::Trail;
use runtime::{Problem, Routes};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::routes;

use super::stream;
use crate::reconcile::{Comparison, reconcile};
use crate::reindex::{reindex, roll_back};
use crate::store_and_index::StoreAndIndex;

/// The grace period of a comparison, unless the request names one.
const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(5);
/// The longest grace period of a comparison.
const MAX_GRACE_PERIOD: Duration = Duration::from_secs(600);
/// The divisor of the smallest sample: the maximum of an `int64`, the type in the OpenAPI document.
const MAX_ONE_IN: u64 = i64::MAX as u64;

const INDEX: BackEnd = BackEnd::written("the index");

/// Schemas of the parts of events.
#[derive(OpenApi)]
#[openapi(components(schemas(Drift, Summary, Indexes, IndexState, Failed)))]
struct Schemas;

/// 200 for a rebuild or a rollback.
#[derive(IntoResponses)]
#[response(
    status = 200,
    description = "An event a line; the last one is `done`, or `failed` with the fields of `Failed`.",
    content_type = "application/x-ndjson",
    example = json!("{\"event\":\"filling\",\"done\":2000,\"total\":2000}\n")
)]
struct RebuildEvents(#[expect(dead_code, reason = "the type is the schema")] String);

/// Returns the routes with their OpenAPI document.
pub fn index_routes(sides: StoreAndIndex) -> Routes {
    let mut openapi = Components::openapi();
    openapi.merge(Schemas::openapi());
    Routes::with_openapi(openapi)
        .routes(Scope::Admin, routes!(verify))
        .routes(Scope::Admin, routes!(show_indexes))
        .routes(Scope::Admin, routes!(start_rebuild, discard_rebuild))
        .routes(Scope::Admin, routes!(start_rollback))
        .with_state(IndexService { sides, comparison: Arc::default() })
}

#[derive(Clone)]
struct IndexService {
    sides: StoreAndIndex,
    /// Locked by the comparison that runs; there is at most one, since it reads the whole store.
    comparison: Arc<Mutex<()>>,
}

impl IndexService {
    fn lock_rebuild(&self) -> Result<OwnedMutexGuard<()>, Problem> {
        let locked = self.sides.rebuild().try_lock();
        locked.ok_or_else(|| busy("the index is being rebuilt already; wait until that has ended"))
    }

    fn lock_comparison(&self) -> Result<OwnedMutexGuard<()>, Problem> {
        let locked = Arc::clone(&self.comparison).try_lock_owned();
        locked.map_err(|_| busy("the index is being compared already; wait until that has ended"))
    }

    async fn indexes(&self) -> Result<Indexes, PortError> {
        Ok(self.sides.index.generations().await?.into())
    }
}

fn busy(detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}

/// Compare the index with the store
///
/// In both directions, during writes. Each line of the response is an event: `progress`, a `drift` for each product that
/// differs, and at the end `summary` or `failed`.
#[utoipa::path(
    post, path = "/admin/verify", tag = "operation", operation_id = "verifyIndex",
    params(("repair" = Option<bool>, Query, description = "Repair the differences; `false` by default."),
           ("oneIn" = Option<u64>, Query, minimum = 1, description = "Compare a sample: one product in this number, always the same ones; all by default."),
           ("patience" = Option<f64>, Query, minimum = 0, maximum = 600, description = "Seconds that a difference may last before it counts; 5 by default.")),
    responses(
        (status = 200, description = "An event a line: `progress`, `drift` with the fields of `Drift`, and at the end `summary` with those of `Summary`, or `failed` with those of `Failed`.", body = String, content_type = "application/x-ndjson", example = "{\"event\":\"progress\",\"done\":2000,\"total\":2000}\n"),
        BadParameters,
        (status = 409, description = "A comparison is running already.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn verify(
    State(service): State<IndexService>,
    trail: Trail,
    Parameters(parameters): Parameters,
    _: NoBody,
) -> Result<Response, Problem> {
    let comparison = read_comparison(parameters)?;
    let guard = service.lock_comparison()?;
    let detail = comparison.repair.then(|| "with repair".to_owned());
    Ok(stream::respond(trail, detail, move |mut events: mpsc::Sender<VerifyEvent>| async move {
        let _guard = guard;
        let counts = reconcile(&service.sides, comparison, &mut events).await?;
        Ok(VerifyEvent::Summary(counts.into()))
    }))
}

fn read_comparison(mut parameters: ParameterReader) -> Result<Comparison, Problem> {
    let comparison = Comparison {
        generation: Generation::Live,
        depth: CompareDepth::Documents,
        repair: parameters.flag("repair").unwrap_or(false),
        one_in: parameters.whole_number("oneIn", 1..=MAX_ONE_IN).unwrap_or(1),
        grace_period: parameters.parsed("patience", parse_grace_period).unwrap_or(DEFAULT_GRACE_PERIOD),
    };
    let unknown = |_: &str| unknown_among(&["repair", "oneIn", "patience"]);
    parameters.finish(unknown).map_err(|faults| bad_parameters(&faults))?;
    Ok(comparison)
}

fn parse_grace_period(text: &str) -> Result<Duration, (FaultKind, String)> {
    // Compared before it is rounded to nanoseconds.
    let seconds = text.parse().ok().filter(|seconds| *seconds <= MAX_GRACE_PERIOD.as_secs_f64());
    let period = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let message = || "must be a number of seconds from 0 to 600".to_owned();
    period.ok_or_else(|| (FaultKind::Malformed, message()))
}

/// Rebuild the index from the store
///
/// Beside the live index, during writes and searches; then searches switch over in one step, and the previous index is
/// kept for a rollback. Each line of the response is an event: `resumed`, `filling`, `verifying`, `refused` for a product
/// that the index rejects, `switched`, and at the end `done` or `failed`. If the request ends early, so does the rebuild;
/// the next one continues it.
#[utoipa::path(
    post, path = "/admin/reindex", tag = "operation", operation_id = "rebuildIndex",
    responses(
        RebuildEvents,
        BadParameters,
        (status = 409, description = "A rebuild is running already.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn start_rebuild(
    State(service): State<IndexService>,
    trail: Trail,
    _: NoParameters,
    _: NoBody,
) -> Result<Response, Problem> {
    let guard = service.lock_rebuild()?;
    Ok(stream::respond(trail, None, move |mut events: mpsc::Sender<ReindexEvent>| async move {
        let _guard = guard;
        reindex(&service.sides, &mut events).await?;
        Ok(ReindexEvent::Done { indexes: service.indexes().await? })
    }))
}

/// Roll back to the previous index
///
/// It catches up with the store first, then searches switch over in one step. The events are those of a rebuild.
#[utoipa::path(
    post, path = "/admin/reindex/rollback", tag = "operation", operation_id = "rollBackIndex",
    responses(
        RebuildEvents,
        BadParameters,
        (status = 409, description = "There is no previous index, or a rebuild is running.", body = Problem, content_type = "application/problem+json"),
        ServiceFailed,
    )
)]
async fn start_rollback(
    State(service): State<IndexService>,
    trail: Trail,
    _: NoParameters,
    _: NoBody,
) -> Result<Response, Problem> {
    let guard = service.lock_rebuild()?;
    if service.indexes().await.or_problem(INDEX)?.previous.is_none() {
        let detail = "there is no index before this one to go back to";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    Ok(stream::respond(trail, None, move |mut events: mpsc::Sender<ReindexEvent>| async move {
        let _guard = guard;
        if !roll_back(&service.sides, &mut events).await? {
            let context = "the previous index cannot be used by this version of noren";
            return Err(PortError::bare(PortErrorKind::Internal, context));
        }
        Ok(ReindexEvent::Done { indexes: service.indexes().await? })
    }))
}

/// Discard an unfinished rebuild
///
/// Removes the index that a rebuild began to fill.
#[utoipa::path(
    delete, path = "/admin/reindex", tag = "operation", operation_id = "discardRebuild",
    responses(
        (status = 200, description = "There is no unfinished rebuild now.", body = Indexes),
        BadParameters,
        (status = 409, description = "A rebuild is running.", body = Problem, content_type = "application/problem+json"),
        ServiceFailed,
    )
)]
async fn discard_rebuild(
    State(service): State<IndexService>,
    _: NoParameters,
) -> Result<Json<Indexes>, Problem> {
    let _guard = service.lock_rebuild()?;
    service.sides.index.discard_next().await.or_problem(INDEX)?;
    Ok(Json(service.indexes().await.or_problem(INDEX)?))
}

/// Show the indexes
#[utoipa::path(
    get, path = "/admin/index", tag = "operation", operation_id = "readIndexes",
    responses(
        (status = 200, description = "The live index, the one being built, and the previous one.", body = Indexes),
        BadParameters,
        ServiceFailed,
    )
)]
async fn show_indexes(
    State(service): State<IndexService>,
    _: NoParameters,
) -> Result<Json<Indexes>, Problem> {
    Ok(Json(service.indexes().await.or_problem(INDEX)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_asked_for_exactly() {
        let read = |query| read_comparison(ParameterReader::of_query(query));
        let asked = read("repair=true&oneIn=10&patience=0.5").unwrap();
        assert!(asked.repair && asked.one_in == 10 && asked.grace_period == Duration::from_millis(500));
        assert!(!read("").unwrap().repair);
        for wrong in [
            "repair=yes",
            "oneIn=0",
            "oneIn=-1",
            "oneIn=9223372036854775808",
            "patience=601",
            "patience=600.0000000000001",
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
