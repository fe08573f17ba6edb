//! Segment files as they are read: their names, their headers and the frames in them.
//! Judges nothing: says what stands at an offset, and leaves its meaning to recovery, verification and reading.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crypto::Key256;

use crate::JournalError;
use crate::format::{
    FRAME_BYTES_MAX, FRAME_BYTES_MIN, Frame, HEADER_BYTES, Header, JournalId, Keys, Version, header_bytes,
};

/// The length of a frame's length.
const LENGTH_BYTES: u64 = 4;

/// The highest number that a segment can have.
pub(crate) const NUMBER_MAX: u32 = 99_999_999;

/// Where a segment is.
pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.seal"))
}

/// The numbers of the segments in a directory, in order. Files with other names are none of the journal's.
pub(crate) fn list(dir: &Path) -> Result<Vec<u32>, JournalError> {
    let failed = |cause| JournalError::Io { action: "read", path: dir.to_owned(), cause };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seal")).and_then(|number| number.parse().ok());
        if let Some(number) =
            number.filter(|number| (1..=NUMBER_MAX).contains(number) && path(dir, *number).file_name() == Some(&name))
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A segment opened for reading.
pub(crate) struct Segment {
    /// The number that its file's name says.
    pub(crate) number: u32,
    /// Its header, if that is intact.
    pub(crate) header: Option<Header>,
    /// Its length in bytes when it was opened.
    pub(crate) length: u64,
    /// The version of its format.
    pub(crate) version: Version,
    path: PathBuf,
    file: File,
    key: Option<Key256>,
}

/// The content at an offset of a segment.
pub(crate) enum At {
    /// The segment's end.
    End,
    /// Bytes that aren't a whole frame.
    Fragment,
    /// Bytes of a frame's length that don't open as one.
    Damaged { next: u64 },
    /// A frame.
    Frame { frame: Frame, next: u64 },
}

impl Segment {
    /// Opens a segment; `None` if there is no such file.
    pub(crate) fn open(dir: &Path, keys: &Keys, number: u32) -> Result<Option<Self>, JournalError> {
        let path = path(dir, number);
        let failed = |cause| JournalError::Io { action: "read", path: path.clone(), cause };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let length = file.metadata().map_err(failed)?.len();
        let mut bytes = [0; HEADER_BYTES];
        let bytes = bytes.split_at_mut(HEADER_BYTES.min(usize::try_from(length).unwrap_or(HEADER_BYTES))).0;
        file.read_exact_at(bytes, 0).map_err(failed)?;
        let (header, version, key) = match Header::open(keys, bytes) {
            Ok((header, version, key)) => (Some(header), version, Some(key)),
            Err(_) => (None, Version::CURRENT, None),
        };
        Ok(Some(Self { number, header, length, version, path, file, key }))
    }

    /// Takes the key and the version that the frames have if the file's name tells the truth, for want of an intact
    /// header.
    pub(crate) fn assume(&mut self, keys: &Keys, journal: &JournalId) -> Result<(), JournalError> {
        if self.key.is_none() {
            self.key = Some(keys.segment(journal, self.number));
            for version in Version::ALL {
                self.version = version;
                if self.holds_a_frame()? {
                    return Ok(());
                }
            }
            self.version = Version::CURRENT;
        }
        Ok(())
    }

    /// Whether any frame opens.
    fn holds_a_frame(&self) -> Result<bool, JournalError> {
        let (mut offset, mut buffer) = (self.start(), Vec::new());
        loop {
            match self.at(offset, &mut buffer)? {
                At::Frame { .. } => return Ok(true),
                At::Damaged { next } => offset = next,
                At::Fragment | At::End => return Ok(false),
            }
        }
    }

    /// Where the first frame stands.
    pub(crate) const fn start(&self) -> u64 {
        header_bytes(self.version) as u64
    }

    /// Reads what stands at `offset`, with `buffer` for the bytes.
    pub(crate) fn at(&self, offset: u64, buffer: &mut Vec<u8>) -> Result<At, JournalError> {
        let Some(next) = self.next(offset)? else {
            return Ok(if offset == self.length { At::End } else { At::Fragment });
        };
        let start = offset + LENGTH_BYTES;
        buffer.resize(usize::try_from(next - start).unwrap_or(FRAME_BYTES_MAX), 0);
        if !self.read(buffer, start)? {
            return Ok(At::Fragment);
        }
        let frame = self.key.as_ref().and_then(|key| Frame::open(key, self.version, buffer).ok());
        Ok(frame.map_or(At::Damaged { next }, |frame| At::Frame { frame, next }))
    }

    /// Where the frame at `offset` ends, going by its length; `None` if no whole frame can stand there.
    pub(crate) fn next(&self, offset: u64) -> Result<Option<u64>, JournalError> {
        let start = offset + LENGTH_BYTES;
        if start > self.length {
            return Ok(None);
        }
        let mut length = [0; LENGTH_BYTES as usize];
        if !self.read(&mut length, offset)? {
            return Ok(None);
        }
        let length = u64::from(u32::from_be_bytes(length));
        let next = start + length;
        let possible = (FRAME_BYTES_MIN as u64..=FRAME_BYTES_MAX as u64).contains(&length) && next <= self.length;
        Ok(possible.then_some(next))
    }

    /// Fills `buffer`, and says whether it could: a writer at work may have cut off what it failed to write.
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<bool, JournalError> {
        match self.file.read_exact_at(buffer, offset) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(cause) => Err(JournalError::Io { action: "read", path: self.path.clone(), cause }),
        }
    }
}
