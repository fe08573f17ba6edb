//! The shape that every operation has: what it acts on, what the caller must hold, what it does.

use std::future::Future;
use std::pin::Pin;

use http::HeaderMap;
use serde::Serialize;
use store::StoreError;
use wire::shape::{AuditValue, Breach, MemberInfo, Shape};
use wire::{Fault, Protocol};

use crate::call::Call;
use crate::cross_origin::{CrossOrigin, CrossOriginAnswer};
use crate::dispatch::{self, Request};
use crate::download::{AnswerStream, Download};
use crate::form::FormUpload;
use crate::need::Need;
use crate::upload::{Upload, UploadStream};

/// An AWS service: its names, its protocol, its operations, and (as the implementing type) its state.
pub trait Service: Send + Sync + Sized + 'static {
    /// The IAM prefix and the name in the credential scope, such as `kms`.
    const NAME: &'static str;
    /// Who emits its events, such as `kms.amazonaws.com`.
    const EVENT_SOURCE: &'static str;
    /// The protocols it speaks.
    const PROTOCOLS: &'static [Protocol];
    /// The operations that take unsigned requests, as from nobody: they prove in other ways who calls. Of services that
    /// speak the query protocol only.
    const UNSIGNED: &'static [&'static str] = &[];
    /// Whether unsigned requests of restXml are those of an anonymous caller, whom a resource's policy may allow
    /// something.
    const ANONYMOUS: bool = false;
    /// The most bytes of a body that does not flow, whatever the rules of an input allow: nested lists without rules allow a lot.
    const BODY_BYTES_MAX: usize = usize::MAX;
    /// The operations of AWS's service that it does not serve, one a line; lines that begin with `#` are for readers.
    const NOT_SERVED: &'static str = "";
    /// Error type of its operations.
    type Error: ServiceError;

    /// Whether this path is not below the first label that a host gives, because the host names an account: S3 Control's.
    #[must_use]
    fn is_below_account(_headers: &HeaderMap, _path: &str) -> bool {
        false
    }

    /// The headers for a page of another site that calls or means to; `None` for a service that such pages never call.
    fn cross_origin<'a>(&'a self, _asked: CrossOrigin<'a>) -> Option<CrossOriginAnswer<'a>> {
        None
    }

    /// The fault for the first member of an input that is missing or breaks a constraint, where it has one of its own;
    /// `ValidationException` for all others.
    #[must_use]
    fn fault_of(_operation: &'static str, _breach: Breach) -> Option<Fault> {
        None
    }

    /// Every operation it serves.
    fn operations() -> &'static [Entry<Self>];
}

/// An error of a service, which converts to the fault that the caller sees.
pub trait ServiceError: std::error::Error + From<StoreError> + Send + Sync + 'static {
    /// The fault that the caller sees: no causes, no secrets.
    fn fault(&self) -> Fault;
}

/// Effect of an operation, which decides when its audit record has to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditClass {
    /// Reads configuration.
    Read,
    /// Uses a resource without changing it, such as `Encrypt`.
    Use,
    /// Changes something: the record is durable before the answer leaves.
    Change,
}

/// One API action. No default grants anything.
pub trait Operation: 'static {
    /// The service it belongs to.
    type Service: Service;
    /// Its name on the wire and, behind the service's prefix, as IAM action.
    const NAME: &'static str;
    /// Its effect.
    const AUDIT: AuditClass;
    /// Its input: a shape, or an [`Upload`] of one.
    type Input: OperationInput;
    /// Its output: anything that serialises, a [`Bound`] shape of restXml, or a [`Download`] of one.
    type Output: OperationOutput;
    /// The resource that it acts on, as loaded; `()` when there is nothing to load.
    type Target: Send + Sync;

    /// Loads what the call acts on. Reads only.
    fn find(
        input: &Self::Input,
        call: &Call<'_, Self::Service>,
    ) -> impl Future<Output = Result<Self::Target, <Self::Service as Service>::Error>> + Send;

    /// Permissions that the caller must hold. Asked even when nothing was found, so that a stranger cannot tell missing
    /// from forbidden; an empty list means that the operation is open to every authenticated caller.
    fn needs<'n>(
        input: &'n Self::Input,
        found: Option<&'n Self::Target>,
        call: &'n Call<'_, Self::Service>,
    ) -> Vec<Need<'n>>;

    /// The refusal of a caller who may not have all needs, with what everybody may know of the target.
    #[must_use]
    fn refused(_found: Option<&Self::Target>, fault: Fault) -> Fault {
        fault
    }

    /// Does it.
    fn run(
        input: Self::Input,
        target: Permit<Self::Target>,
        call: &Call<'_, Self::Service>,
    ) -> impl Future<Output = Result<Self::Output, <Self::Service as Service>::Error>> + Send;
}

