//! What an object leads to. Does no I/O, and takes anything that `git fsck` lets pass.

use git_object::{Kind, ObjectFormat, ObjectId};

/// Content that is no object of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Hands `each` every object that this one leads to, with the kind that it has to have. Commits of submodules are
/// elsewhere, so they do not count.
pub(crate) fn links(
    format: ObjectFormat,
    kind: Kind,
    content: &[u8],
    mut each: impl FnMut(ObjectId, Kind),
) -> Result<(), Malformed> {
    match kind {
        Kind::Blob => Ok(()),
        Kind::Tree => entries(format, content).try_for_each(|entry| {
            let entry = entry?;
            if let Some(kind) = entry.kind() {
                each(entry.id, kind);
            }
            Ok(())
        }),
        Kind::Commit => {
            let commit = CommitLinks::parse(format, content)?;
            each(commit.tree, Kind::Tree);
            commit.parents.into_iter().for_each(|parent| each(parent, Kind::Commit));
            Ok(())
        }
        Kind::Tag => {
            let (target, kind) = tag_target(format, content)?;
            each(target, kind);
            Ok(())
        }
    }
}

/// An entry of a tree.
#[derive(Clone, Copy)]
pub(crate) struct TreeEntry<'a> {
    pub(crate) mode: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) id: ObjectId,
}

impl TreeEntry<'_> {
    /// The kind of the object; `None` for a submodule's commit, which is elsewhere.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.mode {
            b"40000" | b"040000" => Some(Kind::Tree),
            b"160000" => None,
            _ => Some(Kind::Blob),
        }
    }
}

/// The entries of a tree, in order.
pub(crate) fn entries(
    format: ObjectFormat,
    mut content: &[u8],
) -> impl Iterator<Item = Result<TreeEntry<'_>, Malformed>> {
    std::iter::from_fn(move || {
        if content.is_empty() {
            return None;
        }
        let entry = entry(format, content);
        content = entry.map_or(&[], |(_, rest)| rest);
        Some(entry.map(|(entry, _)| entry).ok_or(Malformed))
    })
}

fn entry(format: ObjectFormat, content: &[u8]) -> Option<(TreeEntry<'_>, &[u8])> {
    let space = content.iter().take(8).position(|byte| *byte == b' ')?;
    let (mode, rest) = (content.get(..space)?, content.get(space + 1..)?);
    let end = memchr::memchr(0, rest)?;
    let (name, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    let (id, rest) = rest.split_at_checked(format.id_bytes())?;
    Some((TreeEntry { mode, name, id: ObjectId::from_bytes(format, id).ok()? }, rest))
}

/// The part of a commit that leads elsewhere, and its time.
pub(crate) struct CommitLinks {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    /// The committer's time in seconds since 1970.
    pub(crate) time: i64,
}

impl CommitLinks {
    pub(crate) fn parse(format: ObjectFormat, content: &[u8]) -> Result<Self, Malformed> {
        let (tree, mut rest) = id_line(format, content, b"tree ").ok_or(Malformed)?;
        let mut parents = Vec::new();
        while let Some((parent, after)) = id_line(format, rest, b"parent ") {
            parents.push(parent);
            rest = after;
        }
        Ok(Self { tree, parents, time: committer_time(rest).unwrap_or_default() })
    }
}

/// A time that cannot be read is 0: order alone depends on it.
fn committer_time(headers: &[u8]) -> Option<i64> {
    let line = headers.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let line = line.into_iter().find_map(|line| line.strip_prefix(b"committer "))?;
    let after = line.iter().rposition(|byte| *byte == b'>')?;
    let time = line.get(after + 1..)?.trim_ascii().split(|byte| *byte == b' ').next()?;
    str::from_utf8(time).ok()?.parse().ok()
}

/// The object that a tag names, and its kind.
pub(crate) fn tag_target(format: ObjectFormat, content: &[u8]) -> Result<(ObjectId, Kind), Malformed> {
    let (id, rest) = id_line(format, content, b"object ").ok_or(Malformed)?;
    let line = rest.strip_prefix(b"type ").and_then(|rest| rest.split(|byte| *byte == b'\n').next());
    Ok((id, line.and_then(Kind::from_name).ok_or(Malformed)?))
}

fn id_line<'a>(format: ObjectFormat, content: &'a [u8], name: &[u8]) -> Option<(ObjectId, &'a [u8])> {
    let (hex, rest) = content.strip_prefix(name)?.split_at_checked(2 * format.id_bytes())?;
    Some((ObjectId::from_hex(format, hex).ok()?, rest.strip_prefix(b"\n")?))
}
