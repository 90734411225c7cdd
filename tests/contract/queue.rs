//! What every change queue must do.
