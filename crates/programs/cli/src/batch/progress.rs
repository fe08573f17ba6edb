//! How far the work is: a bar on a terminal, and nothing anywhere else.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wire::{shown, shown_path};

/// How far the work is.
pub(crate) struct Progress(ProgressBar);

/// Says something of an input on standard error.
pub(crate) fn complain(input: &Path, text: &str) {
    // Nowhere is left to complain to if this fails. In one piece, since others may write there too.
    let line = format!("sealstack: {}: {}\n", shown_path(input), shown(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

impl Progress {
    /// A bar on standard error, if that is a terminal and `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        if !wanted || !io::stderr().is_terminal() {
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

    /// Says something of an input on standard error, above the bar.
    pub(super) fn report(&self, input: &Path, text: &str) {
        self.suspended(|| complain(input, text));
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }

    /// Asks a question on standard error; the answer comes from standard input, or from the terminal if that is data.
    pub(super) fn ask(&self, question: &str, stdin_is_data: bool) -> io::Result<bool> {
        self.suspended(|| {
            let mut err = io::stderr().lock();
            write!(err, "{}", shown(question))?;
            err.flush()?;
            let mut answer = String::new();
            if stdin_is_data {
                io::BufReader::new(File::open("/dev/tty")?).read_line(&mut answer)?;
            } else {
                io::stdin().lock().read_line(&mut answer)?;
            }
            if !io::stdin().is_terminal() {
                err.write_all(b"\n")?;
            }
            Ok(answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes"))
        })
    }
}
