//! The links of an object. Does no I/O, and takes anything that `git fsck` lets pass.

use git_object::{Commit, FormError, Kind, ObjectFormat, ObjectId, Tag, Tree};

use crate::GitError;

/// Hands `each` every object that this one leads to, with the kind that it has to have. Commits of submodules are
/// elsewhere, so they do not count.
pub(crate) fn links(
    format: ObjectFormat,
    kind: Kind,
    content: &[u8],
    mut each: impl FnMut(ObjectId, Kind),
) -> Result<(), FormError> {
    match kind {
        Kind::Blob => Ok(()),
        Kind::Tree => Tree::new(format, content).try_for_each(|entry| {
            let entry = entry?;
            if let Some(kind) = entry.mode.kind() {
                each(entry.id, kind);
            }
            Ok(())
        }),
        Kind::Commit => {
            let commit = Commit::parse(format, content)?;
            each(commit.tree(), Kind::Tree);
            commit.parents().for_each(|parent| each(parent, Kind::Commit));
            Ok(())
        }
        Kind::Tag => {
            let tag = Tag::parse(format, content)?;
            each(tag.target(), tag.kind());
            Ok(())
        }
    }
}

/// The error of a stored object, which was found in order when it was received.
pub(crate) fn broken(error: FormError) -> GitError {
    GitError::damaged(match error.kind {
        Kind::Commit => "a commit is broken",
        Kind::Tree => "a tree is broken",
        Kind::Tag => "a tag is broken",
        Kind::Blob => "a file is broken",
    })
}
