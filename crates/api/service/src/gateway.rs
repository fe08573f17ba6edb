//! From an HTTP request to an HTTP answer: find the service and operation, authenticate, dispatch, audit.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use policy::Context;
use wire::body::Algorithm;
use wire::protocol::{Answer, Claim, Routed};
use wire::shape::BODY_BYTES_LEAST;
use wire::sigv4::{Authorization, Payload, RequestParts, Rules, SigV4Error};
use wire::{CommonFault, Fault, Protocol, Timestamp, query};

use crate::body::RequestBody;
use crate::call::{CallContext, Caller, RequestOrigin};
use crate::core::{Core, Ended, REQUEST_KEYS, Seen, describe, describe_signature};
use crate::cross_origin::CrossOrigin;
use crate::dispatch::{Given, Outcome, Request};
use crate::download::{AnswerStream, Watched};
use crate::endpoint::{Endpoint, OperationRef, endpoint};
use crate::form;
use crate::hosts::Hosts;
use crate::operation::{AuditClass, Service};
use crate::ports::{Credential, CredentialError};
use crate::reply::Reply;
use crate::request_id;
use crate::upload::{UploadError, UploadStream};

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

/// All services behind one port.
pub struct Gateway {
    services: Vec<Box<dyn Endpoint>>,
    core: Arc<Core>,
    hosts: Hosts,
}

