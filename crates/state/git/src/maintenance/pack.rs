//! Writes a new pack of objects that others have: entries are copied where they can be, deltas are looked for where an
//! object has none.

use std::collections::HashMap;

use bytes::Bytes;
use git_object::ObjectId;
use git_pack::{
    Candidate, Choice, EntryHeader, EntryKind, PACK_HEADER_BYTES, ReadError, Search, Table, Writer, choose,
    delta_again, index_bytes, write_index, writing_order,
};

use super::order::Order;
use super::{Item, Items, MaintenanceProgress, Work};
use crate::GitError;
use crate::objects::{Objects, stored};
use crate::received::Unpublished;
use crate::record::{Origin, PackRecord};
use crate::summary::{IDS_MAX, Summary};

/// Bytes written at once.
const PIECE_BYTES: usize = 256 << 10;

/// Reads the objects of a new pack.
struct Reader<'a> {
    objects: &'a Objects,
    order: &'a Order,
    list: &'a [Item],
}

impl Reader<'_> {
    fn item(&self, number: u32) -> Result<(usize, &Item), GitError> {
        let item = self.list.get(number as usize).ok_or(GitError::damaged("an object is missing"))?;
        let source = self.order.sources.get(item.source as usize).ok_or(GitError::damaged("a pack is missing"))?;
        Ok((source.number, item))
    }

    fn id(&self, number: u32) -> Result<ObjectId, GitError> {
        let (pack, item) = self.item(number)?;
        let pack = self.objects.pack(pack)?;
        pack.id(pack.row(item.place)?)
    }

    /// The header of an object's entry, the place of its base, and where its compressed content is.
    fn entry(&self, number: u32) -> Result<(EntryHeader, Option<u32>, u64, u64), GitError> {
        let (pack, item) = self.item(number)?;
        let pack = self.objects.pack(pack)?;
        let (start, end) = (pack.offset(item.place)?, pack.offset(item.place + 1)?);
        let (header, length) = self.objects.entry_header(pack, start)?;
        let base = match header.kind {
            EntryKind::Object(_) => None,
            EntryKind::OffsetDelta { distance } => {
                let base = start.checked_sub(distance).map(|base| pack.place_at(base)).transpose()?.flatten();
                Some(base.ok_or(GitError::damaged("a delta has no base"))?)
            }
            EntryKind::ReferenceDelta { base } => {
                let row = pack.find(&base)?.ok_or(GitError::damaged("a delta has no base"))?;
                Some(pack.place(row)?)
            }
        };
        Ok((header, base, start + length as u64, end))
    }
}

impl git_pack::Objects for Reader<'_> {
    fn read(&self, candidate: u32) -> Result<Vec<u8>, ReadError> {
        let (pack, item) = self.item(candidate)?;
        let object = self.objects.read_place(self.objects.pack(pack)?, item.place)?;
        Ok(object.to_vec())
    }
}

