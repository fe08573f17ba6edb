//! How far the work is: a bar on a terminal, and nothing anywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far the work is.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error, if that is a terminal and `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        if !wanted || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// There is so much more to do.
    pub(crate) fn expect(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    /// So much was done.
    pub(crate) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// How many inputs are done.
    pub(super) fn done(&self, inputs: u64) {
        if self.is_shown() {
            self.0.set_message(format!("{inputs} done"));
        }
    }

    /// Does something with the terminal while the bar is away.
    pub(super) fn suspended<T>(&self, act: impl FnOnce() -> T) -> T {
        self.0.suspend(act)
    }

    /// Prints a line to standard error, above the bar.
    pub(super) fn tell(&self, line: &str) {
        self.suspended(|| {
            // Nowhere is left to complain to if this fails.
            let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), format!("{line}\n").as_bytes());
        });
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
