//! Git's wire: packet lines, capabilities, and the messages of upload-pack and receive-pack, as functions.
//!
//! Owns their bytes. Refuses to know sockets, repositories and callers.
//!
//! Source: git's documentation, gitprotocol-common, gitprotocol-pack, gitprotocol-v2, gitprotocol-capabilities and
//! gitprotocol-http.

mod advertisement;
mod archive;
mod capabilities;
mod error;
mod fetch;
mod filter;
pub mod lfs;
mod negotiation;
mod packet;
mod path;
mod push;
mod report;
mod sections;
mod side_band;
mod ssh;
mod text;
mod v0;
mod v2;

pub use advertisement::{
    Advertisement, Offer, Reference, receive_capabilities, service_line, upload_capabilities, v2_capabilities,
};
pub use archive::{ArchiveReader, acknowledge_archive, refuse_archive};
pub use capabilities::Capabilities;
pub use error::WireError;
pub use fetch::{Deepen, Fetch, INFINITE_DEPTH};
pub use filter::Filter;
pub use negotiation::{Have, MultiAck, Negotiation, Next, Turn};
pub use packet::{DELIMITER, Decoder, FLUSH, PACKET_BYTES_MAX, Packet, RESPONSE_END, error_line, line, line_of, parse};
pub use path::{Endpoint, LfsEndpoint, RepositoryPath, Service, is_repository_name, repository_of};
pub use push::{Command, Push, PushReader, Report};
pub use report::RefReport;
pub use sections::{LsRef, acknowledgments, ls_refs_line, object_info, shallow_lines, wanted_refs};
pub use side_band::{Band, KEEP_ALIVE, SideBand};
pub use ssh::SshCommand;
pub use text::{clean, clean_progress};
pub use v0::{UploadReader, UploadRequest};
pub use v2::{LsRefs, ObjectInfo, Request, RequestReader, Version};

/// Wants in a request at most.
pub const WANTS_MAX: usize = 65_536;

/// Haves in a request at most.
pub const HAVES_MAX: usize = 131_072;

/// Shallow commits of a client at most.
pub const SHALLOW_MAX: usize = 262_144;

/// References that a request excludes by `deepen-not` at most.
pub const EXCLUDED_MAX: usize = 1024;

/// Prefixes of references at most. A request with more is answered with all references, as git does.
pub const PREFIXES_MAX: usize = 65_536;

/// Reference updates of a push at most: AWS's limit.
pub const COMMANDS_MAX: usize = 4000;

/// Options of a push at most.
pub const PUSH_OPTIONS_MAX: usize = 1024;

/// Arguments of an archive at most, as git has it.
pub const ARCHIVE_ARGUMENTS_MAX: usize = 64;