impl Gateway {
    /// A gateway without services yet.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { services: Vec::new(), core, hosts: Hosts::default() }
    }

    /// The same with hosts that stand for the first label of restXml's paths.
    #[must_use]
    pub fn with_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Adds a service.
    #[must_use]
    pub fn with<S: Service>(mut self, service: Arc<S>) -> Self {
        self.services.push(endpoint(service));
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
        let host_label = self.host_label(&head, authorization.as_ref().ok());
        let wire_head = wire_head(&head, authorization.as_ref().ok(), host_label.as_deref());
        let mut route = self.route(&wire_head);
        if !self.core.trail.healthy() {
            let fault = CommonFault::ServiceUnavailable.fault(route.protocol);
            return (Reply::fault(route.protocol, request_id, &fault), route.service(), route.operation);
        }
        let page = match route.endpoint {
            Some(endpoint) if route.protocol.is_rest() => {
                CrossOrigin::of(&wire_head).and_then(|asked| Some((asked.preflight, endpoint.cross_origin(asked)?)))
            }
            _ => None,
        };
        let page = match page {
            None => None,
            Some((false, page)) => Some(page),
            // No call of the API: it changes and reveals nothing but the rules themselves, and is not recorded.
            Some((true, page)) => {
                let empty = |headers| (Answer { status: 200, headers, body: Vec::new() }, None);
                let reply = match page.await {
                    Ok(headers) => Reply::success(route.protocol, request_id, empty(headers)),
                    Err(fault) => Reply::fault(route.protocol, request_id, &fault),
                };
                return (reply, route.service(), None);
            }
        };
        let origin = RequestOrigin {
            ip: head.ip,
            secure: head.secure,
            host: host(&head),
            user_agent: head.headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or(""),
            via: None,
        };
        // The head comes first, then the body, and what the body says only once its sender is known.
        let (caller, given) = match &authorization {
            Err(SigV4Error::Missing) if route.operation.is_some_and(|operation| operation.form) => {
                self.receive_form(&wire_head, &route, body, now).await
            }
            Ok(known) => self.receive(known, &parts, &route, body, now).await,
            Err(SigV4Error::Missing) => self.receive_unsigned(&wire_head, &mut route, body).await,
            Err(error) => (Err(malformed(error, &head, route.protocol)), Given::default()),
        };
        if caller.is_ok() && route.operation.is_none() && matches!(route.claim, Claim::Form) {
            let action = query::action(wire::protocol::parameters(&wire_head, given.bytes()));
            route.operation = route.endpoint.zip(action).and_then(|(endpoint, asked)| endpoint.operation(&asked.name));
        }

        let of_form = given.fields().and_then(|fields| Authorization::of_form(fields).ok()?);
        let signer = of_form.map(|signer| (signer.region().to_owned(), signer.access_key_id().to_owned()));
        let signer = signer.as_ref().map(|(region, access_key_id)| (region.as_str(), access_key_id.as_str()));
        let signer = authorization.as_ref().ok().map(|known| (known.region(), known.access_key_id())).or(signer);
        let region = signer.map_or("-", |(region, _)| region);
        let mut room = uuid::Uuid::encode_buffer();
        let event_id = request_id::write(&mut room);
        let (mut outcome, class) = match (&caller, route.endpoint, route.operation) {
            (Err(fault), ..) => (Outcome::refused(fault.clone()), AuditClass::Read),
            (Ok(caller), Some(endpoint), Some(operation)) => {
                let mut context = Context::with_room(REQUEST_KEYS, &caller.context);
                caller.principal.describe(&mut context);
                describe(&mut context, (origin.ip, origin.secure, origin.user_agent), region, now);
                if let (true, Ok(known)) = (route.protocol.is_rest(), &authorization) {
                    describe_signature(&mut context, known, head.headers, now);
                }
                let call = CallContext {
                    caller,
                    region,
                    request_id: &request_id,
                    event_id,
                    now,
                    origin: &origin,
                    context: &context,
                    protocol: route.protocol,
                    authority: &*self.core.authority,
                    trail: &self.core.trail,
                };
                let request = Request { head: &wire_head, claim: &route.claim, given };
                (endpoint.serve(operation, call, request).await, operation.class)
            }
            (Ok(_), ..) => (Outcome::refused(unknown_operation(&route, &wire_head, given.bytes())), AuditClass::Read),
        };
        let ended = Ended {
            source: route.endpoint.map_or("-", Endpoint::event_source),
            name: route.operation.map_or("-", |operation| operation.name),
            class,
            caller: caller.as_ref().ok(),
            claimed: signer.map(|(_, access_key_id)| access_key_id),
            region,
            now,
            origin: &origin,
            request_id: &request_id,
            event_id,
            parameters: outcome.parameters.as_deref(),
            resources: &outcome.resources,
            written: outcome.written,
            error: outcome.answer.as_ref().err(),
            additional: b"",
        };
        let streams = matches!(&outcome.answer, Ok((_, Some(_))));
        let broken_off = streams.then(|| ended.broken_off(&CommonFault::InternalFailure.fault(route.protocol)));
        if let Err(error) = self.core.record(&ended).await {
            tracing::error!(request_id, %error, "the audit record could not be written; the call fails");
            outcome.answer = Err(CommonFault::ServiceUnavailable.fault(route.protocol));
        }
        // The call is recorded as a success by now. Should its stream break off, that is recorded too.
        let watch = |stream| -> AnswerStream {
            let event = broken_off.unwrap_or_default();
            Box::pin(Watched::new(stream, &request_id, &self.core.trail, event))
        };
        let answer = outcome.answer.map(|(answer, stream)| (answer, stream.map(watch)));
        let mut reply = match answer {
            Ok(answer) => Reply::success(route.protocol, request_id, answer),
            Err(fault) => Reply::fault(route.protocol, request_id, &fault),
        };
        if let Some(page) = page
            && let Ok(headers) = page.await
        {
            reply.headers.extend(headers);
        }
        if head.method == http::Method::HEAD {
            reply = reply.without_body();
        }
        (reply, route.service(), route.operation)
    }

    /// Whether the request's host stands for a resource, so that its path is below that.
    #[must_use]
    pub fn is_below_name(&self, head: &Head<'_>) -> bool {
        host(head).is_some_and(|host| self.hosts.label(host).is_some())
    }

    /// The label that the host gives, for requests that may be restXml's.
    fn host_label<'a>(&self, head: &Head<'a>, authorization: Option<&Authorization<'_>>) -> Option<Cow<'a, str>> {
        let scope = authorization.map(Authorization::service);
        let mut services = self.services.iter().filter(|service| scope.is_none_or(|scope| scope == service.name()));
        if !services.any(|service| service.has_hosts(head.headers, head.uri.path())) {
            return None;
        }
        self.hosts.label(host(head)?)
    }

    /// The service, the protocol and, unless a form names it, the operation that a request is for.
    fn route<'a>(&'a self, head: &wire::protocol::Head<'a>) -> Route<'a> {
        let services = self.services.iter().map(|service| (&**service, service.name(), service.protocols()));
        let Some(Routed { service, protocol, claim }) = wire::protocol::route(services, head) else {
            let protocol = wire::protocol::presumed(head);
            return Route { endpoint: None, protocol, claim: Claim::Nowhere, operation: None };
        };
        let operation = match &claim {
            Claim::Operation(name) => service.operation(name),
            Claim::Route(matched) => service.operation(matched.route.operation),
            Claim::Form | Claim::Nowhere => None,
        };
        Route { endpoint: Some(service), protocol, claim, operation }
    }

    /// Who signed a request, and its body. Nothing of the body is read of a request whose credential is not known; where
    /// the signature covers what the head states of the body, nothing of a request whose signature is wrong.
    async fn receive<B: RequestBody>(
        &self,
        authorization: &Authorization<'_>,
        parts: &RequestParts<'_>,
        route: &Route<'_>,
        body: &mut B,
        now: Timestamp,
    ) -> (Result<Arc<Caller>, Fault>, Given) {
        let protocol = route.protocol;
        let refused = |fault| (Err(fault), Given::default());
        let Credential { caller, signing_key } = match self.credential(authorization, route, now).await {
            Ok(credential) => credential,
            Err(error) => return refused(fault_of(error, authorization, protocol)),
        };
        let rules = if protocol.is_rest() { Rules::S3 } else { Rules::STANDARD };
        if !rules.stated_payload {
            let bytes = match body.whole(route.body_bytes_max()).await {
                Ok(bytes) => bytes,
                Err(error) => return refused(error.fault(protocol)),
            };
            return match authorization.verify(parts, Payload::Body(&bytes), &signing_key, rules, now) {
                Ok(()) => (Ok(caller), Given::Whole(bytes)),
                Err(error) => refused(error.fault(protocol)),
            };
        }
        if let Err(error) = authorization.verify(parts, Payload::Stated, &signing_key, rules, now) {
            return refused(fault_of(error.into(), authorization, protocol));
        }
        let (stream, stated) = (body.stream(), body.stated_length());
        let headers = route.headers_of_body(parts.headers);
        let upload = UploadStream::signed(authorization, &headers, &signing_key, stream, stated);
        match route.given(upload).await {
            Ok(given) => (Ok(caller), given),
            Err(error) => refused(error.fault(protocol)),
        }
    }

    /// Nobody, and the body, of an unsigned request to a service that leaves it to resource policies what anybody may.
    async fn receive_anonymous<B: RequestBody>(
        &self,
        head: &wire::protocol::Head<'_>,
        route: &Route<'_>,
        body: &mut B,
    ) -> (Result<Arc<Caller>, Fault>, Given) {
        let refused = |fault| (Err(fault), Given::default());
        if let Err(error) = wire::sigv4::anonymous(head.headers, head.query()) {
            return refused(error.fault(route.protocol));
        }
        let (stream, stated) = (body.stream(), body.stated_length());
        match route.given(UploadStream::unsigned(&route.headers_of_body(head.headers), stream, stated)).await {
            Ok(given) => (Ok(Arc::new(Caller::anonymous())), given),
            Err(error) => refused(error.fault(route.protocol)),
        }
    }

    /// Who signed the policy of a form, and the form: its fields, and its file as a stream.
    async fn receive_form<B: RequestBody>(
        &self,
        head: &wire::protocol::Head<'_>,
        route: &Route<'_>,
        body: &mut B,
        now: Timestamp,
    ) -> (Result<Arc<Caller>, Fault>, Given) {
        let protocol = route.protocol;
        let refused = |fault| (Err(fault), Given::default());
        if let Err(error) = wire::sigv4::anonymous(head.headers, head.query()) {
            return refused(error.fault(protocol));
        }
        let form = match form::read(head.headers, body.stream(), protocol).await {
            Ok(form) => form,
            Err(fault) => return refused(fault),
        };
        let caller = match Authorization::of_form(&form.fields) {
            Ok(None) => Arc::new(Caller::anonymous()),
            Ok(Some(authorization)) => {
                let verified = match self.credential(&authorization, route, now).await {
                    Ok(Credential { caller, signing_key }) => {
                        let verified = authorization.verify_policy(&form.fields, &signing_key);
                        verified.map(|()| caller).map_err(Unauthenticated::from)
                    }
                    Err(error) => Err(error),
                };
                match verified {
                    Ok(caller) => caller,
                    Err(error) => return refused(fault_of(error, &authorization, protocol)),
                }
            }
            Err(error) => return refused(error.fault(protocol)),
        };
        let (fields, file) = form.into_parts();
        match UploadStream::of_form(fields, file) {
            Ok(upload) => (Ok(caller), Given::Stream(Box::new(upload))),
            Err(error) => refused(error.fault(protocol)),
        }
    }

    /// Nobody, and the body, if a request without any signature is for an operation that takes such.
    async fn receive_unsigned<'a, B: RequestBody>(
        &'a self,
        head: &wire::protocol::Head<'a>,
        route: &mut Route<'a>,
        body: &mut B,
    ) -> (Result<Arc<Caller>, Fault>, Given) {
        let missing = SigV4Error::Missing.fault(route.protocol);
        if matches!(route.claim, Claim::Route(_)) && route.endpoint.is_some_and(Endpoint::takes_anonymous) {
            return self.receive_anonymous(head, route, body).await;
        }
        // A client that leaves out its content type may mean a form as well.
        let may_be_form = match route.claim {
            Claim::Form => true,
            Claim::Nowhere => (route.endpoint.is_none() || head.uri.path() == "/") && !head.names_protocol(),
            Claim::Operation(_) | Claim::Route(_) => false,
        };
        if !may_be_form {
            return (Err(missing), Given::default());
        }
        let bytes = match body.whole(UNSIGNED_BODY_BYTES_MAX).await {
            Ok(bytes) => bytes,
            Err(error) => return (Err(error.fault(route.protocol)), Given::default()),
        };
        let asked = query::action(wire::protocol::parameters(head, &bytes));
        let unsigned = asked.and_then(|asked| {
            self.services.iter().find_map(|service| {
                let operation = service.operation(&asked.name).filter(|found| service.takes_unsigned(found.name))?;
                let protocol = service.protocols().iter().copied().find(|protocol| protocol.has_form())?;
                Some((&**service, protocol.answering(head), operation))
            })
        });
        match unsigned {
            Some((endpoint, protocol, operation)) => {
                *route = Route { endpoint: Some(endpoint), protocol, claim: Claim::Form, operation: Some(operation) };
                (Ok(Arc::new(Caller::anonymous())), Given::Whole(bytes))
            }
            None => (Err(missing), Given::default()),
        }
    }

    /// The credential that a request names, if it may be used for the Region and the service.
    async fn credential(
        &self,
        authorization: &Authorization<'_>,
        route: &Route<'_>,
        now: Timestamp,
    ) -> Result<Credential, Unauthenticated> {
        let region = authorization.region();
        if !self.core.regions.has(region) {
            return Err(SigV4Error::Region { region: region.to_owned() }.into());
        }
        let credential =
            self.core.authority.credential(authorization.into(), now).await.map_err(|error| match error {
                CredentialError::Unknown if authorization.session_token().is_some() => SigV4Error::UnknownToken.into(),
                CredentialError::Unknown => SigV4Error::UnknownAccessKey.into(),
                CredentialError::Expired => SigV4Error::ExpiredToken.into(),
                CredentialError::Store(error) => {
                    tracing::error!(%error, "a credential could not be read");
                    Unauthenticated::Unreadable
                }
            })?;
        // A signature for one service must not open another.
        match route.endpoint.map(Endpoint::name) {
            Some(service) if service != authorization.service() => Err(SigV4Error::Service { service }.into()),
            _ => Ok(credential),
        }
    }
}

