//! The memory allocator of all programs.
//!
//! An import allocates many small pieces on several threads. With mimalloc it takes a tenth less processor time and a sixth
//! less memory than with the allocator of glibc. The one of musl locks its heap for each call.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
