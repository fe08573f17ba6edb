//! Errors as they are reported to callers: a code, a status, a message, and whose fault it is.

use http::{HeaderMap, HeaderName, HeaderValue};

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
    /// Boxed, because few faults have any and all travel in results.
    more: Option<Box<More>>,
}

/// Parts of a fault that only restXml has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    details: Vec<(&'static str, String)>,
    headers: HeaderMap,
}

impl Fault {
    /// A fault of this code, status and message.
    #[must_use]
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), more: None }
    }

    /// A fault of the caller's, status 400.
    #[must_use]
    pub fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, 400, message)
    }

    /// The same with one more element in the body, such as `BucketName`. Only restXml has such elements.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.get_or_insert_default().details.push((name, value.into()));
        self
    }

    /// The same with one more header, such as `x-amz-delete-marker`. Answered in every protocol.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.get_or_insert_default().headers.insert(name, value);
        self
    }

    /// Whose fault it is, by the status.
    #[must_use]
    pub const fn culprit(&self) -> Culprit {
        if self.status >= 500 { Culprit::Receiver } else { Culprit::Sender }
    }

    /// The further elements of the body.
    #[must_use]
    pub fn details(&self) -> &[(&'static str, String)] {
        self.more.as_deref().map_or(&[], |more| &more.details)
    }

    /// The further headers.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.more.as_deref().map(|more| &more.headers).filter(|headers| !headers.is_empty())
    }
}
