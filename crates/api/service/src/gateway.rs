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

use crate::body::{BodyError, RequestBody};
use crate::call::{CallContext, Caller, RequestOrigin};
use crate::core::{Core, Ended, REQUEST_KEYS, Seen, describe};
use crate::dispatch::Outcome;
use crate::operation::{AuditClass, Entry, Running, Service};
use crate::ports::{Credential, CredentialError};
use crate::request_id;

/// The head of a request.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Its method, such as `POST`.
    pub method: &'a http::Method,
    /// Its target as sent: path and query, raw.
    pub uri: &'a http::Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The peer's address.
    pub ip: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

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

impl Incoming {
    /// Its head.
    #[must_use]
    pub const fn head(&self) -> Head<'_> {
        Head { method: &self.method, uri: &self.uri, headers: &self.headers, ip: self.ip, secure: self.secure }
    }
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

    /// Serves one request whose body is there, whatever is in it.
    pub async fn handle(&self, incoming: &Incoming) -> Reply {
        self.serve(incoming.head(), incoming.body.clone()).await
    }

    /// Serves one request, whatever is in it. Nothing of its body is read unless its head names a credential that is known,
    /// or it is short enough for an operation that takes unsigned requests.
    pub async fn serve<B: RequestBody>(&self, head: Head<'_>, mut body: B) -> Reply {
        let started = Instant::now();
        let request_id = request_id::next();
        let (reply, service, operation) = self.answer(head, &mut body, request_id).await;
        let (name, index) = operation.map_or(("-", None), |operation| (operation.name, Some(operation.index)));
        let elapsed = started.elapsed();
        tracing::debug!(
            service,
            operation = name,
            status = reply.status,
            error = reply.error,
            ?elapsed,
            reply.request_id,
            "call"
        );
        self.core.observer.seen(&Seen { service, operation: name, index, error: reply.error, elapsed });
        reply
    }

    async fn answer<B: RequestBody>(
        &self,
        head: Head<'_>,
        body: &mut B,
        request_id: String,
    ) -> (Reply, &'static str, Option<OperationRef>) {
        let now = (self.core.clock)();
        let parts = request_parts(&head);
        let authorization = Authorization::parse(&parts);
        let mut route = self.route(head.headers, authorization.as_ref().ok().map(Authorization::service));
        if !self.core.trail.healthy() {
            let protocol = route.protocol();
            let fault = CommonFault::ServiceUnavailable.fault(protocol);
            return (reply(protocol, request_id, Err(fault)), route.service(), route.operation);
        }
        let origin = RequestOrigin {
            ip: head.ip,
            secure: head.secure,
            user_agent: head.headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or(""),
            via: None,
        };
        let region = authorization.as_ref().map_or("-", Authorization::region);
        // The head comes first, then the body, and what the body says only once its sender is known.
        let (caller, bytes) = match &authorization {
            Ok(known) => match self.credential(known, route.endpoint, now).await {
                Ok(credential) => {
                    let bytes = body.whole(route.body_bytes_max()).await;
                    let caller = match &bytes {
                        Ok(bytes) => known
                            .verify(&parts, Payload::Body(bytes), &credential.signing_key, Rules::STANDARD, now)
                            .map(|()| credential.caller)
                            .map_err(|error| error.fault(route.protocol())),
                        Err(error) => Err(body_fault(*error, route.protocol())),
                    };
                    (caller, bytes.unwrap_or_default())
                }
                Err(fault) => (Err(fault), Bytes::new()),
            },
            Err(SigV4Error::Missing) if !head.headers.contains_key(&TARGET) => {
                match body.whole(UNSIGNED_BODY_BYTES_MAX).await {
                    Ok(bytes) => {
                        let unsigned = self.route_unsigned(&head, &bytes);
                        let caller = match unsigned {
                            Some(_) => Ok(Arc::new(anonymous())),
                            None => Err(SigV4Error::Missing.fault(route.protocol())),
                        };
                        route = unsigned.unwrap_or(route);
                        (caller, bytes)
                    }
                    Err(error) => (Err(body_fault(error, route.protocol())), Bytes::new()),
                }
            }
            Err(error) => (Err(error.fault(route.protocol())), Bytes::new()),
        };
        let protocol = route.protocol();
        let input = parameters(protocol, &head, &bytes);
        if caller.is_ok() && route.operation.is_none() {
            route.operation = route.endpoint.and_then(|endpoint| asked_for(endpoint, input));
        }

        let mut room = uuid::Uuid::encode_buffer();
        let event_id = request_id::write(&mut room);
        let (outcome, class) = match (&caller, route.endpoint, route.operation) {
            (Err(fault), ..) => (Outcome::refused(fault.clone()), AuditClass::Read),
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
                (endpoint.serve(operation, call, input).await, operation.class)
            }
            (Ok(_), endpoint, None) | (Ok(_), endpoint @ None, _) => {
                (Outcome::refused(unknown_operation(endpoint, &head, input)), AuditClass::Read)
            }
        };
        let recorded = self
            .core
            .record(&Ended {
                source: route.endpoint.map_or("-", Endpoint::event_source),
                name: route.operation.map_or("-", |operation| operation.name),
                class,
                caller: caller.as_ref().ok(),
                claimed: authorization.as_ref().ok().map(Authorization::access_key_id),
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
                tracing::error!(request_id, %error, "the audit record could not be written; the call fails");
                Err(CommonFault::ServiceUnavailable.fault(protocol))
            }
        };
        (reply(protocol, request_id, answer), route.service(), route.operation)
    }

    /// The service and its operation by `X-Amz-Target`. Without one the service by the credential scope; its operation
    /// is then [`asked_for`] by the parameters.
    fn route(&self, headers: &HeaderMap, scope: Option<&str>) -> Route<'_> {
        if let Some(target) = headers.get(&TARGET) {
            let Some((prefix, name)) = target.to_str().ok().and_then(split_target) else {
                return Route { endpoint: None, operation: None };
            };
            let endpoint = self.services.iter().find(|service| service.target_prefix() == prefix);
            let operation = endpoint.and_then(|endpoint| endpoint.operation(name));
            return Route { endpoint: endpoint.map(Box::as_ref), operation };
        }
        let endpoint = self.services.iter().find(|service| Some(service.name()) == scope);
        Route { endpoint: endpoint.map(Box::as_ref), operation: None }
    }

    /// The operation that a request without any signature is for, if it is one that takes such.
    fn route_unsigned(&self, head: &Head<'_>, body: &[u8]) -> Option<Route<'_>> {
        self.services.iter().find_map(|service| {
            let input = parameters(service.protocol(), head, body);
            let operation = asked_for(&**service, input).filter(|asked| service.takes_unsigned(asked.name))?;
            Some(Route { endpoint: Some(&**service), operation: Some(operation) })
        })
    }

    /// The credential that a request names, if it may be used for the Region and the service.
    async fn credential(
        &self,
        authorization: &Authorization<'_>,
        endpoint: Option<&dyn Endpoint>,
        now: Timestamp,
    ) -> Result<Credential, Fault> {
        let protocol = endpoint.map_or(UNKNOWN, Endpoint::protocol);
        let region = authorization.region();
        if !self.core.regions.has(region) {
            return Err(SigV4Error::Region { region: region.to_owned() }.fault(protocol));
        }
        let credential =
            self.core.authority.credential(authorization.into(), now).await.map_err(|error| match error {
                CredentialError::Unknown => SigV4Error::UnknownAccessKey.fault(protocol),
                CredentialError::Expired => SigV4Error::ExpiredToken.fault(protocol),
                CredentialError::Store(error) => {
                    tracing::error!(%error, "a credential could not be read");
                    CommonFault::InternalFailure.fault(protocol)
                }
            })?;
        // A signature for one service must not open another.
        match endpoint.map(Endpoint::name) {
            Some(service) if service != authorization.service() => Err(SigV4Error::Service { service }.fault(protocol)),
            _ => Ok(credential),
        }
    }
}

