//! Who is let in.

use std::net::IpAddr;
use std::sync::Arc;

use access::jwt::JwtVerifier;
use access::limits::{Decision, Limits};
use access::{ApiKey, Identity, Keyring, Principal, Refusal, Scope, Scopes, SecretHash, TenantToken};
use http::{HeaderMap, StatusCode, Uri};
use ipnet::IpNet;
use jiff::Timestamp;

use super::credentials::credentials;
use super::limited::too_many;
use super::origin::{Hosts, Origins, is_same_origin};
use crate::Problem;
use crate::server::ConnectionLimits;

/// Decides who may use a service. Clones share their state.
#[derive(Clone, Default)]
pub struct Guard(Arc<Rules>);

#[derive(Default)]
pub(crate) struct Rules {
    /// The credentials that requests need. `None` lets every program in, but no page of another site.
    pub(crate) credentials: Option<Accepted>,
    /// The scopes of requests without credentials.
    pub(crate) anonymous: Scopes,
    /// The names of the service, where no credentials are asked for.
    pub(crate) hosts: Hosts,
    /// The sites whose pages may use every route.
    pub(crate) origins: Origins,
    /// The limits of requests.
    pub(crate) limits: Option<Limits>,
    /// The proxies whose `X-Forwarded-For` counts.
    pub(crate) proxies: Vec<IpNet>,
}

/// The credentials that are accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) root_key: Option<SecretHash>,
    pub(crate) keys: Option<Arc<Keyring>>,
    pub(crate) jwt: Option<JwtVerifier>,
}

impl Guard {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(Arc::new(rules))
    }

    /// Returns the API keys, if they are accepted.
    pub fn keyring(&self) -> Option<&Arc<Keyring>> {
        self.0.credentials.as_ref()?.keys.as_ref()
    }

    /// Returns true if requests need credentials.
    pub(super) fn asks_for_credentials(&self) -> bool {
        self.0.credentials.is_some()
    }

    /// Returns true if requests to routes with this scope need no credentials.
    pub(crate) fn is_open(&self, scope: Scope) -> bool {
        self.0.credentials.is_none() || self.0.anonymous.has(scope)
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    pub(super) fn proxies(&self) -> &[IpNet] {
        &self.0.proxies
    }

    /// Returns the limits for the connections of a server: trusted proxies, which connect for many clients, are exempt from
    /// the one of each peer.
    pub fn connection_limits(&self) -> ConnectionLimits {
        let guard = self.clone();
        let is_proxy = move |peer| guard.proxies().iter().any(|proxies| proxies.contains(&peer));
        ConnectionLimits::default().with_exempt(move |peer| peer.is_loopback() || is_proxy(peer))
    }

    /// Returns the principal of a request to a route that requires `scope`, which the principal may lack. `client` is the address of the
    /// client, if it is known.
    ///
    /// # Errors
    /// If the request is refused whatever the scopes of its principal are.
    pub(super) async fn identify(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        client: Option<IpAddr>,
        scope: Scope,
    ) -> Result<Principal, Problem> {
        match &self.0.credentials {
            None => self.admit_anyone(uri, headers, scope),
            Some(accepted) => match credentials(headers) {
                Ok(None) if self.0.anonymous.has(scope) => {
                    Ok(Principal::new(Identity::Anonymous, self.0.anonymous))
                }
                Ok(None) => Err(Refusal::NoCredentials(scope).into()),
                given => self.authenticate(accepted, given, client).await,
            },
        }
    }

    /// Checks credentials, unless too many from this client were wrong.
    async fn authenticate(
        &self,
        accepted: &Accepted,
        given: Result<Option<&str>, Refusal>,
        client: Option<IpAddr>,
    ) -> Result<Principal, Problem> {
        let now = Timestamp::now();
        if let Some(limits) = &self.0.limits {
            let decision = limits.may_authenticate(client, now);
            if !decision.allowed {
                return Err(too_many(&decision, "too many requests from this address had wrong credentials"));
            }
        }
        let checked = match given {
            Ok(given) => accepted.authenticate(given.unwrap_or_default(), now).await,
            Err(refusal) => Err(refusal),
        };
        if let (Err(Refusal::Invalid), Some(limits)) = (&checked, &self.0.limits) {
            limits.count_failure(client, now);
        }
        Ok(checked?)
    }

    /// Counts a request of a principal. Returns its place in the limit that applies, if one does.
    ///
    /// # Errors
    /// If the principal has sent too many requests, or they cannot be counted.
    pub(super) async fn count(
        &self,
        principal: &Principal,
        client: Option<IpAddr>,
        scope: Scope,
    ) -> Result<Option<Decision>, Problem> {
        let Some(limits) = &self.0.limits else { return Ok(None) };
        match limits.count(principal, client, scope, Timestamp::now()).await {
            Ok(Some(decision)) if !decision.allowed => Err(too_many(&decision, "too many requests")),
            Ok(decision) => Ok(decision),
            Err(error) => Err(Refusal::Unavailable(error).into()),
        }
    }

    /// Admits every request that no page of another site sent. Pages of other sites may search.
    fn admit_anyone(&self, uri: &Uri, headers: &HeaderMap, scope: Scope) -> Result<Principal, Problem> {
        if !self.0.hosts.allow(uri, headers) {
            let detail = "the service is not called by this host name; use its address, or add the name to NOREN_HOSTS";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if scope != Scope::Search && !is_same_origin(uri, headers) && !self.0.origins.allow(headers) {
            let detail = "pages of other sites cannot use this address; use `noren` or curl, or add the site to NOREN_CORS";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(Principal::new(Identity::Anyone, Scopes::all()))
    }
}

impl Accepted {
    async fn authenticate(&self, given: &str, now: Timestamp) -> Result<Principal, Refusal> {
        if self.root_key.as_ref().is_some_and(|root| *root == SecretHash::of_text(given)) {
            return Ok(Principal::new(Identity::RootKey, Scopes::all()));
        }
        if let Some(keys) = &self.keys
            && ApiKey::is_like(given)
        {
            let key = ApiKey::read(given).ok_or(Refusal::Invalid)?;
            return Ok(keys.check(&key, now).await?.principal());
        }
        if let Some(keys) = &self.keys
            && TenantToken::is_like(given)
        {
            return TenantToken::read(given).ok_or(Refusal::Invalid)?.verify(keys, now).await;
        }
        match &self.jwt {
            Some(jwt) => jwt.verify(given, now).await,
            None => Err(Refusal::Invalid),
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("credentials", &self.0.credentials).finish_non_exhaustive()
    }
}