/// Input of an operation.
pub trait OperationInput: Send + Sync + Sized + 'static {
    /// The part of it that the protocol decodes and the audit trail shows.
    type Shape: Shape + AuditValue;
    /// Whether the payload comes as a stream.
    const STREAMS: bool;
    /// Whether it is the file of a browser's form.
    const FORM: bool = false;

    /// An input of its parts. Only one that streams has a payload.
    fn of(shape: Self::Shape, payload: Option<UploadStream>) -> Option<Self>;

    /// The decoded part.
    fn shape(&self) -> &Self::Shape;
}

impl<T: Shape + AuditValue + Send + Sync + 'static> OperationInput for T {
    type Shape = T;
    const STREAMS: bool = false;

    fn of(shape: T, _: Option<UploadStream>) -> Option<T> {
        Some(shape)
    }

    fn shape(&self) -> &T {
        self
    }
}

impl<T: Shape + AuditValue + Send + Sync + 'static> OperationInput for Upload<T> {
    type Shape = T;
    const STREAMS: bool = true;

    fn of(input: T, payload: Option<UploadStream>) -> Option<Self> {
        payload.map(|payload| Self { input, payload })
    }

    fn shape(&self) -> &T {
        &self.input
    }
}

impl<T: Shape + AuditValue + Send + Sync + 'static> OperationInput for FormUpload<T> {
    type Shape = T;
    const STREAMS: bool = true;
    const FORM: bool = true;

    fn of(input: T, payload: Option<UploadStream>) -> Option<Self> {
        let mut file = payload?;
        Some(Self { input, fields: file.take_fields()?, file })
    }

    fn shape(&self) -> &T {
        &self.input
    }
}

/// Output of an operation.
pub trait OperationOutput: Send {
    /// The part of it that the protocol encodes.
    type Shape: Serialize;
    /// Where its members travel, in restXml.
    const MEMBERS: &'static [MemberInfo];

    /// Its parts.
    fn split(self) -> (Self::Shape, Option<AnswerStream>);
}

impl<T: Serialize + Send> OperationOutput for T {
    type Shape = T;
    const MEMBERS: &'static [MemberInfo] = &[];

    fn split(self) -> (T, Option<AnswerStream>) {
        (self, None)
    }
}

/// An output whose members say where they travel.
pub struct Bound<T>(pub T);

impl<T: wire::shape::Output + Send> OperationOutput for Bound<T> {
    type Shape = T;
    const MEMBERS: &'static [MemberInfo] = T::MEMBERS;

    fn split(self) -> (T, Option<AnswerStream>) {
        (self.0, None)
    }
}

impl<T: wire::shape::Output + Send> OperationOutput for Download<T> {
    type Shape = T;
    const MEMBERS: &'static [MemberInfo] = T::MEMBERS;

    fn split(self) -> (T, Option<AnswerStream>) {
        (self.output, Some(self.stream))
    }
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
    /// Its effect.
    pub class: AuditClass,
    /// The members of its input.
    pub input: &'static [MemberInfo],
    /// Whether it reads the payload as a stream.
    pub streams: bool,
    /// Whether it takes a browser's form.
    pub form: bool,
    pub(crate) serve: for<'a> fn(Call<'a, S>, Request<'a>) -> Running<'a>,
}

impl<S: Service> Entry<S> {
    /// The row of `O`. Called by [`operations!`](crate::operations).
    #[must_use]
    pub const fn of<O: Operation<Service = S>>() -> Self {
        Self {
            name: O::NAME,
            class: O::AUDIT,
            input: <<O::Input as OperationInput>::Shape as Shape>::MEMBERS,
            streams: O::Input::STREAMS,
            form: O::Input::FORM,
            serve: |call, request| Box::pin(dispatch::serve::<O>(call, request)),
        }
    }
}

/// The table of a service's operations: the only list of them.
#[macro_export]
macro_rules! operations {
    ($first:ty $(, $operation:ty)* $(,)?) => {{
        // A static: every crate that names a constant, or calls a short function that returns one, compiles each operation
        // behind it again.
        static TABLE: &[$crate::Entry<<$first as $crate::Operation>::Service>] =
            &[$crate::Entry::of::<$first>() $(, $crate::Entry::of::<$operation>())*];
        TABLE
    }};
}
