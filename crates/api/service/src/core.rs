//! The parts that every call uses, whatever carried it: the authority, the audit trail, the observer and the clock.
//!
//! Knows no protocol. [`Gateway`](crate::Gateway) calls it for HTTP requests, [`Performer`](crate::Performer) for calls
//! that services and other transports make.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use journal::JournalError;
use policy::Context;
use wire::sigv4::Authorization;
use wire::{Fault, Timestamp};

use crate::call::{Caller, RequestOrigin};
use crate::dispatch;
use crate::event::{Event, Kind, UserIdentity};
use crate::operation::AuditClass;
use crate::ports::Authority;
use crate::regions::Regions;
use crate::request_id;
use crate::trail::Trail;

/// A call as the metrics count it.
pub struct Seen<'a> {
    /// The service, `-` if none was recognised.
    pub service: &'static str,
    /// The operation, `-` if none was recognised.
    pub operation: &'static str,
    /// The operation's place in its service's table, if it was recognised.
    pub index: Option<usize>,
    /// The error's name, if it failed.
    pub error: Option<&'a str>,
    /// From the request's head to the beginning of its answer.
    pub elapsed: Duration,
}

/// Counts calls.
pub trait Observer: Send + Sync + 'static {
    /// Counts a call that was answered.
    fn seen(&self, call: &Seen<'_>);
}

/// The parts that all calls of a server share.
pub struct Core {
    pub(crate) authority: Arc<dyn Authority>,
    pub(crate) trail: Trail,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) regions: Regions,
    pub(crate) clock: fn() -> Timestamp,
}

impl Core {
    /// A core for AWS's Regions.
    #[must_use]
    pub fn new(
        authority: Arc<dyn Authority>,
        trail: Trail,
        observer: Arc<dyn Observer>,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self { authority, trail, observer, regions: Regions::default(), clock }
    }

    /// The same for other Regions.
    #[must_use]
    pub fn in_regions(mut self, regions: Regions) -> Self {
        self.regions = regions;
        self
    }

    /// Records a call that has ended. Returns once the record of a change is durable.
    pub(crate) async fn record(&self, ended: &Ended<'_>) -> Result<(), JournalError> {
        let known = ended.caller.filter(|caller| ended.error.is_none() || !caller.is_anonymous());
        if ended.error.is_none() && known.is_some() && ended.written {
            return Ok(());
        }
        // A change that lasts has its record with it. If the call failed after that, its failure has one too.
        let mut another_room = uuid::Uuid::encode_buffer();
        let event_id = if ended.written { request_id::write(&mut another_room) } else { ended.event_id };
        let event = ended.event(event_id, ended.error);
        match known {
            None => self.trail.record_unauthenticated(&event),
            Some(_) => self.trail.record(&event, ended.class == AuditClass::Change).await,
        }
    }
}

/// A call that has ended, as its audit record shows it.
pub(crate) struct Ended<'a> {
    /// Who emits the event, such as `kms.amazonaws.com`; `-` if no service was recognised.
    pub(crate) source: &'static str,
    /// The operation, `-` if none was recognised.
    pub(crate) name: &'static str,
    pub(crate) class: AuditClass,
    /// Who called, if that was verified.
    pub(crate) caller: Option<&'a Arc<Caller>>,
    /// The access key that the request claims.
    pub(crate) claimed: Option<&'a str>,
    pub(crate) region: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) origin: &'a RequestOrigin<'a>,
    pub(crate) request_id: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) parameters: Option<&'a [u8]>,
    pub(crate) resources: &'a [String],
    /// Whether a change of the call is durable, and a record of its success with it.
    pub(crate) written: bool,
    pub(crate) error: Option<&'a Fault>,
    /// The data that its service adds, see [`Event::additional`].
    pub(crate) additional: &'a [u8],
}

impl<'a> Ended<'a> {
    pub(crate) fn event(&self, event_id: &'a str, error: Option<&'a Fault>) -> Event<'a> {
        Event {
            kind: Kind::Call,
            user_identity: self
                .caller
                .map_or(UserIdentity::Unknown(self.claimed), |caller| UserIdentity::Known(caller)),
            time: self.now,
            source: self.source,
            name: self.name,
            region: self.region,
            source_ip_address: Some(self.origin.ip),
            user_agent: self.origin.user_agent,
            via: self.origin.via,
            error_code: error.map(|fault| fault.code),
            error_message: error.map(|fault| legible(&fault.message)).filter(|message| !message.is_empty()),
            request_parameters: self.parameters,
            request_id: self.request_id,
            event_id,
            read_only: self.class != AuditClass::Change,
            resources: self.resources,
            recipient_account_id: self.caller.map(|caller| caller.principal.account.as_str()),
            counted: None,
            additional: self.additional,
        }
    }

    /// The record of the same call, should its answer break off by `fault`.
    pub(crate) fn broken_off(&self, fault: &Fault) -> Vec<u8> {
        self.event(&request_id::next(), Some(fault)).to_bytes()
    }
}

/// Room for the condition keys that every request has, and for its caller's.
pub(crate) const REQUEST_KEYS: usize = 12;

/// Adds the condition keys that every request has.
pub(crate) fn describe<'a>(
    context: &mut Context<'a>,
    (ip, secure, user_agent): (IpAddr, bool, &'a str),
    region: &'a str,
    now: Timestamp,
) {
    context.insert("aws:CurrentTime", now);
    context.insert("aws:EpochTime", now.millis().div_euclid(1000));
    context.insert("aws:SourceIp", ip);
    context.insert("aws:SecureTransport", secure);
    context.insert("aws:RequestedRegion", region);
    if !user_agent.is_empty() {
        context.insert("aws:UserAgent", user_agent);
    }
}

/// Adds the condition keys of how a request of S3 was signed.
///
/// Source: Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys".
pub(crate) fn describe_signature<'a>(
    context: &mut Context<'a>,
    authorization: &Authorization<'_>,
    headers: &'a http::HeaderMap,
    now: Timestamp,
) {
    let presigned = authorization.is_presigned();
    context.insert("s3:authType", if presigned { "REST-QUERY-STRING" } else { "REST-HEADER" });
    context.insert("s3:signatureversion", "AWS4-HMAC-SHA256");
    context.insert("s3:signatureAge", now.millis().saturating_sub(authorization.time().millis()).max(0));
    let stated = headers.get("x-amz-content-sha256").and_then(|stated| stated.to_str().ok());
    if let Some(stated) = stated.or(presigned.then_some("UNSIGNED-PAYLOAD")) {
        context.insert("s3:x-amz-content-sha256", stated);
    }
}

/// A refusal's message without what [`crate::ports::Authority::sealed_refusal`] added to it: for the audit trail, and for
/// terminals.
#[must_use]
pub fn legible(message: &str) -> &str {
    message.split_once(dispatch::ENCODED).map_or(message, |(words, _)| words)
}
