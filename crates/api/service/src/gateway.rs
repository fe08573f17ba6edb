//! From an HTTP request to an HTTP answer: find the service and operation, authenticate, dispatch, audit.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use policy::Context;
use wire::shape::{BODY_BYTES_LEAST, body_bytes_max};
use wire::sigv4::{Authorization, Payload, RequestParts, Rules, SigV4Error};
use wire::{CommonFault, Fault, Protocol, Timestamp, query};

use crate::call::{CallContext, Caller, RequestOrigin};
use crate::core::{Core, Ended, REQUEST_KEYS, Seen, describe};
use crate::dispatch::Outcome;
use crate::event::{Event, Kind, UserIdentity};
use crate::operation::{AuditClass, Entry, Running, Service};
use crate::ports::CredentialError;
use crate::request_id;

/// A request whose body has arrived whole.
pub struct Incoming {
    /// Its method, such as `POST`.
    pub method: http::Method,
    /// Its target as sent: path and query, raw.
    pub uri: http::Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The peer's address.
    pub ip: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its `x-amzn-RequestId`.
    pub request_id: String,
    /// The error's name, for `x-amzn-ErrorType`.
    pub error: Option<&'static str>,
    /// Its body.
    pub body: Vec<u8>,
}

/// All services behind one port.
pub struct Gateway {
    services: Vec<Box<dyn Endpoint>>,
    core: Arc<Core>,
}

/// An operation's row without its service's type.
#[derive(Clone, Copy)]
struct OperationRef {
    name: &'static str,
    class: AuditClass,
    index: usize,
    /// The most bytes that a body takes which breaks no rule of its input.
    body_bytes_max: usize,
}

/// A service without its type.
trait Endpoint: Send + Sync {
    fn name(&self) -> &'static str;
    fn event_source(&self) -> &'static str;
    fn target_prefix(&self) -> &'static str;
    fn protocol(&self) -> Protocol;
    fn operation(&self, name: &str) -> Option<OperationRef>;
    fn takes_unsigned(&self, name: &str) -> bool;
    /// The most bytes that a body takes which breaks no rule of any operation of the service.
    fn body_bytes_max(&self) -> usize;
    /// The name, if AWS's service has the operation and this one does not serve it.
    fn not_served(&self, name: &str) -> Option<&'static str>;
    fn serve<'a>(&'a self, operation: OperationRef, context: CallContext<'a>, body: &'a [u8]) -> Running<'a>;
}

struct Served<S: Service> {
    service: Arc<S>,
    operations: &'static [Entry<S>],
    by_name: HashMap<&'static str, OperationRef>,
}

impl<S: Service> Endpoint for Served<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn event_source(&self) -> &'static str {
        S::EVENT_SOURCE
    }

    fn target_prefix(&self) -> &'static str {
        S::TARGET_PREFIX
    }

    fn protocol(&self) -> Protocol {
        S::PROTOCOL
    }

    fn operation(&self, name: &str) -> Option<OperationRef> {
        self.by_name.get(name).copied()
    }

    fn takes_unsigned(&self, name: &str) -> bool {
        S::UNSIGNED.contains(&name)
    }

    fn body_bytes_max(&self) -> usize {
        self.by_name.values().map(|listed| listed.body_bytes_max).max().unwrap_or_default()
    }

    fn not_served(&self, name: &str) -> Option<&'static str> {
        S::NOT_SERVED.lines().find(|line| *line == name && !line.starts_with('#'))
    }

    fn serve<'a>(&'a self, operation: OperationRef, context: CallContext<'a>, body: &'a [u8]) -> Running<'a> {
        // INVARIANT: `index` came from this table's own `operation`.
        let Some(entry) = self.operations.get(operation.index) else {
            let refused = Outcome::refused(CommonFault::InternalFailure.fault(S::PROTOCOL));
            return Box::pin(std::future::ready(refused));
        };
        if body.len() > operation.body_bytes_max {
            let refused = Outcome::refused(CommonFault::RequestEntityTooLarge.fault(S::PROTOCOL));
            return Box::pin(std::future::ready(refused));
        }
        let call = context.call(&self.service, operation.name);
        (entry.serve)(call, body)
    }
}

