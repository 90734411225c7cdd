//! Reading one's own writes: a request that names sync tokens is answered once the index holds what they stand for.
//!
//! Nothing is remembered between requests, so it does not matter which of several processes is asked: each looks at
//! the index that it searches.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::{Fault, FaultKind, Faults, ProductId, SyncToken, Version};
use runtime::Problem;
use runtime::http::SYNC_TOKEN;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Service;
use crate::http::{bad_request, index_failed};

/// How long a request waits for what it names, unless it says otherwise.
pub(crate) const DEFAULT_SYNC_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that a request may wait for what it names.
pub(crate) const MAX_SYNC_TIMEOUT: Duration = Duration::from_secs(10);
/// The most sync tokens of a request.
pub(crate) const MAX_SYNC_TOKENS: usize = 100;

/// The name of the header in faults.
const HEADER: &str = "Noren-Sync-Token";
/// How long to wait between the first two looks at the index; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause between two looks at the index.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The most requests that wait at a time.
pub(crate) const MAX_WAITING: usize = 1000;
/// How often all that wait may look together, each time by a request to the index.
const LOOKS_PER_SECOND: f64 = 500.0;

const WAIT_SECONDS: &str = "noren_sync_wait_seconds";

pub(crate) fn describe_metrics() {
    metrics::describe_histogram!(
        WAIT_SECONDS,
        metrics::Unit::Seconds,
        "time that requests with sync tokens waited for the index"
    );
}

/// What an answer must have seen, and how long it may take until the index has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Awaited {
    /// Of each product the version that must be there, or a later one.
    versions: BTreeMap<ProductId, Version>,
    /// None for the default.
    timeout: Option<Duration>,
}

impl Awaited {
    /// All of these tokens, and the time-out where the request names one.
    ///
    /// # Errors
    /// Says in a sentence's end what is wrong.
    pub(crate) fn new<'a>(
        tokens: impl IntoIterator<Item = &'a str>,
        timeout: Option<Duration>,
    ) -> Result<Self, (FaultKind, String)> {
        let mut awaited = Self { timeout, ..Self::default() };
        for (token, count) in tokens.into_iter().zip(1..) {
            if count > MAX_SYNC_TOKENS {
                return Err(too_many());
            }
            awaited.add(token.parse().map_err(|message| (FaultKind::Malformed, message))?);
        }
        Ok(awaited)
    }

    fn add(&mut self, SyncToken { id, version }: SyncToken) {
        let awaited = self.versions.entry(id).or_insert(version);
        *awaited = version.max(*awaited);
    }

    /// What both await together, for as long as the longer one of their time-outs.
    pub(crate) fn and(mut self, other: Self) -> Result<Self, Problem> {
        for (id, version) in other.versions {
            self.add(SyncToken { id, version });
        }
        self.timeout = self.timeout.max(other.timeout);
        if self.versions.len() > MAX_SYNC_TOKENS {
            let (kind, message) = too_many();
            return Err(bad_request(&Fault::new(HEADER, kind, message).into()));
        }
        Ok(self)
    }

    /// Whether any index will do.
    pub(crate) fn is_nothing(&self) -> bool {
        self.versions.is_empty()
    }

    fn of_header(headers: &HeaderMap) -> Result<Self, Faults> {
        let mut tokens = Vec::new();
        for value in headers.get_all(SYNC_TOKEN) {
            // What is no ASCII is no token either, and is told as one that is malformed.
            let list = value.to_str().unwrap_or("\u{fffd}");
            tokens.extend(list.split(',').map(str::trim).filter(|token| !token.is_empty()));
        }
        Self::new(tokens, None).map_err(|(kind, message)| Fault::new(HEADER, kind, message).into())
    }
}

fn too_many() -> (FaultKind, String) {
    (FaultKind::OutOfRange, format!("must be at most {MAX_SYNC_TOKENS} tokens in all"))
}

/// What the header of a request names.
impl<S: Send + Sync> FromRequestParts<S> for Awaited {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of_header(&parts.headers).map_err(|faults| bad_request(&faults))
    }
}

/// The requests that wait for the index.
pub(crate) struct Waiting {
    places: Semaphore,
    count: usize,
}

impl Waiting {
    pub(crate) fn new(count: usize) -> Self {
        Self { places: Semaphore::new(count), count }
    }

    /// Takes a place, for as long as the answer lives.
    fn begin(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let detail =
            "too many searches wait for writes to be indexed; try again, or search without the token";
        self.places.try_acquire().map_err(|_| Problem::unavailable(detail))
    }

    /// How long each must wait between two looks, that all of them together do not look too often.
    fn least_pause(&self) -> Duration {
        let waiting = self.count.saturating_sub(self.places.available_permits());
        Duration::from_secs(1).mul_f64(waiting as f64 / LOOKS_PER_SECOND)
    }
}

