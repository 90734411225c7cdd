//! `/admin/dead-letters`: the messages that were given up.

use axum::Json;
use axum::extract::{Path, State};
use domain::ports::{DeadLetter, DeadLetterKey};
use domain::{FaultKind, ProductId, Version};
use http::{StatusCode, Uri};
use runtime::Problem;
use runtime::body::JsonBody;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{fault, no_parameters, parameters, problem_of_port};
use crate::dead_letters::{DeadLetterOffice, MAX_LETTERS_AT_ONCE, Selection, Settled};

/// Letters of a list, unless the caller says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// The longest key that is looked for.
const MAX_KEY_CHARS: usize = 200;

/// The routes with their description.
pub fn routes(office: DeadLetterOffice) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(drop_letters))
        .with_state(office)
}

/// A message that could not be indexed and was given up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Letter {
    /// Its name here.
    #[schema(value_type = String, examples("17"))]
    key: DeadLetterKey,
    /// The product it is about; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("lamp-1"))]
    id: Option<ProductId>,
    /// The version that it was sent for; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, examples(3))]
    version: Option<Version>,
    /// Why it was given up; absent where the queue gave it up by itself and kept no reason, as SQS does.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How often it was received.
    receives: u32,
    /// When it was given up, RFC 3339; absent where the queue did not keep that.
    #[serde(skip_serializing_if = "Option::is_none")]
    died_at: Option<String>,
    /// The message as text, of a letter that is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Letter {
    fn whole(letter: DeadLetter) -> Self {
        let DeadLetter { key, id, version, reason, receives, dead_lettered_at, body } = letter;
        Self { key, id, version, reason, receives, died_at: dead_lettered_at.map(|at| at.to_string()), body }
    }

    fn in_a_list(letter: DeadLetter) -> Self {
        Self { body: None, ..Self::whole(letter) }
    }
}

/// Some dead letters.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Letters {
    /// The newest first.
    dead_letters: Vec<Letter>,
    /// Whether there are others.
    more: bool,
}

/// Which dead letters are meant: `keys` or `all`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SelectionBody {
    /// The keys of 1 to 500 letters.
    #[schema(min_items = 1, max_items = 500)]
    keys: Option<Vec<String>>,
    /// `true`: the newest 500. When the answer says that there are `more`, ask again.
    all: Option<bool>,
}

/// What became of dead letters.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Outcome {
    /// The keys of those that were sent again, or dropped.
    #[schema(value_type = Vec<String>)]
    done: Vec<DeadLetterKey>,
    /// Those that stay.
    refused: Vec<Refused>,
    /// Whether there were others, when `all` were meant.
    more: bool,
}

/// A letter that stays.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Refused {
    #[schema(value_type = String)]
    key: DeadLetterKey,
    /// Why.
    reason: String,
}

impl From<Settled> for Outcome {
    fn from(Settled { done, refused, more }: Settled) -> Self {
        let refused = refused.into_iter().map(|(key, reason)| Refused { key, reason }).collect();
        Self { done, refused, more }
    }
}

/// List dead letters
///
/// Changes that could not be indexed after five attempts, the newest first, without their messages.
#[utoipa::path(
    get, path = "/admin/dead-letters", tag = "operation",
    params(("limit" = Option<usize>, Query, minimum = 1, maximum = 500, description = "How many at most, 100 unless given.")),
    responses(
        (status = 200, description = "The newest.", body = Letters),
        (status = 400, description = "A faulty parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The queue does not answer.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(State(office): State<DeadLetterOffice>, uri: Uri) -> Result<Json<Letters>, Problem> {
    let limit = limit_of(&uri)?;
    let list = office.newest(limit).await.map_err(|error| problem_of_port(&error))?;
    let dead_letters = list.letters.into_iter().map(Letter::in_a_list).collect();
    Ok(Json(Letters { dead_letters, more: list.more }))
}

/// Read a dead letter
///
/// With its message as it was sent.
#[utoipa::path(
    get, path = "/admin/dead-letters/{key}", tag = "operation",
    params(("key" = String, Path, description = "The letter's key.")),
    responses(
        (status = 200, description = "The letter.", body = Letter),
        (status = 404, description = "There is no such letter, or somebody else looks at it now.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The queue does not answer.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    State(office): State<DeadLetterOffice>,
    Path(key): Path<String>,
    uri: Uri,
) -> Result<Json<Letter>, Problem> {
    no_parameters(&uri)?;
    let letter = office.find(DeadLetterKey(key)).await.map_err(|error| problem_of_port(&error))?;
    let missing = "there is no such dead letter, or somebody else looks at it now";
    letter
        .map(|letter| Json(Letter::whole(letter)))
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, missing))
}