/// Why nobody knows who signed a request.
enum Unauthenticated {
    /// The signature, or the credential that it names.
    Refused(SigV4Error),
    /// The server's own fault.
    Unreadable,
}

impl From<SigV4Error> for Unauthenticated {
    fn from(error: SigV4Error) -> Self {
        Self::Refused(error)
    }
}

/// The fault of an authorization that was read and is not accepted.
fn fault_of(error: Unauthenticated, authorization: &Authorization<'_>, protocol: Protocol) -> Fault {
    let Unauthenticated::Refused(error) = error else { return CommonFault::InternalFailure.fault(protocol) };
    let names_key = protocol.is_rest() && matches!(error, SigV4Error::UnknownAccessKey | SigV4Error::Signature);
    let fault = if authorization.is_presigned() { error.presigned_fault(protocol) } else { error.fault(protocol) };
    if names_key { fault.with_detail("AWSAccessKeyId", authorization.access_key_id()) } else { fault }
}

/// The fault of an authorization that cannot be read.
fn malformed(error: &SigV4Error, head: &Head<'_>, protocol: Protocol) -> Fault {
    if head.headers.contains_key(http::header::AUTHORIZATION) {
        error.fault(protocol)
    } else {
        error.presigned_fault(protocol)
    }
}

/// Where a request goes, as far as that is known.
struct Route<'a> {
    endpoint: Option<&'a dyn Endpoint>,
    protocol: Protocol,
    claim: Claim<'a>,
    operation: Option<OperationRef>,
}

