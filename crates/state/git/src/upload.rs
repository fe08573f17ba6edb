//! A pack for a client, as a stream: entries are copied as they are stored, whole runs of them at once. Knows no wire.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use git_object::{Checksum, ObjectId};
use git_pack::{Deflater, EntryHeader, EntryKind, EntryReader, PACK_HEADER_BYTES, encode_pack_header};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::memory::FREE_BYTES;
use crate::objects::{Object, Objects, stored};
use crate::pack::Pack;
use crate::places::Places;
use crate::reach::{Boundary, Deepen, Sorted, Walk};
use crate::relatives::Relatives;
use crate::repository::blocking;
use crate::select::{Selection, Wanted, reachable, select, select_reachable};
use crate::{GitError, Repository};

/// How much is sent at once.
const PIECE_BYTES: usize = 128 << 10;

/// How many pieces wait for the client.
const PIECES_AHEAD: usize = 4;

/// A run of entries of at least this many bytes is read past the cache.
const RUN_BYTES: u64 = 512 << 10;

/// Larger objects are not expanded and compressed again: they are sent as they are, with what they are made of.
const REMADE_BYTES_MAX: u64 = 512 << 20;

/// An event of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadEvent {
    /// So many objects were found so far.
    Counting {
        /// How many.
        objects: u64,
    },
    /// All objects were found, and the pack begins.
    Counted {
        /// How many.
        objects: u64,
    },
    /// The next bytes of the pack.
    Data(Bytes),
}

/// A pack on its way, and what there is to be told about it. Dropped before its end, the work ends as well.
pub struct PackStream(mpsc::Receiver<Result<UploadEvent, GitError>>);

impl Stream for PackStream {
    type Item = Result<UploadEvent, GitError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl Repository {
    /// The pack that a client gets who may have everything that references lead to: ask
    /// [`unreachable`](Self::unreachable) first. The work begins at once, or when others have ended: see
    /// [`Settings::uploads_max`](crate::Settings::uploads_max).
    #[must_use]
    pub fn upload(&self, wanted: Wanted) -> PackStream {
        let (events, stream) = mpsc::channel(PIECES_AHEAD);
        let repository = self.clone();
        tokio::spawn(async move {
            let turns = Arc::clone(&repository.0.git.0.uploads);
            // Nobody closes it.
            let Ok(turn) = turns.take(&repository.1).await else { return };
            spawn_blocking(move || {
                let sender = Sender(events);
                if let Err(Stop::Failed(error)) = upload(&repository, &wanted, &sender) {
                    // Nobody listens any more if that fails.
                    let _ = sender.0.blocking_send(Err(error));
                }
                drop(turn);
            });
        });
        PackStream(stream)
    }

    /// The first of `ids` that no reference leads to, or that is not there. Costs no walk for each: at most one for all.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn unreachable(&self, ids: Vec<ObjectId>) -> Result<Option<ObjectId>, GitError> {
        let repository = self.clone();
        blocking(move || {
            let objects = repository.objects();
            let all = || repository.all_reachable(&objects);
            let found = reachable(&objects, repository.references(), all, &ids)?;
            Ok(ids.iter().zip(found).find(|(_, reachable)| !reachable).map(|(id, _)| *id))
        })
        .await
    }

    /// All that the references lead to, found once.
    pub(crate) fn all_reachable(&self, objects: &Objects) -> Result<Arc<Selection>, GitError> {
        let known = &self.0.snapshot.reachable;
        if let Some(known) = known.get() {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(select_reachable(objects, self.references())?);
        if found.walked {
            self.0.git.0.due.note_walk(self, found.count());
        }
        Ok(Arc::clone(known.get_or_init(|| found)))
    }

    /// Whether each want leads to something of `common`, which both sides have: then a client need not be asked more.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn ready(&self, wants: Vec<ObjectId>, common: Vec<ObjectId>) -> Result<bool, GitError> {
        let objects = self.objects();
        blocking(move || {
            let (wants, common) = (Sorted::new(&objects, &wants)?, Sorted::new(&objects, &common)?);
            let common = common.commits.into_iter().collect();
            Walk::new(&objects).all_lead_to(&wants.commits, &common)
        })
        .await
    }

