//! The client's half of a push: what references are to be made, the pack, and the report. Progress comes on a thread of its
//! own, so that neither side waits for the other.
//!
//! Source: gitprotocol-pack, "Pushing Data To a Server".

use std::io::{BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use git_object::{Checksum, ObjectFormat, ObjectId};
use git_wire::{COMMANDS_MAX, FLUSH, Packet, clean, line, parse};

use super::fetch::packet;
use super::progress::Progress;
use crate::failure::Failure;

/// References of one push.
pub(crate) const REFERENCES_MAX: usize = COMMANDS_MAX;

/// A connection that takes pushes.
pub(crate) struct Pushes {
    to: UnixStream,
    hearing: Option<JoinHandle<Result<(), Failure>>>,
    progress: Progress,
}

impl Pushes {
    pub(crate) const fn new(to: UnixStream, progress: Progress) -> Self {
        Self { to, hearing: None, progress }
    }

    /// Begins a push that makes these references, all or none; its pack follows.
    pub(crate) fn begin(&mut self, format: ObjectFormat, references: &[(String, ObjectId)]) -> Result<(), Failure> {
        let mut out = Vec::new();
        let null = ObjectId::null(format);
        let agent = concat!("agent=sealstack/", env!("CARGO_PKG_VERSION"));
        let can = format!("report-status side-band-64k atomic object-format={} {agent}", format.name());
        for (number, (name, id)) in references.iter().enumerate() {
            let command = format!("{null} {id} {name}");
            if number == 0 {
                line(&mut out, &[command.as_bytes(), &[0], can.as_bytes()]);
            } else {
                line(&mut out, &[command.as_bytes()]);
            }
        }
        out.extend_from_slice(FLUSH);
        let from = self.to.try_clone().map_err(broke)?;
        let progress = self.progress.clone();
        self.hearing = Some(std::thread::spawn(move || {
            let heard = hear(&from, &progress);
            if heard.is_err() {
                // Nobody takes the rest of the pack.
                let _ = from.shutdown(Shutdown::Write);
            }
            heard
        }));
        self.write(&out)
    }

    /// Sends a piece of the pack.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.to.write_all(bytes) {
            Ok(()) => Ok(()),
            // Why, is what was heard last.
            Err(cause) => Err(self.end().err().unwrap_or_else(|| broke(cause))),
        }
    }

    /// Sends a pack without objects.
    pub(crate) fn write_nothing(&mut self, format: ObjectFormat) -> Result<(), Failure> {
        let header = git_pack::encode_pack_header(0);
        let mut checksum = Checksum::new(format);
        checksum.update(&header);
        self.write(&header)?;
        self.write(checksum.finish().as_bytes())
    }

    /// Waits for the report.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        let Some(hearing) = self.hearing.take() else { return Ok(()) };
        hearing.join().unwrap_or_else(|_| Err(Failure::Repository("a thread failed".to_owned())))
    }
}

fn broke(cause: std::io::Error) -> Failure {
    Failure::Repository(format!("the server broke off: {cause}"))
}

/// Hears how a push goes, to its report.
fn hear(from: &UnixStream, progress: &Progress) -> Result<(), Failure> {
    let (mut from, mut room, mut report) = (BufReader::new(from), Vec::new(), Vec::new());
    loop {
        let Packet::Data(bytes) = packet(&mut from, &mut room)? else { break };
        match bytes.split_first() {
            Some((1, data)) => report.extend_from_slice(data),
            Some((2, words)) => progress.say(&clean(words)),
            Some((3, words)) => return Err(Failure::Repository(clean(words))),
            _ => {
                let words = bytes.strip_prefix(b"ERR ").unwrap_or(bytes);
                return Err(Failure::Repository(clean(words).trim_end().to_owned()));
            }
        }
    }
    examine(&report)
}

/// Says what a report complains of.
fn examine(mut report: &[u8]) -> Result<(), Failure> {
    /// How many complaints are shown.
    const SHOWN: usize = 20;
    let (mut complaints, mut unpacked) = (Vec::new(), false);
    while let Ok(Some((packet, bytes))) = parse(report) {
        report = report.get(bytes..).unwrap_or_default();
        let Some(text) = packet.text() else { continue };
        if text == b"unpack ok" {
            unpacked = true;
        } else if let Some(reason) = text.strip_prefix(b"unpack ") {
            return Err(Failure::Repository(clean(reason)));
        } else if let Some(refused) = text.strip_prefix(b"ng ") {
            complaints.push(clean(refused));
        }
    }
    if unpacked && complaints.is_empty() {
        return Ok(());
    }
    let more = complaints.len().saturating_sub(SHOWN);
    complaints.truncate(SHOWN);
    let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    Err(Failure::Repository(format!("no reference was made:\n{}{more}", complaints.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        lines.iter().for_each(|text| git_wire::line_of(&mut out, format_args!("{text}")));
        out.extend_from_slice(FLUSH);
        out
    }

    #[test]
    fn a_report_that_complains_of_anything_is_a_failure() {
        assert!(examine(&report(&["unpack ok", "ok refs/heads/x"])).is_ok());
        for bad in [&["unpack error: no"][..], &["unpack ok", "ng refs/heads/x no"], &[], &["ok refs/heads/x"]] {
            assert!(examine(&report(bad)).is_err(), "{bad:?}");
        }
    }
}