impl Route<'_> {
    /// The service's name, `-` if none was recognised.
    fn service(&self) -> &'static str {
        self.endpoint.map_or("-", Endpoint::name)
    }

    /// The headers that say something of the body: without checksums that are of something else.
    fn headers_of_body<'h>(&self, headers: &'h HeaderMap) -> Cow<'h, HeaderMap> {
        if !self.operation.is_some_and(|operation| operation.takes_checksums) {
            return Cow::Borrowed(headers);
        }
        let mut headers = headers.clone();
        for algorithm in Algorithm::ALL {
            headers.remove(algorithm.header());
        }
        Cow::Owned(headers)
    }

    /// The body in the form in which the operation takes it. Nothing is read of a body that no operation takes.
    async fn given(&self, upload: Result<UploadStream, UploadError>) -> Result<Given, UploadError> {
        let Some(operation) = self.operation else { return Ok(Given::default()) };
        let mut upload = Box::new(upload?);
        if operation.form {
            // A form says in its fields who sends it.
            return Err(SigV4Error::TwiceSigned.into());
        }
        if operation.streams {
            return Ok(Given::Stream(upload));
        }
        if upload.is_chunked() {
            return Err(SigV4Error::PayloadForm.into());
        }
        upload.whole(self.body_bytes_max()).await.map(Given::Whole)
    }

    /// The most bytes that a body has use for: as many as its operation's input takes that breaks no rule.
    fn body_bytes_max(&self) -> usize {
        match (self.endpoint, self.operation) {
            (_, Some(operation)) => operation.body_bytes_max,
            (Some(endpoint), None) if matches!(self.claim, Claim::Form) => endpoint.body_bytes_max(),
            _ => UNSIGNED_BODY_BYTES_MAX,
        }
    }
}

