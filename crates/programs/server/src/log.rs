//! The log on standard error: a line for people, or a JSON object a line.
//!
//! Bodies, signatures and secrets never get here: nobody logs them, and the levels of the libraries that could are
//! limited. Foreign text does, and commands no terminal.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::time::SystemTime;
use wire::{shown_json, shown_lines};

use crate::config::{LogFormat, LogSettings};
use crate::error::ConfigError;

/// The default filter.
const LEVEL: &str = "info";

/// At finer levels these print header fields, signatures among them.
const QUIET: [&str; 3] = ["h2=warn", "hyper=warn", "rustls=warn"];

/// Starts logging for the whole process. Only the first call does something.
///
/// # Errors
/// [`ConfigError::Value`] when the filter can't be read.
pub fn start(settings: &LogSettings) -> Result<(), ConfigError> {
    let mut filter = filter(settings.level.as_deref().unwrap_or(LEVEL))?;
    for directive in QUIET {
        if let Ok(directive) = directive.parse::<Directive>() {
            filter = filter.add_directive(directive);
        }
    }
    // A log that cannot be written, on a full disk for instance, would be complained of on the same standard error: that
    // panics, and the panic is logged.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_timer(SystemTime).log_internal_errors(false);
    // Another logger may be set already, in tests.
    let _ = match settings.format.unwrap_or_default() {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            let text = move || Quoting { out: std::io::stderr(), quote: if colours { in_colours } else { plain } };
            log.with_writer(text).with_ansi(colours).with_target(false).try_init()
        }
        LogFormat::Json => {
            let json = || Quoting { out: std::io::stderr(), quote: |text| shown_json(text).into_owned() };
            log.with_writer(json).json().flatten_event(true).try_init()
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote what was being worked on; the place is enough to find the defect.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = std::thread::current().name(), "a defect: a thread panicked");
    }));
    Ok(())
}

/// Writes lines of the log, with what is hidden in them escaped.
struct Quoting<W> {
    out: W,
    quote: fn(&str) -> String,
}

impl<W: Write> Write for Quoting<W> {
    /// Takes what the log writes in one piece: whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.out.write_all((self.quote)(&String::from_utf8_lossy(lines)).as_bytes())?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn plain(lines: &str) -> String {
    shown_lines(lines, "").to_string()
}

/// As [`plain`], with the log's own colours let through. In foreign text these do no more than colour it.
fn in_colours(lines: &str) -> String {
    let mut pieces = lines.split(ESCAPE);
    let mut quoted = pieces.next().map(plain).unwrap_or_default();
    for piece in pieces {
        let own = COLOURS.iter().any(|colour| piece.starts_with(colour));
        quoted.push_str(if own { "\u{1b}" } else { r"\u{1b}" });
        quoted.push_str(&plain(piece));
    }
    quoted
}

const ESCAPE: char = '\u{1b}';

/// Rests of the escape sequences with which the log changes colours: none, bold, dim, italic, and those of levels.
const COLOURS: [&str; 9] = ["[0m", "[1m", "[2m", "[3m", "[31m", "[32m", "[33m", "[34m", "[35m"];

fn filter(text: &str) -> Result<EnvFilter, ConfigError> {
    let rule = "a level (error, warn, info, debug, trace) or a list such as info,kms=debug";
    EnvFilter::try_new(text).map_err(|_| ConfigError::Value { setting: "log", rule })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn foreign_text_in_the_log_commands_no_terminal() {
        const NAME: &str = "a\u{202e}b\u{1b}[2J\u{9b}1m\u{200b}";
        for (quote, colours) in [(plain as fn(&str) -> String, false), (in_colours, true)] {
            let memory = Memory::default();
            let out = memory.clone();
            let writer = move || Quoting { out: out.clone(), quote };
            let log = tracing_subscriber::fmt().with_ansi(colours).with_writer(writer).finish();
            tracing::subscriber::with_default(log, || {
                tracing::info!(name = NAME, shown = %NAME, debug = ?NAME, "name {NAME}");
            });
            let text = String::from_utf8(memory.0.lock().expect("no panic").clone()).expect("UTF-8");
            for wrong in ["\u{202e}", "\u{1b}[2J", "\u{9b}", "\u{200b}"] {
                assert!(!text.contains(wrong), "{wrong:?} in {text:?}");
            }
            assert!(text.ends_with('\n') && text.contains("u{202e}"), "{text:?}");
            assert_eq!(text.contains(ESCAPE), colours, "{text:?}");
        }
    }
}
