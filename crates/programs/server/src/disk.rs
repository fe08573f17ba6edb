//! The file system under the data directory: how much of it is free, and what of it the audit log may take.
//!
//! Decides and reports; what is done about it is the operator's.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

const GIB: u64 = 1 << 30;

/// A file system's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) total: u64,
    /// Those that this process may still write.
    pub(crate) free: u64,
}

/// How much is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Level {
    Ample,
    /// Less than a tenth; on small disks less than 1 GiB, on large ones less than 16.
    Low,
    /// Less than a fiftieth; on small disks less than 256 MiB, on large ones less than 2 GiB.
    VeryLow,
}

impl Space {
    /// Of the file system that holds `path`.
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Self { total: bytes(stat.f_blocks), free: bytes(stat.f_bavail) })
    }

    pub(crate) fn level(self) -> Level {
        let Self { total, free } = self;
        let low = (total / 10).clamp(GIB, 16 * GIB).min(total / 4);
        let very_low = (total / 50).clamp(GIB / 4, 2 * GIB).min(total / 16);
        if free < very_low {
            Level::VeryLow
        } else if free < low {
            Level::Low
        } else {
            Level::Ample
        }
    }

    /// Bytes of it that the audit log may take by default: a quarter, but 1 GiB where that is less,
    /// and in no case more than half.
    pub(crate) fn audit_bytes_max(self) -> u64 {
        (self.total / 4).max(GIB).min(self.total / 2)
    }
}

/// Reports when the disk fills, once for each level.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    level: AtomicU8,
}

impl Watch {
    /// Looks at the file system that holds `data`.
    pub(crate) fn look(&self, data: &Path) -> std::io::Result<()> {
        let space = Space::of(data)?;
        let (level, free_mib) = (space.level(), space.free >> 20);
        let before = self.level.swap(level as u8, Ordering::Relaxed);
        if level as u8 == before {
            return Ok(());
        }
        match level {
            Level::Ample => tracing::info!(free_mib, "the disk has room again"),
            Level::Low => tracing::warn!(free_mib, data = %data.display(), "the disk is filling up"),
            Level::VeryLow => {
                tracing::error!(free_mib, data = %data.display(), "the disk is almost full: changes will soon be refused");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_warning_comes_long_before_the_disk_is_full() {
        for (total, free, level) in [
            (100 * GIB, 100 * GIB, Level::Ample),
            (100 * GIB, 10 * GIB, Level::Ample),
            (100 * GIB, 10 * GIB - 1, Level::Low),
            (100 * GIB, 2 * GIB, Level::Low),
            (100 * GIB, 2 * GIB - 1, Level::VeryLow),
            (4096 * GIB, 16 * GIB, Level::Ample),
            (4096 * GIB, 16 * GIB - 1, Level::Low),
            (4096 * GIB, 2 * GIB - 1, Level::VeryLow),
            (8 * GIB, GIB, Level::Ample),
            (8 * GIB, GIB - 1, Level::Low),
            (8 * GIB, 256 * MIB - 1, Level::VeryLow),
            (64 * MIB, 16 * MIB, Level::Ample),
            (64 * MIB, 16 * MIB - 1, Level::Low),
            (64 * MIB, 4 * MIB - 1, Level::VeryLow),
            (64 * MIB, 0, Level::VeryLow),
            (0, 0, Level::Ample),
        ] {
            assert_eq!(Space { total, free }.level(), level, "{free} of {total}");
        }
    }

    #[test]
    fn the_audit_log_leaves_most_of_the_disk() {
        for (total, most) in [(100 * GIB, 25 * GIB), (2 * GIB, GIB), (3 * GIB, GIB), (GIB, GIB / 2), (0, 0)] {
            assert_eq!(Space { total, free: 0 }.audit_bytes_max(), most, "{total}");
        }
    }

    #[test]
    fn a_real_file_system_has_its_bytes() {
        let space = Space::of(Path::new("/")).expect("a file system");
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
        assert!(Space::of(Path::new("/nonexistent")).is_err());
    }
}
