//! `/admin/keys`: the API keys.

use std::sync::Arc;

use access::{AccessStoreError, KeyId, KeyRecord, Keyring, NotCreated, NotRotated, Scope};
use axum::Json;
use axum::extract::{FromRef, Path, State};
use axum::response::{IntoResponse as _, Response};
use domain::Faults;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use runtime::audit::Entry;
use runtime::body::JsonBody;
use runtime::{Problem, Routes};
use utoipa::OpenApi as _;
use utoipa_axum::routes;

use crate::extract::{NoParameters, Parameters};
use crate::parameters::unknown_among;
use crate::problems::{bad_parameters, read_body, refused_body};
use crate::responses::{BadJsonBody, BadParameters, Components, KeyNotFound, ServiceFailed};
use crate::wire::keys::{CreateKey, CreatedKey, Key, Keys};

/// The default time for which a rotated key and its successor are both accepted: one day.
const DEFAULT_OVERLAP_SECONDS: usize = 24 * 3600;
/// The longest overlap: 90 days.
const MAX_OVERLAP_SECONDS: usize = 90 * 24 * 3600;

/// Checks the filter of a new key. Supplied by the caller, because this crate does not know the search parameters.
pub type FilterCheck = Arc<dyn Fn(&str) -> Result<(), Faults> + Send + Sync>;

#[derive(Clone)]
struct KeyService {
    keyring: Arc<Keyring>,
    check_filter: FilterCheck,
}

impl FromRef<KeyService> for Arc<Keyring> {
    fn from_ref(service: &KeyService) -> Self {
        Self::clone(&service.keyring)
    }
}

/// Returns the routes of API keys with their OpenAPI document.
pub fn key_routes(keyring: Arc<Keyring>, check_filter: FilterCheck) -> Routes {
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Admin, routes!(create, list))
        .routes(Scope::Admin, routes!(read, revoke))
        .routes(Scope::Admin, routes!(rotate))
        .with_state(KeyService { keyring, check_filter })
}

/// Create an API key
///
/// The response has the key itself, once: only a hash of it is stored.
#[utoipa::path(
    post, path = "/admin/keys", tag = "keys", operation_id = "createKey",
    request_body(content = CreateKey, content_type = "application/json", example = json!({"name": "storefront", "scopes": ["search"]})),
    responses(
        (status = 201, description = "The key is created.", body = CreatedKey, headers(("Location" = String, description = "The path of the key."))),
        (status = 409, description = "There are 10,000 usable keys already, the maximum.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The key has a fault, named in `errors`.", body = Problem, content_type = "application/problem+json"),
        BadJsonBody, ServiceFailed,
    )
)]
async fn create(
    State(KeyService { keyring, check_filter }): State<KeyService>,
    _: NoParameters,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let new = read_new_key(&body, &check_filter, now)?;
    let (key, record) = keyring.create(new, now).await.map_err(not_created)?;
    let entry = Entry { detail: Some(rights_of(&record)), ..Entry::of(record.id.to_string()) };
    Ok(created(CreatedKey { key: key.expose(), record: record.into(), old_expires_at: None }, entry))
}

/// Describes the rights of a key for the audit log.
fn rights_of(record: &KeyRecord) -> String {
    let scopes = record.scopes.to_string();
    let expiry = record.expires_at.map(|at| format!("; expires {at}"));
    let filter = record.filter.as_ref().map(|filter| format!("; filter {filter}"));
    [Some(format!("scopes {scopes}")), expiry, filter].into_iter().flatten().collect()
}

/// Parses and validates the body of a creation.
fn read_new_key(body: &[u8], check_filter: &FilterCheck, now: Timestamp) -> Result<access::NewKey, Problem> {
    let new = access::NewKey::from(read_body::<CreateKey>(body, "a key")?);
    new.check(now).map_err(|(field, message)| refused_body(field, message))?;
    let checked = new.filter.as_ref().map_or(Ok(()), |filter| check_filter(filter));
    checked.map_err(|faults| refused_body("filter", faults.to_string()))?;
    Ok(new)
}

