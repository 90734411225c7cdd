//! `noren export`.
