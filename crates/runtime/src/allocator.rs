//! The memory allocator of static programs.
//!
//! The one of musl locks its heap for each call, so searches on several threads would wait for each other.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
