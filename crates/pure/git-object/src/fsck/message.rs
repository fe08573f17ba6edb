//! The rules by git's names, and how grave each is.

/// How grave it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The object cannot be read; only the object itself can be let pass.
    Fatal,
    /// An error.
    Error,
    /// An error when objects are transferred or `--strict` is asked for.
    Warning,
    /// Passes.
    Info,
}

macro_rules! messages {
    ($($severity:ident { $($name:ident $id:literal),* $(,)? })*) => {
        /// A rule for objects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Message {
            $($(#[doc = concat!("`", $id, "`")] $name,)*)*
        }

        impl Message {
            /// All of them.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The id that git has for it.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $($(Self::$name => $id,)*)* }
            }

            /// How grave it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $($(Self::$name => Severity::$severity,)*)* }
            }
        }
    };
}

messages! {
    Fatal { NulInHeader "nulInHeader", UnterminatedHeader "unterminatedHeader" }
    Error {
        BadDate "badDate",
        BadDateOverflow "badDateOverflow",
        BadEmail "badEmail",
        BadGpgsig "badGpgsig",
        BadHeaderContinuation "badHeaderContinuation",
        BadName "badName",
        BadObjectSha1 "badObjectSha1",
        BadParentSha1 "badParentSha1",
        BadTimezone "badTimezone",
        BadTree "badTree",
        BadTreeSha1 "badTreeSha1",
        BadType "badType",
        DuplicateEntries "duplicateEntries",
        GitattributesBlob "gitattributesBlob",
        GitattributesLarge "gitattributesLarge",
        GitattributesLineLength "gitattributesLineLength",
        GitattributesMissing "gitattributesMissing",
        GitmodulesBlob "gitmodulesBlob",
        GitmodulesLarge "gitmodulesLarge",
        GitmodulesMissing "gitmodulesMissing",
        GitmodulesName "gitmodulesName",
        GitmodulesPath "gitmodulesPath",
        GitmodulesSymlink "gitmodulesSymlink",
        GitmodulesUpdate "gitmodulesUpdate",
        GitmodulesUrl "gitmodulesUrl",
        MissingAuthor "missingAuthor",
        MissingCommitter "missingCommitter",
        MissingEmail "missingEmail",
        MissingNameBeforeEmail "missingNameBeforeEmail",
        MissingObject "missingObject",
        MissingSpaceBeforeDate "missingSpaceBeforeDate",
        MissingSpaceBeforeEmail "missingSpaceBeforeEmail",
        MissingTag "missingTag",
        MissingTagEntry "missingTagEntry",
        MissingTree "missingTree",
        MissingType "missingType",
        MissingTypeEntry "missingTypeEntry",
        MultipleAuthors "multipleAuthors",
        TreeNotSorted "treeNotSorted",
        ZeroPaddedDate "zeroPaddedDate",
    }
    Warning {
        EmptyName "emptyName",
        FullPathname "fullPathname",
        HasDot "hasDot",
        HasDotdot "hasDotdot",
        HasDotgit "hasDotgit",
        LargePathname "largePathname",
        NullSha1 "nullSha1",
        NulInCommit "nulInCommit",
        ZeroPaddedFilemode "zeroPaddedFilemode",
    }
    Info {
        BadFilemode "badFilemode",
        BadTagName "badTagName",
        ExtraHeaderEntry "extraHeaderEntry",
        GitattributesSymlink "gitattributesSymlink",
        GitignoreSymlink "gitignoreSymlink",
        GitmodulesParse "gitmodulesParse",
        MailmapSymlink "mailmapSymlink",
        MissingTaggerEntry "missingTaggerEntry",
    }
}

impl Message {
    /// The rule of that id, in any case, as git's configuration takes it.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|message| message.id().eq_ignore_ascii_case(id))
    }

    /// Its bit in a set of rules.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u64
    }
}

// A set is a 64-bit number.
const _: () = assert!(Message::ALL.len() <= 64);
