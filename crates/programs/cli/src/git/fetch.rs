//! The client's half of a fetch in version 2 of Git's protocol: what references there are, and the pack of all of them.
//! Knows neither what is at the other end nor what the pack is for.
//!
//! Source: gitprotocol-v2.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};

use git_object::{ObjectFormat, ObjectId};
use git_wire::{DELIMITER, FLUSH, PACKET_BYTES_MAX, Packet, clean, line_of, parse};

use super::progress::Progress;
use crate::failure::Failure;

/// References at most, so that no server fills the memory.
const REFERENCES_MAX: usize = 1_000_000;

/// A connection to what serves fetches.
pub(crate) struct Fetch<R, W> {
    from: R,
    to: W,
    /// Whether each answer ends with a packet of its own, as over HTTP.
    ends: bool,
    format: ObjectFormat,
    /// Whether the format is to be named.
    names_format: bool,
    unborn: bool,
    packet: Vec<u8>,
}

/// The references of a repository.
pub(crate) struct Found {
    /// Their full names and objects.
    pub(crate) references: Vec<(String, ObjectId)>,
    /// The reference that `HEAD` stands for, if it stands for one.
    pub(crate) head: Option<String>,
}

/// Reads one packet into `room`.
pub(crate) fn packet<'a>(from: &mut impl Read, room: &'a mut Vec<u8>) -> Result<Packet<'a>, Failure> {
    let broken = |cause: std::io::Error| {
        Failure::Repository(match cause.kind() {
            ErrorKind::UnexpectedEof => "the other end hung up in the middle: try again".to_owned(),
            _ => format!("the other end broke off: {cause}"),
        })
    };
    room.resize(4, 0);
    from.read_exact(room).map_err(broken)?;
    // Only four bytes are there: it is complete or lacks bytes.
    if parse(room).map_err(unreadable)?.is_none() {
        let digits = str::from_utf8(room).unwrap_or_default();
        let length = usize::from_str_radix(digits, 16).unwrap_or_default();
        room.resize(length.clamp(4, PACKET_BYTES_MAX), 0);
        from.read_exact(room.get_mut(4..).unwrap_or_default()).map_err(broken)?;
    }
    match parse(room).map_err(unreadable)? {
        Some((packet, _)) => Ok(packet),
        None => Err(Failure::Repository("the other end sent half a packet".to_owned())),
    }
}

fn unreadable(error: git_wire::WireError) -> Failure {
    Failure::Repository(format!("the other end does not speak Git's protocol: {error}"))
}

/// A line's text, unless it is an error of the other end's.
fn said(text: &[u8]) -> Result<String, Failure> {
    match text.strip_prefix(b"ERR ") {
        Some(error) => Err(Failure::Repository(clean(error))),
        None => String::from_utf8(text.to_vec()).map_err(|_| Failure::Repository(not_utf8(text))),
    }
}

fn not_utf8(text: &[u8]) -> String {
    format!("a reference has a name that is not UTF-8: {}", clean(text))
}

impl<R: Read, W: Write> Fetch<R, W> {
    /// Reads what the other end can do. `None`: it speaks an older version.
    pub(crate) fn begin(mut from: R, to: W, ends: bool) -> Result<Option<Self>, Failure> {
        let mut room = Vec::new();
        let (mut format, mut names_format, mut unborn) = (ObjectFormat::Sha1, false, false);
        match packet(&mut from, &mut room)?.text() {
            Some(b"version 2") => {}
            Some(text) => {
                said(text)?;
                return Ok(None);
            }
            None => return Ok(None),
        }
        loop {
            let Some(text) = packet(&mut from, &mut room)?.text() else { break };
            if let Some(name) = text.strip_prefix(b"object-format=") {
                names_format = true;
                format = ObjectFormat::from_name(name)
                    .ok_or_else(|| Failure::Repository(format!("the hash function {} is not known", clean(name))))?;
            } else if let Some(features) = text.strip_prefix(b"ls-refs=") {
                unborn = features.split(|byte| *byte == b' ').any(|feature| feature == b"unborn");
            }
        }
        Ok(Some(Self { from, to, ends, format, names_format, unborn, packet: room }))
    }

    /// The hash function of the repository.
    pub(crate) const fn format(&self) -> ObjectFormat {
        self.format
    }

    fn command(&self, name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        line_of(&mut out, format_args!("command={name}"));
        if self.names_format {
            line_of(&mut out, format_args!("object-format={}", self.format.name()));
        }
        out.extend_from_slice(DELIMITER);
        out
    }

    fn send(&mut self, request: &[u8]) -> Result<(), Failure> {
        let sent = self.to.write_all(request).and_then(|()| self.to.flush());
        sent.map_err(|cause| Failure::Repository(format!("the other end broke off: {cause}")))
    }