    /// Where the history of `wants` is to end for a client whose own ends at `shallow`.
    ///
    /// # Errors
    /// [`GitError::BadRequest`] when no commit is left; those of reading.
    pub async fn deepen(
        &self,
        wants: Vec<ObjectId>,
        shallow: Vec<ObjectId>,
        deepen: Deepen,
    ) -> Result<Boundary, GitError> {
        let objects = self.objects();
        blocking(move || {
            let wants = Sorted::new(&objects, &wants)?.commits;
            let deepen = match deepen {
                Deepen::Rules { since, not } => Deepen::Rules { since, not: Sorted::new(&objects, &not)?.commits },
                other => other,
            };
            Walk::new(&objects).boundary(&wants, &shallow, &deepen)
        })
        .await
    }
}

impl Objects {
    /// Whether the commit `from` leads to the commit `to`, or is it: whether moving a branch from `to` to `from` is a
    /// fast-forward. Blocks.
    ///
    /// # Errors
    /// [`GitError::MissingObject`] unless both are commits that are there; those of reading.
    pub fn leads_to(&self, from: &ObjectId, to: &ObjectId) -> Result<bool, GitError> {
        Walk::new(self).leads_to(from, to)
    }

    /// The commits that `from` lead to, the newest first, at most `limit`. Blocks.
    ///
    /// # Errors
    /// Those of reading.
    pub fn history(&self, from: &[ObjectId], limit: usize) -> Result<Vec<ObjectId>, GitError> {
        crate::reach::newest_first(self, from, limit)
    }
}

/// Why an upload ends early.
enum Stop {
    /// The client went away.
    Gone,
    Failed(GitError),
}

impl<E: Into<GitError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Sender(mpsc::Sender<Result<UploadEvent, GitError>>);

impl Sender {
    fn send(&self, event: UploadEvent) -> Result<(), Stop> {
        self.0.blocking_send(Ok(event)).map_err(|_| Stop::Gone)
    }
}

fn upload(repository: &Repository, wanted: &Wanted, sender: &Sender) -> Result<(), Stop> {
    let objects = repository.objects();
    let mut counted = |objects| match sender.send(UploadEvent::Counting { objects }) {
        Ok(()) => Ok(()),
        Err(_) => Err(GitError::Interrupted),
    };
    let selection = select(&objects, repository.references(), wanted, &mut counted)?;
    if selection.walked {
        repository.0.git.0.due.note_walk(repository, selection.count());
    }
    let count = u32::try_from(selection.count());
    let count = count.map_err(|_| GitError::BadRequest { reason: "too many objects for a pack".to_owned() })?;
    sender.send(UploadEvent::Counted { objects: count.into() })?;
    if let Some(pack) = only_pack(&objects, &selection)? {
        return send_whole(&pack, sender);
    }
    let mut writer = Writer::new(&objects, &selection, wanted, sender);
    writer.put(&encode_pack_header(count))?;
    for (number, places) in selection.packs() {
        if places.count() > 0 {
            writer.pack(objects.pack(number)?, number, places)?;
        }
    }
    writer.finish()
}

/// The pack that is all that is selected, if one is.
fn only_pack(objects: &Objects, selection: &Selection) -> Result<Option<Arc<Pack>>, GitError> {
    let mut packs = selection.packs().filter(|(_, places)| places.count() > 0);
    let (Some((number, places)), None) = (packs.next(), packs.next()) else { return Ok(None) };
    let pack = objects.pack(number)?;
    Ok((places.count() == pack.objects()).then(|| Arc::clone(pack)))
}

