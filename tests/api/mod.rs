//! Black-box tests over HTTP against the real service.
