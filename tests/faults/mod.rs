//! The faults that Noren survives, each with a repeatable test.
//!
//! `SEED` sets the seed and `NOREN_TEST_SCALE` the length, see `tests/support/run.rs`: `SEED=7 NOREN_TEST_SCALE=10
//! cargo test --workspace --test integration faults::simulation`. A test that fails prints its seed.
//! `docs/RELIABILITY.md` states the guarantees.

mod deadly_change;
mod deadly_line;
mod deleted;
mod drift;
mod dynamodb_fails;
mod folders;
mod full_disk;
mod greedy_clients;
mod greedy_imports;
mod killed;
mod killed_sync;
mod mixed_load;
mod opensearch_fails;
mod overtaken;
mod rebuilt_twice;
mod reindexed;
mod repeated;
mod restored;
mod shop;
mod shuffled;
mod simulation;
mod sqs_away;
mod sqs_lost;
mod verified;
