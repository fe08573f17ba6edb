//! One thread's walk down a tree of deltas: without recursion, and within the thread's share of memory.
//!
//! Objects beyond that are dropped, from the root's side, and made anew in their turn.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use git_object::{Kind, ObjectId, hash_object};

use super::plan::{Children, Twice};
use super::{Bases, Shared, Visitor, lock};
use crate::{EntryReader, Failure, PackError, ReadAt, apply_into, result_bytes};

/// Buffers over this size are not used again.
const SPARE_BYTES_MAX: usize = 4 << 20;

/// A base, and those of its deltas that are still to be resolved.
pub(super) struct Task {
    /// Its entry, or from the number of entries on a base outside.
    entry: u32,
    kind: Kind,
    /// Its content, unless that was dropped.
    bytes: Option<Arc<Vec<u8>>>,
    children: Children,
}

pub(super) struct Walker<'a, R: ?Sized, B: ?Sized, V: Visitor + ?Sized> {
    shared: &'a Shared<'a, R, B, V>,
    reader: EntryReader,
    delta: Vec<u8>,
    spare: Vec<Vec<u8>>,
    /// The bases on the way from the root, each with deltas left.
    frames: Vec<Task>,
    /// Bytes in frames.
    held: usize,
    /// While this thread exceeds its share.
    exceeding: Option<MutexGuard<'a, ()>>,
}

