//! What every index must do.
