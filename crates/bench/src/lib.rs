//! The measurements behind `noren bench`.