/// Returns the response with a new key and its secret.
fn created(key: CreatedKey, entry: Entry) -> Response {
    let location = HeaderValue::try_from(format!("/admin/keys/{}", key.record.id));
    let mut response = (StatusCode::CREATED, entry.attached(), Json(key)).into_response();
    // No cache may store the secret.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// List all API keys
///
/// Returns all keys, oldest first, without their secrets. Keys that expired or were revoked are listed for 90 days.
#[utoipa::path(
    get, path = "/admin/keys", tag = "keys", operation_id = "listKeys",
    responses((status = 200, description = "The keys.", body = Keys), BadParameters, ServiceFailed)
)]
async fn list(State(keyring): State<Arc<Keyring>>, _: NoParameters) -> Result<Json<Keys>, Problem> {
    let keys = keyring.keys().await.map_err(store_failed)?;
    Ok(Json(Keys { keys: keys.into_iter().map(Key::from).collect() }))
}

/// Read an API key
///
/// The response does not contain the secret.
#[utoipa::path(
    get, path = "/admin/keys/{id}", tag = "keys", operation_id = "readKey",
    params(("id" = String, Path, description = "The id of the key: the part after `nrn_`.")),
    responses(
        (status = 200, description = "The key.", body = Key),
        KeyNotFound, BadParameters, ServiceFailed,
    )
)]
async fn read(
    State(keyring): State<Arc<Keyring>>,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<Key>, Problem> {
    read_key(&keyring, &parse_id(&id)?).await
}

/// Reads a key, or returns a 404.
async fn read_key(keyring: &Keyring, id: &KeyId) -> Result<Json<Key>, Problem> {
    let record = keyring.key(id).await.map_err(store_failed)?;
    record.map(|record| Json(record.into())).ok_or_else(|| key_not_found(&id.to_string(), ""))
}

/// Revoke an API key
///
/// Every process refuses the key within 5 seconds, permanently. Its record is kept for 90 days. Revoking a key again changes nothing.
#[utoipa::path(
    delete, path = "/admin/keys/{id}", tag = "keys", operation_id = "revokeKey",
    params(("id" = String, Path, description = "The id of the key: the part after `nrn_`.")),
    responses(
        (status = 200, description = "The key is revoked.", body = Key),
        KeyNotFound, BadParameters, ServiceFailed,
    )
)]
async fn revoke(
    State(keyring): State<Arc<Keyring>>,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<Key>, Problem> {
    let id = parse_id(&id)?;
    keyring.revoke(&id, Timestamp::now()).await.map_err(store_failed)?;
    read_key(&keyring, &id).await
}

/// Rotate an API key
///
/// Creates a key with the same name and rights. The old one is accepted for `overlapSeconds`, a day by default.
#[utoipa::path(
    post, path = "/admin/keys/{id}/rotate", tag = "keys", operation_id = "rotateKey",
    params(("id" = String, Path, description = "The id of the key: the part after `nrn_`."),
           ("overlapSeconds" = Option<usize>, Query, minimum = 0, maximum = 7_776_000, description = "The time for which the old key is accepted; a day by default.")),
    responses(
        (status = 201, description = "The new key.", body = CreatedKey, headers(("Location" = String, description = "The path of the new key."))),
        (status = 404, description = "There is no such key, or it is revoked or expired.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key was rotated already, and its successor is usable; or there are 10,000 usable keys already.", body = Problem, content_type = "application/problem+json"),
        BadParameters, ServiceFailed,
    )
)]
async fn rotate(
    State(keyring): State<Arc<Keyring>>,
    Path(id): Path<String>,
    Parameters(mut parameters): Parameters,
) -> Result<Response, Problem> {
    let seconds = parameters.whole_number("overlapSeconds", 0..=MAX_OVERLAP_SECONDS);
    parameters.finish(|_| unknown_among(&["overlapSeconds"])).map_err(|faults| bad_parameters(&faults))?;
    let overlap = SignedDuration::from_secs(seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS) as i64);
    let rotated = keyring.rotate(&parse_id(&id)?, overlap, Timestamp::now()).await;
    let access::Rotated { key, record, old_expires_at } = rotated.map_err(|error| not_rotated(&id, error))?;
    let old_expires_at = Some(old_expires_at.to_string());
    let entry = Entry { detail: Some(format!("replaced by {}", record.id)), ..Entry::of(id) };
    Ok(created(CreatedKey { key: key.expose(), record: record.into(), old_expires_at }, entry))
}

