//! Trees, read where they lie and written in git's order.
//!
//! Owns entries, their modes and their order. Refuses to judge names: that is `fsck`'s.

use std::cmp::Ordering;

use crate::commit::FormError;
use crate::{Kind, ObjectFormat, ObjectId};

/// The mode of a tree entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A folder, `40000`.
    Tree,
    /// A file, `100644`.
    Regular,
    /// A file that can be run, `100755`.
    Executable,
    /// A symbolic link, `120000`: its content is where it points to.
    Symlink,
    /// A submodule, `160000`: the id is a commit of another repository.
    Submodule,
}

impl Mode {
    /// The mode that git takes these bits for. Old trees have others, such as `100664`.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        match bits & 0o170_000 {
            0o100_000 if bits & 0o100 != 0 => Self::Executable,
            0o100_000 => Self::Regular,
            0o120_000 => Self::Symlink,
            0o040_000 => Self::Tree,
            _ => Self::Submodule,
        }
    }

    /// The bits, as `0o100644`.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Tree => 0o040_000,
            Self::Regular => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Submodule => 0o160_000,
        }
    }

    /// As an entry has it: octal, without a zero in front.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Tree => "40000",
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }

    /// The kind of the object that such an entry names; a submodule's is not in this repository.
    #[must_use]
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Tree => Some(Kind::Tree),
            Self::Regular | Self::Executable | Self::Symlink => Some(Kind::Blob),
            Self::Submodule => None,
        }
    }

    /// Whether it is a file, executable or not.
    #[must_use]
    pub const fn is_file(self) -> bool {
        matches!(self, Self::Regular | Self::Executable)
    }
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its mode.
    pub mode: Mode,
    /// Its name, which has no NUL.
    pub name: &'a [u8],
    /// The id of its object.
    pub id: ObjectId,
}

/// The entries of a tree, read one by one. Ends at the first error.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    format: ObjectFormat,
    rest: &'a [u8],
}

/// An entry with its mode as it is written.
pub(crate) struct RawEntry<'a> {
    pub(crate) mode: &'a [u8],
    pub(crate) bits: u32,
    pub(crate) name: &'a [u8],
    pub(crate) id: ObjectId,
}

impl<'a> Tree<'a> {
    /// The entries in the bytes of a tree.
    #[must_use]
    pub const fn new(format: ObjectFormat, content: &'a [u8]) -> Self {
        Self { format, rest: content }
    }

    /// The bytes behind the entries that were read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn next_raw(&mut self) -> Option<Result<RawEntry<'a>, FormError>> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(FormError { kind: Kind::Tree, line: "entry" }))
    }

    fn read(&mut self) -> Option<RawEntry<'a>> {
        let space = self.rest.iter().position(|byte| *byte == b' ')?;
        let (mode, rest) = self.rest.split_at_checked(space)?;
        let rest = rest.strip_prefix(b" ")?;
        let mut bits = 0_u32;
        for digit in mode {
            if !matches!(digit, b'0'..=b'7') {
                return None;
            }
            // Longer modes lose their first digits, as git's do.
            bits = bits << 3 | u32::from(digit - b'0');
        }
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (name, rest) = rest.split_at_checked(end)?;
        if mode.is_empty() || name.is_empty() {
            return None;
        }
        let (id, rest) = rest.strip_prefix(b"\0")?.split_at_checked(self.format.id_bytes())?;
        self.rest = rest;
        Some(RawEntry { mode, bits: bits & 0xffff, name, id: ObjectId::from_bytes(self.format, id).ok()? })
    }
}

impl<'a> Iterator for Tree<'a> {
    type Item = Result<Entry<'a>, FormError>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.next_raw()?;
        Some(raw.map(|raw| Entry { mode: Mode::from_bits(raw.bits), name: raw.name, id: raw.id }))
    }
}

/// The order of entries in a tree: that of bytes, a folder's name being followed by a slash.
#[must_use]
pub fn entry_order(a: (&[u8], Mode), b: (&[u8], Mode)) -> Ordering {
    let end = |mode| (mode == Mode::Tree).then_some(&b'/');
    a.0.iter().chain(end(a.1)).cmp(b.0.iter().chain(end(b.1)))
}

/// An entry that no tree can have: its name is empty, has NUL or a slash, or another entry has it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry's name is empty, has a slash or NUL, or is there twice")]
pub struct EntryError;

/// The bytes of the tree with these entries, which may be in any order.
///
/// # Errors
/// [`EntryError`].
pub fn write_tree(entries: &mut [Entry<'_>]) -> Result<Vec<u8>, EntryError> {
    if entries.iter().any(|entry| entry.name.is_empty() || entry.name.iter().any(|byte| matches!(byte, b'/' | 0))) {
        return Err(EntryError);
    }
    // A file and a folder of one name need not be neighbours in git's order.
    entries.sort_unstable_by_key(|entry| entry.name);
    if entries.windows(2).any(|pair| matches!(pair, [a, b] if a.name == b.name)) {
        return Err(EntryError);
    }
    entries.sort_unstable_by(|a, b| entry_order((a.name, a.mode), (b.name, b.mode)));
    let mut out = Vec::with_capacity(entries.iter().map(|entry| 40 + entry.name.len()).sum());
    for entry in entries {
        out.extend_from_slice(entry.mode.text().as_bytes());
        out.push(b' ');
        out.extend_from_slice(entry.name);
        out.push(0);
        out.extend_from_slice(entry.id.as_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryError, Mode, Tree, write_tree};
    use crate::{ObjectFormat, ObjectId};

    fn entry(mode: Mode, name: &str) -> Entry<'_> {
        Entry { mode, name: name.as_bytes(), id: ObjectId::from_bytes(ObjectFormat::Sha1, &[7; 20]).expect("an id") }
    }

    #[test]
    fn folders_are_ordered_as_if_a_slash_followed() {
        let mut entries = [
            entry(Mode::Tree, "foo"),
            entry(Mode::Regular, "foo.c"),
            entry(Mode::Symlink, "foo0"),
            entry(Mode::Executable, "a"),
            entry(Mode::Submodule, "foo-bar"),
        ];
        let bytes = write_tree(&mut entries).expect("a tree");
        let names: Vec<&[u8]> =
            Tree::new(ObjectFormat::Sha1, &bytes).map(|entry| entry.expect("an entry").name).collect();
        assert_eq!(names, [&b"a"[..], b"foo-bar", b"foo.c", b"foo", b"foo0"]);
    }

    #[test]
    fn one_name_is_there_once() {
        let mut entries = [entry(Mode::Tree, "foo"), entry(Mode::Regular, "foo"), entry(Mode::Regular, "foo.c")];
        assert_eq!(write_tree(&mut entries), Err(EntryError));
        assert_eq!(write_tree(&mut [entry(Mode::Regular, "a/b")]), Err(EntryError));
    }

    #[test]
    fn a_tree_that_ends_early_is_refused() {
        let bytes = write_tree(&mut [entry(Mode::Regular, "a")]).expect("a tree");
        for end in 1..bytes.len() {
            let mut tree = Tree::new(ObjectFormat::Sha1, &bytes[..end]);
            assert!(tree.next().expect("something").is_err());
            assert!(tree.next().is_none());
        }
    }
}
