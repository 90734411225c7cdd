//! Routes with the scope that each requires.
//!
//! A [`Service`](crate::Service) takes [`Routes`] only, and [`Routes`] takes no route without a scope. The same declaration is checked
//! for each request, and written into the OpenAPI document.

use std::collections::HashMap;
use std::sync::Arc;

use access::Scope;
use axum::Router;
use axum::routing::MethodRouter;
use http::Method;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Header, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::problem::PROBLEM_JSON;

/// The name of the security scheme of API keys in the OpenAPI document.
pub(crate) const API_KEY_SCHEME: &str = "apiKey";
/// The name of the security scheme of bearer tokens, which are API keys, tenant tokens or JWTs.
pub(crate) const BEARER_SCHEME: &str = "bearer";

/// The requirement of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: probes, and pages that never change.
    Public,
    /// A principal with this scope.
    Scope(Scope),
}

/// The requirements of the routes of a service, by path and method.
#[derive(Debug, Clone, Default)]
pub struct Requirements(HashMap<String, Vec<Declared>>);

/// A route as it was declared.
#[derive(Debug, Clone)]
struct Declared {
    method: Method,
    requirement: Requirement,
    /// The id of the operation in the OpenAPI document, or the path of a route that the document does not describe.
    operation: Arc<str>,
}

impl Requirements {
    fn add(&mut self, path: &str, method: Method, requirement: Requirement, operation: Option<&str>) {
        let operation = operation.unwrap_or(path).into();
        self.0.entry(path.to_owned()).or_default().push(Declared { method, requirement, operation });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (path, methods) in other.0 {
            self.0.entry(path).or_default().extend(methods);
        }
    }

    /// Returns all routes with what they require, in the order of their paths.
    pub fn all(&self) -> Vec<(String, Method, Requirement)> {
        let routes = self.0.iter().flat_map(|(path, methods)| {
            methods.iter().map(move |route| (path.clone(), route.method.clone(), route.requirement))
        });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_by(|a, b| (&a.0, a.1.as_str()).cmp(&(&b.0, b.1.as_str())));
        routes
    }

    /// Returns true if there are routes with this path.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Returns what a route requires. `HEAD` requires what `GET` does. Returns `None` if the path does not have the method.
    pub(crate) fn of(&self, path: &str, method: &Method) -> Option<Requirement> {
        self.find(path, method).map(|(requirement, _)| requirement)
    }

    /// Returns what a route requires, with the name of its operation.
    pub(crate) fn find(&self, path: &str, method: &Method) -> Option<(Requirement, &Arc<str>)> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = self.0.get(path)?.iter().find(|route| route.method == method)?;
        Some((route.requirement, &route.operation))
    }
}

/// Routes of a service, each with the scope that it requires, and their OpenAPI document.
#[derive(Clone, Default)]
pub struct Routes<S = ()>
where
    S: Clone + Send + Sync + 'static,
{
    router: OpenApiRouter<S>,
    requirements: Requirements,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Creates no routes, with a part of the OpenAPI document.
    pub fn with_openapi(openapi: OpenApi) -> Self {
        Self { router: OpenApiRouter::with_openapi(openapi), requirements: Requirements::default() }
    }

    /// Adds the handlers that `routes!` collects, all of which require `scope`. The OpenAPI document names the scope.
    #[must_use]
    pub fn routes(mut self, scope: Scope, (schemas, mut paths, handlers): UtoipaMethodRouter<S>) -> Self {
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                let name = operation.operation_id.as_deref();
                self.requirements.add(path, method, Requirement::Scope(scope), name);
                describe_access(operation, scope);
            }
        }
        Self { router: self.router.routes((schemas, paths, handlers)), ..self }
    }

    /// Adds a handler that the OpenAPI document does not describe.
    #[must_use]
    pub fn undocumented(
        mut self,
        path: &str,
        method: Method,
        requirement: Requirement,
        handler: MethodRouter<S>,
    ) -> Self {
        self.requirements.add(path, method, requirement, None);
        Self { router: self.router.route(path, handler), ..self }
    }

    /// Adds other routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.requirements.merge(other.requirements);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes {
        Routes { router: self.router.with_state(state), requirements: self.requirements }
    }

    /// Returns the part of the OpenAPI document that describes these routes.
    pub fn openapi(&self) -> &OpenApi {
        self.router.get_openapi()
    }

    /// Returns what the routes require.
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }
}

