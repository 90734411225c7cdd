//! The parts of a catalogue that a command needs.

/// The parts of a catalogue that a command needs. It decides what is opened in this process; a running service has all of
/// them open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Products, dead letters and the queue. The index stays closed, so services may run on the same data.
    Store,
    /// Writes of products.
    Write,
    /// Writes of products, to a catalogue that exists.
    Change,
    /// Searches.
    Search,
    /// Searches, products, dead letters and the queue.
    SearchAndStore,
    /// Comparison of the index with the store. The index must be usable by this version of Noren.
    CompareIndex,
    /// API keys, in the access store.
    Keys,
    /// API keys, in an access store that may be a new one.
    NewKeys,
    /// A rebuild of the index, whatever its state.
    RebuildIndex,
}
