//! The parts of a server process that are the same in every program: its runtime, its hardening, its signals.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::FrontError;

/// Threads for what blocks outside of requests: the start, background jobs, the end.
const BLOCKING_THREADS_MAX: usize = 4;

/// Makes new files the owner's alone, and keeps core dumps and debuggers out.
pub fn harden() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Err(error) = crypto::hardening::harden_process() {
        tracing::warn!(%error, "core dumps and debuggers could not be shut out");
    }
}

/// Runs a program until SIGTERM or SIGINT: `start`, then `announce` once it answers, then `stop`.
///
/// All of it runs on a runtime of this thread; connections live on [`Workers`](crate::Workers). A second signal ends
/// the program without waiting for running requests.
///
/// # Errors
/// Those of `start` and `stop`, and [`FrontError::System`] when there are no threads or signals.
pub fn run<P, E, Started, Stopped>(
    start: impl FnOnce() -> Started,
    announce: impl FnOnce(&P),
    stop: impl FnOnce(P) -> Stopped,
) -> Result<(), E>
where
    E: From<FrontError>,
    Started: Future<Output = Result<P, E>>,
    Stopped: Future<Output = Result<(), E>>,
{
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let program = start().await?;
        announce(&program);
        let name = signals.next().await;
        tracing::info!("{name}: draining: no new requests");
        tokio::select! {
            stopped = stop(program) => stopped,
            name = signals.next() => {
                tracing::warn!("{name} again: ending at once");
                Ok(())
            }
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, FrontError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).thread_name("sealstack-job");
    builder.build().map_err(|cause| FrontError::System { action: "start threads", cause })
}

/// The signals that ask a program to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, FrontError> {
        let listen = |kind| signal(kind).map_err(|cause| FrontError::System { action: "hand over signals", cause });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
