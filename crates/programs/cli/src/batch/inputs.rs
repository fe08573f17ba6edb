//! The inputs that arguments stand for: files, patterns, and the trees below directories.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::paths::FileId;

/// An input.
pub(crate) enum Found {
    /// Standard input.
    Stdin,
    /// A file, and its path below the directory that it was found in: its name, if it was named itself.
    File(PathBuf, PathBuf),
    /// Something that is no file: a pipe, a socket, a device in a directory; a link to a directory.
    Passed(PathBuf, &'static str),
}

/// Finds what `arguments` stand for and hands it to `each`, until that says false. What can't be found goes to
/// `failed`. Directories of `except` are not entered: outputs appear there.
pub(crate) fn found(
    arguments: &[PathBuf],
    recursive: bool,
    except: Option<&Path>,
    each: &mut dyn FnMut(Found) -> bool,
    failed: &mut dyn FnMut(&Path, String),
) {
    let except = except.and_then(|path| std::fs::metadata(path).ok());
    for argument in arguments {
        if argument.as_os_str() == "-" {
            if !each(Found::Stdin) {
                return;
            }
            continue;
        }
        let paths = match matches(argument) {
            Ok(paths) => paths,
            Err(reason) => {
                failed(argument, reason);
                continue;
            }
        };
        for path in paths {
            if !under(path, recursive, except.as_ref(), each, failed) {
                return;
            }
        }
    }
}

/// Every file that `arguments` stand for.
pub(super) fn identities(arguments: &[PathBuf], recursive: bool) -> HashSet<FileId> {
    let mut files = HashSet::new();
    let mut each = |found: Found| {
        files.extend(match found {
            Found::File(path, _) => std::fs::metadata(path).ok().and_then(|metadata| FileId::of(&metadata)),
            Found::Stdin => stdin(),
            Found::Passed(..) => None,
        });
        true
    };
    // The run itself reports what can't be found.
    found(arguments, recursive, None, &mut each, &mut |_, _| {});
    files
}

/// The file that standard input is.
pub(super) fn stdin() -> Option<FileId> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
    FileId::of(&File::from(stdin).metadata().ok()?)
}

/// The paths that an argument stands for: itself, or what a pattern matches when nothing has the pattern as its name.
fn matches(argument: &Path) -> Result<Vec<PathBuf>, String> {
    let missing = match argument.symlink_metadata() {
        Ok(_) => return Ok(vec![argument.to_owned()]),
        Err(error) => error,
    };
    let pattern = argument.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(pattern) = pattern.filter(|_| missing.kind() == ErrorKind::NotFound) else {
        return Err(format!("can't be read: {missing}"));
    };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    let paths = glob::glob_with(pattern, options).map_err(|error| format!("is no pattern: {error}"))?;
    let paths: Result<Vec<_>, _> = paths.collect();
    let paths = paths.map_err(|error| format!("can't be searched: {error}"))?;
    if paths.is_empty() { Err("matches nothing".to_owned()) } else { Ok(paths) }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Hands out a file, or the files below a directory; false when there shall be no more.
fn under(
    path: PathBuf,
    recursive: bool,
    except: Option<&Metadata>,
    each: &mut dyn FnMut(Found) -> bool,
    failed: &mut dyn FnMut(&Path, String),
) -> bool {
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => {
            failed(&path, format!("can't be read: {error}"));
            return true;
        }
    };
    if !metadata.is_dir() {
        let name = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        return each(Found::File(path, name));
    }
    if !recursive {
        failed(&path, "is a directory, which takes --recursive".to_owned());
        return true;
    }
    // What is entered next, deepest last. A directory is read as a whole before any of its outputs can appear in it.
    let mut waiting = vec![(path, PathBuf::new())];
    while let Some((directory, below)) = waiting.pop() {
        let entries = match entries(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                failed(&directory, format!("can't be read: {error}"));
                continue;
            }
        };
        let mut directories = Vec::new();
        for (name, kind) in entries {
            let (path, below) = (directory.join(&name), below.join(&name));
            let found = match kind_of(&path, kind) {
                Ok(Kind::File) => Found::File(path, below),
                Ok(Kind::Directory(metadata)) => {
                    if except.is_some_and(|except| identity(except) == identity(&metadata)) {
                        Found::Passed(path, "is the output directory")
                    } else {
                        directories.push((path, below));
                        continue;
                    }
                }
                Ok(Kind::Other(reason)) => Found::Passed(path, reason),
                Err(error) => {
                    failed(&path, format!("can't be read: {error}"));
                    continue;
                }
            };
            if !each(found) {
                return false;
            }
        }
        waiting.extend(directories.into_iter().rev());
    }
    true
}

