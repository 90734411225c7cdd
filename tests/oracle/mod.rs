//! A brute-force search that the index is compared with.
