//! Histories that are made by chance: files that are changed, added, deleted, moved and swapped with folders on branches
//! that meet now and then.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Chance, git};

/// A tree: files by path, each with its mode and lines.
pub(crate) type Files = BTreeMap<String, (&'static str, Vec<String>)>;

/// Writes commits for `git fast-import`.
#[derive(Default)]
pub(crate) struct Histories {
    stream: Vec<u8>,
    marks: usize,
}

impl Histories {
    /// Adds a commit of these files; returns its mark.
    pub(crate) fn commit(&mut self, reference: &str, parents: &[usize], files: &Files, seconds: u64) -> usize {
        self.marks += 1;
        let mark = self.marks;
        let mut head = format!("commit {reference}\nmark :{mark}\ncommitter C <c> {seconds} +0000\ndata 2\nm\n");
        for (number, parent) in parents.iter().enumerate() {
            head.push_str(&format!("{} :{parent}\n", if number == 0 { "from" } else { "merge" }));
        }
        if parents.is_empty() {
            // A new root, whatever the branch was before.
            head = format!("reset {reference}\n{head}");
        }
        self.stream.extend_from_slice(head.as_bytes());
        self.stream.extend_from_slice(b"deleteall\n");
        for (path, (mode, lines)) in files {
            let mut text = lines.join("\n");
            if *mode != "120000" {
                text.push('\n');
            }
            self.stream.extend_from_slice(format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len()).as_bytes());
        }
        mark
    }

    pub(crate) fn write(mut self, directory: &Path) {
        self.stream.extend_from_slice(b"done\n");
        let (code, _) = git(directory, &["fast-import", "--quiet", "--done", "--force"], &self.stream);
        assert_eq!(code, 0);
    }
}

/// Some files in some folders.
pub(crate) fn first(chance: &mut Chance) -> Files {
    let mut files = Files::new();
    for folder in ["", "src/", "src/deep/", "docs/", "lib/"] {
        for name in ["a", "b", "c.txt", "main"] {
            if chance.percent(60) {
                let lines = 3 + chance.below(25);
                let text = (0..lines).map(|_| chance.line(200)).collect();
                put(&mut files, format!("{folder}{name}"), (mode(chance), text));
            }
        }
    }
    files
}

fn mode(chance: &mut Chance) -> &'static str {
    if chance.percent(15) { "100755" } else { "100644" }
}

/// Puts a file at a path, and takes away what would be in its way.
fn put(files: &mut Files, path: String, file: (&'static str, Vec<String>)) {
    let below = format!("{path}/");
    files.retain(|other, _| !other.starts_with(&below) && !path.starts_with(&format!("{other}/")));
    files.insert(path, file);
}

/// Up to `changes` changes. `moves` says how many in a hundred move files.
pub(crate) fn change(chance: &mut Chance, files: &Files, changes: usize, moves: usize) -> Files {
    let mut files = files.clone();
    for _ in 0..=chance.below(changes) {
        let paths: Vec<String> = files.keys().cloned().collect();
        let Some(path) = paths.get(chance.below(paths.len())).cloned() else { break };
        let (old_mode, text) = files[&path].clone();
        if chance.percent(moves) {
            let folder = ["", "src/", "new/", "docs/", "src/deep/"][chance.below(5)];
            let name = ["a", "b", "renamed", "other", "main"][chance.below(5)];
            files.remove(&path);
            let edits = [0, 1, 3][chance.below(3)];
            let text = chance.edit(&text, edits);
            put(&mut files, format!("{folder}{name}"), (old_mode, text));
            continue;
        }
        match chance.below(14) {
            0 => drop(files.remove(&path)),
            1 => {
                let name = ["new", "x", "src/new", "docs/x", "lib/a"][chance.below(5)];
                let text = (0..5 + chance.below(5)).map(|_| chance.line(200)).collect();
                put(&mut files, name.to_owned(), (mode(chance), text));
            }
            2 => {
                let mode = if old_mode == "100644" { "100755" } else { "100644" };
                files.insert(path, (mode, text));
            }
            3 if chance.percent(30) => {
                let target = ["a", "b"][chance.below(2)].to_owned();
                files.insert(path, ("120000", vec![target]));
            }
            // A folder where the file was.
            4 if chance.percent(40) => {
                files.remove(&path);
                put(&mut files, format!("{path}/{}", ["x", "y"][chance.below(2)]), (old_mode, text));
            }
            // A file where its folder was.
            5 if chance.percent(20) => {
                if let Some((folder, _)) = path.rsplit_once('/') {
                    put(&mut files, folder.to_owned(), (old_mode, text));
                }
            }
            // Binary.
            6 if chance.percent(20) => {
                let text = vec![format!("\0{}", chance.below(3))];
                files.insert(path, (old_mode, text));
            }
            _ if old_mode == "120000" => {}
            _ => {
                let text = chance.edit(&text, 3);
                files.insert(path, (old_mode, text));
            }
        }
    }
    files
}
