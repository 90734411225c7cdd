//! The hash for values that are stored: shards, cursors and samples.

use std::hash::Hasher as _;

use fnv::FnvHasher;

/// Returns the 64-bit FNV-1a hash of `bytes`.
///
/// The result is the same on every platform and in every version of Noren, so it may be stored. It does not resist
/// collisions that an attacker chooses.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// Returns [`fnv1a`] folded to 32 bits by XOR of its halves.
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    let hash = fnv1a(bytes);
    // Truncation keeps the lower half.
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shards and cursors that are stored were computed with these values.
    #[test]
    fn hashes_never_change() {
        for (text, hash, folded) in [
            ("", 0xcbf2_9ce4_8422_2325, 0x4fd0_bfc1),
            ("a", 0xaf63_dc4c_8601_ec8c, 0x2962_30c0),
            ("teapot-1", 0x2d57_7bd4_f5cc_f5ba, 0xd89b_8e6e),
            ("~", 0xaf63_f34c_8602_13a1, 0x2961_e0ed),
            ("名", 0x19d4_781b_6627_17e7, 0x7ff3_6ffc),
        ] {
            assert_eq!((fnv1a(text.as_bytes()), fnv1a_32(text.as_bytes())), (hash, folded), "{text}");
        }
        let keys = [1_i64, 2, 300, 1 << 40].map(|key| fnv1a_32(&key.to_le_bytes()));
        assert_eq!(keys, [0x94e7_de8d, 0xdb45_4843, 0x241d_fce4, 0x832c_4628]);
    }
}
