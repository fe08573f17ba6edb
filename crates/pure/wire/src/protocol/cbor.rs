//! Smithy RPC v2 CBOR: a map in, a map out, service and operation in the path.
//!
//! Source: Smithy, "Smithy RPC v2 CBOR protocol".

use http::Method;
use serde::Serialize;

use super::{Claim, Head};
use crate::Fault;
use crate::encode::{Form, Sink};

/// The protocol's name in the header `smithy-protocol` of requests and answers.
pub(super) const NAME: &str = "rpc-v2-cbor";

/// CBOR for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cbor {
    /// The service's name in the path, such as `CodeDeploy_20141006`.
    pub service: &'static str,
    /// The namespace of its shapes, such as `com.amazonaws.codedeploy`.
    pub namespace: &'static str,
}

impl Cbor {
    pub(super) fn claims<'a>(self, head: &Head<'a>) -> Option<Claim<'a>> {
        if !head.is_cbor() || head.method != Method::POST {
            return None;
        }
        // Whatever precedes: a service may be behind a prefix.
        let mut segments = head.uri.path().rsplit('/');
        let (operation, literal, service) = (segments.next()?, segments.next()?, segments.next()?);
        let claimed = literal == "operation" && service == self.service && segments.next()? == "service";
        (claimed && !operation.is_empty()).then_some(Claim::Operation(operation))
    }

    pub(super) fn fault(self, fault: &Fault) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "__type")]
            code: &'a str,
            message: &'a str,
        }
        let code = match self.namespace {
            "" => fault.code.to_owned(),
            namespace => format!("{namespace}#{}", fault.code),
        };
        let mut sink = Sink::new(Form::Cbor);
        // Texts under fixed names cannot fail to be written.
        let _ = sink.value("", &Body { code: &code, message: &fault.message });
        sink.buffer.into_bytes()
    }
}
