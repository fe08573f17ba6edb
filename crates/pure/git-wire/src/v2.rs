//! Requests of version 2: a command, its capabilities and its arguments.
//!
//! Source: gitprotocol-v2.

use git_object::{ObjectFormat, ObjectId};

use crate::error::WireError;
use crate::fetch::{Fetch, add, id, same_format, split};
use crate::packet::Packet;
use crate::{PREFIXES_MAX, WANTS_MAX};

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The default if none is stated.
    #[default]
    V0,
    /// Version 0 behind a line that says so.
    V1,
    /// Version 2.
    V2,
}

impl Version {
    /// The highest version that the text of `Git-Protocol` (HTTP) or `GIT_PROTOCOL` (SSH) names.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let version = |key: &[u8]| match key {
            b"version=1" => Self::V1,
            b"version=2" => Self::V2,
            _ => Self::V0,
        };
        text.split(|byte| *byte == b':').map(|key| version(key.trim_ascii())).max().unwrap_or_default()
    }
}

/// Arguments of `ls-refs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LsRefs {
    /// Whether to show what annotated tags lead to.
    pub peel: bool,
    /// Whether to show what symbolic references refer to.
    pub symrefs: bool,
    /// Whether to show a `HEAD` whose branch does not exist.
    pub unborn: bool,
    /// Beginnings of the names to show, in order, none of which is the beginning of another. None: all are shown.
    pub prefixes: Vec<Vec<u8>>,
}

impl LsRefs {
    /// Whether a reference of that name is asked for.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        // Of those before a name in order, only the last can be its beginning.
        let before = self.prefixes.partition_point(|prefix| prefix.as_slice() <= name);
        let last = before.checked_sub(1).and_then(|last| self.prefixes.get(last));
        self.prefixes.is_empty() || last.is_some_and(|prefix| name.starts_with(prefix))
    }

    /// Puts the prefixes in order, without those that another one stands for.
    fn settle(&mut self) {
        self.prefixes.sort_unstable();
        self.prefixes.dedup_by(|next, before| next.starts_with(before));
    }
}

/// Arguments of `object-info`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Whether to show sizes.
    pub size: bool,
    /// The objects.
    pub ids: Vec<ObjectId>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The client has no more of them.
    End,
    /// `ls-refs`.
    LsRefs(LsRefs),
    /// `fetch`.
    Fetch(Box<Fetch>),
    /// `object-info`.
    ObjectInfo(ObjectInfo),
}

/// Reads requests from packets, one after another.
pub struct RequestReader {
    format: ObjectFormat,
    state: State,
}

enum State {
    /// Before the delimiter.
    Head {
        command: Option<Request>,
        stated: Option<ObjectFormat>,
        lines: usize,
    },
    Arguments {
        command: Request,
        too_many_prefixes: bool,
    },
}

const HEAD: State = State::Head { command: None, stated: None, lines: 0 };

/// Lines before the arguments at most: command, agent, object format, session id, server options.
const HEAD_LINES_MAX: usize = 1024;

impl RequestReader {
    /// A reader of requests to a repository of that format.
    #[must_use]
    pub const fn new(format: ObjectFormat) -> Self {
        Self { format, state: HEAD }
    }

