//! The trail of one request.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use access::{Principal, Scope};
use axum::RequestExt as _;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use http::request::Parts;
use tower_http::request_id::RequestId;

use super::{Caller, Entry, write};
use crate::Problem;
use crate::routes::{Requirement, Requirements};

/// The longest id that an entry takes from a path, in characters: longer than any id.
const MAX_ID_CHARS: usize = 200;

/// Identifies a request to a route with scope `write` or `admin` in the audit log. An extension of such requests; clones are of
/// the same request.
#[derive(Debug, Clone)]
pub struct Trail(Arc<Head>);

#[derive(Debug)]
struct Head {
    /// The id of the operation in the OpenAPI document, such as `putProduct`.
    action: Arc<str>,
    /// The parameter `id` of the path, or else its last parameter.
    id: Option<String>,
    request_id: Option<String>,
    client: OnceLock<IpAddr>,
    /// The identity, and whether credentials proved it. Empty until the request is authenticated.
    principal: OnceLock<(String, bool)>,
}

impl Trail {
    /// Returns the trail of a request, or `None` if its route is not audited.
    pub(super) async fn of(request: &mut Request, requirements: &Requirements) -> Option<Self> {
        let path = request.extensions().get::<MatchedPath>()?;
        let (requirement, action) = requirements.find(path.as_str(), request.method())?;
        if !matches!(requirement, Requirement::Scope(Scope::Write | Scope::Admin)) {
            return None;
        }
        let action = Arc::clone(action);
        let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
        let request_id = id.map(str::to_owned);
        let parameters = request.extract_parts::<RawPathParams>().await.ok();
        let id = parameters.as_ref().and_then(|parameters| {
            parameters.iter().find(|(name, _)| *name == "id").or_else(|| parameters.iter().last())
        });
        // A key in the place of an id must not get into the log.
        let id = id.map(|(_, id)| access::without_secret(id).chars().take(MAX_ID_CHARS).collect());
        let (client, principal) = (OnceLock::new(), OnceLock::new());
        Some(Self(Arc::new(Head { action, id, request_id, client, principal })))
    }

    /// Records the address of the client.
    pub(crate) fn set_client(&self, client: IpAddr) {
        // Set once for each request.
        let _ = self.0.client.set(client);
    }

    /// Returns the address of the client, if it is known by now.
    pub(super) fn client(&self) -> Option<IpAddr> {
        self.0.client.get().copied()
    }

    /// Records who sent the request, also if it is refused for its scopes.
    pub(crate) fn set_principal(&self, principal: &Principal) {
        let _ = self.0.principal.set((principal.identity.to_string(), principal.has_credentials()));
    }

    /// Returns who sent the request.
    pub fn caller(&self) -> Caller {
        let (principal, has_credentials) = self.0.principal.get().cloned().unzip();
        Caller {
            principal,
            has_credentials: has_credentials.unwrap_or(false),
            client: self.client(),
            request_id: self.0.request_id.clone(),
        }
    }

    /// Writes an entry about this request.
    pub fn write(&self, entry: &Entry) {
        write(&self.0.action, &self.caller(), None, entry);
    }

    /// Writes the entry of the response.
    pub(super) fn write_response(&self, status: u16, entry: Option<&Entry>) {
        let mut entry = entry.cloned().unwrap_or_default();
        entry.id = entry.id.or_else(|| self.0.id.clone());
        let by_status = match status {
            ..400 => "done",
            // The request timed out; what it began may be done.
            408 | 500.. => "failed",
            _ => "refused",
        };
        entry.outcome = entry.outcome.or(Some(by_status));
        write(&self.0.action, &self.caller(), Some(status), &entry);
    }

    /// Writes the entry of a request that ended without a response, because its client disconnected.
    pub(super) fn write_abandoned(&self) {
        self.write(&Entry { id: self.0.id.clone(), outcome: Some("abandoned"), ..Entry::default() });
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = Problem;

    /// A request without a trail is a defect: the layer gives one to each audited route.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}
