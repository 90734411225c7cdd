//! The three services as three processes.