/// Sends a pack as it was received: not even its hash is computed.
fn send_whole(pack: &Arc<Pack>, sender: &Sender) -> Result<(), Stop> {
    let hash = ObjectId::from_hex(pack.format, pack.record.hash.as_bytes());
    let hash = hash.map_err(|_| GitError::damaged("a pack has no hash"))?;
    sender.send(UploadEvent::Data(Bytes::copy_from_slice(&encode_pack_header(pack.objects()))))?;
    pieces(pack, PACK_HEADER_BYTES as u64, pack.end(), |piece| sender.send(UploadEvent::Data(piece)))?;
    sender.send(UploadEvent::Data(Bytes::copy_from_slice(hash.as_bytes())))
}

/// Hands a part of the pack file to `each`, past the cache.
fn pieces(pack: &Pack, start: u64, end: u64, mut each: impl FnMut(Bytes) -> Result<(), Stop>) -> Result<(), Stop> {
    for (blob, mut range) in pack.pieces(start, end) {
        while !range.is_empty() {
            let piece = blob.piece(range.clone())?;
            range.start += piece.len() as u64;
            each(piece)?;
        }
    }
    Ok(())
}

/// Writes a pack of selected objects.
struct Writer<'a> {
    objects: &'a Objects,
    selection: &'a Selection,
    thin: bool,
    ofs_delta: bool,
    sender: &'a Sender,
    checksum: Checksum,
    out: BytesMut,
    /// How much was written.
    offset: u64,
    reader: EntryReader,
    deflater: Deflater,
    scratch: Vec<u8>,
}

/// Where entries of a pack went: from each place on, how much was added to offsets.
#[derive(Default)]
struct Shifts(Vec<(u32, i128)>);

impl Shifts {
    fn note(&mut self, place: u32, shift: i128) {
        if self.0.last().is_none_or(|(_, last)| *last != shift) {
            self.0.push((place, shift));
        }
    }

    fn at(&self, place: u32) -> i128 {
        let next = self.0.partition_point(|(first, _)| *first <= place);
        next.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, shift)| *shift)
    }
}

