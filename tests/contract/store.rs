//! What every product store must do.