impl Work<'_> {
    /// Makes a pack and makes it durable.
    pub(super) fn pack(
        &self,
        objects: &Objects,
        order: &Order,
        items: &Items,
        origin: Origin,
    ) -> Result<Unpublished, GitError> {
        let reader = Reader { objects, order, list: &items.list };
        let candidates = candidates(&reader, origin)?;
        let search = Search {
            threads: self.maintenance.threads,
            memory_bytes: self.maintenance.memory_bytes,
            kept_bytes: self.maintenance.memory_bytes / 2,
            ..Search::default()
        };
        let done = std::sync::atomic::AtomicU64::new(0);
        let choices = choose(&candidates, &reader, &search, &|more| {
            let done = done.fetch_add(more as u64, std::sync::atomic::Ordering::Relaxed) + more as u64;
            (self.progress)(MaintenanceProgress::Compressing { done })
        });
        let choices = match choices {
            Err(_) if !(self.progress)(MaintenanceProgress::Compressing { done: 0 }) => {
                return Err(GitError::Interrupted);
            }
            other => other.map_err(stored)?,
        };
        drop(candidates);
        self.write(&reader, items, &choices, origin)
    }

    fn write(
        &self,
        reader: &Reader<'_>,
        items: &Items,
        choices: &[Choice],
        origin: Origin,
    ) -> Result<Unpublished, GitError> {
        let (git, owner) = (&self.repository.0.git.0, &self.repository.0.owner);
        let format = reader.objects.format();
        let count = u32::try_from(choices.len()).map_err(|_| GitError::damaged("a pack has too many objects"))?;
        let mut draft = self.runtime.block_on(git.blobs.draft(owner))?;
        let mut put = |out: &mut Vec<u8>, all: bool| -> Result<(), GitError> {
            if out.len() >= PIECE_BYTES || all && !out.is_empty() {
                self.runtime.block_on(draft.write(Bytes::from(std::mem::take(out))))?;
            }
            Ok(())
        };
        let mut out = Vec::new();
        let mut writer = Writer::new(format, count, &mut out);
        // The header is not stored: it follows from the number of objects.
        out.clear();
        let (mut table, mut offsets) = (Table::new(format), vec![0_u64; choices.len()]);
        let mut roots = Vec::new();
        for (done, number) in (1_u64..).zip(writing_order(choices)) {
            let choice = choices.get(number as usize).ok_or(GitError::damaged("an object is missing"))?;
            let delta = |base: &u32| -> Result<EntryKind, GitError> {
                let base = offsets.get(*base as usize).copied().unwrap_or_default();
                let distance = writer.offset().checked_sub(base).filter(|distance| *distance > 0);
                Ok(EntryKind::OffsetDelta { distance: distance.ok_or(GitError::damaged("a delta has no base"))? })
            };
            let (pack, item) = reader.item(number)?;
            let from = writer.offset();
            match choice {
                Choice::Delta { base, bytes, stream } => {
                    let kind = delta(base)?;
                    match stream {
                        Some(stream) => writer.compressed(EntryHeader { kind, size: *bytes }, stream, &mut out),
                        None => {
                            let delta = delta_again(reader, number, *base).map_err(stored)?;
                            writer.entry(kind, &delta, &mut out)
                        }
                    };
                }
                Choice::Whole | Choice::Reused { .. } => {
                    let (header, base, mut at, end) = reader.entry(number)?;
                    let kind = match choice {
                        Choice::Reused { base } => Some(delta(base)?),
                        _ => base.is_none().then_some(header.kind),
                    };
                    let pack = reader.objects.pack(pack)?;
                    if let Some(kind) = kind {
                        writer.begin(EntryHeader { kind, size: header.size }, &mut out);
                        let mut piece = vec![0; PIECE_BYTES.min((end - at) as usize)];
                        while at < end {
                            piece.truncate((end - at).min(piece.len() as u64) as usize);
                            pack.file_bytes(at, &mut piece)?;
                            writer.piece(&piece, &mut out);
                            at += piece.len() as u64;
                            put(&mut out, false)?;
                        }
                    } else {
                        // A delta that is not used any more.
                        let object = reader.objects.read_place(pack, item.place)?;
                        writer.entry(EntryKind::Object(object.kind), &object, &mut out);
                    }
                }
            }
            if let Some(offset) = offsets.get_mut(number as usize) {
                *offset = from;
            }
            let id = reader.id(number)?;
            table.append(&id, item.kind, writer.crc32(), writer.offset());
            let borrowed = || items.borrowed.as_ref().is_some_and(|borrowed| borrowed.contains(&id));
            if !item.led_to && roots.len() <= IDS_MAX && !borrowed() {
                roots.push(id);
            }
            put(&mut out, false)?;
            if done.is_multiple_of(4096) {
                self.go_on(MaintenanceProgress::Writing { done, of: count.into() })?;
            }
        }
        put(&mut out, true)?;
        let hash = writer.finish(&mut out);
        out.clear();
        drop(offsets);
        let mut put = |piece: &[u8]| -> Result<(), GitError> {
            Ok(self.runtime.block_on(draft.write(Bytes::copy_from_slice(piece)))?)
        };
        let (index_bytes, summary_bytes) = describe(&table, &hash, &roots, items, &mut put)?;
        let record = PackRecord {
            blobs: Vec::new(),
            objects: count,
            entries_bytes: table.end() - PACK_HEADER_BYTES as u64,
            index_bytes,
            summary_bytes,
            hash: hash.to_string(),
            origin,
            at: self.now,
        };
        drop(table);
        let written = self.runtime.block_on(draft.finish())?;
        self.go_on(MaintenanceProgress::Writing { done: count.into(), of: count.into() })?;
        Ok(Unpublished { record: PackRecord { blobs: vec![written.id.to_string()], ..record }, written: vec![written] })
    }
}

/// The objects as the search for deltas takes them.
fn candidates(reader: &Reader<'_>, origin: Origin) -> Result<Vec<Candidate>, GitError> {
    let mut unreachable = HashMap::new();
    if origin == Origin::Unreachable {
        unreachable.extend(reader.list.iter().map(|item| (item.source, item.place)).zip(0_u32..));
    }
    let number = |(source, place): (u32, u32)| match origin {
        Origin::Unreachable => unreachable.get(&(source, place)).copied(),
        _ => reader.order.kept_at(source, place),
    };
    let mut candidates = Vec::with_capacity(reader.list.len());
    for (candidate, item) in (0_u32..).zip(reader.list) {
        let (header, base, ..) = reader.entry(candidate)?;
        let pack = reader.objects.pack(reader.item(candidate)?.0)?;
        let (mut size, mut reusable) = (header.size, None);
        if let Some(place) = base {
            size = reader.objects.bytes_at(pack, item.place)?;
            reusable = number((item.source, place));
            if reusable.is_none() {
                // A larger pack may have it as well.
                let id = pack.id(pack.row(place)?)?;
                reusable = reader.order.locate(reader.objects, &id)?.and_then(number);
            }
        }
        candidates.push(Candidate { kind: item.kind, size, path: item.path, reusable, island: item.island });
    }
    Ok(candidates)
}

/// Writes the index and the summary of a pack. Yields their lengths.
fn describe(
    table: &Table,
    hash: &ObjectId,
    roots: &[ObjectId],
    items: &Items,
    put: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
) -> Result<(u64, u64), GitError> {
    let places = table.by_id();
    write_index(table, &places, hash, put)?;
    let needs = items.needs.as_ref().map(|needs| {
        let mut needs: Vec<ObjectId> = needs.iter().copied().collect();
        needs.sort_unstable();
        needs
    });
    let borrowed: Option<Vec<ObjectId>> = items.borrowed.as_ref().map(|ids| ids.iter().copied().collect());
    let summary = Summary {
        places: &places,
        table,
        // Where nobody looked at what leads to what, there is nothing to be said.
        roots: needs.as_ref().map(|_| roots),
        needs: needs.as_deref(),
        borrowed: borrowed.as_deref(),
    };
    Ok((index_bytes(table), summary.write(put)?))
}