impl<'a> Writer<'a> {
    fn new(objects: &'a Objects, selection: &'a Selection, wanted: &Wanted, sender: &'a Sender) -> Self {
        Self {
            objects,
            selection,
            thin: wanted.thin,
            ofs_delta: wanted.ofs_delta,
            sender,
            checksum: Checksum::new(objects.format()),
            out: BytesMut::with_capacity(PIECE_BYTES),
            offset: 0,
            reader: EntryReader::new(objects.format()),
            deflater: Deflater::new(),
            scratch: Vec::new(),
        }
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        self.checksum.update(bytes);
        self.offset += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.out.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.out.extend_from_slice(now);
            bytes = rest;
            if self.out.len() == PIECE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Stop> {
        if !self.out.is_empty() {
            let full = std::mem::replace(&mut self.out, BytesMut::with_capacity(PIECE_BYTES));
            self.sender.send(UploadEvent::Data(full.freeze()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Stop> {
        let hash = self.checksum.clone().finish();
        self.out.extend_from_slice(hash.as_bytes());
        self.flush()
    }

    /// Writes the selected objects of a pack.
    fn pack(&mut self, pack: &Arc<Pack>, number: usize, places: &Places) -> Result<(), Stop> {
        let (mut shifts, mut relatives) = (Shifts::default(), Relatives::default());
        if places.count() == pack.objects() && self.ofs_delta {
            // All bases are there, as far from their deltas as before.
            return self.copy(pack, PACK_HEADER_BYTES as u64, pack.end());
        }
        // A run of entries that are copied as they are.
        let mut run: Option<(u64, u64)> = None;
        for place in places.iter() {
            let (start, end) = (pack.offset(place)?, pack.offset(place + 1)?);
            let waiting = run.map_or(0, |(start, end)| end - start);
            let shift = i128::from(self.offset + waiting) - i128::from(start);
            let (header, length) = self.reader.header(&**pack, start).map_err(stored)?;
            let replaced = self.replacement(pack, number, places, &shifts, (start, shift), &header)?;
            shifts.note(place, shift);
            match replaced {
                Replacement::None => match &mut run {
                    Some((_, last)) if *last == start => *last = end,
                    _ => {
                        self.end_run(pack, &mut run)?;
                        run = Some((start, end));
                    }
                },
                Replacement::Header(kind) => {
                    self.end_run(pack, &mut run)?;
                    let mut bytes = std::mem::take(&mut self.scratch);
                    bytes.clear();
                    EntryHeader { kind, size: header.size }.encode(&mut bytes);
                    self.put(&bytes)?;
                    self.scratch = bytes;
                    self.copy(pack, start + length as u64, end)?;
                }
                Replacement::Other { base } => {
                    self.end_run(pack, &mut run)?;
                    let found = self.relative(pack, places, &mut relatives, (place, base))?;
                    let sent = found.map(|found| Ok::<_, Stop>((found, pack.offset(found)?))).transpose()?;
                    let sent = sent.map(|(found, offset)| (found, i128::from(offset) + shifts.at(found)));
                    self.remake(pack, place, sent, &mut relatives)?;
                }
            }
        }
        self.end_run(pack, &mut run)
    }

    fn end_run(&mut self, pack: &Pack, run: &mut Option<(u64, u64)>) -> Result<(), Stop> {
        run.take().map_or(Ok(()), |(start, end)| self.copy(pack, start, end))
    }

    /// The replacement of an entry of a pack.
    fn replacement(
        &self,
        pack: &Arc<Pack>,
        number: usize,
        places: &Places,
        shifts: &Shifts,
        (start, shift): (u64, i128),
        header: &EntryHeader,
    ) -> Result<Replacement, GitError> {
        let Some(place) = base_of(pack, start, header)? else { return Ok(Replacement::None) };
        let distance = match header.kind {
            EntryKind::OffsetDelta { distance } => Some(distance),
            _ => None,
        };
        if places.contains(place) {
            return Ok(match distance {
                None => Replacement::None,
                Some(distance) if self.ofs_delta => {
                    let now = i128::from(distance) + shift - shifts.at(place);
                    match u64::try_from(now) {
                        Ok(now) if now == distance => Replacement::None,
                        Ok(distance) => Replacement::Header(EntryKind::OffsetDelta { distance }),
                        Err(_) => return Err(GitError::damaged("a delta comes before its base")),
                    }
                }
                Some(_) => Replacement::Header(EntryKind::ReferenceDelta { base: pack.id(pack.row(place)?)? }),
            });
        }
        let base = pack.id(pack.row(place)?)?;
        let elsewhere = || -> Result<bool, GitError> {
            let found = self.selection.locate(self.objects, &base)?;
            Ok(found.is_some_and(|(other, _)| other != number) && self.selection.contains(self.objects, &base)?)
        };
        if self.thin && self.selection.client_has(self.objects, &base)? || elsewhere()? {
            return Ok(Replacement::Header(EntryKind::ReferenceDelta { base }));
        }
        Ok(Replacement::Other { base: place })
    }

    /// The place of an object that is sent before the one at `place`, whose base is not, and resembles it: the next one on
    /// its chain of deltas, or one that was made anew before, with the same base.
    fn relative(
        &mut self,
        pack: &Pack,
        places: &Places,
        relatives: &mut Relatives,
        (place, base): (u32, u32),
    ) -> Result<Option<u32>, GitError> {
        let (mut at, mut missing) = (base, Vec::new());
        let found = loop {
            if places.contains(at) {
                break Some(at);
            }
            if let Some(found) = relatives.of(at) {
                break Some(found);
            }
            missing.push(at);
            let start = pack.offset(at)?;
            let (header, _) = self.reader.header(pack, start).map_err(stored)?;
            match base_of(pack, start, &header)? {
                // A ring is longer than the pack.
                Some(base) if missing.len() < pack.objects() as usize => at = base,
                _ => break None,
            }
        };
        relatives.note(&missing, place);
        // Chains of stored deltas end before their beginning comes again: a base comes before its deltas, or by its id.
        Ok(found.filter(|found| *found < place))
    }

    /// Writes an object whose base is not sent: as a delta of another one, which is `sent` at an offset, or whole.
    fn remake(
        &mut self,
        pack: &Arc<Pack>,
        place: u32,
        sent: Option<(u32, i128)>,
        relatives: &mut Relatives,
    ) -> Result<(), Stop> {
        let (object, share) = self.objects.lend(pack, place)?;
        // A short one is compared with others, which have to be made as well.
        let _share = (object.len() as u64 > FREE_BYTES).then_some(share);
        if object.len() as u64 > REMADE_BYTES_MAX {
            return Err(GitError::damaged("a delta is longer than deltas can be").into());
        }
        let mut entry = (EntryKind::Object(object.kind), None);
        if let Some((found, offset)) = sent
            && let Some(delta) = relatives.delta(found, &object, || self.short(pack, found))?
        {
            let kind = if self.ofs_delta {
                let distance = u64::try_from(i128::from(self.offset) - offset);
                let distance = distance.map_err(|_| GitError::damaged("a delta comes before its base"))?;
                EntryKind::OffsetDelta { distance }
            } else {
                EntryKind::ReferenceDelta { base: pack.id(pack.row(found)?)? }
            };
            entry = (kind, Some(delta));
        }
        let (kind, delta) = entry;
        let content = delta.as_deref().unwrap_or(&object);
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        EntryHeader { kind, size: content.len() as u64 }.encode(&mut bytes);
        let mut deflater = std::mem::take(&mut self.deflater);
        deflater.deflate_in_pieces(content, &mut bytes, &mut |piece| self.put(piece))?;
        (self.deflater, self.scratch) = (deflater, bytes);
        Ok(())
    }

    /// The object at a place, unless its memory would be counted.
    fn short(&self, pack: &Arc<Pack>, place: u32) -> Result<Option<Arc<Object>>, GitError> {
        if self.objects.bytes_at(pack, place)? > FREE_BYTES / 4 {
            return Ok(None);
        }
        self.objects.read_place(pack, place).map(Some)
    }

    /// Copies bytes of the pack file.
    fn copy(&mut self, pack: &Pack, mut start: u64, end: u64) -> Result<(), Stop> {
        if end - start >= RUN_BYTES {
            self.flush()?;
            return pieces(pack, start, end, |piece| {
                self.checksum.update(&piece);
                self.offset += piece.len() as u64;
                self.sender.send(UploadEvent::Data(piece))
            });
        }
        let mut bytes = [0; 16 << 10];
        while start < end {
            let (now, _) = bytes.split_at_mut((end - start).min(16 << 10) as usize);
            pack.file_bytes(start, now)?;
            self.put(now)?;
            start += now.len() as u64;
        }
        Ok(())
    }
}

/// Form of a sent entry.
enum Replacement {
    /// It is copied as it is.
    None,
    /// Its base is elsewhere.
    Header(EntryKind),
    /// Its base is nowhere.
    Other { base: u32 },
}

/// The place of the base of an entry that begins there; `None` if it is no delta.
fn base_of(pack: &Pack, start: u64, header: &EntryHeader) -> Result<Option<u32>, GitError> {
    let base = match header.kind {
        EntryKind::Object(_) => return Ok(None),
        EntryKind::OffsetDelta { distance } => {
            start.checked_sub(distance).map(|base| pack.place_at(base)).transpose()?.flatten()
        }
        EntryKind::ReferenceDelta { base } => pack.find(&base)?.map(|row| pack.place(row)).transpose()?,
    };
    base.map(Some).ok_or(GitError::damaged("a delta has no base"))
}

#[cfg(test)]
mod tests {
    use super::Shifts;

    #[test]
    fn a_place_has_the_shift_that_was_noted_last_before_it() {
        let mut shifts = Shifts::default();
        assert_eq!(shifts.at(5), 0);
        for (place, shift) in [(0, 0), (1, 0), (4, -10), (5, -10), (9, 7)] {
            shifts.note(place, shift);
        }
        assert_eq!([0, 1, 3, 4, 8, 9, 1000].map(|place| shifts.at(place)), [0, 0, 0, -10, -10, 7, 7]);
        assert_eq!(shifts.0.len(), 3, "only where it changes");
    }
}
