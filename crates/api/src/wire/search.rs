//! Responses of searches.
