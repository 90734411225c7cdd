//! The space on the disk that import jobs leave to the store.

use std::io;
use std::path::Path;

use super::error::ImportError;

/// The most bytes that are kept free.
const MAX_KEPT: u64 = 1024 * 1024 * 1024;
/// The divisor of the size of the disk: a twentieth is kept free, at most [`MAX_KEPT`].
const KEPT_PART: u64 = 20;

/// The space on the disk of a folder, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    free: u64,
    /// The bytes that import jobs leave free: 5 % of the disk or 1 GiB, whichever is less.
    kept: u64,
}

impl Space {
    /// Checks that `bytes` fit on the disk of `folder` beside what is kept free.
    ///
    /// # Errors
    /// [`ImportError::NoRoom`] if they do not, [`ImportError::Disk`] if the free space cannot be read.
    pub(super) fn check(folder: &Path, bytes: u64) -> Result<(), ImportError> {
        let space = Self::of(folder)?;
        if space.has_room_for(bytes) { Ok(()) } else { Err(ImportError::NoRoom(space.kept)) }
    }

    /// Returns the space on the disk of `folder`.
    fn of(folder: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(Self::new(
            disk.f_blocks.saturating_mul(disk.f_frsize),
            disk.f_bavail.saturating_mul(disk.f_frsize),
        ))
    }

    fn new(size: u64, free: u64) -> Self {
        Self { free, kept: (size / KEPT_PART).min(MAX_KEPT) }
    }

    /// Returns true if `bytes` fit beside what is kept free.
    fn has_room_for(self, bytes: u64) -> bool {
        self.free.saturating_sub(self.kept) >= bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_disk_is_kept_free() {
        const GIB: u64 = 1 << 30;
        assert!(Space::new(10 * GIB, GIB).has_room_for(GIB / 2));
        assert!(!Space::new(10 * GIB, GIB).has_room_for(GIB / 2 + 1));
        assert!(Space::new(1000 * GIB, 3 * GIB).has_room_for(2 * GIB));
        assert!(!Space::new(1000 * GIB, GIB / 2).has_room_for(1));
    }
}
