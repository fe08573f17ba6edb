//! The limit on the size of files (`ulimit -f`): a write over it fails, and does not end the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The signal's number on every architecture of Linux.
const SIGXFSZ: i32 = 25;

/// Makes a write over the limit fail with `EFBIG`. Unhandled, the signal ends the process in the middle of it.
///
/// # Errors
/// The operating system's.
pub fn fail_writes_over_the_limit() -> std::io::Result<()> {
    // Nobody asks whether it came: the write's own error says so. That there is a handler is enough.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}
