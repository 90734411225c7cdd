//! The writes that an answer must reflect: the sync tokens of a request.

use std::collections::BTreeMap;
use std::time::Duration;

use api::extract::sync_tokens;
use api::parameters::ValueFault;
use api::problems::{bad_parameters, bad_request};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::{Fault, FaultKind, Faults, ProductId, SyncToken, Version};
use runtime::{Deadline, Problem};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The default time that a request waits for the writes that it names.
pub(crate) const DEFAULT_SYNC_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest time that a request may wait.
pub const MAX_SYNC_TIMEOUT: Duration = Duration::from_secs(10);
/// The most sync tokens of a request.
pub(crate) const MAX_SYNC_TOKENS: usize = 100;
/// The time that a request with a deadline keeps for the search after the wait.
const SEARCH_MARGIN: Duration = Duration::from_secs(1);

/// The name of the header in faults and in the OpenAPI document.
const HEADER: &str = "Noren-Sync-Token";

/// The form of a sync token.
pub(crate) const SYNC_TOKEN_PATTERN: &str = r"^[1-9][0-9]{0,18}\.[A-Za-z0-9._:~-]{1,128}$";
/// The form of the header: sync tokens separated by commas.
const TOKENS_PATTERN: &str =
    r"^([1-9][0-9]{0,18}\.[A-Za-z0-9._:~-]{1,128})?( *, *([1-9][0-9]{0,18}\.[A-Za-z0-9._:~-]{1,128})?)*$";

/// The versions that the index must hold before a request is answered, and the time to wait for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequiredVersions {
    /// The lowest version of each product that the index must hold.
    versions: BTreeMap<ProductId, Version>,
    /// `None` for the default.
    timeout: Option<Duration>,
    /// The deadline of the request, on Lambda.
    deadline: Option<Deadline>,
}

impl RequiredVersions {
    /// Parses sync tokens.
    ///
    /// # Errors
    /// Returns a message that follows the name of the parameter or header.
    pub(crate) fn parse<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Result<Self, ValueFault> {
        let mut required = Self::default();
        for (token, count) in tokens.into_iter().zip(1..) {
            if count > MAX_SYNC_TOKENS {
                return Err(too_many());
            }
            required.add(token.parse().map_err(|message| (FaultKind::Malformed, message))?);
        }
        Ok(required)
    }

    fn of_header(headers: &HeaderMap) -> Result<Self, Faults> {
        Self::parse(sync_tokens(headers)).map_err(|(kind, message)| Fault::new(HEADER, kind, message).into())
    }

    fn add(&mut self, SyncToken { id, version }: SyncToken) {
        let required = self.versions.entry(id).or_insert(version);
        *required = version.max(*required);
    }

    /// Sets the time to wait.
    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Takes the time to wait from `other`.
    pub fn with_timeout_of(self, other: &Self) -> Self {
        Self { timeout: other.timeout, ..self }
    }

    /// Adds the versions of `other`. The longer of the given timeouts applies, and the deadline of either.
    ///
    /// # Errors
    /// 400 if there are more than the maximum together.
    pub fn and(mut self, other: Self) -> Result<Self, Problem> {
        for (id, version) in other.versions {
            self.add(SyncToken { id, version });
        }
        self.timeout = self.timeout.max(other.timeout);
        self.deadline = self.deadline.or(other.deadline);
        if self.versions.len() > MAX_SYNC_TOKENS {
            let (kind, message) = too_many();
            return Err(bad_request(HEADER, kind, message));
        }
        Ok(self)
    }

    /// Returns true if no version is required, so that the request need not wait.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Returns the product and the version of each write.
    pub fn iter(&self) -> impl Iterator<Item = (&ProductId, Version)> {
        self.versions.iter().map(|(id, version)| (id, *version))
    }

