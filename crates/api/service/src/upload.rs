//! The payload of a request as it flows: taken out of its framing, and checked against what head and trailer say.
//!
//! Knows nothing of what the payload is. An operation that reads one has it in its input: [`Upload`].

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use wire::body::{Algorithm, Body, Finished};
use wire::form::Fields;
use wire::sigv4::{Authorization, SigV4Error, SigningKey, StatedPayload};
use wire::{Fault, Protocol};

use crate::body::{BodyError, ByteStream};

/// The input of an operation that reads its request's payload as a stream.
pub struct Upload<T> {
    /// Everything but the payload.
    pub input: T,
    /// The payload.
    pub payload: UploadStream,
}

impl<T> Deref for Upload<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.input
    }
}

impl<T> DerefMut for Upload<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.input
    }
}

/// Why a payload cannot be read to its end, or is not what its sender says. Nothing of it counts then.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It did not arrive.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It is not what head or trailer say.
    #[error(transparent)]
    Content(#[from] wire::body::BodyError),
    /// The head says nothing of it that is known.
    #[error(transparent)]
    Stated(#[from] SigV4Error),
}

impl UploadError {
    /// The fault in a protocol's words.
    #[must_use]
    pub fn fault(&self, protocol: Protocol) -> Fault {
        match self {
            Self::Body(error) => error.fault(protocol),
            Self::Content(error) => error.fault(),
            Self::Stated(error) => error.fault(protocol),
        }
    }
}

/// A payload as a stream. Its end is reached only if all of it is what its sender says, so that whoever stores it commits
/// after the end and not before.
pub struct UploadStream {
    /// Behind a lock that nobody else takes: an input is shared while its call is decided.
    stream: Mutex<ByteStream>,
    /// `None` after the end and after an error.
    check: Option<Body>,
    /// Bytes that have arrived and are not looked at.
    arrived: Bytes,
    length: Option<u64>,
    finished: Option<Finished>,
    /// The fields of the form whose file it is.
    fields: Option<Box<Fields>>,
}

impl UploadStream {
    /// The payload of a request whose head's signature was verified with `key`.
    ///
    /// # Errors
    /// The head contradicts itself, or announces what is not known.
    pub(crate) fn signed(
        authorization: &Authorization<'_>,
        headers: &HeaderMap,
        key: &Arc<SigningKey>,
        stream: ByteStream,
        stated_length: Option<u64>,
    ) -> Result<Self, UploadError> {
        let chain = authorization.chunk_chain(Arc::clone(key));
        let check = Body::new(authorization.stated_payload()?, headers, Some(chain))?;
        let length = check.length_stated().or(stated_length);
        Ok(Self::new(stream, check, length))
    }

    /// The payload of an unsigned request: it may state a hash, a checksum or unsigned chunks, and is held to that.
    ///
    /// # Errors
    /// As [`signed`](Self::signed), and [`SigV4Error::Missing`] for chunks that continue a signature.
    pub(crate) fn unsigned(
        headers: &HeaderMap,
        stream: ByteStream,
        stated_length: Option<u64>,
    ) -> Result<Self, UploadError> {
        let check = Body::new(StatedPayload::of_unsigned(headers)?, headers, None)?;
        let length = check.length_stated().or(stated_length);
        Ok(Self::new(stream, check, length))
    }

    /// The file of a form. Fields may state a checksum of it.
    ///
    /// # Errors
    /// The fields contradict each other, or name what is not known.
    pub(crate) fn of_form(fields: Fields, stream: ByteStream) -> Result<Self, UploadError> {
        let states = |name: &str| name.starts_with("x-amz-checksum-") || name == "content-md5";
        let stated = fields
            .iter()
            .filter(|(name, _)| states(name))
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?)));
        let check = Body::new(StatedPayload::Unsigned, &stated.collect(), None)?;
        Ok(Self { fields: Some(Box::new(fields)), ..Self::new(stream, check, None) })
    }

    /// The fields of the form whose file it is.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        self.fields.as_deref()
    }

    /// The same, taken out.
    pub(crate) fn take_fields(&mut self) -> Option<Fields> {
        self.fields.take().map(|fields| *fields)
    }

    /// A payload that nothing is said of, from a transport that is authenticated otherwise. `length` is its length in bytes,
    /// if that is known.
    ///
    /// # Errors
    /// None: the head is empty.
    pub fn plain(stream: ByteStream, length: Option<u64>) -> Result<Self, UploadError> {
        let check = Body::new(StatedPayload::Unsigned, &HeaderMap::new(), None)?;
        Ok(Self::new(stream, check, length))
    }

    fn new(stream: ByteStream, check: Body, length: Option<u64>) -> Self {
        Self {
            stream: Mutex::new(stream),
            check: Some(check),
            arrived: Bytes::new(),
            length,
            finished: None,
            fields: None,
        }
    }

    /// Computes a digest that the sender did not give, such as that of an entity tag. Before the first byte.
    pub fn compute(&mut self, algorithm: Algorithm) {
        if let Some(check) = &mut self.check {
            check.compute(algorithm);
        }
    }

    /// The payload's length in bytes, if the head says it.
    #[must_use]
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether it comes in chunks of aws-chunked.
    pub(crate) fn is_chunked(&self) -> bool {
        self.check.as_ref().is_some_and(Body::is_chunked)
    }

    /// Digests and length, once the end was reached.
    #[must_use]
    pub const fn finished(&self) -> Option<&Finished> {
        self.finished.as_ref()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// Every [`UploadError`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, UploadError> {
        loop {
            // After an error the check is gone: what follows is never taken for the end.
            let Some(mut check) = self.check.take() else {
                return if self.finished.is_some() { Ok(None) } else { Err(BodyError::Aborted.into()) };
            };
            let mut rest: &[u8] = &self.arrived;
            let plain = check.push(&mut rest)?.map(|plain| self.arrived.slice_ref(plain));
            self.arrived = self.arrived.slice_ref(rest);
            if let Some(plain) = plain {
                self.check = Some(check);
                return Ok(Some(plain));
            }
            let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
            match poll_fn(|task| stream.as_mut().poll_frame(task)).await {
                // Trailers of HTTP itself are nobody's: those of a signed body are in it.
                Some(frame) => self.arrived = frame?.into_data().unwrap_or_default(),
                None => {
                    self.finished = Some(check.finish()?);
                    return Ok(None);
                }
            }
            self.check = Some(check);
        }
    }

    /// All of it, at most `bytes_max` bytes.
    ///
    /// # Errors
    /// Every [`UploadError`]; [`BodyError::TooLarge`] for a longer one.
    pub async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, UploadError> {
        let too_large = |bytes: u64| bytes > u64::try_from(bytes_max).unwrap_or(u64::MAX);
        if self.length.is_some_and(too_large) {
            return Err(BodyError::TooLarge.into());
        }
        let mut whole = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            if whole.len() + bytes.len() > bytes_max {
                return Err(BodyError::TooLarge.into());
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    }
}