/// The kind of an entry of a directory.
enum Kind {
    /// A file, or a link to one.
    File,
    Directory(Metadata),
    /// Something that is passed over, and why.
    Other(&'static str),
}

/// The kind of `path`, for which its directory says `kind`.
fn kind_of(path: &Path, kind: FileType) -> io::Result<Kind> {
    if kind.is_file() {
        return Ok(Kind::File);
    }
    let metadata = std::fs::metadata(path)?;
    Ok(match (metadata.is_dir(), kind.is_symlink()) {
        (false, true) => Kind::File,
        (false, false) => Kind::Other("is no file"),
        // Links to directories lead around in circles.
        (true, true) => Kind::Other("is a link to a directory"),
        (true, false) => Kind::Directory(metadata),
    })
}

/// The names in a directory, sorted, and what kind of thing each stands for.
fn entries(directory: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let entries =
        std::fs::read_dir(directory)?.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))));
    let mut entries: Vec<_> = entries.collect::<io::Result<_>>()?;
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

/// The directory in which `target` lies.
pub(super) fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs that are found, as text, sorted.
    fn list(arguments: &[PathBuf], recursive: bool, except: Option<&Path>) -> Vec<String> {
        let (mut seen, mut complaints) = (Vec::new(), Vec::new());
        let mut each = |found| {
            seen.push(match found {
                Found::Stdin => "-".to_owned(),
                Found::File(_, below) => below.display().to_string(),
                Found::Passed(path, why) => format!("{} {why}", path.file_name().expect("a name").display()),
            });
            true
        };
        let mut failed = |path: &Path, reason: String| {
            complaints.push(format!("{}: {reason}", path.file_name().expect("a name").display()));
        };
        found(arguments, recursive, except, &mut each, &mut failed);
        seen.extend(complaints);
        seen
    }

    #[test]
    fn trees_are_walked_without_going_in_circles() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join(name);
        for directory in ["a/b", "out"] {
            std::fs::create_dir_all(path(directory)).expect("made");
        }
        for file in ["a/b/2", "a/1", "0", "out/x"] {
            std::fs::write(path(file), "").expect("written");
        }
        std::os::unix::fs::symlink("..", path("a/up")).expect("linked");
        std::os::unix::fs::symlink("../0", path("a/zero")).expect("linked");
        std::os::unix::fs::symlink("nowhere", path("a/lost")).expect("linked");
        let found = list(&[root.path().to_owned()], true, Some(&path("out")));
        let rest = ["lost: can't be read: No such file or directory (os error 2)"];
        let expected = ["0", "out is the output directory", "a/1", "up is a link to a directory", "a/zero", "a/b/2"];
        assert_eq!(found, [&expected[..], &rest].concat());
        assert_eq!(list(&[path("a")], false, None), ["a: is a directory, which takes --recursive"]);
    }

    #[test]
    fn patterns_are_matched_unless_a_file_has_that_name() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join(name);
        for file in ["a1", "a2", "b1", ".a3", "c[1]"] {
            std::fs::write(path(file), "").expect("written");
        }
        assert_eq!(list(&[path("a*"), "-".into()], false, None), ["a1", "a2", "-"]);
        assert_eq!(list(&[path("?1")], false, None), ["a1", "b1"]);
        assert_eq!(list(&[path("c[1]")], false, None), ["c[1]"]);
        assert_eq!(list(&[path("z*")], false, None), ["z*: matches nothing"]);
        assert_eq!(list(&[path("none")], false, None), ["none: can't be read: No such file or directory (os error 2)"]);
    }
}
