//! The log on standard error: a line for people, or a JSON object a line.
//!
//! Bodies, signatures and secrets never get here: nobody logs them, and the libraries that could are kept quiet.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::time::SystemTime;

use crate::config::{LogFormat, LogSettings};
use crate::error::ConfigError;

/// What is logged unless told otherwise.
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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(SystemTime);
    // A log that cannot be written, on a full disk for instance, would be complained of on the same standard error: that
    // panics, and the panic is logged.
    let log = log.log_internal_errors(false);
    // Another logger may be set already, in tests.
    let _ = match settings.format.unwrap_or_default() {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_ansi(colours).with_target(false).try_init()
        }
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote what was being worked on; the place is enough to find the defect.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = std::thread::current().name(), "a defect: a thread panicked");
    }));
    Ok(())
}

fn filter(text: &str) -> Result<EnvFilter, ConfigError> {
    let rule = "a level (error, warn, info, debug, trace) or a list such as info,kms=debug";
    EnvFilter::try_new(text).map_err(|_| ConfigError::Value { setting: "log", rule })
}
