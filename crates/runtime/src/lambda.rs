//! Services as Lambda functions: events in, responses out, one at a time.
//!
//! Events are those of API Gateway (HTTP API and REST API), of function URLs, of SQS and of EventBridge's schedules. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> for the protocol, which `lambda_runtime` speaks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{
    Adapter, Context, Error, LambdaEvent, RequestExt as _, Service as _, lambda_runtime, service_fn,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::telemetry::{function_metrics, traces};
use crate::trace_context::AMAZON_TRACE;
use crate::{Deadline, Problem, StartError, function};

/// The time that a function keeps to send its response before Lambda ends the invocation.
pub const RESPONSE_MARGIN: Duration = Duration::from_millis(500);

/// The work of a function that a schedule calls. An error is logged, and Lambda counts a failure.
pub type Scheduled = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Returns true if Lambda started this process.
pub fn is_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// Handles HTTP events with `router` and schedules with `scheduled`, until Lambda ends the process. Each request has its
/// [`Deadline`] as an extension. A request that is not answered by then gets 504: Lambda would end it without an answer.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve_http(router: Router, scheduled: Option<Scheduled>) -> Result<(), StartError> {
    let adapter = Adapter::from(router.layer(from_fn(answer_in_time)));
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let (mut adapter, scheduled) = (adapter.clone(), scheduled.clone());
        async move {
            let (payload, context) = event.into_parts();
            let answered = async {
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
            };
            let answer = answered.await;
            end_invocation().await;
            answer
        }
    });
    lambda_runtime::run(handler).await.map_err(lost)
}

/// Handles events of one type with `handle`, which must return by the deadline, until Lambda ends the process.
///
/// # Errors
/// When Lambda cannot be reached.
pub async fn serve_events<E, R, F>(
    handle: impl Fn(E, Deadline) -> F + Send + Sync + 'static,
) -> Result<(), StartError>
where
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
    F: Future<Output = Result<R, String>> + Send,
{
    let handle = Arc::new(handle);
    let handler = service_fn(move |event: LambdaEvent<E>| {
        let handle = Arc::clone(&handle);
        async move {
            let deadline = deadline(&event.context);
            let answer = handle(event.payload, deadline).await;
            end_invocation().await;
            answer.map_err(Error::from)
        }
    });
    lambda_runtime::run(handler).await.map_err(lost)
}

/// Sends the spans and writes the metrics of an invocation: Lambda stops the process as soon as it has the answer.
async fn end_invocation() {
    traces::flush().await;
    function_metrics::write_line();
    function::end_invocation();
}

/// Returns the deadline of an invocation.
fn deadline(context: &Context) -> Deadline {
    Deadline::before(context.deadline(), RESPONSE_MARGIN)
}

/// Answers a request by its deadline. The body is part of the answer, since Lambda sends a response as a whole.
async fn answer_in_time(mut request: Request, next: Next) -> Response {
    let Some(deadline) = request.lambda_context_ref().map(deadline) else { return next.run(request).await };
    request.extensions_mut().insert(deadline);
    if let Some(client) = client_address(&request) {
        request.extensions_mut().insert(ConnectInfo(client));
    }
    if let Some(trace) = trace_of_function(&request) {
        request.headers_mut().insert(AMAZON_TRACE, trace);
    }
    let path = request.uri().path().to_owned();
    let answered = tokio::time::timeout(deadline.remaining(), async {
        let (head, body) = next.run(request).await.into_parts();
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => Response::from_parts(head, Body::from(bytes)),
            Err(error) => {
                tracing::error!(error = %error, "a response broke off");
                Problem::internal().into_response()
            }
        }
    });
    let response = answered.await.unwrap_or_else(|_| {
        tracing::warn!(http.path = path, http.status = 504, "a request took longer than its invocation");
        let detail = "the request took longer than this function may run; it may still have had an effect";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, detail).into_response()
    });
    metrics::counter!("Requests").increment(1);
    metrics::counter!("ServerErrors").increment(u64::from(response.status().is_server_error()));
    response
}

/// Returns the trace that Lambda has begun, if the request names none.
fn trace_of_function(request: &Request) -> Option<HeaderValue> {
    if request.headers().contains_key(AMAZON_TRACE) {
        return None;
    }
    HeaderValue::try_from(request.lambda_context_ref()?.xray_trace_id.as_deref()?).ok()
}

/// Returns the address from which API Gateway received a request. The port is unknown.
fn client_address(request: &Request) -> Option<SocketAddr> {
    let address = match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.as_ref(),
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_ref(),
        _ => None,
    };
    Some(SocketAddr::new(address?.parse().ok()?, 0))
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
