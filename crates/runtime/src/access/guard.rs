//! Decides who may use a service.

use std::net::IpAddr;
use std::sync::Arc;

use access::jwt::JwtVerifier;
use access::limits::{Decision, Limits};
use access::{ApiKey, Identity, Keyring, Principal, Refusal, Scope, Scopes, SecretHash, TenantToken};
use http::{HeaderMap, StatusCode, Uri};
use ipnet::IpNet;
use jiff::Timestamp;

use super::credentials::credentials;
use super::origin::{Hosts, Origins, is_forwarded, is_same_origin};
use super::rate_limits::too_many;
use crate::Problem;
use crate::server::ConnectionLimits;

/// Decides who may use a service. Clones share their state.
#[derive(Clone, Default)]
pub struct Guard(Arc<GuardOptions>);

/// The configuration of a guard.
#[derive(Default)]
pub(crate) struct GuardOptions {
    /// Checks the credentials that requests need. If `None`, requests need none, but pages of other sites can only search.
    pub(crate) authenticator: Option<Authenticator>,
    /// The scopes of requests without credentials.
    pub(crate) anonymous: Scopes,
    /// The host names by which a service without an authenticator may be called.
    pub(crate) hosts: Hosts,
    /// The sites whose pages may use every route.
    pub(crate) origins: Origins,
    /// The rate limits.
    pub(crate) limits: Option<Limits>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub(crate) proxies: Vec<IpNet>,
    /// True if `NOREN_ACCESS` is not set, so only programs on this machine may use the service: a request through a proxy may come
    /// from anywhere.
    pub(crate) refuses_forwarded: bool,
}

/// Checks credentials of the accepted kinds.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(crate) root_key: Option<SecretHash>,
    pub(crate) keys: Option<Arc<Keyring>>,
    pub(crate) jwt: Option<JwtVerifier>,
}

impl Guard {
    pub(crate) fn new(rules: GuardOptions) -> Self {
        Self(Arc::new(rules))
    }

    /// Returns the API keys, if they are accepted.
    pub fn keyring(&self) -> Option<&Arc<Keyring>> {
        self.0.authenticator.as_ref()?.keys.as_ref()
    }

    /// Returns true if the service checks credentials.
    pub(super) fn checks_credentials(&self) -> bool {
        self.0.authenticator.is_some()
    }

    /// Returns true if requests to routes with this scope need no credentials.
    pub(crate) fn is_open(&self, scope: Scope) -> bool {
        self.0.authenticator.is_none() || self.0.anonymous.has(scope)
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// Returns true if the address is that of a proxy whose `X-Forwarded-For` is believed.
    pub(super) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        self.0.proxies.iter().any(|proxies| proxies.contains(&address))
    }

    /// Returns the limits for the connections of a server. Trusted proxies connect for many clients, so they are exempt from the
    /// limit of each peer.
    pub fn connection_limits(&self) -> ConnectionLimits {
        let guard = self.clone();
        ConnectionLimits::default()
            .with_exempt(move |peer| peer.is_loopback() || guard.is_trusted_proxy(peer))
    }

    /// Returns the principal of a request to a route that requires `scope`. The caller must check that the principal has it.
    /// `client` is the address of the client, if it is known.
    ///
    /// # Errors
    /// If there is no such principal: credentials are missing, wrong or cannot be checked, the host name is unknown, or the request
    /// came from a page of another site or through a proxy.
    pub(super) async fn identify(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        client: Option<IpAddr>,
        scope: Scope,
    ) -> Result<Principal, Problem> {
        match &self.0.authenticator {
            None => self.admit_anyone(uri, headers, scope),
            Some(authenticator) => match credentials(uri, headers) {
                Ok(None) if self.0.anonymous.has(scope) => {
                    Ok(Principal::new(Identity::Anonymous, self.0.anonymous))
                }
                Ok(None) => Err(Refusal::NoCredentials(scope).into()),
                given => self.authenticate(authenticator, given, client).await,
            },
        }
    }

    /// Checks credentials, unless too many credentials from this client were wrong. The limit does not lock out keys that are in use.
    async fn authenticate(
        &self,
        authenticator: &Authenticator,
        given: Result<Option<&str>, Refusal>,
        client: Option<IpAddr>,
    ) -> Result<Principal, Problem> {
        let now = Timestamp::now();
        if let Some(limits) = &self.0.limits {
            let decision = limits.may_authenticate(client, now);
            if !decision.allowed && !given.as_ref().is_ok_and(|given| authenticator.remembers(*given)) {
                return Err(too_many(&decision, "too many requests from this address had wrong credentials"));
            }
        }
        let checked = match given {
            Ok(given) => authenticator.authenticate(given.unwrap_or_default(), now).await,
            Err(refusal) => Err(refusal),
        };
        if let (Err(Refusal::Invalid), Some(limits)) = (&checked, &self.0.limits) {
            limits.count_failure(client, now);
        }
        Ok(checked?)
    }