fn parse_id(id: &str) -> Result<KeyId, Problem> {
    id.parse().map_err(|_| key_not_found(id, ""))
}

/// Returns the 404 for a key. `or` names other reasons for which there is no such key.
fn key_not_found(id: &str, or: &str) -> Problem {
    let shown = access::without_secret(id);
    let hint = if shown == id { "" } else { "; give its id alone, the part after `nrn_`" };
    let shown = domain::fault::excerpt(&shown);
    Problem::new(StatusCode::NOT_FOUND, format!("there is no key `{shown}`{or}{hint}"))
}

fn not_rotated(id: &str, error: NotRotated) -> Problem {
    match error {
        NotRotated::Unusable => key_not_found(id, ", or it is revoked or expired"),
        NotRotated::Replaced(successor) => {
            let detail = format!(
                "the key was replaced by `{successor}`; rotate that key instead, even if its secret is lost"
            );
            Problem::new(StatusCode::CONFLICT, detail)
        }
        NotRotated::New(error) => not_created(error),
    }
}

fn not_created(error: NotCreated) -> Problem {
    match error {
        NotCreated::TooMany => Problem::new(StatusCode::CONFLICT, error.to_string()),
        NotCreated::Store(error) => store_failed(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn store_failed(error: AccessStoreError) -> Problem {
    tracing::error!(error = %error.chain(), "the access store failed");
    Problem::unavailable("the access store does not respond")
}

#[cfg(test)]
mod tests {
    use domain::{Fault, FaultKind};

    use super::*;

    #[test]
    fn a_refused_key_names_the_field() {
        let reject_all = |_: &str| Err(Fault::new("brnad", FaultKind::Unknown, "is unknown").into());
        let check_filter: FilterCheck = Arc::new(reject_all);
        for (body, status, word) in [
            (r#"{"name":"a"}"#, 422, "scopes"),
            (r#"{"name":"a","scopes":[]}"#, 422, "scopes"),
            (r#"{"name":"a","scopes":["root"]}"#, 422, "root"),
            (r#"{"name":"","scopes":["search"]}"#, 422, "name"),
            (r#"{"name":"a","scopes":["search"],"scope":1}"#, 422, "scope"),
            (r#"{"name":"a","scopes":["search"],"expiresAt":"2001-01-01T00:00:00Z"}"#, 422, "expiresAt"),
            (r#"{"name":"a","scopes":["search"],"expiresAt":"tomorrow"}"#, 422, "expiresAt"),
            (
                r#"{"name":"a","scopes":["search"],"rateLimit":{"requests":0,"windowSeconds":1}}"#,
                422,
                "rateLimit",
            ),
            (
                r#"{"name":"a","scopes":["search"],"rateLimit":{"requests":-1,"windowSeconds":1}}"#,
                422,
                r#""field":"rateLimit.requests""#,
            ),
            (r#"{"name":"a","scopes":["search","read"],"filter":"brand=Acme"}"#, 422, "filter"),
            (r#"{"name":"a","scopes":["search"],"filter":"brnad=Acme"}"#, 422, r#""field":"filter""#),
            (r#"{"name":"#, 400, "JSON"),
            (r#"["a",["search"],null,[5,60],null]"#, 422, "expected an object"),
            ("[]", 422, "expected an object"),
            (r#"{"name":"a","scopes":["search"],"rateLimit":[5,60]}"#, 422, r#""field":"rateLimit""#),
            (r#"{"name":"a","scopes":["search"],"expiresAt":"9999-12-31T00:00:00Z"}"#, 422, "must be before"),
        ] {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
            let problem = read_new_key(body.as_bytes(), &check_filter, now).unwrap_err();
            assert_eq!(problem.status().as_u16(), status, "{body}");
            let text = serde_json::to_string(&problem).unwrap();
            assert!(text.contains(word), "{body}: {text}");
        }
    }
}
