//! An empty library; the integration tests of the workspace are in `main.rs`.