    /// Returns the time to wait. It ends at least a second before the deadline, which leaves time for the search.
    pub fn timeout(&self) -> Duration {
        let timeout = self.timeout.unwrap_or(DEFAULT_SYNC_TIMEOUT);
        let left = self.deadline.map(|deadline| deadline.remaining().saturating_sub(SEARCH_MARGIN));
        left.map_or(timeout, |left| left.min(timeout))
    }
}

fn too_many() -> ValueFault {
    (FaultKind::OutOfRange, format!("must be at most {MAX_SYNC_TOKENS} tokens in all"))
}

/// Reads the header `Noren-Sync-Token`.
impl<S: Send + Sync> FromRequestParts<S> for RequiredVersions {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let required = Self::of_header(&parts.headers).map_err(|faults| bad_parameters(&faults))?;
        Ok(Self { deadline: parts.extensions.get().copied(), ..required })
    }
}

impl IntoParams for RequiredVersions {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = format!(
            "A write that the answer must reflect: the `{HEADER}` of the write's response. Repeated or separated by commas, \
             at most {MAX_SYNC_TOKENS}. The request waits for at most {} s, or for `syncTimeout` where it takes one.",
            DEFAULT_SYNC_TIMEOUT.as_secs()
        );
        let header = ParameterBuilder::new()
            .name(HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(TOKENS_PATTERN))));
        vec![header.build()]
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use axum::http::HeaderValue;
    use runtime::http::SYNC_TOKEN;

    fn header(values: &[&str]) -> Result<RequiredVersions, Faults> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(SYNC_TOKEN, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        RequiredVersions::of_header(&headers)
    }

    fn required(tokens: &[&str]) -> RequiredVersions {
        RequiredVersions::parse(tokens.iter().copied()).unwrap()
    }

    #[test]
    fn tokens_are_read_from_repeated_headers_and_lists() {
        assert!(header(&[]).unwrap().is_empty() && header(&["", " , "]).unwrap().is_empty());
        assert_eq!(header(&["1.a, 2.b", "3.c"]).unwrap(), required(&["1.a", "2.b", "3.c"]));
        assert_eq!(header(&["1.a,3.a,2.a"]).unwrap(), required(&["3.a"]), "the latest includes the others");
        for wrong in ["a", "1.a;2.b", "é"] {
            let faults = header(&[wrong]).unwrap_err().into_list();
            assert_eq!((faults[0].field.as_str(), faults[0].kind), (HEADER, FaultKind::Malformed), "{wrong}");
        }
    }

    #[test]
    fn no_request_waits_beyond_its_deadline() {
        let wanted = required(&["1.a"]).within(MAX_SYNC_TIMEOUT);
        assert_eq!(wanted.timeout(), MAX_SYNC_TIMEOUT, "a process has no deadline");
        let before = |left| Some(Deadline::before(SystemTime::now() + left, Duration::ZERO));
        let header = |left| RequiredVersions { deadline: before(left), ..RequiredVersions::default() };
        let timeout = header(Duration::from_secs(5)).and(wanted.clone()).unwrap().timeout();
        assert!(timeout <= Duration::from_secs(4) && timeout > Duration::from_secs(2), "{timeout:?}");
        assert_eq!(header(Duration::from_secs(60)).and(wanted.clone()).unwrap().timeout(), MAX_SYNC_TIMEOUT);
        assert_eq!(header(SEARCH_MARGIN).and(wanted).unwrap().timeout(), Duration::ZERO);
    }

    #[test]
    fn tokens_are_bounded_in_number() {
        let list = |count| (1..=count).map(|n| format!("1.p{n}")).collect::<Vec<_>>().join(",");
        assert!(header(&[&list(MAX_SYNC_TOKENS)]).is_ok());
        let faults = header(&[&list(MAX_SYNC_TOKENS + 1)]).unwrap_err();
        assert_eq!(faults.listed()[0].kind, FaultKind::OutOfRange);
        let all = header(&[&list(MAX_SYNC_TOKENS)]).unwrap();
        assert!(all.clone().and(required(&["2.p1"])).is_ok());
        assert!(all.and(required(&["1.more"])).is_err());
    }
}
