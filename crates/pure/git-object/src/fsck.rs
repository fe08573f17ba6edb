//! The rules that `git fsck --strict` has for objects, and `transfer.fsckObjects` for what a push brings.
//!
//! Owns what makes one object unacceptable, under git's own names. Refuses to know whether the objects that it names exist.
//!
//! Sources: git-fsck, "fsck-msgids"; `fsck.<msg-id>` and `fsck.skipList` in git-config.

mod attributes;
mod config;
mod disguise;
mod header;
mod message;
mod submodule;
mod tree;
mod url;

use std::collections::HashSet;

use crate::{Kind, ObjectId};

pub use disguise::{Special, hfs, ntfs};
pub use message::{Message, Severity};

/// Bytes of the largest `.gitattributes` that git reads.
const ATTRIBUTES_BYTES_MAX: u64 = 100 << 20;
/// Bytes of the largest `.gitmodules` that is read here. (Git's bound is the size from which it streams blobs to disk.)
const MODULES_BYTES_MAX: u64 = 100 << 20;

/// An object that is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .message.id())]
pub struct FsckError {
    /// The rule that it breaks.
    pub message: Message,
    /// The fault, for whoever made the object.
    pub detail: String,
}

impl FsckError {
    /// The id that git has for the rule, such as `hasDotgit`.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.message.id()
    }
}

/// Tolerated faults.
#[derive(Clone, Debug, Default)]
pub struct Options {
    passed: u64,
    objects: HashSet<ObjectId>,
}

impl Options {
    /// Lets whatever breaks this rule pass, as `fsck.<msg-id> = ignore` does. Rules without which an object cannot be read
    /// stay.
    pub fn pass(&mut self, message: Message) {
        self.passed |= message.bit();
    }

    /// Lets this object pass whatever is wrong with it, as `fsck.skipList` does.
    pub fn pass_object(&mut self, id: ObjectId) {
        self.objects.insert(id);
    }
}

/// Blobs that have rules of their own because of their name in a tree. To be checked once they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Blobs for [`check_gitmodules`].
    pub gitmodules: Vec<ObjectId>,
    /// Blobs for [`check_gitattributes`].
    pub gitattributes: Vec<ObjectId>,
}

/// Checks an object by the rules of its kind. Blobs have none before a tree names them.
///
/// # Errors
/// The first error that git would report, unless `options` let it pass. What git calls warnings are errors, as they are
/// with `--strict`; what it calls infos pass.
pub fn check(kind: Kind, id: &ObjectId, content: &[u8], options: &Options) -> Result<Findings, FsckError> {
    let report = Report::of(id, options);
    let mut findings = Findings::default();
    match kind {
        Kind::Blob => {}
        Kind::Commit => header::check_commit(id.format(), content, report)?,
        Kind::Tag => header::check_tag(id.format(), content, report)?,
        Kind::Tree => tree::check(id.format(), content, report, &mut findings)?,
    }
    Ok(findings)
}

/// A blob, or what was found instead, that a tree names `.gitmodules` or `.gitattributes`.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// The blob's content.
    Blob(&'a [u8]),
    /// A blob that is too large to read.
    Large,
    /// No object of the repository or of the push.
    Missing,
    /// An object of another kind.
    Other,
}

impl<'a> Named<'a> {
    /// The content, unless it is over the limit.
    fn content(self, bytes_max: u64, messages: [Message; 3], name: &str) -> Result<&'a [u8], (Message, String)> {
        let [large, missing, other] = messages;
        match self {
            Self::Blob(content) if content.len() as u64 <= bytes_max => Ok(content),
            Self::Blob(_) | Self::Large => Err((large, format!("{name} too large to parse"))),
            Self::Missing => Err((missing, format!("unable to read {name} blob"))),
            Self::Other => Err((other, format!("non-blob found at {name}"))),
        }
    }
}

/// Checks what a tree names `.gitmodules`.
///
/// # Errors
/// As [`check`].
pub fn check_gitmodules(id: &ObjectId, found: Named<'_>, options: &Options) -> Result<(), FsckError> {
    let report = Report::of(id, options);
    let messages = [Message::GitmodulesLarge, Message::GitmodulesMissing, Message::GitmodulesBlob];
    match found.content(MODULES_BYTES_MAX, messages, ".gitmodules") {
        Ok(content) => submodule::check(content, report),
        Err((message, detail)) => report.error(message, || detail),
    }
}

/// Checks what a tree names `.gitattributes`.
///
/// # Errors
/// As [`check`].
pub fn check_gitattributes(id: &ObjectId, found: Named<'_>, options: &Options) -> Result<(), FsckError> {
    let report = Report::of(id, options);
    let messages = [Message::GitattributesLarge, Message::GitattributesMissing, Message::GitattributesBlob];
    match found.content(ATTRIBUTES_BYTES_MAX, messages, ".gitattributes") {
        Ok(content) => attributes::check(content, report),
        Err((message, detail)) => report.error(message, || detail),
    }
}

/// The effect of a broken rule.
#[derive(Clone, Copy)]
struct Report {
    /// Rules that let pass.
    passed: u64,
    /// Everything passes, also what cannot be read.
    all: bool,
}

impl Report {
    fn of(id: &ObjectId, options: &Options) -> Self {
        Self { passed: options.passed, all: !options.objects.is_empty() && options.objects.contains(id) }
    }

    /// Whether breaking this rule passes.
    fn passes(self, message: Message) -> bool {
        self.all
            || match message.severity() {
                Severity::Fatal => false,
                Severity::Error | Severity::Warning => self.passed & message.bit() != 0,
                Severity::Info => true,
            }
    }

    fn error(self, message: Message, detail: impl FnOnce() -> String) -> Result<(), FsckError> {
        if self.passes(message) { Ok(()) } else { Err(FsckError { message, detail: detail() }) }
    }

    fn text(self, message: Message, detail: &str) -> Result<(), FsckError> {
        self.error(message, || detail.to_owned())
    }
}