    fn end_answer(&mut self) -> Result<(), Failure> {
        if self.ends && packet(&mut self.from, &mut self.packet)? != Packet::ResponseEnd {
            return Err(Failure::Repository("an answer does not end where it should".to_owned()));
        }
        Ok(())
    }

    /// All references that are `wanted` by their names.
    pub(crate) fn references(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Found, Failure> {
        let mut request = self.command("ls-refs");
        line_of(&mut request, format_args!("symrefs"));
        if self.unborn {
            line_of(&mut request, format_args!("unborn"));
        }
        request.extend_from_slice(FLUSH);
        self.send(&request)?;
        let mut found = Found { references: Vec::new(), head: None };
        loop {
            let Some(text) = packet(&mut self.from, &mut self.packet)?.text() else { break };
            let line = said(text)?;
            let mut words = line.split(' ');
            let (Some(id), Some(name)) = (words.next(), words.next()) else {
                return Err(Failure::Repository(format!("the other end sent what is no reference: {line}")));
            };
            if name == "HEAD" {
                found.head = words.find_map(|word| word.strip_prefix("symref-target:")).map(str::to_owned);
            } else if wanted(name) {
                let id = ObjectId::from_hex(self.format, id.as_bytes())
                    .map_err(|error| Failure::Repository(format!("{name}: {error}")))?;
                found.references.push((name.to_owned(), id));
                if found.references.len() > REFERENCES_MAX {
                    return Err(Failure::Repository(format!("there are more than {REFERENCES_MAX} references")));
                }
            }
        }
        self.end_answer()?;
        Ok(found)
    }

    /// Hands the pack of everything that the references lead to to `take`, piece by piece.
    pub(crate) fn pack(
        &mut self,
        references: &[(String, ObjectId)],
        progress: &Progress,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut request = self.command("fetch");
        line_of(&mut request, format_args!("ofs-delta"));
        for id in references.iter().map(|(_, id)| id).collect::<BTreeSet<_>>() {
            line_of(&mut request, format_args!("want {id}"));
        }
        line_of(&mut request, format_args!("done"));
        request.extend_from_slice(FLUSH);
        self.send(&request)?;
        match packet(&mut self.from, &mut self.packet)?.text() {
            Some(b"packfile") => {}
            Some(b"shallow-info") => {
                let words = "the repository is shallow: complete it with `git fetch --unshallow` first";
                return Err(Failure::Repository(words.to_owned()));
            }
            text => {
                let line = said(text.unwrap_or_default())?;
                return Err(Failure::Repository(format!("the other end sent no pack but {line:?}")));
            }
        }
        loop {
            let Packet::Data(bytes) = packet(&mut self.from, &mut self.packet)? else { break };
            match bytes.split_first() {
                Some((1, data)) => {
                    progress.flowed(data.len());
                    take(data)?;
                }
                Some((2, words)) => progress.say(&clean(words)),
                Some((3, words)) => return Err(Failure::Repository(clean(words))),
                _ => return Err(Failure::Repository("the other end sent an unknown band".to_owned())),
            }
        }
        self.end_answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn lines(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        lines.iter().for_each(|line| line_of(&mut out, format_args!("{line}")));
        out.extend_from_slice(FLUSH);
        out
    }

    #[test]
    fn references_are_read_and_asked_for_in_the_servers_format() {
        let head = format!("{ID} HEAD symref-target:refs/heads/x");
        let (branch, remote) = (format!("{ID} refs/heads/x"), format!("{ID} refs/remotes/o/x"));
        let answers = [
            lines(&["version 2", "agent=a", "ls-refs=unborn", "object-format=sha1"]),
            lines(&[&head, &branch, &remote]),
        ]
        .concat();
        let mut sent = Vec::new();
        let mut fetch = Fetch::begin(&answers[..], &mut sent, false).expect("read").expect("version 2");
        let found = fetch.references(|name| !name.starts_with("refs/remotes/")).expect("references");
        assert_eq!(found.head.as_deref(), Some("refs/heads/x"));
        assert_eq!(found.references.len(), 1);
        drop(fetch);
        let text = String::from_utf8(sent).expect("text");
        assert!(text.contains("command=ls-refs\n") && text.contains("object-format=sha1\n"), "{text}");
    }

    #[test]
    fn what_is_no_protocol_and_what_is_an_older_one_is_told() {
        let begin = |bytes: &[u8]| Fetch::begin(bytes, Vec::new(), false).map(|begun| begun.is_some());
        assert!(!begin(&lines(&[&format!("{ID} HEAD")])).expect("an older version"));
        for bad in [b"".as_slice(), b"00", b"zzzz", b"0003", b"ffff", b"0010ERR no such", b"0010version 2"] {
            assert!(begin(bad).is_err(), "{bad:?}");
        }
    }
}
