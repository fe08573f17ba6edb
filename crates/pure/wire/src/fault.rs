//! Errors as they are reported to callers: a code, a status, a message, and whose fault it is.

/// Who has to change something for the call to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// The caller: status 4xx, `Sender` in the query protocol.
    Sender,
    /// The server: status 5xx, `Receiver` in the query protocol.
    Receiver,
}

/// An error as it leaves the server. Causes never travel in it: they go to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The error's name, such as `NotFoundException`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The message for the caller; empty where AWS gives none.
    pub message: String,
}

impl Fault {
    /// A fault of the caller's, status 400.
    #[must_use]
    pub fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    /// Whose fault it is, by the status.
    #[must_use]
    pub const fn culprit(&self) -> Culprit {
        if self.status >= 500 { Culprit::Receiver } else { Culprit::Sender }
    }
}
