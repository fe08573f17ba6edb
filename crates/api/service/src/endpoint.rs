//! A service without its type, as the gateway has it in its list.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use wire::body::Algorithm;
use wire::shape::{At, MemberInfo, body_bytes_max};
use wire::{CommonFault, Protocol};

use crate::call::CallContext;
use crate::cross_origin::{CrossOrigin, CrossOriginAnswer};
use crate::dispatch::{Given, Outcome, Request};
use crate::operation::{AuditClass, Entry, Running, Service};

/// An operation's row without its service's type.
#[derive(Clone, Copy)]
pub(crate) struct OperationRef {
    pub(crate) name: &'static str,
    pub(crate) class: AuditClass,
    pub(crate) index: usize,
    /// The most bytes that a body takes which breaks no rule of its input.
    pub(crate) body_bytes_max: usize,
    /// Whether it reads the body as a stream, of any length.
    pub(crate) streams: bool,
    /// Whether it takes a browser's form.
    pub(crate) form: bool,
    /// Whether the checksums in its head are members of its input, and not of the body.
    pub(crate) takes_checksums: bool,
}

/// A service without its type.
pub(crate) trait Endpoint: Send + Sync {
    fn name(&self) -> &'static str;
    fn event_source(&self) -> &'static str;
    fn protocols(&self) -> &'static [Protocol];
    fn operation(&self, name: &str) -> Option<OperationRef>;
    fn takes_unsigned(&self, name: &str) -> bool;
    /// The headers for a page of another site.
    fn cross_origin<'a>(&'a self, asked: CrossOrigin<'a>) -> Option<CrossOriginAnswer<'a>>;
    /// Whether a host may give the first label of this path.
    fn has_hosts(&self, headers: &HeaderMap, path: &str) -> bool;
    /// Whether unsigned requests of restXml are served, as those of an anonymous caller.
    fn takes_anonymous(&self) -> bool;
    /// The most bytes that a body takes which breaks no rule of any operation of the service.
    fn body_bytes_max(&self) -> usize;
    /// The name, if AWS's service has the operation and this one does not serve it.
    fn not_served(&self, name: &str) -> Option<&'static str>;
    fn serve<'a>(&'a self, operation: OperationRef, context: CallContext<'a>, request: Request<'a>) -> Running<'a>;
}

/// A service as an endpoint.
pub(crate) fn endpoint<S: Service>(service: Arc<S>) -> Box<dyn Endpoint> {
    let operations = S::operations();
    let rows = operations.iter().enumerate().map(|(index, entry)| {
        let Entry { name, class, input, streams, form, .. } = *entry;
        let body_bytes_max = body_bytes_max(input).min(S::BODY_BYTES_MAX);
        let states_checksum =
            |member: &MemberInfo| matches!(member.place.at, At::Header(name) if Algorithm::of_header(name).is_some());
        let takes_checksums = !streams && !form && input.iter().any(states_checksum);
        (name, OperationRef { name, class, index, body_bytes_max, streams, form, takes_checksums })
    });
    let by_name = rows.collect();
    Box::new(Served { service, operations, by_name })
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

    fn protocols(&self) -> &'static [Protocol] {
        S::PROTOCOLS
    }

    fn operation(&self, name: &str) -> Option<OperationRef> {
        self.by_name.get(name).copied()
    }

    fn takes_unsigned(&self, name: &str) -> bool {
        S::UNSIGNED.contains(&name)
    }

    fn cross_origin<'a>(&'a self, asked: CrossOrigin<'a>) -> Option<CrossOriginAnswer<'a>> {
        self.service.cross_origin(asked)
    }

    fn has_hosts(&self, headers: &HeaderMap, path: &str) -> bool {
        let rest = S::PROTOCOLS.iter().any(|protocol| protocol.is_rest());
        rest && !S::is_below_account(headers, path)
    }

    fn takes_anonymous(&self) -> bool {
        S::ANONYMOUS
    }

    fn body_bytes_max(&self) -> usize {
        self.by_name.values().map(|operation| operation.body_bytes_max).max().unwrap_or_default()
    }

    fn not_served(&self, name: &str) -> Option<&'static str> {
        S::NOT_SERVED.lines().find(|line| *line == name && !line.starts_with('#'))
    }

    fn serve<'a>(&'a self, operation: OperationRef, context: CallContext<'a>, request: Request<'a>) -> Running<'a> {
        let refused = |fault: CommonFault| -> Running<'a> {
            Box::pin(std::future::ready(Outcome::refused(fault.fault(context.protocol))))
        };
        // INVARIANT: `index` came from this table's own `operation`.
        let Some(entry) = self.operations.get(operation.index) else { return refused(CommonFault::InternalFailure) };
        // Which operation a form is for was not known before it was read.
        if matches!(&request.given, Given::Whole(bytes) if bytes.len() > operation.body_bytes_max) {
            return refused(CommonFault::RequestEntityTooLarge);
        }
        (entry.serve)(context.call(&self.service, operation.name), request)
    }
}
