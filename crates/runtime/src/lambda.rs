//! Services as Lambda functions: events in, responses out, one at a time.
//!
//! Events are those of API Gateway (HTTP API and REST API), of function URLs, of SQS and of EventBridge's schedules. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> for the protocol, which `lambda_runtime` speaks.

use std::sync::Arc;

use axum::Router;
use futures::future::BoxFuture;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, LambdaEvent, Service as _, lambda_runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::StartError;

/// The work of a function that a schedule calls. An error is logged, and Lambda counts a failure.
pub type Scheduled = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Returns true if Lambda started this process.
pub fn is_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// Handles HTTP events with `router` and schedules with `scheduled`, until Lambda ends the process.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve_http(router: Router, scheduled: Option<Scheduled>) -> Result<(), StartError> {
    let adapter = Adapter::from(router);
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let (mut adapter, scheduled) = (adapter.clone(), scheduled.clone());
        async move {
            let (payload, context) = event.into_parts();
            if is_schedule(&payload) {
                let scheduled = scheduled.ok_or("this function has nothing to do on a schedule")?;
                scheduled().await?;
                return Ok::<Value, Error>(json!({}));
            }
            let request: LambdaRequest = serde_json::from_value(without_stage(payload))?;
            match adapter.call(LambdaEvent::new(request, context)).await {
                Ok(response) => Ok(serde_json::to_value(response)?),
                Err(never) => match never {},
            }
        }
    });
    lambda_runtime::run(handler).await.map_err(lost)
}

/// Handles events of one type with `handle`, until Lambda ends the process.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve_events<E, R, F>(handle: impl Fn(E) -> F + Send + Sync + 'static) -> Result<(), StartError>
where
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
    F: Future<Output = R> + Send,
{
    let handle = Arc::new(handle);
    let handler = service_fn(move |event: LambdaEvent<E>| {
        let handle = Arc::clone(&handle);
        async move { Ok::<R, Error>(handle(event.payload).await) }
    });
    lambda_runtime::run(handler).await.map_err(lost)
}

/// Returns true for an event of an EventBridge rule or of EventBridge Scheduler.
fn is_schedule(payload: &Value) -> bool {
    let of_rule = payload["source"] == "aws.events" && payload["detail-type"] == "Scheduled Event";
    of_rule || payload["source"] == "aws.scheduler"
}

/// Removes the stage of a REST API from an event, so that `lambda_http` does not prepend it to the path: the routes have
/// no stage.
fn without_stage(mut payload: Value) -> Value {
    if let Some(stage) = payload.pointer_mut("/requestContext/stage") {
        *stage = json!("$default");
    }
    payload
}

fn lost(error: Error) -> StartError {
    StartError::because("the connection to Lambda was lost", error)
}
