//! The parts of a bill.

use serde::Serialize;

/// A part of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The domain that holds the index.
    SearchEngine,
    /// A machine with its volume and address.
    Machine,
    /// Writes to the table.
    StoreWrites,
    /// Reads of the table, its storage and its point-in-time recovery.
    StoreReads,
    /// The queue.
    Queue,
    /// Requests of functions, and the plan that includes them.
    FunctionRequests,
    /// Memory of functions over time.
    FunctionCompute,
    /// The API in front of the functions.
    HttpApi,
    /// Logs.
    Logs,
    /// Data to the internet.
    DataOut,
    /// Metrics that the functions write.
    Metrics,
    /// Alarms.
    Alarms,
}

impl Part {
    /// All parts, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::SearchEngine,
        Self::Machine,
        Self::StoreWrites,
        Self::StoreReads,
        Self::Queue,
        Self::FunctionRequests,
        Self::FunctionCompute,
        Self::HttpApi,
        Self::Logs,
        Self::DataOut,
        Self::Metrics,
        Self::Alarms,
    ];

    /// Returns the name of the part in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::SearchEngine => "search engine",
            Self::Machine => "machine with disk",
            Self::StoreWrites => "store: writes",
            Self::StoreReads => "store: reads, storage",
            Self::Queue => "queue",
            Self::FunctionRequests => "functions: requests",
            Self::FunctionCompute => "functions: compute",
            Self::HttpApi => "HTTP API",
            Self::Logs => "logs",
            Self::DataOut => "data to the internet",
            Self::Metrics => "metrics",
            Self::Alarms => "alarms",
        }
    }
}
