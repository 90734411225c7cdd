//! The design's rules that the compiler does not hold.