/// Send dead letters again
///
/// What the catalogue holds now of their products is enqueued, then the letters are removed. The old message itself is
/// never sent: it could bring back what was deleted. Letters that cannot be read, and those of products that the catalogue
/// never had, stay.
#[utoipa::path(
    post, path = "/admin/dead-letters/retry", tag = "operation",
    request_body(content = SelectionBody, content_type = "application/json", example = json!({"keys": ["17", "18"]})),
    responses(
        (status = 200, description = "What became of each.", body = Outcome),
        (status = 400, description = "Not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Neither keys nor all.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store or the queue does not answer.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn retry(
    State(office): State<DeadLetterOffice>,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Json<Outcome>, Problem> {
    no_parameters(&uri)?;
    let settled = office.retry(selection_of(&body)?).await.map_err(|error| problem_of_port(&error))?;
    Ok(Json(settled.into()))
}

/// Drop dead letters
///
/// They are gone for good.
#[utoipa::path(
    post, path = "/admin/dead-letters/drop", tag = "operation",
    request_body(content = SelectionBody, content_type = "application/json", example = json!({"keys": ["17"]})),
    responses(
        (status = 200, description = "What became of each.", body = Outcome),
        (status = 400, description = "Not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Neither keys nor all.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The queue does not answer.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn drop_letters(
    State(office): State<DeadLetterOffice>,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Json<Outcome>, Problem> {
    no_parameters(&uri)?;
    let settled = office.drop_letters(selection_of(&body)?).await.map_err(|error| problem_of_port(&error))?;
    Ok(Json(settled.into()))
}

fn limit_of(uri: &Uri) -> Result<usize, Problem> {
    let mut limit = None;
    for (name, value) in parameters(uri) {
        let bad_request = |kind, message: String| fault(StatusCode::BAD_REQUEST, &name, kind, message);
        if name != "limit" {
            return Err(bad_request(
                FaultKind::Unknown,
                "is no parameter of this address; there is `limit`".to_owned(),
            ));
        }
        let number = value.parse().ok().filter(|limit| (1..=MAX_LETTERS_AT_ONCE).contains(limit));
        let number = number.ok_or_else(|| {
            let message = format!("must be a whole number from 1 to {MAX_LETTERS_AT_ONCE}");
            bad_request(FaultKind::OutOfRange, message)
        })?;
        if limit.replace(number).is_some() {
            return Err(bad_request(FaultKind::Repeated, "is given twice; give it once".to_owned()));
        }
    }
    Ok(limit.unwrap_or(DEFAULT_LIMIT))
}

fn selection_of(body: &[u8]) -> Result<Selection, Problem> {
    let refused = |field, message: String| {
        fault(StatusCode::UNPROCESSABLE_ENTITY, field, FaultKind::Malformed, message)
    };
    let body: SelectionBody = serde_json::from_slice(body).map_err(|error| match error.is_data() {
        true => refused("", format!("is no selection of dead letters: {error}")),
        false => Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")),
    })?;
    match body {
        SelectionBody { keys: Some(keys), all: None } => {
            keys_of(keys).map_err(|message| refused("keys", message))
        }
        SelectionBody { keys: None, all: Some(true) } => Ok(Selection::Newest),
        SelectionBody { keys: None, all: Some(false) } => {
            Err(refused("all", "must be true; to choose some, give their `keys`".to_owned()))
        }
        SelectionBody { .. } => Err(refused("", "must have either `keys` or `all`".to_owned())),
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
        assert_eq!(selection_of(br#"{"keys":["b","a"]}"#).unwrap(), keys);
        assert_eq!(selection_of(br#"{"all":true}"#).unwrap(), Selection::Newest);
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
            let problem = selection_of(faulty.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY, "{faulty}");
        }
        assert_eq!(selection_of(b"{").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
