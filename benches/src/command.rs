//! Commands that are measured: how long one runs, and the most memory it holds.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Time and memory of one run.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) time: Duration,
    pub(crate) peak_kilobytes: u64,
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> std::io::Result<Run> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|error| std::io::Error::other(format!("{command:?}: {error}")))?;
    let (pid, ended, peak) = (child.id(), AtomicBool::new(false), AtomicU64::new(0));
    let waited = thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                peak.fetch_max(peak_kilobytes(pid).unwrap_or_default(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
            }
        });
        let waited = child.wait().map(|status| (status, begun.elapsed()));
        ended.store(true, Ordering::Relaxed);
        waited
    });
    let (status, time) = waited?;
    if !status.success() {
        return Err(std::io::Error::other(format!("{command:?} ended with {status}")));
    }
    Ok(Run { time, peak_kilobytes: peak.into_inner() })
}

/// Runs a command to its end. Its output is not wanted, unless it fails.
pub(crate) fn run_quietly(mut command: Command) -> std::io::Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    // Arguments are left out: a URL among them holds a password.
    let (program, said) = (command.get_program().display(), String::from_utf8_lossy(&output.stderr));
    Err(std::io::Error::other(format!("{program} ended with {}: {said}", output.status)))
}

/// The most memory that a process had so far; the kernel records it, so seldom reading is enough.
pub(crate) fn peak_kilobytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
