//! Commits, read where they lie and written as git writes them.
//!
//! Owns the form of a commit. Refuses to know its tree, its parents and whether a signature holds.

use crate::header::{self, Header, Lines};
use crate::{Identity, IdentityError, ObjectFormat, ObjectId};

/// A commit, borrowed from its bytes. Everything that `fsck` passes can be read, and much that it does not.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    format: ObjectFormat,
    tree: ObjectId,
    /// Lines that begin with `parent `.
    parents: &'a [u8],
    author: &'a [u8],
    committer: &'a [u8],
    headers: &'a [u8],
    message: &'a [u8],
}

/// Bytes that are no commit, tree or tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {kind}: {line}")]
pub struct FormError {
    /// The expected kind.
    pub kind: crate::Kind,
    /// The part that is not as it should be.
    pub line: &'static str,
}

impl<'a> Commit<'a> {
    /// Reads a commit.
    ///
    /// # Errors
    /// [`FormError`] when the tree or a parent is not named.
    pub fn parse(format: ObjectFormat, content: &'a [u8]) -> Result<Self, FormError> {
        let error = |line| FormError { kind: crate::Kind::Commit, line };
        let mut lines = Lines::new(content);
        let tree = lines.after(b"tree ").ok_or(error("tree"))?;
        let tree = ObjectId::from_hex(format, tree).map_err(|_| error("tree"))?;
        let with_parents = lines.rest();
        while let Some(parent) = lines.after(b"parent ") {
            ObjectId::from_hex(format, parent).map_err(|_| error("parent"))?;
        }
        let parents = with_parents.get(..with_parents.len() - lines.rest().len()).unwrap_or_default();
        let author = lines.after(b"author ").unwrap_or_default();
        while lines.after(b"author ").is_some() {}
        let committer = lines.after(b"committer ").unwrap_or_default();
        let (headers, message) = lines.split();
        Ok(Self { format, tree, parents, author, committer, headers, message })
    }

    /// The id of its tree.
    #[must_use]
    pub const fn tree(&self) -> ObjectId {
        self.tree
    }

    /// The ids of its parents, in their order.
    pub fn parents(&self) -> impl Iterator<Item = ObjectId> + use<'a> {
        let (format, mut lines) = (self.format, Lines::new(self.parents));
        std::iter::from_fn(move || ObjectId::from_hex(format, lines.after(b"parent ")?).ok())
    }

    /// Who wrote the change.
    #[must_use]
    pub fn author(&self) -> Identity<'a> {
        Identity::parse(self.author)
    }

    /// Who made the commit.
    #[must_use]
    pub fn committer(&self) -> Identity<'a> {
        Identity::parse(self.committer)
    }

    /// The encoding of the message when it is not UTF-8.
    #[must_use]
    pub fn encoding(&self) -> Option<&'a [u8]> {
        self.header(b"encoding").map(|header| header.folded)
    }

    /// The signature in header `gpgsig` or `gpgsig-sha256`, whichever the object's format has.
    #[must_use]
    pub fn signature(&self) -> Option<Header<'a>> {
        self.header(match self.format {
            ObjectFormat::Sha1 => b"gpgsig",
            ObjectFormat::Sha256 => b"gpgsig-sha256",
        })
    }

    /// The headers behind the committer, in their order: `encoding`, `gpgsig`, `mergetag` and others.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        header::headers(self.headers)
    }

    /// The message, with its last newline.
    #[must_use]
    pub const fn message(&self) -> &'a [u8] {
        self.message
    }

    fn header(&self, name: &[u8]) -> Option<Header<'a>> {
        self.headers().find(|header| header.name == name)
    }
}

/// A commit to write.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// The tree's id.
    pub tree: ObjectId,
    /// The parents' ids.
    pub parents: &'a [ObjectId],
    /// Who wrote the change.
    pub author: Identity<'a>,
    /// Who makes the commit.
    pub committer: Identity<'a>,
    /// Further headers, such as `encoding`. A value of several lines is folded.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// The message as it is.
    pub message: &'a [u8],
}

impl NewCommit<'_> {
    /// The bytes of the commit, the same that `git commit-tree` makes of these parts.
    ///
    /// # Errors
    /// [`IdentityError`], see [`Identity::write`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, IdentityError> {
        let mut out = Vec::with_capacity(512 + self.message.len());
        header::write(&mut out, b"tree", self.tree.to_string().as_bytes());
        for parent in self.parents {
            header::write(&mut out, b"parent", parent.to_string().as_bytes());
        }
        for (name, identity) in [(b"author ".as_slice(), &self.author), (b"committer ", &self.committer)] {
            out.extend_from_slice(name);
            identity.write(&mut out)?;
            out.push(b'\n');
        }
        for (name, value) in self.headers {
            header::write(&mut out, name, value);
        }
        out.push(b'\n');
        out.extend_from_slice(self.message);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Commit, NewCommit};
    use crate::{ObjectFormat, ObjectId};

    const SIGNED: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
        parent 1111111111111111111111111111111111111111\n\
        parent 2222222222222222222222222222222222222222\n\
        author A <a@x> 1700000000 +0100\n\
        committer C <c@x> 1700000001 -0330\n\
        encoding ISO-8859-1\n\
        gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\
        other word\n\
        \n\
        subject\n\nbody\n";

    #[test]
    fn a_commit_is_written_as_it_was_read() {
        let commit = Commit::parse(ObjectFormat::Sha1, SIGNED.as_bytes()).expect("a commit");
        let parents: Vec<ObjectId> = commit.parents().collect();
        assert_eq!(parents.len(), 2);
        assert_eq!(commit.encoding(), Some(&b"ISO-8859-1"[..]));
        let signature = commit.signature().expect("signed").value().into_owned();
        assert_eq!(signature, b"-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----");
        assert_eq!(commit.message(), b"subject\n\nbody\n");
        let values: Vec<_> = commit.headers().map(|header| (header.name, header.value())).collect();
        let headers: Vec<(&[u8], &[u8])> = values.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        let again = NewCommit {
            tree: commit.tree(),
            parents: &parents,
            author: commit.author(),
            committer: commit.committer(),
            headers: &headers,
            message: commit.message(),
        };
        assert_eq!(again.to_bytes().expect("fit"), SIGNED.as_bytes());
    }

    #[test]
    fn a_commit_without_a_message_is_one() {
        let end = SIGNED.find("\n\nsubject").expect("a message");
        let commit = Commit::parse(ObjectFormat::Sha1, &SIGNED.as_bytes()[..=end]).expect("a commit");
        assert_eq!((commit.message(), commit.headers().count()), (&b""[..], 3));
    }

    #[test]
    fn a_commit_of_the_other_format_is_refused() {
        assert!(Commit::parse(ObjectFormat::Sha256, SIGNED.as_bytes()).is_err());
        assert!(Commit::parse(ObjectFormat::Sha1, b"").is_err());
    }
}
