//! Conflicts as answers show them: a file's metadata, and its hunks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git_diff::lines::Algorithm;
use git_diff::merge::{Conflict, ConflictKind};
use git_diff::text_merge::{Region, Taken, regions};
use git_diff::{Item, Source, is_binary};
use git_object::{Kind, Mode};

use crate::content::{FileMode, Reader};
use crate::difference::trees::ChangeType;
use crate::error::CodeCommitError;

wire::text_enum! {
    /// An entry's type.
    pub(crate) enum ObjectType {
        File = "FILE",
        Directory = "DIRECTORY",
        GitLink = "GIT_LINK",
        SymbolicLink = "SYMBOLIC_LINK",
    }
}

/// Declares an output of a value for each of the three versions.
macro_rules! versions {
    ($(#[$doc:meta])* $name:ident of $kind:ty) => {
        wire::output! {
            $(#[$doc])*
            pub(crate) struct $name {
                "source" source: $kind, optional;
                "destination" destination: $kind, optional;
                "base" base: $kind, optional;
            }
        }

        impl From<[Option<$kind>; 3]> for $name {
            fn from([base, destination, source]: [Option<$kind>; 3]) -> Self {
                Self { source, destination, base }
            }
        }
    };
}

versions! {
    /// The sizes of a file in bytes.
    FileSizes of i64
}

versions! {
    /// The modes of a file.
    FileModes of FileMode
}

versions! {
    /// A path's types.
    ObjectTypes of ObjectType
}

versions! {
    /// Whether a file is binary.
    IsBinaryFile of bool
}

wire::output! {
    /// Either side's change of a file.
    pub(crate) struct MergeOperations {
        "source" source: ChangeType, optional;
        "destination" destination: ChangeType, optional;
    }
}

wire::output! {
    /// A file in conflict.
    pub(crate) struct ConflictMetadata {
        "filePath" file_path: String, required;
        "fileSizes" file_sizes: FileSizes, required;
        "fileModes" file_modes: FileModes, required;
        "objectTypes" object_types: ObjectTypes, required;
        "numberOfConflicts" number: i64, required;
        "isBinaryFile" is_binary: IsBinaryFile, required;
        "contentConflict" content: bool, required;
        "fileModeConflict" mode: bool, required;
        "objectTypeConflict" object_type: bool, required;
        "mergeOperations" operations: MergeOperations, required;
    }
}

wire::output! {
    /// One version of a hunk. Lines begin with 1; the content is base64.
    pub(crate) struct MergeHunkDetail {
        "startLine" start: i64, required;
        "endLine" end: i64, required;
        "hunkContent" content: String, required;
    }
}

wire::output! {
    /// Lines that either side changed.
    pub(crate) struct MergeHunk {
        "isConflict" is_conflict: bool, required;
        "source" source: MergeHunkDetail, required;
        "destination" destination: MergeHunkDetail, required;
        "base" base: MergeHunkDetail, required;
    }
}

/// The path of a conflict.
pub(super) fn path_of(conflict: &Conflict) -> String {
    String::from_utf8_lossy(&conflict.path).into_owned()
}

/// A file's content; none for what is no file.
fn content(reader: &Reader, item: Option<Item>) -> Result<Option<<Reader as Source>::Bytes>, CodeCommitError> {
    let blob = item.filter(|item| item.mode.kind() == Some(Kind::Blob));
    Ok(blob.map(|item| reader.read(&item.id, Kind::Blob)).transpose()?)
}

impl ConflictMetadata {
    /// The metadata of a conflict. Blocks.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn of(conflict: &Conflict, reader: &Reader) -> Result<Self, CodeCommitError> {
        let stages = conflict.stages;
        let [base, ours, theirs] = stages;
        let (mut sizes, mut binary) = ([None; 3], [None; 3]);
        for ((stage, size), binary) in stages.into_iter().zip(&mut sizes).zip(&mut binary) {
            if let Some(found) = content(reader, stage)? {
                *size = Some(i64::try_from(found.as_ref().len()).unwrap_or(i64::MAX));
                *binary = Some(is_binary(found.as_ref()));
            }
        }
        let object_type = |item: Item| match item.mode {
            Mode::Tree => ObjectType::Directory,
            Mode::Submodule => ObjectType::GitLink,
            Mode::Symlink => ObjectType::SymbolicLink,
            Mode::Regular | Mode::Executable => ObjectType::File,
        };
        let hunks = match conflict.kind {
            ConflictKind::Text(count) => count,
            ConflictKind::Mode | ConflictKind::Types | ConflictKind::FileFolder => 0,
            _ => 1,
        };
        let mode = match (base, ours, theirs) {
            (_, Some(ours), Some(theirs)) if ours.mode == theirs.mode => false,
            (Some(base), Some(ours), Some(theirs)) => base.mode != ours.mode && base.mode != theirs.mode,
            (None, Some(_), Some(_)) => true,
            _ => false,
        };
        let kinds = matches!(conflict.kind, ConflictKind::Types | ConflictKind::FileFolder);
        let count = hunks + usize::from(mode && !kinds) + usize::from(kinds);
        let operation = |side: Option<Item>| match (base, side) {
            (None, Some(_)) => Some(ChangeType::Added),
            (Some(_), None) => Some(ChangeType::Deleted),
            (Some(base), Some(side)) if base != side => Some(ChangeType::Modified),
            _ => None,
        };
        Ok(Self {
            file_path: path_of(conflict),
            file_sizes: sizes.into(),
            file_modes: stages.map(|stage| stage.and_then(|item| FileMode::of(item.mode))).into(),
            object_types: stages.map(|stage| stage.map(object_type)).into(),
            number: i64::try_from(count).unwrap_or(i64::MAX),
            is_binary: binary.into(),
            content: hunks > 0,
            mode: mode && !kinds,
            object_type: kinds,
            operations: MergeOperations { source: operation(theirs), destination: operation(ours) },
        })
    }
}

/// The hunks of a conflict, those that only one side changed among them; none of what is no text. Blocks.
///
/// # Errors
/// Those of reading.
pub(super) fn hunks(conflict: &Conflict, reader: &Reader) -> Result<Vec<MergeHunk>, CodeCommitError> {
    let [base, ours, theirs] = conflict.stages.map(|stage| content(reader, stage));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    fn bytes(found: Option<&<Reader as Source>::Bytes>) -> &[u8] {
        found.map(AsRef::as_ref).unwrap_or_default()
    }
    let (base, ours, theirs) = (bytes(base.as_ref()), bytes(ours.as_ref()), bytes(theirs.as_ref()));
    if [base, ours, theirs].into_iter().any(is_binary) {
        return Ok(Vec::new());
    }
    let split = |text| -> Vec<&[u8]> { <[u8]>::split_inclusive(text, |byte| *byte == b'\n').collect() };
    let lines = [split(base), split(ours), split(theirs)];
    let [base_lines, our_lines, their_lines] = &lines;
    let hunk = |region: Region| MergeHunk {
        is_conflict: region.taken == Taken::Conflict,
        source: detail(their_lines, region.theirs),
        destination: detail(our_lines, region.ours),
        base: detail(base_lines, region.base),
    };
    Ok(regions(base, ours, theirs, Algorithm::Histogram).into_iter().map(hunk).collect())
}

fn detail(lines: &[&[u8]], range: std::ops::Range<usize>) -> MergeHunkDetail {
    let number = |line: usize| i64::try_from(line).unwrap_or(i64::MAX);
    let content = lines.get(range.clone()).unwrap_or_default().concat();
    MergeHunkDetail { start: number(range.start + 1), end: number(range.end), content: STANDARD.encode(content) }
}
