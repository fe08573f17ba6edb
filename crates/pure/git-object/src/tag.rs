//! Annotated tags, read where they lie and written as git writes them.
//!
//! Owns the form of a tag. Refuses to know the reference that points to it and whether a signature holds.

use crate::commit::FormError;
use crate::header::{self, Header, Lines};
use crate::{Identity, IdentityError, Kind, ObjectFormat, ObjectId};

/// A tag, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    target: ObjectId,
    kind: Kind,
    name: &'a [u8],
    tagger: Option<&'a [u8]>,
    headers: &'a [u8],
    message: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads a tag.
    ///
    /// # Errors
    /// [`FormError`] when what it points to is not said.
    pub fn parse(format: ObjectFormat, content: &'a [u8]) -> Result<Self, FormError> {
        let error = |line| FormError { kind: Kind::Tag, line };
        let mut lines = Lines::new(content);
        let target = lines.after(b"object ").ok_or(error("object"))?;
        let target = ObjectId::from_hex(format, target).map_err(|_| error("object"))?;
        let kind = lines.after(b"type ").and_then(Kind::from_name).ok_or(error("type"))?;
        let name = lines.after(b"tag ").ok_or(error("tag"))?;
        let tagger = lines.after(b"tagger ");
        let (headers, message) = lines.split();
        Ok(Self { target, kind, name, tagger, headers, message })
    }

    /// The id of the object that it points to.
    #[must_use]
    pub const fn target(&self) -> ObjectId {
        self.target
    }

    /// The kind that object is said to have.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The name in the tag, which need not be its reference's.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Who made it; the oldest tags do not say.
    #[must_use]
    pub fn tagger(&self) -> Option<Identity<'a>> {
        self.tagger.map(Identity::parse)
    }

    /// The headers behind the tagger.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        header::headers(self.headers)
    }

    /// The message, with a signature at its end if there is one.
    #[must_use]
    pub const fn message(&self) -> &'a [u8] {
        self.message
    }
}

/// A tag to write.
#[derive(Clone, Copy, Debug)]
pub struct NewTag<'a> {
    /// The id of what it points to.
    pub target: ObjectId,
    /// That object's kind.
    pub kind: Kind,
    /// The tag's name, without `refs/tags/`.
    pub name: &'a [u8],
    /// Who makes it.
    pub tagger: Identity<'a>,
    /// The message as it is.
    pub message: &'a [u8],
}

impl NewTag<'_> {
    /// The bytes of the tag, the same that `git mktag` takes.
    ///
    /// # Errors
    /// [`IdentityError`], also for a newline or NUL in the name.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IdentityError> {
        if self.name.iter().any(|byte| matches!(byte, b'\n' | 0)) {
            return Err(IdentityError);
        }
        let mut out = Vec::with_capacity(256 + self.message.len());
        header::write(&mut out, b"object", self.target.to_string().as_bytes());
        header::write(&mut out, b"type", self.kind.name().as_bytes());
        header::write(&mut out, b"tag", self.name);
        out.extend_from_slice(b"tagger ");
        self.tagger.write(&mut out)?;
        out.extend_from_slice(b"\n\n");
        out.extend_from_slice(self.message);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{NewTag, Tag};
    use crate::ObjectFormat;

    #[test]
    fn a_tag_is_written_as_it_was_read() {
        let text = b"object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\ntagger T <t@x> 5 +0000\n\nm\n";
        let tag = Tag::parse(ObjectFormat::Sha1, text).expect("a tag");
        let again = NewTag {
            target: tag.target(),
            kind: tag.kind(),
            name: tag.name(),
            tagger: tag.tagger().expect("a tagger"),
            message: tag.message(),
        };
        assert_eq!(again.to_bytes().expect("fit"), text);
        let old = b"object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\n\nm\n";
        let tag = Tag::parse(ObjectFormat::Sha1, old).expect("an old tag");
        assert_eq!((tag.tagger(), tag.message()), (None, &b"m\n"[..]));
        assert!(Tag::parse(ObjectFormat::Sha1, &old[..60]).is_err());
    }
}
