//! `/admin/dead-letters`: the messages that could not be indexed.

use access::Scope;
use api::extract::{NoParameters, Parameters};
use api::parameters::unknown_among;
use api::problems::{BackEnd, OrProblem as _, bad_parameters, read_body, refused_body};
use api::responses::{BadJsonBody, BadParameters, Components, ServiceFailed};
use api::wire::dead_letters::{Letter, LetterSelection, Letters, LettersOutcome};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use domain::ports::DeadLetterKey;
use http::StatusCode;
use runtime::audit::Entry;
use runtime::body::JsonBody;
use runtime::{Problem, Routes, off_thread};
use utoipa::OpenApi;
use utoipa_axum::routes;

use crate::dead_letters::{DeadLetterService, MAX_LETTERS_AT_ONCE, MISSING, Selection};

/// The length of a list, unless the request names one.
const DEFAULT_LIMIT: usize = 100;
/// The most letters that an audit entry names.
const LETTERS_IN_AUDIT: usize = 20;
/// The longest key of a selection.
const MAX_KEY_CHARS: usize = 200;

const BACK_ENDS: BackEnd = BackEnd::written("the queue or the store");

/// Returns the routes with their OpenAPI document.
pub fn routes(service: DeadLetterService) -> Routes {
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Admin, routes!(list))
        .routes(Scope::Admin, routes!(show))
        .routes(Scope::Admin, routes!(retry))
        .routes(Scope::Admin, routes!(drop_letters))
        .with_state(service)
}

/// List dead letters
///
/// Changes that could not be indexed in five attempts, newest first, without their messages.
#[utoipa::path(
    get, path = "/admin/dead-letters", tag = "operation", operation_id = "listDeadLetters",
    params(("limit" = Option<usize>, Query, minimum = 1, maximum = 500, description = "The most letters; 100 by default.")),
    responses((status = 200, description = "The newest letters.", body = Letters), BadParameters, ServiceFailed)
)]
async fn list(
    State(service): State<DeadLetterService>,
    Parameters(mut parameters): Parameters,
) -> Result<Json<Letters>, Problem> {
    let limit = parameters.whole_number("limit", 1..=MAX_LETTERS_AT_ONCE).unwrap_or(DEFAULT_LIMIT);
    parameters.finish(|_| unknown_among(&["limit"])).map_err(|faults| bad_parameters(&faults))?;
    Ok(Json(service.newest(limit).await.or_problem(BACK_ENDS)?.into()))
}

/// Read a dead letter
///
/// With its message as it was sent.
#[utoipa::path(
    get, path = "/admin/dead-letters/{key}", tag = "operation", operation_id = "readDeadLetter",
    params(("key" = String, Path, description = "The key of the letter.")),
    responses(
        (status = 200, description = "The letter.", body = Letter),
        BadParameters,
        (status = 404, description = "There is no such letter, or somebody else is reading it now.", body = Problem, content_type = "application/problem+json"),
        ServiceFailed,
    )
)]
async fn show(
    State(service): State<DeadLetterService>,
    Path(key): Path<String>,
    _: NoParameters,
) -> Result<Json<Letter>, Problem> {
    let letter = service.find(DeadLetterKey(key)).await.or_problem(BACK_ENDS)?;
    let letter = letter.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, MISSING))?;
    Ok(Json(letter.into()))
}

/// Retry dead letters
///
/// Enqueues the current records of their products, then removes the letters. The message itself is never sent again: it
/// could bring back a deleted product. Unreadable letters stay, and letters of products that the catalogue never had.
#[utoipa::path(
    post, path = "/admin/dead-letters/retry", tag = "operation", operation_id = "retryDeadLetters",
    request_body(content = LetterSelection, content_type = "application/json", example = json!({"keys": ["17", "18"]})),
    responses(
        (status = 200, description = "The result for each letter.", body = LettersOutcome),
        BadJsonBody,
        ServiceFailed,
    )
)]
async fn retry(
    State(service): State<DeadLetterService>,
    _: NoParameters,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let outcome = service.retry(selection(body).await?).await.or_problem(BACK_ENDS)?;
    Ok((entry_of(&outcome).attached(), Json(outcome)).into_response())
}

/// Drop dead letters
///
/// Removes them permanently.
#[utoipa::path(
    post, path = "/admin/dead-letters/drop", tag = "operation", operation_id = "dropDeadLetters",
    request_body(content = LetterSelection, content_type = "application/json", example = json!({"keys": ["17"]})),
    responses(
        (status = 200, description = "The result for each letter.", body = LettersOutcome),
        BadJsonBody,
        ServiceFailed,
    )
)]
async fn drop_letters(
    State(service): State<DeadLetterService>,
    _: NoParameters,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let outcome = service.drop_letters(selection(body).await?).await.or_problem(BACK_ENDS)?;
    Ok((entry_of(&outcome).attached(), Json(outcome)).into_response())
}

/// Describes the result for the audit log, by the first letters.
fn entry_of(outcome: &LettersOutcome) -> Entry {
    let keys: Vec<&str> = outcome.done.iter().take(LETTERS_IN_AUDIT).map(|key| key.0.as_str()).collect();
    let (done, stay) = (outcome.done.len(), outcome.refused.len());
    let more = if done > keys.len() { ", …" } else { "" };
    let detail = format!("{done} done, {stay} stay: {}{more}", keys.join(", "));
    Entry { detail: Some(detail), ..Entry::default() }
}

async fn selection(body: Bytes) -> Result<Selection, Problem> {
    off_thread(body.len(), move || read_selection(&body)).await
}

fn read_selection(body: &[u8]) -> Result<Selection, Problem> {
    match read_body(body, "a selection of dead letters")? {
        LetterSelection { keys: Some(keys), all: None } => {
            keys_of(keys).map_err(|message| refused_body("keys", message))
        }
        LetterSelection { keys: None, all: Some(true) } => Ok(Selection::Newest),
        LetterSelection { keys: None, all: Some(false) } => {
            Err(refused_body("all", "must be true; to select some, give their `keys`"))
        }
        LetterSelection { .. } => Err(refused_body("", "must have either `keys` or `all`")),
    }
}

fn keys_of(mut keys: Vec<String>) -> Result<Selection, String> {
    if keys.is_empty() || keys.len() > MAX_LETTERS_AT_ONCE {
        return Err(format!("must have 1 to {MAX_LETTERS_AT_ONCE} keys"));
    }
    if keys.iter().any(|key| key.chars().count() > MAX_KEY_CHARS) {
        return Err(format!("must have keys of at most {MAX_KEY_CHARS} characters"));
    }
    keys.sort();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("must name each letter once".to_owned());
    }
    Ok(Selection::Keys(keys.into_iter().map(DeadLetterKey).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_keys_or_all() {
        let keys = Selection::Keys(["a", "b"].map(|key| DeadLetterKey(key.to_owned())).into());
        assert_eq!(read_selection(br#"{"keys":["b","a"]}"#).unwrap(), keys);
        assert_eq!(read_selection(br#"{"all":true}"#).unwrap(), Selection::Newest);
        let many = format!(r#"{{"keys":[{}"x"]}}"#, r#""y","#.repeat(MAX_LETTERS_AT_ONCE));
        for faulty in [
            "{}",
            r#"{"all":false}"#,
            r#"{"all":true,"keys":["a"]}"#,
            r#"{"keys":[]}"#,
            r#"{"keys":["a","a"]}"#,
            r#"{"keys":[1]}"#,
            r#"{"key":"a"}"#,
            &many,
        ] {
            let problem = read_selection(faulty.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY, "{faulty}");
        }
        assert_eq!(read_selection(b"{").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
