//! Texts and histories that are made by chance, the same ones each time, and the real git.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod history;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use git_diff::Source;
use git_object::{Kind, ObjectFormat, ObjectId};

/// Numbers that look random (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Whether something happens that does `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A text of up to `lines` lines, of which some are there often.
    pub(crate) fn text(&mut self, lines: usize) -> Vec<String> {
        let words = 4 + self.below(40);
        (0..self.below(lines + 1)).map(|_| self.line(words)).collect()
    }

    pub(crate) fn line(&mut self, words: usize) -> String {
        let indent = " ".repeat(4 * self.below(3));
        match self.below(8) {
            0 => String::new(),
            1 => format!("{indent}}}"),
            _ => format!("{indent}word {}", self.below(words)),
        }
    }

    /// The text after up to `edits` changes of a few lines.
    pub(crate) fn edit(&mut self, text: &[String], edits: usize) -> Vec<String> {
        let mut text = text.to_vec();
        for _ in 0..self.below(edits + 1) {
            let at = self.below(text.len() + 1);
            let end = (at + self.below(4)).min(text.len());
            let new: Vec<String> = (0..self.below(4)).map(|_| self.line(60)).collect();
            text.splice(at..end, new);
        }
        text
    }
}

/// Lines as a file, sometimes without a newline at its end.
pub(crate) fn join(chance: &mut Chance, lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\n");
    if !text.is_empty() && !chance.percent(10) {
        text.push('\n');
    }
    text.into_bytes()
}

/// Runs git; returns its exit code and what it prints.
pub(crate) fn git(directory: &Path, arguments: &[&str], input: &[u8]) -> (i32, Vec<u8>) {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), output.stdout)
}

/// All objects of a repository, in memory.
pub(crate) struct Objects(pub(crate) HashMap<ObjectId, (Kind, Vec<u8>)>);

impl Objects {
    pub(crate) fn load(directory: &Path) -> Self {
        let (_, out) = git(directory, &["cat-file", "--batch-all-objects", "--batch"], b"");
        let (mut rest, mut objects) = (out.as_slice(), HashMap::new());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let header = std::str::from_utf8(&rest[..end]).unwrap();
            let [id, kind, bytes]: [&str; 3] = header.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let bytes: usize = bytes.parse().unwrap();
            let content = rest[end + 1..=end + bytes].to_vec();
            let id = ObjectId::from_hex(ObjectFormat::Sha1, id.as_bytes()).unwrap();
            objects.insert(id, (Kind::from_name(kind.as_bytes()).unwrap(), content));
            rest = &rest[end + 1 + bytes + 1..];
        }
        Self(objects)
    }
}

impl Source for Objects {
    type Error = String;
    type Bytes = Vec<u8>;

    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Vec<u8>, String> {
        let (found, content) = self.0.get(id).ok_or_else(|| format!("{id} is missing"))?;
        if *found == kind { Ok(content.clone()) } else { Err(format!("{id} is a {found}")) }
    }

    fn size(&self, id: &ObjectId) -> Result<u64, String> {
        self.read(id, Kind::Blob).map(|content| content.len() as u64)
    }
}

/// The id that git has for an expression.
pub(crate) fn resolve(directory: &Path, expression: &str) -> ObjectId {
    let (code, out) = git(directory, &["rev-parse", "--verify", expression], b"");
    assert_eq!(code, 0, "{expression}");
    ObjectId::from_hex(ObjectFormat::Sha1, out.trim_ascii()).unwrap()
}
