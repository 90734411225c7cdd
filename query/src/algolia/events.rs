//! Events of shoppers, which are counted.

use algolia_protocol::request::read_object;
use axum::http::StatusCode;
use axum::response::Response;
use runtime::Problem;
use runtime::body::UntypedBody;
use serde_json::{Value, json};

use super::reply::{json, refused};
use crate::metrics::SHOPPER_EVENTS;

/// The most events in one body.
const MAX_EVENTS: usize = 1000;

/// Takes events, and counts them by type.
pub(super) async fn events(UntypedBody(body): UntypedBody) -> Result<Response, Problem> {
    let mut members = read_object(&body).map_err(refused)?;
    let Some(Value::Array(events)) = members.remove("events") else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "events: must be a list"));
    };
    if events.len() > MAX_EVENTS {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("events: has more than {MAX_EVENTS} elements"),
        ));
    }
    for event in &events {
        // Unknown types share a label, so clients cannot create labels.
        let kind = match event.get("eventType").and_then(Value::as_str) {
            Some("click") => "click",
            Some("conversion") => "conversion",
            Some("view") => "view",
            _ => "other",
        };
        metrics::counter!(SHOPPER_EVENTS, "type" => kind).increment(1);
    }
    json(&json!({"status": 200, "message": "OK"}))
}
