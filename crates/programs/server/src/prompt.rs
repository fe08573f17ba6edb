//! Secrets from a person at the terminal, who does not see them appear, or a line each from standard input.

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd;

use crypto::SecretBytes;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::error::ServerError;

/// More than any secret that somebody types.
const BYTES_MAX: usize = 4096;

/// Whether somebody sits there.
#[must_use]
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// The next line of standard input, without its end; `None` when there is none. At a terminal asks `question` first.
///
/// # Errors
/// [`ServerError::System`].
pub fn secret(question: &str) -> Result<Option<SecretBytes>, ServerError> {
    let failed = |cause| ServerError::System { action: "read from the terminal", cause };
    let input = std::io::stdin();
    if !input.is_terminal() {
        return line(&input).map_err(failed);
    }
    let mut out = std::io::stderr();
    out.write_all(question.as_bytes()).map_err(failed)?;
    let hidden = Hidden::new(&input).map_err(failed)?;
    let typed = line(&input).map_err(failed);
    drop(hidden);
    // The line's end was hidden as well.
    out.write_all(b"\n").map_err(failed)?;
    typed
}

/// Asks a question whose answer is no secret; whether it was answered with `yes`.
///
/// # Errors
/// [`ServerError::System`].
pub fn confirm(question: &str) -> Result<bool, ServerError> {
    let failed = |cause| ServerError::System { action: "read from the terminal", cause };
    std::io::stderr().write_all(question.as_bytes()).map_err(failed)?;
    let answer = line(&std::io::stdin()).map_err(failed)?;
    Ok(answer.is_some_and(|answer| answer.expose().trim_ascii() == b"yes"))
}

/// A terminal that does not show what is typed, until dropped.
struct Hidden<'a, T: AsFd> {
    terminal: &'a T,
    before: rustix::termios::Termios,
}

impl<'a, T: AsFd> Hidden<'a, T> {
    fn new(terminal: &'a T) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl<T: AsFd> Drop for Hidden<'_, T> {
    fn drop(&mut self) {
        // The shell puts it right as well.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Reads byte by byte: a buffer would keep a copy of what it read, and swallow lines that are others'.
fn line(input: &impl AsFd) -> std::io::Result<Option<SecretBytes>> {
    let mut line = SecretBytes::with_capacity(256);
    loop {
        let mut byte = [0];
        match rustix::io::read(input, &mut byte) {
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => return Ok(Some(line)),
            Ok(_) if byte == *b"\n" => break,
            Ok(_) if line.len() == BYTES_MAX => return Err(std::io::ErrorKind::InvalidData.into()),
            Ok(_) => line.extend(&byte),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let length = line.expose().strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
    line.truncate(length);
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    #[test]
    fn lines_are_read_one_at_a_time_to_the_end() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"first\r\n\nlast").expect("written");
        file.rewind().expect("rewound");
        let next = || line(&file).expect("read").map(|line| line.expose().to_vec());
        assert_eq!(next().as_deref(), Some(&b"first"[..]));
        assert_eq!(next().as_deref(), Some(&b""[..]));
        assert_eq!(next().as_deref(), Some(&b"last"[..]));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&[b'a'; BYTES_MAX + 1]).expect("written");
        file.rewind().expect("rewound");
        assert!(line(&file).is_err());
    }
}