/// Where a request goes, as far as that is known.
#[derive(Clone, Copy)]
struct Route<'a> {
    endpoint: Option<&'a dyn Endpoint>,
    operation: Option<OperationRef>,
}

impl Route<'_> {
    fn protocol(&self) -> Protocol {
        self.endpoint.map_or(UNKNOWN, Endpoint::protocol)
    }

    /// The service's name, `-` if none was recognised.
    fn service(&self) -> &'static str {
        self.endpoint.map_or("-", Endpoint::name)
    }

    /// The most bytes that a body has use for: as many as its operation's input takes that breaks no rule.
    fn body_bytes_max(&self) -> usize {
        match (self.endpoint, self.operation) {
            (_, Some(operation)) => operation.body_bytes_max,
            (Some(endpoint), None) if matches!(endpoint.protocol(), Protocol::Query { .. }) => {
                endpoint.body_bytes_max()
            }
            _ => UNSIGNED_BODY_BYTES_MAX,
        }
    }
}

/// The fault of a request whose body cannot be read.
fn body_fault(error: BodyError, protocol: Protocol) -> Fault {
    match error {
        BodyError::TooLarge => CommonFault::RequestEntityTooLarge.fault(protocol),
        BodyError::Crowded => CommonFault::ServiceUnavailable.fault(protocol),
        BodyError::Stalled => Fault { code: "RequestTimeout", status: 408, message: error.to_string() },
        BodyError::Aborted => Fault { code: "IncompleteBody", status: 400, message: error.to_string() },
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
const UNKNOWN: Protocol = Protocol::Json { version: "1.1" };

/// The most bytes of a body that nobody has signed. The longest that is of use holds a token of 20,000 characters.
const UNSIGNED_BODY_BYTES_MAX: usize = BODY_BYTES_LEAST;

/// The operation that a request's parameters ask for.
fn asked_for(endpoint: &dyn Endpoint, input: &[u8]) -> Option<OperationRef> {
    if !matches!(endpoint.protocol(), Protocol::Query { .. }) {
        return None;
    }
    endpoint.operation(&query::action(input)?.name)
}

/// A request as its signature sees it.
fn request_parts<'a>(head: &Head<'a>) -> RequestParts<'a> {
    RequestParts {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: head.headers,
        host: head.uri.authority().map(http::uri::Authority::as_str),
    }
}

