//! Last recorded use of a credential, so that one in constant use costs each call one comparison.

use std::sync::atomic::{AtomicU64, Ordering};

use wire::Timestamp;

/// The minute and the action of a credential's last recorded use. Each action has one of several places, so that few
/// get in each other's way.
pub struct UseStamp([AtomicU64; 8]);

impl UseStamp {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 8])
    }

    /// Whether this use is the first in its minute, as far as is remembered.
    #[must_use]
    pub fn is_new(&self, action: &'static str, at: Timestamp) -> bool {
        // Literals are distinguished by address: one that is stored twice is recorded twice.
        let address = action.as_ptr().addr();
        let place = self.0.get((address >> 3) % self.0.len());
        let minute = u64::try_from(at.millis() / 60_000).unwrap_or_default();
        let stamp = (minute << 32) | (u64::try_from(address).unwrap_or_default() & 0xffff_ffff);
        place.is_none_or(|place| {
            place.load(Ordering::Relaxed) != stamp && {
                place.store(stamp, Ordering::Relaxed);
                true
            }
        })
    }
}
