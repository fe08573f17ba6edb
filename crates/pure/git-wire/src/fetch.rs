//! The arguments of a fetch, in whichever version of the protocol.

use git_object::{ObjectFormat, ObjectId};

use crate::error::{WireError, beginning};
use crate::filter::Filter;
use crate::{EXCLUDED_MAX, HAVES_MAX, SHALLOW_MAX, WANTS_MAX};

/// The depth that stands for a whole history: `git fetch --unshallow` asks for it.
pub const INFINITE_DEPTH: u32 = 0x7fff_ffff;

/// How deep a history is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deepen {
    /// Commits from each tip, or from where the client's history ends.
    pub depth: Option<u32>,
    /// Whether `depth` counts from where the client's history ends.
    pub relative: bool,
    /// Seconds since 1970: no older commits.
    pub since: Option<i64>,
    /// References whose commits are left out, as the client wrote them.
    pub not: Vec<Vec<u8>>,
}

/// The arguments of a fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    /// Objects, each once.
    pub wants: Vec<ObjectId>,
    /// References whose objects are wanted, each once (version 2).
    pub want_refs: Vec<Vec<u8>>,
    /// Objects that the client has (version 2; see [`crate::Negotiation`] for the others).
    pub haves: Vec<ObjectId>,
    /// Whether the pack is wanted without further negotiation (version 2).
    pub done: bool,
    /// Whether the pack is to wait for `done` (version 2).
    pub wait_for_done: bool,
    /// Whether deltas may be against objects that the client has.
    pub thin_pack: bool,
    /// Whether progress is unwanted.
    pub no_progress: bool,
    /// Whether annotated tags of what is sent are sent as well.
    pub include_tag: bool,
    /// Whether deltas may name their base by its offset.
    pub ofs_delta: bool,
    /// Commits whose parents the client lacks.
    pub shallow: Vec<ObjectId>,
    /// How deep a history is wanted.
    pub deepen: Deepen,
    /// Which objects are left out.
    pub filter: Option<Filter>,
}

impl Fetch {
    /// Takes a line that both versions have. `false` for any other.
    pub(crate) fn line(&mut self, format: ObjectFormat, line: &[u8]) -> Result<bool, WireError> {
        let (key, value) = split(line);
        match key {
            b"want" => self.want(id(format, "want <id>", value, line)?)?,
            b"shallow" => {
                add(&mut self.shallow, id(format, "shallow <id>", value, line)?, "shallow commits", SHALLOW_MAX)?;
            }
            b"deepen" => {
                let depth = u32::try_from(number(value, line)?).ok().filter(|depth| *depth > 0);
                let depth = depth.ok_or_else(|| WireError::unexpected("deepen <depth>", line))?;
                self.deepen.depth = Some(depth.min(INFINITE_DEPTH));
            }
            b"deepen-since" => self.deepen.since = Some(number(value, line)?),
            b"deepen-not" if !value.is_empty() => {
                add(&mut self.deepen.not, value.to_vec(), "excluded references", EXCLUDED_MAX)?;
            }
            b"filter" => self.filter = Some(Filter::parse(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(crate) fn want(&mut self, id: ObjectId) -> Result<(), WireError> {
        add(&mut self.wants, id, "wants", WANTS_MAX)
    }

    pub(crate) fn have(&mut self, id: ObjectId) -> Result<(), WireError> {
        add(&mut self.haves, id, "haves", HAVES_MAX)
    }

    /// Leaves what was named more than once there once, in the first place.
    pub(crate) fn settle(&mut self) {
        let mut seen = std::collections::HashSet::with_capacity(self.wants.len());
        self.wants.retain(|id| seen.insert(*id));
        let mut seen = std::collections::HashSet::new();
        self.want_refs.retain(|name| seen.insert(name.clone()));
    }
}

/// A line's first word and the rest behind the space.
pub(crate) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|byte| *byte == b' ') {
        Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
        None => (line, &[]),
    }
}

pub(crate) fn add<T>(to: &mut Vec<T>, value: T, what: &'static str, max: usize) -> Result<(), WireError> {
    if to.len() >= max {
        return Err(WireError::TooMany { what, max });
    }
    to.push(value);
    Ok(())
}

/// The id that `hex` is, and all of it. One of the other format is refused as such.
pub(crate) fn id(format: ObjectFormat, expected: &'static str, hex: &[u8], line: &[u8]) -> Result<ObjectId, WireError> {
    ObjectId::from_hex(format, hex).map_err(|_| {
        let other = [ObjectFormat::Sha1, ObjectFormat::Sha256].into_iter().find(|other| *other != format);
        match other.filter(|other| ObjectId::from_hex(*other, hex).is_ok()) {
            Some(other) => WireError::ObjectFormat { server: format.name(), client: other.name().to_owned() },
            None => WireError::unexpected(expected, line),
        }
    })
}

fn number(value: &[u8], line: &[u8]) -> Result<i64, WireError> {
    let number = str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
    number.filter(|number| *number >= 0).ok_or_else(|| WireError::unexpected("a number", line))
}

/// The format that a client states, if it is the repository's.
pub(crate) fn same_format(server: ObjectFormat, client: &[u8]) -> Result<(), WireError> {
    if client == server.name().as_bytes() {
        Ok(())
    } else {
        Err(WireError::ObjectFormat { server: server.name(), client: beginning(client) })
    }
}
