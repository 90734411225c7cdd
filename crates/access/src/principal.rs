//! The principal of a request.

use std::sync::Arc;

use crate::{KeyId, RateLimit, Scope, Scopes};

/// The client of a request, after its credentials were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// The identity.
    pub identity: Identity,
    /// The scopes.
    pub scopes: Scopes,
    /// The filters of every search of this principal, each written as a query string of `GET /products/search`. A product must
    /// pass all of them.
    pub filters: Arc<[Arc<str>]>,
    /// The limit of requests that all processes count together, for this principal alone.
    pub rate_limit: Option<RateLimit>,
    /// For a tenant, the limit of its parent key, which all tenants of that key share.
    pub parent_rate_limit: Option<(KeyId, RateLimit)>,
}

/// The identity of a principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Any client of a service without access control.
    Anyone,
    /// A client without credentials of a service that allows anonymous searches.
    Anonymous,
    /// The program itself, such as a command of `noren` that works on a data folder.
    Internal,
    /// The root key, which the configuration of the service names.
    RootKey,
    /// An API key.
    Key(KeyId),
    /// A tenant, authenticated by a token that is derived from a key. All tokens of a key with the same filter are one tenant.
    Tenant {
        /// The parent key.
        key: KeyId,
        /// A hash of the filter.
        tenant: Arc<str>,
    },
    /// The subject of a JWT.
    Subject(Arc<str>),
}

impl Principal {
    /// Creates a principal without filters and without a limit.
    pub fn new(identity: Identity, scopes: Scopes) -> Self {
        Self { identity, scopes, filters: Arc::default(), rate_limit: None, parent_rate_limit: None }
    }

    /// Returns true if the principal has the scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }

    /// Returns true if the principal may know of products that no search finds: drafts, archived and deleted ones.
    pub fn knows_unpublished(&self) -> bool {
        self.has(Scope::Read) || self.has(Scope::Write)
    }

    /// Returns true if the request had credentials, so that a shared cache must not keep the response.
    pub fn has_credentials(&self) -> bool {
        match self.identity {
            Identity::Anyone | Identity::Anonymous | Identity::Internal => false,
            Identity::RootKey | Identity::Key(_) | Identity::Tenant { .. } | Identity::Subject(_) => true,
        }
    }
}

impl std::fmt::Display for Identity {
    /// Writes the kind and an id that is not secret, for logs and counters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Internal => f.write_str("internal"),
            Self::RootKey => f.write_str("root-key"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Tenant { key, tenant } => write!(f, "tenant:{key}:{tenant}"),
            Self::Subject(subject) => write!(f, "subject:{}", subject.escape_debug()),
        }
    }
}
