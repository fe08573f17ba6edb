//! Names objects by their content, and finds SHA-1 collisions on the way.
//!
//! Owns the two hash functions as Git uses them. Refuses to know what the content means.

use crate::{Kind, ObjectFormat, ObjectId};

/// An id computed from content that arrives in pieces.
///
/// SHA-1 looks for the traces of known collision attacks in each block, as git does (`SHA1DC`). Where a collision need not be
/// found, as in the trailer of a pack, [`Checksum`] is faster.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha1(crypto::Sha1Checked),
    Sha256(crypto::Sha256),
}

/// Content that was made to have the SHA-1 of other content. No such object is ever stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SHA-1 appears to be part of a collision attack: {id}")]
pub struct Collision {
    /// The id that the content has all the same.
    pub id: ObjectId,
}

impl Hasher {
    /// Begins with no content.
    #[must_use]
    pub fn new(format: ObjectFormat) -> Self {
        Self(match format {
            ObjectFormat::Sha1 => State::Sha1(crypto::Sha1Checked::new()),
            ObjectFormat::Sha256 => State::Sha256(crypto::Sha256::new()),
        })
    }

    /// Begins an object of `bytes` bytes: what it is comes before its content.
    #[must_use]
    pub fn object(format: ObjectFormat, kind: Kind, bytes: u64) -> Self {
        let mut hasher = Self::new(format);
        hasher.update(kind.name().as_bytes());
        hasher.update(format!(" {bytes}\0").as_bytes());
        hasher
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
        }
    }

    /// The id of all that was taken in.
    ///
    /// # Errors
    /// [`Collision`], with SHA-1 alone.
    pub fn finish(self) -> Result<ObjectId, Collision> {
        match self.0 {
            State::Sha1(state) => {
                let (digest, collides) = state.finish();
                let id = sized(ObjectFormat::Sha1, &digest);
                if collides { Err(Collision { id }) } else { Ok(id) }
            }
            State::Sha256(state) => Ok(sized(ObjectFormat::Sha256, &state.finish())),
        }
    }
}

/// A checksum against accidents, as at the end of packs and indexes: the format's hash without a search for collisions.
#[derive(Clone)]
pub struct Checksum(Plain);

#[derive(Clone)]
enum Plain {
    Sha1(crypto::Sha1),
    Sha256(crypto::Sha256),
}

impl Checksum {
    /// Begins with no content.
    #[must_use]
    pub fn new(format: ObjectFormat) -> Self {
        Self(match format {
            ObjectFormat::Sha1 => Plain::Sha1(crypto::Sha1::new()),
            ObjectFormat::Sha256 => Plain::Sha256(crypto::Sha256::new()),
        })
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Plain::Sha1(state) => state.update(bytes),
            Plain::Sha256(state) => state.update(bytes),
        }
    }

    /// The checksum of all that was taken in, in the form of an id.
    #[must_use]
    pub fn finish(self) -> ObjectId {
        match self.0 {
            Plain::Sha1(state) => sized(ObjectFormat::Sha1, &state.finish()),
            Plain::Sha256(state) => sized(ObjectFormat::Sha256, &state.finish()),
        }
    }
}

/// The id of a whole object.
///
/// # Errors
/// [`Collision`], with SHA-1 alone.
pub fn hash_object(format: ObjectFormat, kind: Kind, content: &[u8]) -> Result<ObjectId, Collision> {
    let mut hasher = Hasher::object(format, kind, content.len() as u64);
    hasher.update(content);
    hasher.finish()
}

/// An id of bytes whose length is the format's by their type.
fn sized(format: ObjectFormat, bytes: &[u8]) -> ObjectId {
    ObjectId::from_bytes(format, bytes).unwrap_or(ObjectId::null(format))
}

#[cfg(test)]
mod tests {
    use super::{Checksum, Hasher, hash_object};
    use crate::{Kind, ObjectFormat, ObjectId};

    #[test]
    fn objects_have_the_ids_that_git_gives_them() {
        for (format, kind, content, id) in [
            (ObjectFormat::Sha1, Kind::Blob, "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (ObjectFormat::Sha1, Kind::Tree, "", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
            (ObjectFormat::Sha1, Kind::Blob, "hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
            (ObjectFormat::Sha256, Kind::Tree, "", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
        ] {
            assert_eq!(hash_object(format, kind, content.as_bytes()).expect("no collision").to_string(), id);
        }
    }

    #[test]
    fn pieces_and_a_whole_have_the_same_hash() {
        let content: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let (mut pieces, mut checksum) = (Hasher::object(format, Kind::Blob, 100_000), Checksum::new(format));
            checksum.update(b"blob 100000\0");
            for piece in content.chunks(777) {
                pieces.update(piece);
                checksum.update(piece);
            }
            let whole = hash_object(format, Kind::Blob, &content);
            assert_eq!(pieces.finish(), whole);
            assert_eq!(Ok(checksum.finish()), whole);
        }
    }

    /// The two prefixes of 320 bytes that the SHAttered attack found (shattered.io, 2017), up to their first difference
    /// and beyond: whatever follows both, the hashes stay equal.
    #[test]
    fn a_known_collision_is_found() {
        const SHATTERED_1: &str = "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696\
            768742033203020522f547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706\
            163652037203020522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe0\
            0245348412d3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe017f46dc93a6b67e013b029aaa1db2560b4\
            5ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c230570fe9d41398a\
            be12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda804462\
            9a1";
        let bytes: Vec<u8> = SHATTERED_1
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex"))
            .collect();
        let mut hasher = Hasher::new(ObjectFormat::Sha1);
        hasher.update(&bytes);
        let collision = hasher.finish().expect_err("a collision");
        // It is the SHA-1 of these bytes all the same.
        let mut checksum = Checksum::new(ObjectFormat::Sha1);
        checksum.update(&bytes);
        assert_eq!(collision.id, checksum.finish());
        let mut one_bit = bytes;
        one_bit[319] ^= 1;
        let mut hasher = Hasher::new(ObjectFormat::Sha1);
        hasher.update(&one_bit);
        assert!(hasher.finish().is_ok_and(|id| id != ObjectId::null(ObjectFormat::Sha1)));
    }
}
