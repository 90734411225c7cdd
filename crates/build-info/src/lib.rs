//! The version and the commit that a program was built from.
//!
//! A crate of its own, because every commit recompiles it and what depends on it. Only the crates with a command line do.

/// The version with the commit, such as `0.1.0 (85eb7c67a1f2)`.
pub const VERSION: &str = env!("NOREN_VERSION");

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn the_version_is_followed_by_the_commit_or_says_that_it_is_unknown() {
        let (version, rest) = VERSION.split_once(" (").unwrap();
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        let commit = rest.strip_suffix(')').unwrap();
        let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit || commit.starts_with("commit unknown: "), "{VERSION}");
    }
}
