//! Negotiation of common commits in versions 0 and 1, as a state machine.
//!
//! Owns what is acknowledged and when the pack follows. Refuses to know which objects the repository has.
//!
//! Source: gitprotocol-pack, "Packfile Negotiation"; gitprotocol-capabilities, "multi_ack", "no-done".

use git_object::{ObjectFormat, ObjectId};

use crate::error::WireError;
use crate::fetch::add;
use crate::packet::{Packet, line_of};
use crate::{HAVES_MAX, v0};

/// How common commits are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiAck {
    /// The first one alone.
    Single,
    /// Each, as `continue`: the capability `multi_ack`.
    Continue,
    /// Each as `common`, and `ready` once enough are: the capability `multi_ack_detailed`.
    Detailed,
}

/// An object that the client has, and whether the repository has it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Have {
    /// The object.
    pub id: ObjectId,
    /// Whether both have it.
    pub common: bool,
}

/// The end of a turn of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It waits for acknowledgments.
    Flush,
    /// It wants the pack.
    Done,
}

/// The step after a turn's acknowledgments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another turn of the client: on the same connection, or in its next request.
    Client,
    /// The pack.
    Pack,
}

/// A negotiation.
pub struct Negotiation {
    format: ObjectFormat,
    multi_ack: MultiAck,
    no_done: bool,
    /// Haves of this turn.
    haves: Vec<ObjectId>,
    /// Haves of all turns.
    count: usize,
    last_common: Option<ObjectId>,
}

impl Negotiation {
    /// A negotiation with a client that sent such a request.
    #[must_use]
    pub const fn new(format: ObjectFormat, multi_ack: MultiAck, no_done: bool) -> Self {
        Self { format, multi_ack, no_done, haves: Vec::new(), count: 0, last_common: None }
    }

    /// Takes a packet; the turn's haves once it is over.
    ///
    /// # Errors
    /// [`WireError`] for lines that are none of the protocol's and for too many of them.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<Option<(Vec<ObjectId>, Turn)>, WireError> {
        let turn = match packet {
            Packet::Flush => Turn::Flush,
            packet => match v0::have(self.format, packet.line("have <id> or done")?)? {
                Some(id) => {
                    if self.count >= HAVES_MAX {
                        return Err(WireError::TooMany { what: "haves", max: HAVES_MAX });
                    }
                    self.count += 1;
                    add(&mut self.haves, id, "haves", HAVES_MAX)?;
                    return Ok(None);
                }
                None => Turn::Done,
            },
        };
        Ok(Some((std::mem::take(&mut self.haves), turn)))
    }

    /// Writes the acknowledgments of a turn.
    ///
    /// `ready` says whether every want leads to something common, so that nothing further would make the pack smaller.
    pub fn acknowledge(&mut self, haves: &[Have], ready: bool, turn: Turn, out: &mut Vec<u8>) -> Next {
        let mut last = self.last_common;
        for Have { id, common } in haves {
            match (self.multi_ack, common) {
                (MultiAck::Detailed, true) => line_of(out, format_args!("ACK {id} common")),
                (MultiAck::Continue, true) => line_of(out, format_args!("ACK {id} continue")),
                // The client need not list ancestors of what it has and we lack.
                (MultiAck::Continue, false) if ready => line_of(out, format_args!("ACK {id} continue")),
                (MultiAck::Single, true) if last.is_none() => line_of(out, format_args!("ACK {id}")),
                _ => {}
            }
            if *common {
                last = Some(*id);
            }
        }
        self.last_common = last;
        match (turn, last) {
            (Turn::Done, Some(last)) => {
                if self.multi_ack != MultiAck::Single {
                    line_of(out, format_args!("ACK {last}"));
                }
                Next::Pack
            }
            (Turn::Done, None) => {
                line_of(out, format_args!("NAK"));
                Next::Pack
            }
            (Turn::Flush, last) => {
                let ready = last.filter(|_| ready && self.multi_ack == MultiAck::Detailed);
                if let Some(last) = ready {
                    line_of(out, format_args!("ACK {last} ready"));
                }
                if last.is_none() || self.multi_ack != MultiAck::Single {
                    line_of(out, format_args!("NAK"));
                }
                match ready.filter(|_| self.no_done) {
                    Some(last) => {
                        line_of(out, format_args!("ACK {last}"));
                        Next::Pack
                    }
                    None => Next::Client,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes(ObjectFormat::Sha1, &[byte; 20]).expect("an id")
    }

    /// Answers the turns, each a list of haves of which those below 100 are common, and whether it is ready then.
    fn answers(multi_ack: MultiAck, no_done: bool, turns: &[(&[u8], bool, Turn)]) -> Vec<(String, Next)> {
        let mut negotiation = Negotiation::new(ObjectFormat::Sha1, multi_ack, no_done);
        let answer = |(haves, ready, turn): &(&[u8], bool, Turn)| {
            let haves: Vec<_> = haves.iter().map(|at| Have { id: id(*at), common: *at < 100 }).collect();
            let mut out = Vec::new();
            let next = negotiation.acknowledge(&haves, *ready, *turn, &mut out);
            let mut lines = Vec::new();
            let mut rest = out.as_slice();
            while let Some((packet, bytes)) = crate::parse(rest).expect("packets") {
                let line = String::from_utf8(packet.text().expect("text").to_vec()).expect("text");
                lines.push((0..=255).fold(line, |line, at| line.replace(&id(at).to_string(), &at.to_string())));
                rest = &rest[bytes..];
            }
            (lines.join(", "), next)
        };
        turns.iter().map(answer).collect()
    }

    #[test]
    fn common_commits_are_acknowledged_as_the_client_can_take_it() {
        use {MultiAck::*, Next::*, Turn::*};
        let turns: &[(&[u8], bool, Turn)] =
            &[(&[200, 201], false, Flush), (&[1, 202, 2], true, Flush), (&[3], true, Done)];
        let expect = |answers: Vec<(String, Next)>, expected: [(&str, Next); 3]| {
            assert_eq!(answers, expected.map(|(lines, next)| (lines.to_owned(), next)));
        };
        expect(answers(Single, false, turns), [("NAK", Client), ("ACK 1", Client), ("", Pack)]);
        let continues = "ACK 1 continue, ACK 202 continue, ACK 2 continue, NAK";
        expect(
            answers(Continue, false, turns),
            [("NAK", Client), (continues, Client), ("ACK 3 continue, ACK 3", Pack)],
        );
        let detailed = "ACK 1 common, ACK 2 common, ACK 2 ready, NAK";
        expect(answers(Detailed, false, turns), [("NAK", Client), (detailed, Client), ("ACK 3 common, ACK 3", Pack)]);
        let at_once = "ACK 1 common, ACK 2 common, ACK 2 ready, NAK, ACK 2";
        assert_eq!(answers(Detailed, true, &turns[..2])[1], (at_once.to_owned(), Pack));
    }

    #[test]
    fn a_client_with_nothing_in_common_gets_its_pack_when_it_is_done() {
        for multi_ack in [MultiAck::Single, MultiAck::Continue, MultiAck::Detailed] {
            let clone = answers(multi_ack, true, &[(&[], false, Turn::Done)]);
            assert_eq!(clone, [("NAK".to_owned(), Next::Pack)]);
        }
    }
}
