//! `noren search`.