    /// Takes a packet; the request once the flush packet came that ends it.
    ///
    /// # Errors
    /// [`WireError`] for commands that were not offered, lines that are no arguments, too many of them, and another
    /// hash function.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<Option<Request>, WireError> {
        match (&mut self.state, packet) {
            (State::Head { command: None, lines: 0, .. }, Packet::Flush) => Ok(Some(Request::End)),
            (State::Head { command, stated, .. }, Packet::Flush | Packet::Delimiter) => {
                let command = command.take().ok_or_else(|| WireError::unexpected("a command", packet.shown()))?;
                // A request that states no format means SHA-1.
                same_format(self.format, stated.unwrap_or(ObjectFormat::Sha1).name().as_bytes())?;
                self.state = State::Arguments { command, too_many_prefixes: false };
                if packet == Packet::Flush { self.packet(packet) } else { Ok(None) }
            }
            (State::Head { command, stated, lines }, packet) => {
                let line = packet.line("a command")?;
                *lines += 1;
                if *lines > HEAD_LINES_MAX {
                    return Err(WireError::TooMany { what: "capabilities", max: HEAD_LINES_MAX });
                }
                if let Some(name) = line.strip_prefix(b"command=") {
                    let named = match name {
                        b"ls-refs" => Request::LsRefs(LsRefs::default()),
                        b"fetch" => Request::Fetch(Box::default()),
                        b"object-info" => Request::ObjectInfo(ObjectInfo::default()),
                        _ => return Err(WireError::unexpected("ls-refs, fetch or object-info", name)),
                    };
                    if command.replace(named).is_some() {
                        return Err(WireError::unexpected("one command", line));
                    }
                } else if let Some(name) = line.strip_prefix(b"object-format=") {
                    let format = ObjectFormat::from_name(name);
                    *stated = Some(format.ok_or_else(|| WireError::unexpected("sha1 or sha256", name))?);
                }
                // Agents, session ids and server options change nothing.
                Ok(None)
            }
            (State::Arguments { .. }, Packet::Flush) => {
                let state = std::mem::replace(&mut self.state, HEAD);
                let State::Arguments { mut command, too_many_prefixes } = state else { return Ok(None) };
                match &mut command {
                    Request::Fetch(fetch) => fetch.settle(),
                    Request::LsRefs(ls_refs) if too_many_prefixes => ls_refs.prefixes.clear(),
                    Request::LsRefs(ls_refs) => ls_refs.settle(),
                    _ => {}
                }
                Ok(Some(command))
            }
            (State::Arguments { command, too_many_prefixes }, packet) => {
                let line = packet.line("an argument")?;
                match command {
                    Request::LsRefs(ls_refs) => ls_refs_argument(ls_refs, too_many_prefixes, line)?,
                    Request::Fetch(fetch) => fetch_argument(fetch, self.format, line)?,
                    Request::ObjectInfo(info) => object_info_argument(info, self.format, line)?,
                    Request::End => return Err(WireError::unexpected("nothing", line)),
                }
                Ok(None)
            }
        }
    }
}

fn ls_refs_argument(ls_refs: &mut LsRefs, too_many_prefixes: &mut bool, line: &[u8]) -> Result<(), WireError> {
    match split(line) {
        (b"peel", b"") => ls_refs.peel = true,
        (b"symrefs", b"") => ls_refs.symrefs = true,
        (b"unborn", b"") => ls_refs.unborn = true,
        (b"ref-prefix", prefix) if ls_refs.prefixes.len() < PREFIXES_MAX => ls_refs.prefixes.push(prefix.to_vec()),
        (b"ref-prefix", _) => *too_many_prefixes = true,
        _ => return Err(WireError::unexpected("an argument of ls-refs", line)),
    }
    Ok(())
}

fn fetch_argument(fetch: &mut Fetch, format: ObjectFormat, line: &[u8]) -> Result<(), WireError> {
    match split(line) {
        (b"have", hex) => fetch.have(id(format, "have <id>", hex, line)?)?,
        (b"want-ref", name) if !name.is_empty() => {
            add(&mut fetch.want_refs, name.to_vec(), "wanted references", WANTS_MAX)?;
        }
        (b"done", b"") => fetch.done = true,
        (b"wait-for-done", b"") => fetch.wait_for_done = true,
        (b"thin-pack", b"") => fetch.thin_pack = true,
        (b"no-progress", b"") => fetch.no_progress = true,
        (b"include-tag", b"") => fetch.include_tag = true,
        (b"ofs-delta", b"") => fetch.ofs_delta = true,
        (b"deepen-relative", b"") => fetch.deepen.relative = true,
        _ if fetch.line(format, line)? => {}
        _ => return Err(WireError::unexpected("an argument of fetch", line)),
    }
    Ok(())
}

fn object_info_argument(info: &mut ObjectInfo, format: ObjectFormat, line: &[u8]) -> Result<(), WireError> {
    match split(line) {
        (b"size", b"") => info.size = true,
        (b"oid", hex) => add(&mut info.ids, id(format, "oid <id>", hex, line)?, "objects", WANTS_MAX)?,
        _ => return Err(WireError::unexpected("an argument of object-info", line)),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
