//! The shape that every operation has: what it acts on, what the caller must hold, what it does.

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use store::StoreError;
use wire::shape::{AuditValue, MemberInfo, Shape};
use wire::{Fault, Protocol};

use crate::call::Call;
use crate::dispatch;
use crate::need::Need;

/// An AWS service: its names, its protocol, its operations, and (as the implementing type) its state.
pub trait Service: Send + Sync + Sized + 'static {
    /// The IAM prefix and the name in the credential scope, such as `kms`.
    const NAME: &'static str;
    /// Who emits its events, such as `kms.amazonaws.com`.
    const EVENT_SOURCE: &'static str;
    /// What precedes the operation's name in `X-Amz-Target`; empty for a query service.
    const TARGET_PREFIX: &'static str;
    /// The protocol it speaks.
    const PROTOCOL: Protocol;
    /// The operations that take unsigned requests, as from nobody: they prove in other ways who calls. Of services that
    /// speak the query protocol only.
    const UNSIGNED: &'static [&'static str] = &[];
    /// The operations of AWS's service that it does not serve, one a line; lines that begin with `#` are for readers.
    const NOT_SERVED: &'static str = "";
    /// What its operations fail with.
    type Error: ServiceError;

    /// Every operation it serves.
    fn operations() -> &'static [Entry<Self>];
}

/// An error of a service, which knows how a caller is told of it.
pub trait ServiceError: std::error::Error + From<StoreError> + Send + Sync + 'static {
    /// What the caller sees: no causes, no secrets.
    fn fault(&self) -> Fault;
}

/// What an operation leaves behind, which decides when its audit record has to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditClass {
    /// Reads configuration.
    Read,
    /// Uses a resource without changing it, such as `Encrypt`.
    Use,
    /// Changes something: the record is durable before the answer leaves.
    Change,
}

/// One API action. No item has a default: silence never grants anything.
pub trait Operation: 'static {
    /// The service it belongs to.
    type Service: Service;
    /// Its name on the wire and, behind the service's prefix, as IAM action.
    const NAME: &'static str;
    /// What it leaves behind.
    const AUDIT: AuditClass;
    /// What it is given.
    type Input: Shape + AuditValue + Send + Sync;
    /// What it answers.
    type Output: Serialize + Send;
    /// What it acts on, as loaded; `()` when there is nothing to load.
    type Target: Send + Sync;

    /// Loads what the call acts on. Reads only.
    fn find(
        input: &Self::Input,
        call: &Call<'_, Self::Service>,
    ) -> impl Future<Output = Result<Self::Target, <Self::Service as Service>::Error>> + Send;

    /// What the caller must hold. Asked even when nothing was found, so that a stranger cannot tell missing from
    /// forbidden; an empty list means that the operation is open to every authenticated caller.
    fn needs<'n>(
        input: &'n Self::Input,
        found: Option<&'n Self::Target>,
        call: &'n Call<'_, Self::Service>,
    ) -> Vec<Need<'n>>;

    /// Does it.
    fn run(
        input: Self::Input,
        target: Permit<Self::Target>,
        call: &Call<'_, Self::Service>,
    ) -> impl Future<Output = Result<Self::Output, <Self::Service as Service>::Error>> + Send;
}

/// Proof that the caller holds what the operation needs on this target. Only this crate makes one.
pub struct Permit<T>(T);

impl<T> Permit<T> {
    pub(crate) const fn new(target: T) -> Self {
        Self(target)
    }

    /// The target.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// The target, to be prepared for its operation.
    pub(crate) const fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> std::ops::Deref for Permit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = dispatch::Outcome> + Send + 'a>>;

/// An operation's row in its service's table.
pub struct Entry<S: Service> {
    /// The operation's name.
    pub name: &'static str,
    /// What it leaves behind.
    pub class: AuditClass,
    /// The members of its input.
    pub input: &'static [MemberInfo],
    pub(crate) serve: for<'a> fn(Call<'a, S>, &'a [u8]) -> Running<'a>,
}

impl<S: Service> Entry<S> {
    /// The row of `O`. Called by [`operations!`](crate::operations).
    #[must_use]
    pub const fn of<O: Operation<Service = S>>() -> Self {
        Self {
            name: O::NAME,
            class: O::AUDIT,
            input: <O::Input as Shape>::MEMBERS,
            serve: |call, body| Box::pin(dispatch::serve::<O>(call, body)),
        }
    }
}

/// The table of a service's operations: the only list of them.
#[macro_export]
macro_rules! operations {
    ($($operation:ty),* $(,)?) => {
        const { &[$($crate::Entry::of::<$operation>()),*] }
    };
}