/// Who calls without a signature.
fn anonymous() -> Caller {
    Caller::new(policy::Principal::anonymous(), String::new(), Context::new(), None)
}

/// The fault of a request for an operation that no service serves.
fn unknown_operation(endpoint: Option<&dyn Endpoint>, head: &Head<'_>, input: &[u8]) -> Fault {
    let protocol = endpoint.map_or(UNKNOWN, Endpoint::protocol);
    let not_served = |name: &str| {
        let endpoint = endpoint?;
        let operation = endpoint.not_served(name)?;
        Some(CommonFault::NotServed { operation, service: endpoint.name() }.fault(protocol))
    };
    if matches!(protocol, Protocol::Json { .. }) {
        let target = head.headers.get(&TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
        let name = split_target(target).map_or("", |(_, name)| name);
        let unknown = CommonFault::UnknownOperation { operation: String::new(), version: String::new() };
        return not_served(name).unwrap_or_else(|| unknown.fault(protocol));
    }
    let Some(asked) = query::action(input) else {
        return CommonFault::MissingAction.fault(protocol);
    };
    not_served(&asked.name).unwrap_or_else(|| {
        let quoted = |text: &str| wire::shape::quote(text).to_owned();
        CommonFault::UnknownOperation { operation: quoted(&asked.name), version: quoted(&asked.version) }
            .fault(protocol)
    })
}

/// Where the input is: the body, or for a query request sent with GET, the query string.
fn parameters<'a>(protocol: Protocol, head: &Head<'a>, body: &'a [u8]) -> &'a [u8] {
    match protocol {
        Protocol::Query { .. } if head.method == http::Method::GET => head.uri.query().unwrap_or_default().as_bytes(),
        _ => body,
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
