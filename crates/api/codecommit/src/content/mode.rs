//! Modes of files as the API names them.

use git_object::Mode;

wire::text_enum! {
    /// The mode of a file.
    pub(crate) enum FileMode { Executable = "EXECUTABLE", Normal = "NORMAL", Symlink = "SYMLINK" }
}

impl FileMode {
    /// The mode of an entry; `None` for one that is no file.
    pub(crate) const fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::Regular => Some(Self::Normal),
            Mode::Executable => Some(Self::Executable),
            Mode::Symlink => Some(Self::Symlink),
            Mode::Tree | Mode::Submodule => None,
        }
    }

    /// The mode in a tree.
    pub(crate) const fn mode(self) -> Mode {
        match self {
            Self::Normal => Mode::Regular,
            Self::Executable => Mode::Executable,
            Self::Symlink => Mode::Symlink,
        }
    }
}
