//! The faults that Noren survives, each with a test that anyone can repeat.
//!
//! `SEED` says where chance begins and `SCALE` how many times longer than usual a test runs:
//! `SEED=7 NOREN_TEST_SCALE=10 cargo test --workspace --test integration faults::simulation`. A test that fails names its seed.
//! `docs/RELIABILITY.md` says what is promised.

mod deleted;
mod drift;
mod dynamodb_fails;
mod folders;
mod full_disk;
mod killed;
mod mixed_load;
mod opensearch_fails;
mod overtaken;
mod reindexed;
mod repeated;
mod restored;
mod shop;
mod shuffled;
mod simulation;
mod sqs_away;
mod verified;
