//! The middleware of access control.

use access::limits::Decision;
use access::{Principal, Scope};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, VARY};
use http::{HeaderName, HeaderValue, Method};

use super::client::ClientAddress;
use super::guard::Guard;
use super::rate_limits;
use crate::Problem;
use crate::audit::Trail;
use crate::routes::{Requirement, SharedRequirements};

/// The state of the middleware.
pub(crate) type AccessState = (Guard, SharedRequirements);

/// Passes a request on if its principal has the scope that the route requires. The handler finds the [`access::Principal`] in the
/// extensions of the request.
pub(crate) async fn check_access(
    State((guard, requirements)): State<AccessState>,
    mut request: Request,
    next: Next,
) -> Response {
    let requirement = match required(&request, &requirements) {
        Ok(Some(requirement)) => requirement,
        // No such route or method: the 404 or 405 reveals nothing about products.
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    let trail = request.extensions().get::<Trail>().cloned();
    let client =
        ClientAddress::of(request.extensions(), request.headers(), |address| guard.is_trusted_proxy(address));
    if let Some(client) = client {
        request.extensions_mut().insert(client);
        trail.iter().for_each(|trail| trail.set_client(client.0));
    }
    let client = client.map(|ClientAddress(client)| client);
    let scope = match requirement {
        Requirement::Scope(scope) => scope,
        // Public routes such as readiness show details to operators only.
        Requirement::Public => Scope::Admin,
    };
    let identified = guard.identify(request.uri(), request.headers(), client, scope).await;
    if let (Ok(principal), Some(trail)) = (&identified, &trail) {
        trail.set_principal(principal);
    }
    match requirement {
        Requirement::Public => {
            let operator = identified.ok().filter(|principal| principal.has(Scope::Admin));
            operator.into_iter().for_each(|operator| drop(request.extensions_mut().insert(operator)));
            next.run(request).await
        }
        Requirement::Scope(scope) => match guard.admit(identified, client, scope).await {
            Ok((principal, decision)) => run_for(principal, &guard, decision.as_ref(), request, next).await,
            Err(problem) => problem.into_response(),
        },
    }
}

/// Runs a request of a principal that has the scope of the route, and adds the headers that depend on the principal.
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
    if guard.checks_credentials() {
        limit_caching(&mut response, has_credentials);
    }
    if let Some(decision) = decision {
        rate_limits::add_headers(decision, response.headers_mut());
    }
    response
}

/// Returns what the route of a request requires, or `None` if there is no route.
///
/// # Errors
/// A 500 if the route declares nothing, which is a defect: the request is refused.
fn required(request: &Request, requirements: &SharedRequirements) -> Result<Option<Requirement>, Problem> {
    let Some(path) = request.extensions().get::<MatchedPath>() else { return Ok(None) };
    if !requirements.has_path(path.as_str()) {
        tracing::error!(http.path = path.as_str(), "a route declares no scope; this is a defect");
        return Err(Problem::internal());
    }
    Ok(requirements.of(path.as_str(), request.method()))
}

/// Marks a response as dependent on the credentials and, if the request had some, keeps it out of shared caches.
fn limit_caching(response: &mut Response, has_credentials: bool) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("authorization, x-api-key"));
    if !has_credentials {
        return;
    }
    let policy = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or("no-cache");
    let private = match policy {
        secret if secret.contains("private") || secret.contains("no-store") => return,
        public if public.contains("public") => public.replace("public", "private"),
        unnamed => format!("private, {unnamed}"),
    };
    let private = HeaderValue::try_from(private);
    headers.insert(CACHE_CONTROL, private.unwrap_or_else(|_| HeaderValue::from_static("private, no-cache")));
}

/// Removes the CORS headers of a response, so that pages of other sites cannot read it. Responses of public routes and searches, and
/// those to the sites of `NOREN_CORS`, keep them. For a preflight request, the route of the method that it names decides.
pub(crate) async fn hide_from_other_sites(
    State((guard, requirements)): State<AccessState>,
    request: Request,
    next: Next,
) -> Response {
    let preflight = match request.method() {
        &Method::OPTIONS => request.headers().get(ACCESS_CONTROL_REQUEST_METHOD),
        _ => None,
    };
    let method = match preflight {
        Some(method) => Method::from_bytes(method.as_bytes()).unwrap_or(Method::OPTIONS),
        None => request.method().clone(),
    };
    let path = request.extensions().get::<MatchedPath>();
    let requirement = path.and_then(|path| requirements.of(path.as_str(), &method));
    let is_visible = match requirement {
        Some(Requirement::Scope(Scope::Search) | Requirement::Public) => true,
        Some(Requirement::Scope(_)) => guard.origins().allow(request.headers()),
        // A page may read that its address has no route.
        None => path.is_none(),
    };
    let mut response = next.run(request).await;
    if matches!(requirement, Some(Requirement::Scope(scope)) if scope != Scope::Search) {
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    }
    if !is_visible {
        let is_cors = |name: &&HeaderName| name.as_str().starts_with("access-control-");
        let cors_headers: Vec<HeaderName> = response.headers().keys().filter(is_cors).cloned().collect();
        for name in cors_headers {
            response.headers_mut().remove(name);
        }
    }
    response
}