impl Gateway {
    /// A gateway without services yet.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { services: Vec::new(), core }
    }

    /// Adds a service.
    #[must_use]
    pub fn with<S: Service>(mut self, service: Arc<S>) -> Self {
        let operations = S::operations();
        let listed = operations.iter().enumerate().map(|(index, entry)| {
            let body_bytes_max = body_bytes_max(entry.input);
            (entry.name, OperationRef { name: entry.name, class: entry.class, index, body_bytes_max })
        });
        let by_name = listed.collect();
        self.services.push(Box::new(Served { service, operations, by_name }));
        self
    }

    /// The most bytes that the body of a request with this head may have: as many as its operation's input takes that
    /// breaks no rule, and few where nobody has signed.
    #[must_use]
    pub fn body_bytes_max(&self, method: &http::Method, uri: &http::Uri, headers: &HeaderMap) -> usize {
        let parts = request_parts(method, uri, headers);
        let Ok(authorization) = Authorization::parse(&parts) else { return UNSIGNED_BODY_BYTES_MAX };
        match self.target(headers, Some(authorization.service())) {
            (_, Some(operation)) => operation.body_bytes_max,
            (Some(endpoint), None) if endpoint.protocol().has_form() => endpoint.body_bytes_max(),
            _ => UNSIGNED_BODY_BYTES_MAX,
        }
    }

    /// Serves one request, whatever is in it.
    pub async fn handle(&self, incoming: &Incoming) -> Reply {
        let started = Instant::now();
        let request_id = request_id::next();
        let (reply, service, listed) = self.answer(incoming, request_id).await;
        let (operation, index) = listed.map_or(("-", None), |listed| (listed.name, Some(listed.index)));
        let elapsed = started.elapsed();
        tracing::debug!(
            service,
            operation,
            status = reply.status,
            error = reply.error,
            ?elapsed,
            reply.request_id,
            "call"
        );
        self.core.observer.seen(&Seen { service, operation, index, error: reply.error, elapsed });
        reply
    }

    /// Records a request that is refused with `fault` before its body was read. Returns its id.
    pub fn unread(&self, head: &http::request::Parts, ip: IpAddr, fault: &Fault) -> String {
        let (request_id, headers) = (request_id::next(), &head.headers);
        let parts = request_parts(&head.method, &head.uri, headers);
        let authorization = Authorization::parse(&parts).ok();
        let scope = authorization.as_ref().map(Authorization::service);
        let (endpoint, operation) = self.target(headers, scope);
        let kept = self.core.trail.record_unauthenticated(&Event {
            kind: Kind::Call,
            // Whoever it claims to be: that is not verified without the body.
            user_identity: UserIdentity::Unknown(authorization.as_ref().map(Authorization::access_key_id)),
            time: (self.core.clock)(),
            source: endpoint.map_or("-", Endpoint::event_source),
            name: operation.map_or("-", |operation| operation.name),
            region: authorization.as_ref().map_or("-", Authorization::region),
            source_ip_address: Some(ip),
            user_agent: headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or(""),
            via: None,
            error_code: Some(fault.code),
            error_message: Some(fault.message.as_str()).filter(|message| !message.is_empty()),
            request_parameters: None,
            request_id: &request_id,
            event_id: &request_id::next(),
            read_only: true,
            resources: &[],
            recipient_account_id: None,
            counted: None,
        });
        if let Err(error) = kept {
            tracing::error!(request_id, %error, "the audit record of a refused request could not be kept");
        }
        request_id
    }

    async fn answer(&self, incoming: &Incoming, request_id: String) -> (Reply, &'static str, Option<OperationRef>) {
        let now = (self.core.clock)();
        let parts = request_parts(&incoming.method, &incoming.uri, &incoming.headers);
        let authorization = Authorization::parse(&parts);
        let scope = authorization.as_ref().ok().map(|known| known.service());
        let unsigned = match &authorization {
            Err(SigV4Error::Missing) => self.route_unsigned(incoming),
            _ => None,
        };
        let (endpoint, mut operation) = match unsigned {
            Some((endpoint, operation)) => (Some(endpoint), Some(operation)),
            None => self.target(&incoming.headers, scope),
        };
        let protocol = endpoint.map_or(UNKNOWN, Endpoint::protocol);
        let service = endpoint.map_or("-", Endpoint::name);

        if !self.core.trail.healthy() {
            let fault = CommonFault::ServiceUnavailable.fault(protocol);
            return (reply(protocol, request_id, Err(fault)), service, operation);
        }

        let origin = RequestOrigin {
            ip: incoming.ip,
            secure: incoming.secure,
            user_agent: incoming.headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or(""),
            via: None,
        };
        let claimed = authorization.as_ref().ok().map(|known| known.access_key_id());
        let authenticated = match &authorization {
            Ok(known) => self.authenticate(known, &parts, &incoming.body, endpoint, now).await,
            Err(_) if unsigned.is_some() => Ok(Arc::new(anonymous())),
            Err(error) => Err(error.fault(protocol)),
        };
        // Nothing of the body is read before its sender is known.
        if authenticated.is_ok() && operation.is_none() {
            operation = endpoint.and_then(|endpoint| asked_for(endpoint, incoming));
        }
        let name = operation.map_or("-", |listed| listed.name);

        let region = authorization.as_ref().map_or("-", |known| known.region());
        let mut room = uuid::Uuid::encode_buffer();
        let event_id = request_id::write(&mut room);
        let (outcome, class, caller) = match (&authenticated, endpoint, operation) {
            (Err(fault), ..) => (Outcome::refused(fault.clone()), AuditClass::Read, None),
            (Ok(caller), Some(endpoint), Some(operation)) => {
                let mut context = Context::with_room(REQUEST_KEYS, &caller.context);
                caller.principal.describe(&mut context);
                describe(&mut context, (origin.ip, origin.secure, origin.user_agent), region, now);
                let call = CallContext {
                    caller,
                    region,
                    request_id: &request_id,
                    event_id,
                    now,
                    origin: &origin,
                    context: &context,
                    authority: &*self.core.authority,
                    trail: &self.core.trail,
                };
                (endpoint.serve(operation, call, parameters(protocol, incoming)).await, operation.class, Some(caller))
            }
            (Ok(caller), ..) => {
                (Outcome::refused(unknown_operation(endpoint, incoming)), AuditClass::Read, Some(caller))
            }
        };

        let recorded = self
            .core
            .record(&Ended {
                source: endpoint.map_or("-", Endpoint::event_source),
                name,
                class,
                caller,
                claimed,
                region,
                now,
                origin: &origin,
                request_id: &request_id,
                event_id,
                parameters: outcome.parameters.as_deref(),
                resources: &outcome.resources,
                written: outcome.written,
                error: outcome.answer.as_ref().err(),
            })
            .await;
        let answer = match recorded {
            Ok(()) => outcome.answer,
            Err(error) => {
                tracing::error!(request_id, %error, "the audit record could not be written; the call is answered as failed");
                Err(CommonFault::ServiceUnavailable.fault(protocol))
            }
        };
        (reply(protocol, request_id, answer), service, operation)
    }

    /// The service and its operation by `X-Amz-Target`. Without one the service by the credential scope; its operation
    /// is then [`asked_for`] by the parameters.
    fn target(&self, headers: &HeaderMap, scope: Option<&str>) -> (Option<&dyn Endpoint>, Option<OperationRef>) {
        if let Some(target) = headers.get(&TARGET) {
            let Some((prefix, name)) = target.to_str().ok().and_then(split_target) else { return (None, None) };
            let endpoint = self.services.iter().find(|service| service.target_prefix() == prefix);
            return (endpoint.map(Box::as_ref), endpoint.and_then(|endpoint| endpoint.operation(name)));
        }
        (self.services.iter().find(|service| Some(service.name()) == scope).map(Box::as_ref), None)
    }

    /// The operation that a request without any signature is for, if it is one that takes such.
    fn route_unsigned(&self, incoming: &Incoming) -> Option<(&dyn Endpoint, OperationRef)> {
        if incoming.headers.contains_key(&TARGET) || incoming.body.len() > UNSIGNED_BODY_BYTES_MAX {
            return None;
        }
        self.services.iter().find_map(|service| {
            let operation = asked_for(&**service, incoming).filter(|asked| service.takes_unsigned(asked.name))?;
            Some((&**service, operation))
        })
    }

    async fn authenticate(
        &self,
        authorization: &Authorization<'_>,
        parts: &RequestParts<'_>,
        body: &[u8],
        endpoint: Option<&dyn Endpoint>,
        now: Timestamp,
    ) -> Result<Arc<Caller>, Fault> {
        let protocol = endpoint.map_or(UNKNOWN, Endpoint::protocol);
        let region = authorization.region();
        if !self.core.regions.has(region) {
            return Err(SigV4Error::Region { region: region.to_owned() }.fault(protocol));
        }
        let credential = self.core.authority.credential(authorization, now).await.map_err(|error| match error {
            CredentialError::Unknown => SigV4Error::UnknownAccessKey.fault(protocol),
            CredentialError::Expired => SigV4Error::ExpiredToken.fault(protocol),
            CredentialError::Store(error) => {
                tracing::error!(%error, "a credential could not be read");
                CommonFault::InternalFailure.fault(protocol)
            }
        })?;
        authorization
            .verify(parts, Payload::Body(body), &credential.signing_key, Rules::STANDARD, now)
            .map_err(|error| error.fault(protocol))?;
        // A signature for one service must not open another.
        match endpoint.map(Endpoint::name) {
            Some(service) if service != authorization.service() => Err(SigV4Error::Service { service }.fault(protocol)),
            _ => Ok(credential.caller),
        }
    }
}

