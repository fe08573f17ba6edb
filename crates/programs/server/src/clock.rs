//! The one clock that requests and jobs read, and the one beside it that nobody sets.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use wire::Timestamp;

use crate::steady::Reading;

/// The present. The epoch, if the machine's clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The present, and the time since the machine was started, which goes on while it is suspended.
pub(crate) fn both() -> Reading {
    let boot = clock_gettime(ClockId::Boottime);
    Reading { wall: now().millis(), boot: boot.tv_sec.saturating_mul(1000).saturating_add(boot.tv_nsec / 1_000_000) }
}
