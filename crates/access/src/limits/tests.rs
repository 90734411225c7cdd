//! The rules of limits. The tests of `sqlite-access` and `dynamodb-access` check that their counters follow them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::FakeRelativeClock;
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::client::MAX_CLIENTS;
use super::*;
use crate::{ApiKey, KeyId, KeyRecord, Scopes};

const FIVE_A_MINUTE: RateLimit = RateLimit { requests: 5, window_seconds: 60 };
const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

/// The behaviour of a store that only counts.
#[derive(Clone, Copy)]
enum Behaviour {
    Counts,
    Fails,
    Hangs,
}

struct CountingStore {
    behaviour: Behaviour,
    calls: AtomicUsize,
    counters: Mutex<HashMap<(String, Timestamp), u64>>,
}

impl CountingStore {
    fn new(behaviour: Behaviour) -> Arc<Self> {
        Arc::new(Self { behaviour, calls: AtomicUsize::default(), counters: Mutex::default() })
    }
}

fn away<T>() -> Result<T, AccessStoreError> {
    Err(AccessStoreError::new("the store is away"))
}

#[async_trait]
impl AccessStore for CountingStore {
    async fn count(&self, name: &str, window_end: Timestamp) -> Result<u64, AccessStoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.behaviour {
            Behaviour::Counts => {
                let mut counters = self.counters.lock().unwrap();
                let count = counters.entry((name.to_owned(), window_end)).or_default();
                *count += 1;
                Ok(*count)
            }
            Behaviour::Fails => away(),
            Behaviour::Hangs => std::future::pending().await,
        }
    }

    async fn key(&self, _: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        away()
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        away()
    }

    async fn add(&self, _: &KeyRecord) -> Result<bool, AccessStoreError> {
        away()
    }

    async fn revoke(&self, _: &KeyId, _: Timestamp) -> Result<bool, AccessStoreError> {
        away()
    }

    async fn expire(&self, _: &KeyId, _: Timestamp) -> Result<bool, AccessStoreError> {
        away()
    }

    async fn remove(&self, _: &KeyId) -> Result<bool, AccessStoreError> {
        unreachable!()
    }

    async fn note_use(&self, _: &KeyId, _: Timestamp) -> Result<(), AccessStoreError> {
        away()
    }

    async fn ready(&self) -> Result<(), AccessStoreError> {
        away()
    }
}

fn options() -> LimitOptions {
    LimitOptions { default: None, failures: DEFAULT_FAILURES, store: None, fail_open: FailOpen::default() }
}

/// Returns the limits of a process on a store.
fn sharing(store: &Arc<CountingStore>) -> Limits {
    Limits::new(LimitOptions { store: Some(Arc::clone(store) as _), ..options() })
}

fn key(rate_limit: Option<RateLimit>) -> Principal {
    let id = ApiKey::generate().unwrap().id().clone();
    Principal { rate_limit, ..Principal::new(Identity::Key(id), Scopes::all()) }
}

fn anonymous() -> Principal {
    Principal::new(Identity::Anonymous, Scope::Search.into())
}

/// Returns a time, in milliseconds after the beginning of a minute.
fn at(milliseconds: i64) -> Timestamp {
    "2026-11-28T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_millis(milliseconds)
}

async fn decide(limits: &Limits, principal: &Principal, now: Timestamp) -> Decision {
    limits.count(principal, ADDRESS, Scope::Search, now).await.unwrap().expect("a limit applies")
}

/// Runs 100 requests at once and returns the number of those that pass.
async fn passed_of_100(limits: Vec<Arc<Limits>>, principal: &Principal) -> usize {
    let mut requests = JoinSet::new();
    for n in 0..100 {
        let (limits, principal) = (Arc::clone(&limits[n % limits.len()]), principal.clone());
        requests.spawn(async move { decide(&limits, &principal, at(0)).await.allowed });
    }
    requests.join_all().await.into_iter().filter(|allowed| *allowed).count()
}

#[tokio::test]
async fn ten_requests_at_a_limit_of_five_are_five_and_five() {
    let limits = sharing(&CountingStore::new(Behaviour::Counts));
    let principal = key(Some(FIVE_A_MINUTE));
    for n in 1..=10 {
        let decision = decide(&limits, &principal, at(10_000)).await;
        let expected = Decision {
            policy: "key",
            limit: 5,
            window_seconds: 60,
            remaining: 5_u32.saturating_sub(n),
            reset_seconds: 50,
            allowed: n <= 5,
        };
        assert_eq!(decision, expected, "request {n}");
    }
    assert!(decide(&limits, &key(Some(FIVE_A_MINUTE)), at(10_000)).await.allowed, "another key");
}

