//! How far a command on a repository is: a line on a terminal, and nothing anywhere else.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wire::shown;

/// A bar, or a line while nobody knows how much there is.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

/// While bytes flow and nobody knows how many there are.
const FLOWING: &str = "{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}";

/// While something is counted.
const COUNTING: &str = "{spinner} {msg} {human_pos} {elapsed}";

/// When it is known how much there is.
const KNOWN: &str = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";

impl Progress {
    pub(crate) fn new(doing: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        let progress = Self(bar);
        progress.style(FLOWING);
        progress
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }

    /// So many bytes more flowed.
    pub(crate) fn flowed(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }

    /// Shows the current step, in words that may be another program's.
    pub(crate) fn say(&self, words: &str) {
        let words = words.trim_end();
        if !words.is_empty() {
            self.0.set_message(shown(words).to_string());
        }
    }

    /// So much of something is done; `of` is 0 while nobody knows how much there is.
    pub(crate) fn at(&self, doing: &str, done: u64, of: u64) {
        self.style(if of == 0 { COUNTING } else { KNOWN });
        self.0.set_message(shown(doing).to_string());
        if of > 0 {
            self.0.set_length(of);
        }
        self.0.set_position(done);
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