impl Service {
    /// Waits until searches that begin now see everything that is awaited; 504 when that takes too long, 503 where too many
    /// wait already.
    pub(crate) async fn catch_up(&self, awaited: &Awaited) -> Result<(), Problem> {
        if awaited.is_nothing() {
            return Ok(());
        }
        let mut missing: Vec<(&ProductId, Version)> =
            awaited.versions.iter().map(|(id, version)| (id, *version)).collect();
        let begun = Instant::now();
        let timeout = awaited.timeout.unwrap_or(DEFAULT_SYNC_TIMEOUT);
        let (mut seen, mut pause, mut place) = (None, FIRST_PAUSE, None);
        loop {
            // A state that was looked at before has nothing new.
            let state = self.newest_snapshot().await?;
            if state.is_none() || state != seen {
                self.strike_off(&mut missing).await?;
                seen = state;
            }
            let waited = begun.elapsed();
            if missing.is_empty() || waited >= timeout {
                metrics::histogram!(WAIT_SECONDS).record(waited.as_secs_f64());
                return if missing.is_empty() { Ok(()) } else { Err(not_indexed(&missing, waited)) };
            }
            if place.is_none() {
                place = Some(self.waiting.begin()?);
            }
            // An index that does not tell its state is asked each time, which costs it a request.
            let least = if seen.is_none() { self.waiting.least_pause() } else { Duration::ZERO };
            tokio::time::sleep(pause.max(least).min(timeout - waited)).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// Takes out what the index holds.
    async fn strike_off(&self, missing: &mut Vec<(&ProductId, Version)>) -> Result<(), Problem> {
        let ids: Vec<ProductId> = missing.iter().map(|(id, _)| (*id).clone()).collect();
        let held = self.index.versions(&ids).await.map_err(|error| index_failed(&error))?;
        let mut held = held.into_iter();
        missing.retain(|(_, awaited)| held.next().flatten().is_none_or(|held| held < *awaited));
        Ok(())
    }
}

/// 504, with every token that the index does not hold.
fn not_indexed(missing: &[(&ProductId, Version)], waited: Duration) -> Problem {
    let tokens: Vec<String> = missing
        .iter()
        .map(|(id, version)| SyncToken { id: (*id).clone(), version: *version }.to_string())
        .collect();
    let seconds = waited.as_secs_f64();
    let what = match missing {
        [(id, version)] => format!("version {version} of product {id} is"),
        _ => format!("{} of the writes named are", missing.len()),
    };
    let detail = format!(
        "{what} not indexed yet after {seconds:.1} s; try again, wait longer with `syncTimeout`, or search without \
         the token"
    );
    Problem::new(StatusCode::GATEWAY_TIMEOUT, detail)
        .with("notIndexed", tokens)
        .retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn those_who_wait_are_bounded_in_number_and_in_what_they_ask_for() {
        let waiting = Waiting::new(100);
        assert_eq!(waiting.least_pause(), Duration::ZERO);
        let mut places: Vec<_> = (0..100).map(|_| waiting.begin().unwrap()).collect();
        assert_eq!(waiting.begin().unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(waiting.least_pause(), Duration::from_millis(200), "100 waiters, 500 looks in a second");
        places.truncate(1);
        assert_eq!(waiting.least_pause(), Duration::from_millis(2));
        assert!(waiting.begin().is_ok());
    }

    fn header(values: &[&str]) -> Result<Awaited, Faults> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(SYNC_TOKEN, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Awaited::of_header(&headers)
    }

    fn awaited(tokens: &[&str]) -> Awaited {
        Awaited::new(tokens.iter().copied(), None).unwrap()
    }

    #[test]
    fn tokens_are_read_from_repeated_headers_and_lists() {
        assert!(header(&[]).unwrap().is_nothing() && header(&["", " , "]).unwrap().is_nothing());
        assert_eq!(header(&["1.a, 2.b", "3.c"]).unwrap(), awaited(&["1.a", "2.b", "3.c"]));
        assert_eq!(header(&["1.a,3.a,2.a"]).unwrap(), awaited(&["3.a"]), "the latest includes the others");
        for wrong in ["a", "1.a;2.b", "é"] {
            let Faults(faults) = header(&[wrong]).unwrap_err();
            assert_eq!((faults[0].field.as_str(), faults[0].kind), (HEADER, FaultKind::Malformed), "{wrong}");
        }
    }

    #[test]
    fn tokens_are_bounded_in_number() {
        let list = |count| (1..=count).map(|n| format!("1.p{n}")).collect::<Vec<_>>().join(",");
        assert!(header(&[&list(MAX_SYNC_TOKENS)]).is_ok());
        assert_eq!(header(&[&list(MAX_SYNC_TOKENS + 1)]).unwrap_err().0[0].kind, FaultKind::OutOfRange);
        let all = header(&[&list(MAX_SYNC_TOKENS)]).unwrap();
        assert!(all.clone().and(awaited(&["2.p1"])).is_ok());
        assert!(all.and(awaited(&["1.more"])).is_err());
    }
}