impl<'a, R, B, V> Walker<'a, R, B, V>
where
    R: ReadAt + ?Sized,
    B: Bases + ?Sized,
    V: Visitor + ?Sized,
{
    pub(super) fn new(shared: &'a Shared<'a, R, B, V>) -> Self {
        Self {
            shared,
            reader: EntryReader::new(shared.plan.table.format()),
            delta: Vec::new(),
            spare: Vec::new(),
            frames: Vec::new(),
            held: 0,
            exceeding: None,
        }
    }

    /// Walks from a root, if it is one.
    pub(super) fn root(&mut self, root: u32) -> Result<(), Failure<V::Error>> {
        let (plan, table) = (&self.shared.plan, self.shared.plan.table);
        let Some(groups) = &self.shared.outside else {
            let Some(kind) = table.kind(root).filter(|_| !table.is_delta(root)) else { return Ok(()) };
            let children = self.children(root)?;
            if children.len() == 0 {
                return Ok(());
            }
            let bytes = self.load(root, kind)?;
            return self.walk(Task { entry: root, kind, bytes: Some(bytes), children });
        };
        let Some(group) = groups.get(root as usize).copied().filter(|group| !plan.is_claimed(*group)) else {
            return Ok(());
        };
        let Some((id, _)) = plan.group(group) else { return Ok(()) };
        let base = self.shared.bases.base(&id, self.shared.limits.delta_bytes_max).map_err(PackError::Read)?;
        let Some((kind, bytes)) = base else { return Ok(()) };
        let Some(children) = plan.outside(group) else { return Ok(()) };
        let entry = {
            let mut found = lock(&self.shared.found);
            found.push((id, kind));
            table.len() + (found.len() - 1) as u32
        };
        self.walk(Task { entry, kind, bytes: Some(Arc::new(bytes)), children })
    }

    /// Resolves all that is below a base.
    pub(super) fn walk(&mut self, task: Task) -> Result<(), Failure<V::Error>> {
        let plan = &self.shared.plan;
        self.push(task);
        while let Some(top) = self.frames.last_mut() {
            let Some((child, named)) = plan.next(&mut top.children) else {
                self.pop();
                continue;
            };
            let (entry, kind, last) = (top.entry, top.kind, top.children.len() == 0);
            if named {
                plan.table.set_base(child, entry);
            }
            let base = self.base()?;
            if last {
                self.pop();
            }
            self.resolve(child, kind, &base)?;
            self.recycle(base);
            if self.exceeding.is_some() && self.held <= self.shared.share {
                self.exceeding = None;
            }
            if self.shared.hungry.load(Ordering::Relaxed) > 0 {
                self.give();
            }
        }
        Ok(())
    }

    /// Makes, names and shows the object of one delta.
    fn resolve(&mut self, child: u32, kind: Kind, base: &[u8]) -> Result<(), Failure<V::Error>> {
        let table = self.shared.plan.table;
        let bytes = self.apply(child, kind, base)?;
        let id = hash_object(table.format(), kind, &bytes).map_err(PackError::Collision)?;
        table.settle(child, kind, &id);
        self.shared.visitor.object(child, &id, kind, &bytes).map_err(Failure::Object)?;
        let children = self.children(child)?;
        if children.len() == 0 {
            self.reuse(bytes);
        } else {
            let bytes = Some(Arc::new(self.fitted(bytes)));
            self.push(Task { entry: child, kind, bytes, children });
        }
        Ok(())
    }

    /// The deltas of an entry.
    fn children(&self, entry: u32) -> Result<Children, PackError> {
        let table = self.shared.plan.table;
        let twice =
            |Twice| PackError::DuplicateBase { base: table.id(entry).unwrap_or(ObjectId::null(table.format())) };
        self.shared.plan.children(entry).map_err(twice)
    }

    /// Applies the delta of an entry to its base.
    fn apply(&mut self, entry: u32, kind: Kind, base: &[u8]) -> Result<Vec<u8>, PackError> {
        let (table, limits) = (self.shared.plan.table, &self.shared.limits);
        let (offset, end) = (table.offset(entry), table.entry_end(entry));
        let mut delta = std::mem::take(&mut self.delta);
        // The scanner has found that this is as large as it says.
        self.reader.entry(self.shared.source, offset, end, u64::MAX, &mut delta)?;
        let wrong = |cause| PackError::Delta { offset, cause };
        let (_, declared) = result_bytes(&delta).map_err(wrong)?;
        let max = limits.delta(kind);
        if declared > max {
            return Err(PackError::TooLarge { offset, bytes: declared, max });
        }
        self.make_room(base.len() + delta.len() + usize::try_from(declared).unwrap_or(usize::MAX));
        let mut out = self.spare.pop().unwrap_or_default();
        apply_into(base, &delta, max, &mut out).map_err(wrong)?;
        if delta.capacity() <= SPARE_BYTES_MAX {
            self.delta = delta;
        }
        Ok(out)
    }

    /// The content of the topmost base; made anew if it was dropped.
    fn base(&mut self) -> Result<Arc<Vec<u8>>, PackError> {
        let table = self.shared.plan.table;
        let (mut frame, mut path) = (self.frames.len(), Vec::new());
        let Some((mut entry, kind)) = self.frames.last().map(|top| (top.entry, top.kind)) else {
            return Ok(Arc::default());
        };
        // Up to the next base that is there, or to the root.
        let mut bytes = loop {
            let above = frame.checked_sub(1).and_then(|frame| self.frames.get(frame));
            if let Some(found) = above.filter(|above| above.entry == entry) {
                if let Some(bytes) = &found.bytes {
                    break bytes.clone();
                }
                frame -= 1;
            }
            let Some(base) = table.base(entry) else {
                let bytes = self.load(entry, kind)?;
                if self.keep(frame, entry, &bytes) {
                    frame += 1;
                }
                break bytes;
            };
            path.push(entry);
            entry = base;
        };
        // And down again. Whatever fits stays, for those that come after this one.
        while let Some(entry) = path.pop() {
            let made = self.apply(entry, kind, &bytes)?;
            let made = Arc::new(self.fitted(made));
            self.recycle(std::mem::replace(&mut bytes, made));
            if self.keep(frame, entry, &bytes) {
                frame += 1;
            }
        }
        Ok(bytes)
    }

    /// Puts content that was made anew into its frame. Whether that is the frame of this entry.
    fn keep(&mut self, frame: usize, entry: u32, bytes: &Arc<Vec<u8>>) -> bool {
        let Some(frame) = self.frames.get_mut(frame).filter(|frame| frame.entry == entry) else { return false };
        self.held += bytes.len();
        self.held -= frame.bytes.replace(bytes.clone()).map_or(0, |bytes| bytes.len());
        true
    }

    /// A whole entry, or a base outside.
    fn load(&mut self, entry: u32, kind: Kind) -> Result<Arc<Vec<u8>>, PackError> {
        let (table, max) = (self.shared.plan.table, self.shared.limits.delta(kind));
        let mut bytes = Vec::new();
        if let Some(outside) = entry.checked_sub(table.len()) {
            let id = lock(&self.shared.found).get(outside as usize).map(|(id, _)| *id);
            let id = id.unwrap_or(ObjectId::null(table.format()));
            let base = self.shared.bases.base(&id, max).map_err(PackError::Read)?;
            bytes = base.map(|(_, bytes)| bytes).ok_or(PackError::Unresolved { count: 1, base: id })?;
        } else {
            let (offset, end) = (table.offset(entry), table.entry_end(entry));
            let (header, _) = self.reader.header(self.shared.source, offset)?;
            self.make_room(usize::try_from(header.size).unwrap_or(usize::MAX));
            self.reader.entry(self.shared.source, offset, end, max, &mut bytes)?;
        }
        Ok(Arc::new(bytes))
    }

    fn push(&mut self, task: Task) {
        self.held += task.bytes.as_ref().map_or(0, |bytes| bytes.len());
        self.frames.push(task);
    }

    fn pop(&mut self) {
        if let Some(bytes) = self.frames.pop().and_then(|frame| frame.bytes) {
            self.held -= bytes.len();
            self.recycle(bytes);
        }
    }

    /// Makes room for so many bytes beside the frames: drops bases, those first that are needed last.
    fn make_room(&mut self, bytes: usize) {
        let share = self.shared.share;
        let below = self.frames.len().saturating_sub(1);
        for frame in self.frames.iter_mut().take(below) {
            if self.held.saturating_add(bytes) <= share {
                return;
            }
            if let Some(bytes) = frame.bytes.take() {
                self.held -= bytes.len();
            }
        }
        if self.held.saturating_add(bytes) > share && self.exceeding.is_none() {
            // One thread at a time. It waits for none of the others.
            self.exceeding = Some(lock(self.shared.exceeding));
        }
    }

    /// Gives away deltas of the base that is nearest to the root: most is below those.
    fn give(&mut self) {
        let left: usize = self.frames.iter().map(|frame| frame.children.len()).sum();
        let Some(frame) = self.frames.iter_mut().find(|frame| frame.children.len() > 0).filter(|_| left > 1) else {
            return;
        };
        let children = frame.children.half();
        self.shared.give(Task { entry: frame.entry, kind: frame.kind, bytes: frame.bytes.clone(), children });
    }

    /// Content to be held for a while, without unused room.
    fn fitted(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if bytes.capacity() - bytes.len() <= bytes.len() / 4 {
            return bytes;
        }
        let fitted = bytes.as_slice().to_vec();
        self.reuse(bytes);
        fitted
    }

    fn recycle(&mut self, bytes: Arc<Vec<u8>>) {
        if let Some(bytes) = Arc::into_inner(bytes) {
            self.reuse(bytes);
        }
    }

    fn reuse(&mut self, bytes: Vec<u8>) {
        if bytes.capacity() <= SPARE_BYTES_MAX && self.spare.len() < 4 {
            self.spare.push(bytes);
        }
    }
}
