//! Who makes a request.

use std::sync::Arc;

use crate::{KeyId, RateLimit, Scope, Scopes};

/// Who makes a request, as handlers, limits and logs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Who it is.
    pub identity: Identity,
    /// Its scopes.
    pub scopes: Scopes,
    /// The filters that every search of this principal has, each in the form of a query string of `GET /products/search`. A
    /// product must pass all of them.
    pub filters: Arc<[Arc<str>]>,
    /// The limit of requests that all processes count together, for this principal alone.
    pub rate_limit: Option<RateLimit>,
    /// For a tenant, the limit of its parent key, which all tenants of that key share.
    pub parent_rate_limit: Option<(KeyId, RateLimit)>,
}

/// Who a principal is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Anyone, where access is not controlled.
    Anyone,
    /// A client without credentials, where anonymous searches are allowed.
    Anonymous,
    /// The program itself, such as a command of `noren` that works on a data folder.
    Internal,
    /// The root key, which the configuration of the service names.
    RootKey,
    /// An API key.
    Key(KeyId),
    /// A tenant, by a token that is derived from a key. All tokens of a key with the same filter are one tenant.
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

    /// Returns true if the request had credentials, so that a shared cache must not keep the response.
    pub fn has_credentials(&self) -> bool {
        match self.identity {
            Identity::Anyone | Identity::Anonymous | Identity::Internal => false,
            Identity::RootKey | Identity::Key(_) | Identity::Tenant { .. } | Identity::Subject(_) => true,
        }
    }
}

impl std::fmt::Display for Identity {
    /// Writes the identity for logs: a kind, and an id that is not secret.
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
