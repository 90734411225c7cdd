//! Who is let in.

use std::sync::Arc;

use access::{ApiKey, Identity, Keyring, Principal, Refusal, Scope, Scopes, SecretHash, TenantToken};
use http::{HeaderMap, StatusCode, Uri};
use ipnet::IpNet;
use jiff::Timestamp;

use super::credentials::credentials;
use super::origin::{Hosts, Origins, is_same_origin};
use crate::Problem;

/// Decides who may use a service. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<Rules>);

#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// How requests are authenticated. `None` lets every program in, but no page of another site.
    pub(crate) credentials: Option<Accepted>,
    /// What requests without credentials may do.
    pub(crate) anonymous: Scopes,
    /// The names of the service, where no credentials are asked for.
    pub(crate) hosts: Hosts,
    /// The sites whose pages may use every route.
    pub(crate) origins: Origins,
    /// The proxies whose `X-Forwarded-For` counts.
    pub(crate) proxies: Vec<IpNet>,
}

/// The credentials that are accepted.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) root_key: Option<SecretHash>,
    pub(crate) keys: Option<Arc<Keyring>>,
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

    pub(super) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    pub(super) fn proxies(&self) -> &[IpNet] {
        &self.0.proxies
    }

    /// Returns the principal of a request to a route that requires `scope`.
    ///
    /// # Errors
    /// If the request is refused.
    pub(super) async fn admit(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        scope: Scope,
    ) -> Result<Principal, Problem> {
        let principal = match &self.0.credentials {
            None => self.admit_anyone(uri, headers, scope)?,
            Some(accepted) => match credentials(headers)? {
                Some(given) => accepted.authenticate(given, Timestamp::now()).await?,
                None if self.0.anonymous.has(scope) => Principal::new(Identity::Anonymous, self.0.anonymous),
                None => return Err(Refusal::NoCredentials(scope).into()),
            },
        };
        if !principal.has(scope) {
            return Err(Refusal::LacksScope(scope).into());
        }
        Ok(principal)
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
        Err(Refusal::Invalid)
    }
}