impl Routes {
    /// Returns the router, what its routes require, and its OpenAPI document.
    pub(crate) fn into_parts(self) -> (Router, Requirements, OpenApi) {
        let (router, openapi) = self.router.split_for_parts();
        (router, self.requirements, openapi)
    }

    /// Adds the routes of `router`, and declares those at `paths` as pages, which are read by `GET`.
    pub(crate) fn merge_pages(mut self, requirement: Requirement, router: Router, paths: &[&str]) -> Self {
        for path in paths {
            self.requirements.add(path, Method::GET, requirement, None);
        }
        Self { router: self.router.merge(router.into()), ..self }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Describes which credentials an operation needs, and the responses without them.
fn describe_access(operation: &mut Operation, scope: Scope) {
    // The empty requirement: a service may be open, or allow anonymous searches.
    let nothing = [SecurityRequirement::default()];
    operation.security = Some(nothing.into_iter().chain(credentials_with(scope)).collect());
    let responses = &mut operation.responses.responses;
    for (status, description) in [
        ("401", "The address needs credentials, or the credentials are invalid, expired or revoked."),
        ("403", "The credentials lack the scope, or a page of another site sent the request."),
        ("429", "The client sent too many requests; `Retry-After` says when to go on."),
        ("503", "The service, or a part that it needs, is not available at the moment."),
    ] {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(status, description)));
    }
}

fn problem(status: &str, description: &str) -> Response {
    let content =
        utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content);
    let header = |name: &str, kind: Type, description: &str| {
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind));
        header.description = Some(description.to_owned());
        (name.to_owned(), header)
    };
    let (name, header) = match status {
        "401" | "403" => {
            header("WWW-Authenticate", Type::String, "What is wrong with the credentials, RFC 6750.")
        }
        _ => header("Retry-After", Type::Integer, "Seconds until a retry is useful."),
    };
    response.header(name, header).build()
}

/// Removes the choice to send no credentials from the operations that need them in this service. `is_open` is true for a scope that
/// needs none.
pub(crate) fn require_credentials(
    openapi: &mut OpenApi,
    requirements: &Requirements,
    is_open: impl Fn(Scope) -> bool,
) {
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in operations(item) {
            if let Some(Requirement::Scope(scope)) = requirements.of(path, &method)
                && !is_open(scope)
            {
                operation.security = Some(credentials_with(scope).into());
            }
        }
    }
}

/// Returns the kinds of credentials that have a scope.
fn credentials_with(scope: Scope) -> [SecurityRequirement; 2] {
    [API_KEY_SCHEME, BEARER_SCHEME].map(|scheme| SecurityRequirement::new(scheme, [scope.name()]))
}

/// Adds the security schemes that [`Routes::routes`] refers to.
pub(crate) fn add_security_schemes(openapi: &mut OpenApi) {
    use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
    let api_key = ApiKeyValue::with_description("X-API-Key", "An API key, `nrn_…`: `noren keys create`.");
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, a tenant token or a JWT."))
        .build();
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme(API_KEY_SCHEME, SecurityScheme::ApiKey(ApiKey::Header(api_key)));
    components.add_security_scheme(BEARER_SCHEME, SecurityScheme::Http(bearer));
}

/// The requirements of a router's routes, shared by the layers around it.
pub(crate) type SharedRequirements = Arc<Requirements>;

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathsBuilder};

    use super::*;

    #[test]
    fn a_document_requires_credentials_where_the_service_does() {
        let mut requirements = Requirements::default();
        let mut paths = PathsBuilder::new();
        for (path, scope) in [("/search", Scope::Search), ("/write", Scope::Write)] {
            requirements.add(path, Method::GET, Requirement::Scope(scope), None);
            let mut operation = OperationBuilder::new().build();
            describe_access(&mut operation, scope);
            paths = paths.path(path, PathItem::new(HttpMethod::Get, operation));
        }
        let mut openapi = OpenApi::default();
        openapi.paths = paths.build();
        require_credentials(&mut openapi, &requirements, |scope| scope == Scope::Search);
        let security = |path: &str| {
            let json = serde_json::to_value(&openapi).unwrap();
            json["paths"][path]["get"]["security"].to_string()
        };
        assert_eq!(security("/search"), r#"[{},{"apiKey":["search"]},{"bearer":["search"]}]"#);
        assert_eq!(security("/write"), r#"[{"apiKey":["write"]},{"bearer":["write"]}]"#);
        let headers = openapi.paths.paths["/write"].get.as_ref().unwrap().responses.responses["401"].clone();
        assert!(serde_json::to_value(headers).unwrap()["headers"]["WWW-Authenticate"].is_object());
    }
}
