//! The merge of the content and mode of a path that both sides have.

use git_object::{Kind, Mode};

use super::{ConflictKind, Detail, Merge, Resolution};
use crate::lines::Algorithm;
use crate::text_merge::{self, Favor};
use crate::{DiffError, Item, Source, is_binary};

/// A merged file, and what is in conflict about it.
pub(super) struct Content {
    pub(super) item: Item,
    pub(super) conflict: Option<ConflictKind>,
}

impl<S: Source> Merge<'_, '_, S> {
    /// The side that conflicts are settled by. Merges of common ancestors settle none.
    pub(super) fn resolution(&self) -> Resolution {
        if self.depth == 0 { self.options.resolution } else { Resolution::None }
    }

    /// Merges what lies at `names`. `wider` characters are added to conflict markers, for conflicts within others.
    pub(super) fn merge_content(
        &self,
        names: [&[u8]; 3],
        base: Option<Item>,
        ours: Item,
        theirs: Item,
        wider: usize,
    ) -> Result<Content, DiffError<S::Error>> {
        let base_mode = base.map(|base| base.mode);
        let unlike = ours.mode != theirs.mode && Some(ours.mode) != base_mode && Some(theirs.mode) != base_mode;
        let takes_theirs = Some(ours.mode) == base_mode || unlike && self.resolution() == Resolution::Theirs;
        let mode = if takes_theirs { theirs.mode } else { ours.mode };
        let mut conflict = (unlike && self.resolution() == Resolution::None).then_some(ConflictKind::Mode);
        let base_id = base.map(|base| base.id);
        let id = if ours.id == theirs.id || Some(ours.id) == base_id {
            theirs.id
        } else if Some(theirs.id) == base_id {
            ours.id
        } else {
            let (item, found) = match ours.mode {
                Mode::Regular | Mode::Executable => self.merge_files(names, base, ours, theirs, wider)?,
                Mode::Symlink => self.pick(base, ours, theirs, ConflictKind::Symlink),
                // Whether one commit of another repository contains the other cannot be known here.
                Mode::Submodule | Mode::Tree => self.pick(base, ours, theirs, ConflictKind::Submodule),
            };
            conflict = found.or(conflict);
            if self.depth > 0 && !ours.mode.is_file() {
                return Ok(Content { item, conflict });
            }
            item.id
        };
        Ok(Content { item: Item { mode, id }, conflict })
    }

    /// One of them whole: in merges of common ancestors the base, else the side that is asked for, or ours in conflict.
    fn pick(&self, base: Option<Item>, ours: Item, theirs: Item, kind: ConflictKind) -> (Item, Option<ConflictKind>) {
        match self.resolution() {
            _ if self.depth > 0 => (base.filter(|base| base.mode == ours.mode).unwrap_or(ours), Some(kind)),
            Resolution::None => (ours, Some(kind)),
            Resolution::Ours => (ours, None),
            Resolution::Theirs => (theirs, None),
        }
    }

    fn merge_files(
        &self,
        names: [&[u8]; 3],
        base: Option<Item>,
        ours: Item,
        theirs: Item,
        wider: usize,
    ) -> Result<(Item, Option<ConflictKind>), DiffError<S::Error>> {
        if self.depth == 0 && self.options.detail == Detail::File {
            return Ok(self.pick(base, ours, theirs, ConflictKind::Binary));
        }
        let read = |item: Item| self.overlay.read(&item.id, Kind::Blob).map_err(DiffError::Source);
        // A base of another kind is none.
        let base_bytes = base.filter(|base| base.mode.is_file()).map(read).transpose()?;
        let base_text = base_bytes.as_ref().map(AsRef::as_ref).unwrap_or_default();
        let (our_text, their_text) = (read(ours)?, read(theirs)?);
        let (our_text, their_text) = (our_text.as_ref(), their_text.as_ref());
        if is_binary(base_text) || is_binary(our_text) || is_binary(their_text) {
            if self.depth == 0 {
                return Ok(self.pick(base, ours, theirs, ConflictKind::Binary));
            }
            let id = self.overlay.add(&ours.id, Kind::Blob, base_text.to_vec())?;
            return Ok((Item { mode: ours.mode, id }, None));
        }
        let [base_name, our_name, their_name] = names;
        let differ = base_name != our_name || our_name != their_name;
        let label = |label: &[u8], name: &[u8]| if differ { [label, b":", name].concat() } else { label.to_vec() };
        let [base_label, our_label, their_label] = &self.labels;
        let options = text_merge::Options {
            algorithm: Algorithm::Histogram,
            favor: match self.resolution() {
                Resolution::None => Favor::Neither,
                Resolution::Ours => Favor::Ours,
                Resolution::Theirs => Favor::Theirs,
            },
            style: self.options.style,
            join_over_punctuation: false,
            marker_size: 7 + wider,
            ours: &label(our_label, our_name),
            base: &label(base_label, base_name),
            theirs: &label(their_label, their_name),
        };
        let merged = text_merge::merge(base_text, our_text, their_text, &options);
        let id = self.overlay.add(&ours.id, Kind::Blob, merged.content)?;
        let in_conflict = merged.conflicts > 0 && options.favor == Favor::Neither;
        Ok((Item { mode: ours.mode, id }, in_conflict.then_some(ConflictKind::Text(merged.conflicts))))
    }
}
