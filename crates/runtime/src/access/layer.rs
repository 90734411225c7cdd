//! The layers of a router that control access.

use access::limits::Decision;
use access::{Principal, Refusal, Scope};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, VARY};
use http::{HeaderName, HeaderValue, Method};

use super::client::ClientAddress;
use super::guard::Guard;
use super::limited;
use crate::Problem;
use crate::audit::Trail;
use crate::routes::{Requirement, SharedRequirements};

/// The state of the layers.
pub(crate) type Controlled = (Guard, SharedRequirements);

/// Lets a request through if it has the scope that its route requires. The [`access::Principal`] becomes an extension of the request.
pub(crate) async fn control(
    State((guard, requirements)): State<Controlled>,
    mut request: Request,
    next: Next,
) -> Response {
    let requirement = match required(&request, &requirements) {
        Ok(Some(requirement)) => requirement,
        // No such route or method, which says nothing about products.
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    let trail = request.extensions().get::<Trail>().cloned();
    let client = ClientAddress::of(request.extensions(), request.headers(), guard.proxies());
    if let Some(client) = client {
        request.extensions_mut().insert(client);
        trail.iter().for_each(|trail| trail.set_client(client.0));
    }
    let client = client.map(|ClientAddress(client)| client);
    let scope = match requirement {
        Requirement::Scope(scope) => scope,
        // Readiness has details for operators.
        Requirement::Public => Scope::Admin,
    };
    let identified = guard.identify(request.uri(), request.headers(), client, scope).await;
    let admitted = identified.and_then(|principal| {
        trail.iter().for_each(|trail| trail.set_principal(&principal));
        if principal.has(scope) { Ok(principal) } else { Err(Refusal::LacksScope(scope).into()) }
    });
    match (admitted, requirement) {
        (Ok(principal), Requirement::Public) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        (Err(_), Requirement::Public) => next.run(request).await,
        (Ok(principal), Requirement::Scope(scope)) => match guard.count(&principal, client, scope).await {
            Ok(decision) => run_for(principal, &guard, decision.as_ref(), request, next).await,
            Err(problem) => problem.into_response(),
        },
        (Err(problem), Requirement::Scope(_)) => problem.into_response(),
    }
}

/// Runs a request of a principal that has the scope of the route.
async fn run_for(
    principal: Principal,
    guard: &Guard,
    decision: Option<&Decision>,
    mut request: Request,
    next: Next,
) -> Response {
    tracing::Span::current().record("principal", tracing::field::display(&principal.identity));
    let has_credentials = principal.has_credentials();
    request.extensions_mut().insert(principal);
    let mut response = next.run(request).await;
    if guard.asks_for_credentials() {
        limit_caching(&mut response, has_credentials);
    }
    if let Some(decision) = decision {
        limited::add_headers(decision, response.headers_mut());
    }
    response
}

/// Returns what the route of a request requires, or `None` if there is no route.
///
/// # Errors
/// If the route declares nothing, which is a defect: the request is refused.
fn required(request: &Request, requirements: &SharedRequirements) -> Result<Option<Requirement>, Problem> {
    let Some(path) = request.extensions().get::<MatchedPath>() else { return Ok(None) };
    if !requirements.has_path(path.as_str()) {
        tracing::error!(http.path = path.as_str(), "a route declares no scope; this is a defect");
        return Err(Problem::internal());
    }
    Ok(requirements.of(path.as_str(), request.method()))
}

/// Keeps responses to credentials out of shared caches, and tells caches that the response depends on the credentials.
fn limit_caching(response: &mut Response, has_credentials: bool) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("authorization, x-api-key"));
    let public = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    if has_credentials && let Some(public) = public.filter(|value| value.contains("public")) {
        let private = HeaderValue::try_from(public.replace("public", "private"));
        headers
            .insert(CACHE_CONTROL, private.unwrap_or_else(|_| HeaderValue::from_static("private, no-cache")));
    }
}

/// Removes the headers by which pages of other sites may read a response, except for searches and for the sites of `NOREN_CORS`.
/// A preflight request asks about the method that it names.
pub(crate) async fn hide_from_other_sites(
    State((guard, requirements)): State<Controlled>,
    request: Request,
    next: Next,
) -> Response {
    let asked = match request.method() {
        &Method::OPTIONS => request.headers().get(ACCESS_CONTROL_REQUEST_METHOD),
        _ => None,
    };
    let method = match asked {
        Some(method) => Method::from_bytes(method.as_bytes()).unwrap_or(Method::OPTIONS),
        None => request.method().clone(),
    };
    let path = request.extensions().get::<MatchedPath>();
    let requirement = path.and_then(|path| requirements.of(path.as_str(), &method));
    let is_visible = match requirement {
        Some(Requirement::Scope(Scope::Search) | Requirement::Public) => true,
        Some(Requirement::Scope(_)) => guard.origins().allow(request.headers()),
        // A mistake in the address should be readable where it is made.
        None => path.is_none(),
    };
    let mut response = next.run(request).await;
    if !is_visible {
        let of_cors = |name: &&HeaderName| name.as_str().starts_with("access-control-");
        let of_cors: Vec<HeaderName> = response.headers().keys().filter(of_cors).cloned().collect();
        for name in of_cors {
            response.headers_mut().remove(name);
        }
    }
    response
}
