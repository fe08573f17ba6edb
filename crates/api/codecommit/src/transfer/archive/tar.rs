//! The form of a tar archive, byte for byte as git writes it.
//!
//! Owns headers and padding. Refuses to know what is archived.
//!
//! Source: POSIX.1-2001, "pax Interchange Format", "ustar Interchange Format"; git's documentation of git-archive.

/// Bytes of a header, and of what contents are padded to.
const BLOCK: usize = 512;

/// Bytes that a whole archive is padded to.
const RECORD: u64 = 20 * 512;

/// Bytes of a path in a header, and of what may stand before it.
const NAME_BYTES: usize = 100;
const PREFIX_BYTES: usize = 155;

/// The kind of an entry.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    File { executable: bool },
    Folder,
    Link,
}

/// Writes a tar archive.
pub(super) struct Tar {
    /// The time of all entries, in seconds since 1970.
    time: u64,
    written: u64,
}

impl Tar {
    /// An archive whose entries are of that time; of a commit, it begins with the commit's id.
    pub(super) fn new(time: u64, commit: Option<&str>, out: &mut Vec<u8>) -> Self {
        let mut tar = Self { time, written: 0 };
        if let Some(commit) = commit {
            let record = record("comment", commit.as_bytes());
            tar.header(b"pax_global_header", b"", 0o666, record.len() as u64, b'g', b"", out);
            tar.content(&record, out);
            tar.pad(record.len() as u64, out);
        }
        tar
    }

    /// Writes an entry up to its content, which [`content`](Self::content) and [`pad`](Self::pad) follow. `target` is that of
    /// a link; `label` stands for a path that is too long for a header.
    pub(super) fn entry(
        &mut self,
        (path, label): (&[u8], &str),
        kind: Kind,
        bytes: u64,
        target: &[u8],
        out: &mut Vec<u8>,
    ) {
        let (mode, flag) = match kind {
            Kind::File { executable: false } => (0o664, b'0'),
            Kind::File { executable: true } => (0o775, b'0'),
            Kind::Folder => (0o775, b'5'),
            Kind::Link => (0o777, b'2'),
        };
        let (prefix, name) = split(path);
        let mut extended = Vec::new();
        let fits = name.len() <= NAME_BYTES;
        if !fits {
            extended.extend(record("path", path));
        }
        if target.len() > NAME_BYTES {
            extended.extend(record("linkpath", target));
        }
        if !extended.is_empty() {
            self.header(format!("{label}.paxheader").as_bytes(), b"", 0o666, extended.len() as u64, b'x', b"", out);
            self.content(&extended, out);
            self.pad(extended.len() as u64, out);
        }
        let (data, header) = (format!("{label}.data"), format!("see {label}.paxheader"));
        let (prefix, name) = if fits { (prefix, name) } else { ([].as_slice(), data.as_bytes()) };
        let target = if target.len() > NAME_BYTES { header.as_bytes() } else { target };
        self.header(name, prefix, mode, bytes, flag, target, out);
    }

    /// Writes a part of an entry's content.
    pub(super) fn content(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.written += bytes.len() as u64;
        out.extend_from_slice(bytes);
    }

    /// Ends an entry whose content has `bytes` bytes.
    pub(super) fn pad(&mut self, bytes: u64, out: &mut Vec<u8>) {
        let rest = bytes.next_multiple_of(BLOCK as u64) - bytes;
        self.zeros(rest, out);
    }

    /// Ends the archive.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        // Two empty headers, then what a tape's record lacks.
        let end = (self.written + 2 * BLOCK as u64).next_multiple_of(RECORD);
        self.zeros(end - self.written, out);
    }

    fn zeros(&mut self, count: u64, out: &mut Vec<u8>) {
        self.written += count;
        out.resize(out.len() + usize::try_from(count).unwrap_or_default(), 0);
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of the header")]
    fn header(
        &mut self,
        name: &[u8],
        prefix: &[u8],
        mode: u32,
        bytes: u64,
        flag: u8,
        target: &[u8],
        out: &mut Vec<u8>,
    ) {
        let mut header = Vec::with_capacity(BLOCK);
        let mut field = |value: &[u8], width: usize| {
            header.extend_from_slice(value.get(..width).unwrap_or(value));
            header.resize(header.len() + width.saturating_sub(value.len()), 0);
        };
        field(name, NAME_BYTES);
        field(format!("{mode:07o}").as_bytes(), 8);
        field(b"0000000", 8);
        field(b"0000000", 8);
        field(format!("{bytes:011o}").as_bytes(), 12);
        field(format!("{:011o}", self.time).as_bytes(), 12);
        // The sum is made with spaces in its own place.
        field(b"        ", 8);
        field(&[flag], 1);
        field(target, NAME_BYTES);
        field(b"ustar\0", 6);
        field(b"00", 2);
        field(b"root", 32);
        field(b"root", 32);
        field(b"0000000", 8);
        field(b"0000000", 8);
        field(prefix, PREFIX_BYTES);
        field(b"", 12);
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(place) = header.get_mut(148..156) {
            place.copy_from_slice(format!("{sum:07o}\0").as_bytes());
        }
        self.content(&header, out);
    }
}

/// A path as a header has it: what fits before a slash, and the rest. The rest is too long where nothing helps.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    if path.len() <= NAME_BYTES {
        return (b"", path);
    }
    // A folder's own slash parts nothing.
    let before = path.get(..path.len().saturating_sub(1).min(PREFIX_BYTES + 1)).unwrap_or_default();
    match before.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}

/// A record of an extended header: its own length, a key and a value.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    // A space, an equals sign and a line feed.
    let rest = key.len() + value.len() + 3;
    let digits = |length: usize| length.to_string().len();
    let mut length = rest + digits(rest);
    if digits(length) > digits(rest) {
        length = rest + digits(length);
    }
    [length.to_string().as_bytes(), b" ", key.as_bytes(), b"=", value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::{record, split};

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(record("comment", &[b'a'; 40]), [b"52 comment=".as_slice(), &[b'a'; 40], b"\n"].concat());
        for length in 0..1200 {
            let record = record("path", &vec![b'x'; length]);
            let digits = record.iter().position(|byte| *byte == b' ').expect("a space");
            assert_eq!(String::from_utf8_lossy(&record[..digits]).parse(), Ok(record.len()));
        }
    }

    #[test]
    fn a_long_path_parts_at_a_slash() {
        let path = format!("{}/{}", "a".repeat(100), "b".repeat(90));
        assert_eq!(split(path.as_bytes()), ("a".repeat(100).as_bytes(), "b".repeat(90).as_bytes()));
        assert_eq!(split(b"a/b"), (b"".as_slice(), b"a/b".as_slice()));
        assert!(split(&[b'x'; 300]).1.len() > 100);
    }
}