/// The header that names service and operation. A constant, so that looking it up parses no name.
static TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// A service's prefix and the name of its operation. The name is short: its letters are looked at from the end.
fn split_target(target: &str) -> Option<(&str, &str)> {
    let dot = target.bytes().rposition(|byte| byte == b'.')?;
    Some((target.get(..dot)?, target.get(dot + 1..)?))
}

/// The protocol in which a request for no service we know is answered.
const UNKNOWN: Protocol = Protocol::json("1.1", "");

/// The most bytes of a body that nobody has signed. The longest that is of use holds a token of 20,000 characters.
const UNSIGNED_BODY_BYTES_MAX: usize = BODY_BYTES_LEAST;

/// The operation that a request's parameters ask for.
fn asked_for(endpoint: &dyn Endpoint, incoming: &Incoming) -> Option<OperationRef> {
    let protocol = endpoint.protocol();
    if !protocol.has_form() {
        return None;
    }
    endpoint.operation(&query::action(parameters(protocol, incoming))?.name)
}

/// A request as its signature sees it.
fn request_parts<'a>(method: &'a http::Method, uri: &'a http::Uri, headers: &'a HeaderMap) -> RequestParts<'a> {
    RequestParts {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers,
        host: uri.authority().map(http::uri::Authority::as_str),
    }
}

