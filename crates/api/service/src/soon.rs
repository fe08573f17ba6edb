//! Answers that are nearly always at hand: they cost no allocation then, and callers do not carry the room for the rest.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A boxed future, for traits that are used as objects.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer: at once where everything is at hand, as in nearly every call, or else later.
pub enum Soon<'a, T> {
    /// At once.
    Now(Ready<T>),
    /// Once something has been read.
    Later(Boxed<'a, T>),
}

impl<'a, T> Soon<'a, T> {
    /// An answer that is there.
    pub fn now(answer: T) -> Self {
        Self::Now(ready(answer))
    }

    /// An answer that takes a while.
    pub fn later(answer: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(answer))
    }

    /// What `then` makes of the answer.
    pub fn map<U>(self, then: impl FnOnce(T) -> U + Send + 'a) -> Soon<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Now(answer) => Soon::now(then(answer.into_inner())),
            Self::Later(answer) => Soon::later(async move { then(answer.await) }),
        }
    }
}

impl<T> Future for Soon<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        match self.get_mut() {
            Self::Now(answer) => Pin::new(answer).poll(task),
            Self::Later(answer) => answer.as_mut().poll(task),
        }
    }
}
