//! The open connections: limits of their number, in all and for each peer, and eviction when all slots are in use.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use access::limits::network_of;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::activity::Activity;
use super::open_files;

/// The divisor of all connections for the share of one peer, a quarter, but at least [`MIN_PER_PEER`].
const PEER_SHARE: usize = 4;
const MIN_PER_PEER: usize = 64;
/// The time for which a client may keep the server waiting before its connection can be evicted.
const MIN_WAIT: Duration = Duration::from_millis(500);
/// The pause between two attempts to evict a connection.
const EVICTION_PAUSE: Duration = Duration::from_millis(50);
/// The time for which a client may read nothing of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The limits of a server for its connections.
#[derive(Clone)]
pub struct ConnectionLimits {
    /// The most connections. If all are in use, a new one takes the slot of the one that has kept the server waiting longest.
    pub max: usize,
    /// The most connections of one peer: of an IPv4 address, or of a /64 network of IPv6. Further ones get a 503.
    pub max_per_peer: usize,
    /// The time for which a client may read nothing of a response before it is cut off.
    pub write_timeout: Duration,
    /// Returns true for peers without a limit of their own.
    pub is_exempt: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl Default for ConnectionLimits {
    /// Returns 4,096 connections, or fewer if the limit of open files is lower, and a quarter of them, at least 64, for one
    /// peer. Peers on this machine are exempt, because they may be a reverse proxy. Raises the soft limit of open files.
    fn default() -> Self {
        let max = open_files::connections();
        let max_per_peer = (max / PEER_SHARE).max(MIN_PER_PEER).min(max);
        let is_exempt = Arc::new(|peer: IpAddr| peer.is_loopback());
        Self { max, max_per_peer, write_timeout: WRITE_TIMEOUT, is_exempt }
    }
}

impl ConnectionLimits {
    /// Exempts the peers for which `is_exempt` returns true from the limit of one peer, such as reverse proxies, which connect for
    /// many clients. `is_exempt` receives IPv4-mapped IPv6 addresses as IPv4.
    #[must_use]
    pub fn with_exempt(self, is_exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { is_exempt: Arc::new(is_exempt), ..self }
    }
}

/// The open connections of a server.
pub(super) struct Connections {
    limits: RwLock<ConnectionLimits>,
    slots: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    open: HashMap<u64, Arc<Activity>>,
    /// The number of connections of each peer that is not exempt.
    peers: HashMap<IpAddr, usize>,
}

/// The error for a peer that has as many connections as it may have.
#[derive(Debug)]
pub(super) struct PeerIsFull;

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(limits.max));
        Arc::new(Self { limits: RwLock::new(limits), slots, state: Mutex::default() })
    }

    pub(super) fn limits(&self) -> ConnectionLimits {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the limits for connections from now on, except for their maximum in all.
    pub(super) fn set_limits(&self, limits: ConnectionLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Waits for a slot for a new connection of a peer. If none is free, evicts the connection that has kept the server waiting
    /// longest, as soon as there is one.
    ///
    /// # Errors
    /// If the peer has too many connections.
    pub(super) async fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Connection, PeerIsFull> {
        let peer = self.count(peer)?;
        let slot = loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                break slot;
            }
            self.evict();
            let freed = Arc::clone(&self.slots).acquire_owned();
            // The semaphore is never closed.
            if let Ok(Ok(slot)) = tokio::time::timeout(EVICTION_PAUSE, freed).await {
                break slot;
            }
        };
        let activity = Activity::new();
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.open.insert(id, Arc::clone(&activity));
        drop(state);
        Ok(Connection { id, activity, connections: Arc::clone(self), _peer: peer, _slot: slot })
    }

    /// Counts a connection of a peer until the returned value is dropped. Returns `None` for an exempt peer.
    fn count(self: &Arc<Self>, peer: IpAddr) -> Result<Option<PeerShare>, PeerIsFull> {
        let address = peer.to_canonical();
        let limits = self.limits();
        if (limits.is_exempt)(address) {
            return Ok(None);
        }
        let peer = network_of(address);
        let mut state = self.state();
        let count = state.peers.entry(peer).or_insert(0);
        if *count >= limits.max_per_peer {
            return Err(PeerIsFull);
        }
        *count += 1;
        Ok(Some(PeerShare { peer, connections: Arc::clone(self) }))
    }

    /// Closes the connection that has kept the server waiting longest, if that is at least [`MIN_WAIT`].
    fn evict(&self) {
        let mut state = self.state();
        let waiting = state.open.iter().filter_map(|(id, activity)| Some((activity.waiting()?, *id)));
        let Some((_, id)) = waiting.max().filter(|(waited, _)| *waited >= MIN_WAIT) else { return };
        if let Some(activity) = state.open.remove(&id) {
            metrics::counter!(EVICTED).increment(1);
            activity.evicted.cancel();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts connections that were closed because new ones needed their slots.
const EVICTED: &str = "noren_http_evicted_connections_total";

/// Describes the metrics of connections.
pub(crate) fn describe_metrics() {
    metrics::describe_counter!(
        EVICTED,
        "Waiting connections that were closed because new ones needed their place"
    );
    // A counter is exported once it was incremented.
    metrics::counter!(EVICTED).increment(0);
}

/// An open connection. Dropping it frees its slot.
pub(super) struct Connection {
    id: u64,
    pub(super) activity: Arc<Activity>,
    connections: Arc<Connections>,
    _peer: Option<PeerShare>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.state().open.remove(&self.id);
    }
}

/// One connection in the count of its peer. Dropping it decrements the count.
struct PeerShare {
    peer: IpAddr,
    connections: Arc<Connections>,
}

impl Drop for PeerShare {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        if let Some(count) = state.peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                state.peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(max: usize, max_per_peer: usize) -> Arc<Connections> {
        let limits = ConnectionLimits { max, max_per_peer, ..ConnectionLimits::default() };
        Connections::new(limits)
    }

    fn peer(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[tokio::test]
    async fn a_peer_has_its_share_until_it_closes_connections() {
        let connections = connections(10, 2);
        let first = connections.admit(peer("192.0.2.1")).await.unwrap();
        let _second = connections.admit(peer("::ffff:192.0.2.1")).await.unwrap();
        assert!(connections.admit(peer("192.0.2.1")).await.is_err());
        let _other = connections.admit(peer("192.0.2.2")).await.unwrap();
        drop(first);
        let _third = connections.admit(peer("192.0.2.1")).await.unwrap();
    }

    #[tokio::test]
    async fn a_network_of_ipv6_is_one_peer() {
        let connections = connections(10, 1);
        let _first = connections.admit(peer("2001:db8::1")).await.unwrap();
        assert!(connections.admit(peer("2001:db8::2")).await.is_err());
        let _other = connections.admit(peer("2001:db8:0:1::1")).await.unwrap();
    }

    #[tokio::test]
    async fn exempt_peers_have_no_share() {
        let proxy = peer("192.0.2.1");
        let limits = ConnectionLimits { max: 10, max_per_peer: 1, ..ConnectionLimits::default() };
        for (limits, address) in
            [(limits.clone(), peer("127.0.0.1")), (limits.with_exempt(move |peer| peer == proxy), proxy)]
        {
            let connections = Connections::new(limits);
            let _held =
                [connections.admit(address).await.unwrap(), connections.admit(address).await.unwrap()];
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_takes_the_place_of_the_one_that_waits_longest() {
        let connections = connections(2, 2);
        let (busy, idle) =
            (connections.admit(peer("::1")).await.unwrap(), connections.admit(peer("::1")).await.unwrap());
        let _request = busy.activity.request(axum::body::Body::empty());
        let (evicted, keeps) = (idle.activity.evicted.clone(), busy.activity.evicted.clone());
        tokio::spawn(async move {
            idle.activity.evicted.cancelled().await;
            drop(idle);
        });
        tokio::time::advance(MIN_WAIT).await;
        let _new = connections.admit(peer("::1")).await.unwrap();
        assert!(evicted.is_cancelled() && !keeps.is_cancelled());
    }
}