/// Who calls without a signature.
fn anonymous() -> Caller {
    Caller::new(policy::Principal::anonymous(), String::new(), Context::new(), None)
}

/// The fault of a request for an operation that no service serves.
fn unknown_operation(endpoint: Option<&dyn Endpoint>, incoming: &Incoming) -> Fault {
    let protocol = endpoint.map_or(UNKNOWN, Endpoint::protocol);
    let not_served = |name: &str| {
        let endpoint = endpoint?;
        let operation = endpoint.not_served(name)?;
        Some(CommonFault::NotServed { operation, service: endpoint.name() }.fault(protocol))
    };
    if !protocol.has_form() {
        let target = incoming.headers.get(&TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
        let name = split_target(target).map_or("", |(_, name)| name);
        let unknown = CommonFault::UnknownOperation { operation: String::new(), version: String::new() };
        return not_served(name).unwrap_or_else(|| unknown.fault(protocol));
    }
    let Some(asked) = query::action(parameters(protocol, incoming)) else {
        return CommonFault::MissingAction.fault(protocol);
    };
    not_served(&asked.name).unwrap_or_else(|| {
        let quoted = |text: &str| wire::shape::quote(text).to_owned();
        CommonFault::UnknownOperation { operation: quoted(&asked.name), version: quoted(&asked.version) }
            .fault(protocol)
    })
}

/// Where the input is: the body, or for a query request sent with GET, the query string.
fn parameters(protocol: Protocol, incoming: &Incoming) -> &[u8] {
    match protocol {
        Protocol::Query(_) if incoming.method == http::Method::GET => {
            incoming.uri.query().unwrap_or_default().as_bytes()
        }
        _ => &incoming.body,
    }
}

pub(crate) fn reply(protocol: Protocol, request_id: String, answer: Result<Vec<u8>, Fault>) -> Reply {
    let content_type = wire::content_type(protocol);
    match answer {
        Ok(body) => Reply { status: 200, content_type, request_id, error: None, body },
        Err(fault) => {
            let body = wire::encode_fault(protocol, &request_id, &fault);
            Reply { status: fault.status, content_type, request_id, error: Some(fault.code), body }
        }
    }
}

#[cfg(test)]
mod tests;
