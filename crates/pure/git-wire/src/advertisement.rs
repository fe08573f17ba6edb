//! The advertisement of a server: capabilities and references.
//!
//! Owns the form of versions 0, 1 and 2. What is offered is what the other files of this crate read.
//!
//! Source: gitprotocol-pack, "Reference Discovery"; gitprotocol-v2, "Capability Advertisement"; gitprotocol-http,
//! "Smart Clients".

use git_object::{ObjectFormat, ObjectId};

use crate::packet::{FLUSH, line, line_of};
use crate::path::Service;
use crate::v2::Version;

/// Facts of a repository and a connection that decide the offer.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The repository's format; `None`: it is empty and takes that of its first push.
    pub format: Option<ObjectFormat>,
    /// The branch that `HEAD` refers to, if it should be shown.
    pub head: Option<&'a [u8]>,
    /// Whether each request stands alone, as over HTTP.
    pub stateless: bool,
    /// The server's name and version, such as `sealstack/1.0`.
    pub agent: &'a str,
}

/// The capabilities of upload-pack in versions 0 and 1.
#[must_use]
pub fn upload_capabilities(offer: Offer<'_>) -> Vec<u8> {
    let mut text = b"multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not \
        deepen-relative no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want \
        allow-reachable-sha1-in-want"
        .to_vec();
    if offer.stateless {
        text.extend_from_slice(b" no-done");
    }
    if let Some(head) = offer.head {
        text.extend_from_slice(b" symref=HEAD:");
        text.extend_from_slice(head);
    }
    let format = offer.format.unwrap_or(ObjectFormat::Sha1).name();
    text.extend_from_slice(format!(" filter object-format={format} agent={}", offer.agent).as_bytes());
    text
}

/// The capabilities of receive-pack.
#[must_use]
pub fn receive_capabilities(offer: Offer<'_>) -> Vec<u8> {
    let formats = match offer.format {
        Some(format) => format!("object-format={}", format.name()),
        // The first one is that of the ids which follow.
        None => "object-format=sha1 object-format=sha256".to_owned(),
    };
    let fixed = "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options";
    format!("{fixed} {formats} agent={}", offer.agent).into_bytes()
}

/// Writes all of version 2's advertisement, for upload-pack.
pub fn v2_capabilities(out: &mut Vec<u8>, offer: Offer<'_>) {
    line_of(out, format_args!("version 2"));
    line_of(out, format_args!("agent={}", offer.agent));
    line_of(out, format_args!("ls-refs=unborn"));
    line_of(out, format_args!("fetch=shallow wait-for-done filter ref-in-want"));
    line_of(out, format_args!("server-option"));
    line_of(out, format_args!("object-format={}", offer.format.unwrap_or(ObjectFormat::Sha1).name()));
    line_of(out, format_args!("object-info"));
    out.extend_from_slice(FLUSH);
}

/// Writes what stands before the advertisement over HTTP, except that of version 2.
pub fn service_line(out: &mut Vec<u8>, service: Service) {
    line_of(out, format_args!("# service={}", service.name()));
    out.extend_from_slice(FLUSH);
}

/// A reference as versions 0 and 1 show it.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its object.
    pub id: ObjectId,
    /// The object that its annotated tag leads to. Not for receive-pack.
    pub peeled: Option<ObjectId>,
}

/// Writes the references of versions 0 and 1, in the order in which they are given, `HEAD` first.
pub struct Advertisement {
    format: ObjectFormat,
    /// `None` once they are written.
    capabilities: Option<Vec<u8>>,
    version: Version,
}

impl Advertisement {
    /// An advertisement that begins with those capabilities.
    #[must_use]
    pub fn new(version: Version, format: Option<ObjectFormat>, capabilities: Vec<u8>) -> Self {
        Self { format: format.unwrap_or(ObjectFormat::Sha1), capabilities: Some(capabilities), version }
    }

    /// Writes a reference.
    pub fn reference(&mut self, out: &mut Vec<u8>, reference: Reference<'_>) {
        self.first(out, reference.id, reference.name);
        if let Some(peeled) = reference.peeled {
            line(out, &[peeled.to_string().as_bytes(), b" ", reference.name, b"^{}\n"]);
        }
    }

    /// Writes the end. A repository without references still says what the server can do.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        if self.capabilities.is_some() {
            self.first(out, ObjectId::null(self.format), b"capabilities^{}");
        }
        out.extend_from_slice(FLUSH);
    }

    fn first(&mut self, out: &mut Vec<u8>, id: ObjectId, name: &[u8]) {
        let hex = id.to_string();
        let Some(capabilities) = self.capabilities.take() else {
            return line(out, &[hex.as_bytes(), b" ", name, b"\n"]);
        };
        if self.version == Version::V1 {
            line_of(out, format_args!("version 1"));
        }
        line(out, &[hex.as_bytes(), b" ", name, b"\0", &capabilities, b"\n"]);
    }
}