/// The most bytes of a body that nobody has signed. The longest that is of use holds a token of 20,000 characters.
const UNSIGNED_BODY_BYTES_MAX: usize = BODY_BYTES_LEAST;

/// A request as protocols see it.
pub(crate) fn wire_head<'a>(
    head: &Head<'a>,
    authorization: Option<&'a Authorization<'_>>,
    host_label: Option<&'a str>,
) -> wire::protocol::Head<'a> {
    wire::protocol::Head {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        scope: authorization.map(Authorization::service),
        host_label,
    }
}

/// The host and port that a request names: as in its signature, the header counts before the authority.
fn host<'a>(head: &Head<'a>) -> Option<&'a str> {
    match head.headers.get(http::header::HOST) {
        Some(header) => header.to_str().ok(),
        None => head.uri.authority().map(http::uri::Authority::as_str),
    }
}

/// A request as its signature sees it.
pub(crate) fn request_parts<'a>(head: &Head<'a>) -> RequestParts<'a> {
    RequestParts {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: head.headers,
        host: head.uri.authority().map(http::uri::Authority::as_str),
    }
}

/// The fault of a request for an operation that no service serves.
fn unknown_operation(route: &Route<'_>, head: &wire::protocol::Head<'_>, body: &[u8]) -> Fault {
    let protocol = route.protocol;
    let unknown = |operation: &str, version: &str| {
        if let Some(endpoint) = route.endpoint
            && let Some(operation) = endpoint.not_served(operation)
        {
            return CommonFault::NotServed { operation, service: endpoint.name() }.fault(protocol);
        }
        let quoted = |text: &str| wire::shape::quote(text).to_owned();
        CommonFault::UnknownOperation { operation: quoted(operation), version: quoted(version) }.fault(protocol)
    };
    match &route.claim {
        Claim::Operation(name) => unknown(name, ""),
        Claim::Route(matched) => unknown(matched.route.operation, ""),
        Claim::Nowhere => unknown("", ""),
        Claim::Form => match query::action(wire::protocol::parameters(head, body)) {
            Some(asked) => unknown(&asked.name, &asked.version),
            None => CommonFault::MissingAction.fault(protocol),
        },
    }
}

#[cfg(test)]
mod tests;
