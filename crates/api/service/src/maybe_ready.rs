//! Futures that are nearly always ready: no allocation then, and callers do not reserve room for the rest.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A future that is ready in nearly every call, and boxed in the others.
pub enum MaybeReady<'a, T> {
    /// The value, ready at once.
    Ready(Ready<T>),
    /// A future that has to wait, for example for a read of the database.
    Boxed(BoxFuture<'a, T>),
}

impl<'a, T> MaybeReady<'a, T> {
    /// A future that is ready with `value`.
    pub fn ready(value: T) -> Self {
        Self::Ready(ready(value))
    }

    /// A future that may have to wait.
    pub fn boxed(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Boxed(Box::pin(future))
    }

    /// The future with `then` applied to its value.
    pub fn map<U>(self, then: impl FnOnce(T) -> U + Send + 'a) -> MaybeReady<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Ready(value) => MaybeReady::ready(then(value.into_inner())),
            Self::Boxed(future) => MaybeReady::boxed(async move { then(future.await) }),
        }
    }
}

impl<T> Future for MaybeReady<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        match self.get_mut() {
            Self::Ready(value) => Pin::new(value).poll(task),
            Self::Boxed(future) => future.as_mut().poll(task),
        }
    }
}