#[tokio::test]
async fn a_window_ends_exactly() {
    let limits = sharing(&CountingStore::new(Behaviour::Counts));
    let principal = key(Some(RateLimit { requests: 1, window_seconds: 60 }));
    for (milliseconds, allowed, reset) in
        [(0, true, 60), (59_000, false, 1), (59_999, false, 1), (60_000, true, 60), (60_001, false, 60)]
    {
        let decision = decide(&limits, &principal, at(milliseconds)).await;
        assert_eq!((decision.allowed, decision.reset_seconds), (allowed, reset), "{milliseconds}");
    }
}

#[tokio::test]
async fn two_processes_on_one_store_count_together() {
    let store = CountingStore::new(Behaviour::Counts);
    let (one, other) = (sharing(&store), sharing(&store));
    let principal = key(Some(FIVE_A_MINUTE));
    let mut allowed = 0;
    for n in 0..10 {
        let limits = if n % 2 == 0 { &one } else { &other };
        allowed += u32::from(decide(limits, &principal, at(0)).await.allowed);
    }
    assert_eq!(allowed, 5);
}

#[tokio::test]
async fn tenants_of_one_key_have_their_own_limits_and_share_that_of_the_key() {
    let limits = sharing(&CountingStore::new(Behaviour::Counts));
    let id = ApiKey::generate().unwrap().id().clone();
    let limit = |requests| RateLimit { requests, window_seconds: 60 };
    let tenant = |name: &str, own: Option<RateLimit>| Principal {
        rate_limit: own,
        parent_rate_limit: Some((id.clone(), limit(5))),
        ..Principal::new(Identity::Tenant { key: id.clone(), tenant: name.into() }, Scope::Search.into())
    };
    let (narrow, wide, unlimited) =
        (tenant("a", Some(limit(2))), tenant("b", Some(limit(100))), tenant("c", None));
    let of = async |principal| {
        let decision = decide(&limits, principal, at(0)).await;
        (decision.allowed, decision.limit, decision.remaining)
    };
    assert_eq!(of(&narrow).await, (true, 2, 1));
    assert_eq!(of(&narrow).await, (true, 2, 0));
    assert_eq!(
        of(&narrow).await,
        (false, 2, 0),
        "over its own limit; refused requests do not count against that of the key"
    );
    assert_eq!(of(&wide).await, (true, 5, 2));
    assert_eq!(of(&unlimited).await, (true, 5, 1));
    assert_eq!(of(&unlimited).await, (true, 5, 0));
    assert_eq!(of(&wide).await, (false, 5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_requests_at_once_no_more_than_the_limit_are_let_in() {
    let store = CountingStore::new(Behaviour::Counts);
    let processes = vec![Arc::new(sharing(&store)), Arc::new(sharing(&store))];
    assert_eq!(passed_of_100(processes, &key(Some(FIVE_A_MINUTE))).await, 5, "shared");
    let hour = RateLimit { requests: 5, window_seconds: 3600 };
    let local = Arc::new(Limits::new(LimitOptions { default: Some(hour), ..options() }));
    assert_eq!(passed_of_100(vec![local], &key(None)).await, 5, "in a process");
}

#[test]
fn the_default_limit_lets_a_burst_in_and_then_an_even_flow() {
    let clock = FakeRelativeClock::default();
    let limit = LocalLimit::new(FIVE_A_MINUTE, clock.clone());
    let count = || limit.count(&Client::at(ADDRESS));
    for n in 1..=5 {
        let expected = Decision {
            policy: "default",
            limit: 5,
            window_seconds: 60,
            remaining: 5 - n,
            reset_seconds: 12,
            allowed: true,
        };
        assert_eq!(count(), expected, "request {n}");
    }
    clock.advance(Duration::from_millis(1_500));
    let Decision { allowed, remaining, reset_seconds, .. } = count();
    assert_eq!((allowed, remaining, reset_seconds), (false, 0, 11), "rounded up");
    clock.advance(Duration::from_millis(10_500));
    assert!(count().allowed && !count().allowed, "one more after 12 s");
    clock.advance(Duration::from_secs(3600));
    assert_eq!((0..10).filter(|_| count().allowed).count(), 5, "never more than the limit at once");
}

#[tokio::test]
async fn the_default_limit_is_for_whoever_has_none() {
    let store: Arc<dyn AccessStore> = CountingStore::new(Behaviour::Counts);
    let one_an_hour = RateLimit { requests: 1, window_seconds: 3600 };
    let limits = Limits::new(LimitOptions { default: Some(one_an_hour), store: Some(store), ..options() });
    let other_address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
    let (own, without) = (key(Some(FIVE_A_MINUTE)), key(None));
    for (who, principal, address, decision) in [
        ("a client", anonymous(), ADDRESS, Some(true)),
        ("it again", anonymous(), ADDRESS, Some(false)),
        ("a client elsewhere", anonymous(), other_address, Some(true)),
        ("a client of an unknown address", anonymous(), None, Some(true)),
        ("another one", anonymous(), None, Some(false)),
        ("a key at the address of a client", without.clone(), ADDRESS, Some(true)),
        ("it again, elsewhere", without, other_address, Some(false)),
        ("a key with a limit of its own", own.clone(), ADDRESS, Some(true)),
        ("it again", own, ADDRESS, Some(true)),
        ("the program itself", Principal::new(Identity::Internal, Scopes::all()), None, None),
    ] {
        let counted = limits.count(&principal, address, Scope::Search, at(0)).await.unwrap();
        assert_eq!(counted.map(|decision| decision.allowed), decision, "{who}");
    }
    let unlimited = Limits::new(options());
    assert_eq!(unlimited.count(&anonymous(), ADDRESS, Scope::Search, at(0)).await.unwrap(), None);
}

#[test]
fn failures_are_limited_by_network_and_window() {
    let limits = Limits::new(options());
    let elsewhere = Some(IpAddr::V6("2001:db8::1".parse().unwrap()));
    for n in 0..30 {
        let decision = limits.may_authenticate(ADDRESS, at(0));
        assert_eq!((decision.allowed, decision.remaining), (true, 30 - n), "a decision does not count");
        limits.count_failure(ADDRESS, at(0));
    }
    let refused = limits.may_authenticate(ADDRESS, at(59_999));
    let expected = Decision {
        policy: "authentication",
        limit: 30,
        window_seconds: 60,
        remaining: 0,
        reset_seconds: 1,
        allowed: false,
    };
    assert_eq!(refused, expected);
    assert!(limits.may_authenticate(elsewhere, at(0)).allowed, "another network");
    assert!(limits.may_authenticate(ADDRESS, at(60_000)).allowed, "the next window");
}

#[test]
fn a_million_addresses_take_bounded_memory() {
    let requests = LocalLimit::new(FIVE_A_MINUTE, FakeRelativeClock::default());
    let failures = Failures::new(DEFAULT_FAILURES);
    for n in 0..1_000_000_u128 {
        let address = Some(IpAddr::V6(Ipv6Addr::from(n << 64)));
        requests.count(&Client::at(address));
        failures.count(&Client::at(address), at(0));
    }
    for clients in [requests.clients(), failures.clients()] {
        assert!(clients <= MAX_CLIENTS && clients > MAX_CLIENTS / 2, "{clients}");
    }
}

#[tokio::test]
async fn a_principal_over_its_limit_costs_the_store_one_call() {
    let store = CountingStore::new(Behaviour::Counts);
    let limits = sharing(&store);
    let principal = key(Some(FIVE_A_MINUTE));
    for _ in 0..50 {
        decide(&limits, &principal, at(0)).await;
    }
    assert_eq!(store.calls.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn what_cannot_be_counted_is_let_in_as_configured() {
    for (reads, writes) in [(true, false), (false, false), (true, true), (false, true)] {
        let store = Some(CountingStore::new(Behaviour::Fails) as _);
        let limits = Limits::new(LimitOptions { store, fail_open: FailOpen { reads, writes }, ..options() });
        let principal = key(Some(FIVE_A_MINUTE));
        for (scope, lets_in) in
            [(Scope::Search, reads), (Scope::Read, reads), (Scope::Write, writes), (Scope::Admin, writes)]
        {
            match limits.count(&principal, ADDRESS, scope, at(0)).await {
                Ok(None) => assert!(lets_in, "{scope}"),
                Err(error) => {
                    assert!(!lets_in && error.to_string() == "the store is away", "{scope}: {error}")
                }
                Ok(Some(decision)) => panic!("{decision:?}"),
            }
        }
    }
    assert_eq!(FailOpen::default(), FailOpen { reads: true, writes: false });
}

#[tokio::test]
async fn a_store_that_hangs_fails_within_its_time_limit() {
    let limits = sharing(&CountingStore::new(Behaviour::Hangs));
    let principal = key(Some(FIVE_A_MINUTE));
    let counted = limits.count(&principal, ADDRESS, Scope::Write, at(0));
    let counted = tokio::time::timeout(Duration::from_secs(30), counted).await.expect("within its limit");
    assert!(counted.unwrap_err().to_string().contains("does not respond"));
}