    /// Counts a request and checks that its principal has the scope of the route. Requests that are refused count as well. Returns the
    /// principal and the decision by the limit that applies, if there is one.
    ///
    /// # Errors
    /// If there is no principal, it is over its limit, or it lacks the scope.
    pub(super) async fn admit(
        &self,
        identified: Result<Principal, Problem>,
        client: Option<IpAddr>,
        scope: Scope,
    ) -> Result<(Principal, Option<Decision>), Problem> {
        let principal = identified.map_err(|problem| match self.count_unknown(client, &problem) {
            Some(decision) if !decision.allowed => too_many(&decision, "too many requests"),
            _ => problem,
        })?;
        let decision = self.count(&principal, client, scope).await?;
        if principal.has(scope) { Ok((principal, decision)) } else { Err(Refusal::LacksScope(scope).into()) }
    }

    /// Counts a request without acceptable credentials.
    fn count_unknown(&self, client: Option<IpAddr>, problem: &Problem) -> Option<Decision> {
        let limits = self.0.limits.as_ref().filter(|_| problem.status() == StatusCode::UNAUTHORIZED);
        limits.and_then(|limits| limits.count_unknown(client))
    }

    /// Counts a request of a principal. Returns the decision by the limit that applies, if there is one.
    ///
    /// # Errors
    /// If the principal is over its limit, or the request cannot be counted and must not pass.
    async fn count(
        &self,
        principal: &Principal,
        client: Option<IpAddr>,
        scope: Scope,
    ) -> Result<Option<Decision>, Problem> {
        let Some(limits) = &self.0.limits else { return Ok(None) };
        match limits.count(principal, client, scope, Timestamp::now()).await {
            Ok(Some(decision)) if !decision.allowed => Err(too_many(&decision, "too many requests")),
            Ok(decision) => Ok(decision),
            // The limits log the cause, once a minute.
            Err(_) => Err(Problem::unavailable("requests cannot be counted at the moment")),
        }
    }

    /// Admits every request except those for an unknown host name. Pages of other sites, and proxies in front of a service without
    /// `NOREN_ACCESS`, may only search.
    fn admit_anyone(&self, uri: &Uri, headers: &HeaderMap, scope: Scope) -> Result<Principal, Problem> {
        if !self.0.hosts.allow(uri, headers) {
            let detail = "the service is not called by this host name; use its address, or add the name to NOREN_HOSTS";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if scope != Scope::Search && !is_same_origin(uri, headers) && !self.0.origins.allow(headers) {
            let detail = "pages of other sites cannot use this address; use `noren` or curl, or add the site to NOREN_CORS";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if self.0.refuses_forwarded && scope != Scope::Search && is_forwarded(headers) {
            let detail = "the request came through a proxy, and nothing says who may use this service; set NOREN_ACCESS=keys, or \
                          NOREN_ACCESS=none to let everyone who reaches the proxy do everything";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(Principal::new(Identity::Anyone, Scopes::all()))
    }
}

impl Authenticator {
    /// Returns true for the root key, and for credentials of an API key that is in use.
    fn remembers(&self, given: Option<&str>) -> bool {
        let given = given.unwrap_or_default();
        let of_key = |keys: &Arc<Keyring>| match ApiKey::read(given) {
            Some(key) => keys.remembers(&key),
            None => TenantToken::read(given).is_some_and(|token| token.is_of_remembered(keys)),
        };
        self.is_root_key(given) || self.keys.as_ref().is_some_and(of_key)
    }

    fn is_root_key(&self, given: &str) -> bool {
        self.root_key.as_ref().is_some_and(|root| *root == SecretHash::of_text(given))
    }

    async fn authenticate(&self, given: &str, now: Timestamp) -> Result<Principal, Refusal> {
        if self.is_root_key(given) {
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
        f.debug_struct("Guard").field("authenticator", &self.0.authenticator).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use access::limits::{DEFAULT_FAILURES, FailOpen, LimitOptions};
    use access::{KeyId, RateLimit};

    use super::*;

    /// Without a store nothing can be counted, but who sent the request is known.
    #[tokio::test]
    async fn a_request_that_cannot_be_counted_is_not_told_that_its_credentials_cannot_be_checked() {
        let limits = LimitOptions {
            default: None,
            failures: DEFAULT_FAILURES,
            store: None,
            fail_open: FailOpen::default(),
        };
        let guard = Guard::new(GuardOptions { limits: Some(Limits::new(limits)), ..GuardOptions::default() });
        let id: KeyId = "0123456789abcdef".parse().unwrap();
        let mut principal = Principal::new(Identity::Key(id), Scopes::all());
        principal.rate_limit = Some(RateLimit { requests: 5, window_seconds: 60 });
        let problem = guard.count(&principal, None, Scope::Write).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(problem.detail(), "requests cannot be counted at the moment");
        assert!(guard.count(&principal, None, Scope::Search).await.unwrap().is_none(), "searches are let in");
    }
}
