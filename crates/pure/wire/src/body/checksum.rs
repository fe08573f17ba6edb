//! Checksums of S3 over bytes that arrive in pieces.
//!
//! Digests of XXHASH are without a seed and in the order of bytes of their canonical form, the most significant first.

use std::hash::Hasher as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::Digest as _;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

/// An algorithm of `x-amz-checksum-…`, or MD5, which `Content-MD5` and entity tags have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32 of ISO-HDLC.
    Crc32,
    /// CRC-32 of iSCSI.
    Crc32c,
    /// CRC-64 of NVMe.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// MD5.
    Md5,
    /// XXH64.
    XxHash64,
    /// XXH3 of 64 bits.
    XxHash3,
    /// XXH3 of 128 bits.
    XxHash128,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    /// Its name, such as `CRC64NVME`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
            Self::XxHash64 => "XXHASH64",
            Self::XxHash3 => "XXHASH3",
            Self::XxHash128 => "XXHASH128",
        }
    }

    /// The header or trailer that carries it.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha512 => "x-amz-checksum-sha512",
            Self::Md5 => "x-amz-checksum-md5",
            Self::XxHash64 => "x-amz-checksum-xxhash64",
            Self::XxHash3 => "x-amz-checksum-xxhash3",
            Self::XxHash128 => "x-amz-checksum-xxhash128",
        }
    }

    /// The algorithm of a header or trailer.
    #[must_use]
    pub fn of_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header().eq_ignore_ascii_case(name))
    }

    /// The algorithm of a name, such as in `x-amz-checksum-algorithm`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The length of a digest in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// A digest in base64; `None` if it is none of this algorithm.
    #[must_use]
    pub fn parse(self, base64: &[u8]) -> Option<Vec<u8>> {
        // No digest is longer: what is longer is not looked at.
        let digest = STANDARD.decode(base64.get(..base64.len().min(90))?).ok()?;
        (digest.len() == self.length()).then_some(digest)
    }

    const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 | Self::Sha512 | Self::Md5 | Self::XxHash64 | Self::XxHash3 | Self::XxHash128 => {
                None
            }
        }
    }
}

/// The digest of two pieces one after the other, by their own digests and the second's length: that of a whole object
/// by those of its parts. Only CRCs have one.
#[must_use]
pub fn combine(algorithm: Algorithm, first: &[u8], second: &[u8], second_length: u64) -> Option<Vec<u8>> {
    let number = |digest: &[u8]| digest.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    let fit = first.len() == algorithm.length() && second.len() == algorithm.length();
    let crc = algorithm.crc().filter(|_| fit)?;
    let combined = crc_fast::checksum_combine(crc, number(first), number(second), second_length);
    Some(big_endian(combined, algorithm.length()))
}

/// The composite digest of an object by those of its parts, in their order: the digest of the digests. In headers it is
/// followed by a hyphen and the number of parts.
#[must_use]
pub fn composite<'d>(algorithm: Algorithm, parts: impl IntoIterator<Item = &'d [u8]>) -> Vec<u8> {
    let mut running = Running::new(algorithm);
    parts.into_iter().for_each(|digest| running.update(digest));
    running.finish()
}

fn big_endian(number: u64, length: usize) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip(size_of::<u64>() - length).collect()
}

/// A digest being computed.
pub struct Running {
    algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(Box<crc_fast::Digest>),
    Sha1(crypto::Sha1),
    Sha256(crypto::Sha256),
    Sha512(crypto::Sha512),
    Md5(md5::Md5),
    XxHash64(XxHash64),
    /// Boxed, because they are as large as 256 bytes of input.
    XxHash3(Box<XxHash3_64>),
    XxHash128(Box<XxHash3_128>),
}

impl Running {
    /// A digest of nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let crc = |crc| State::Crc(Box::new(crc_fast::Digest::new(crc)));
        let state = match algorithm {
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 => State::Sha1(crypto::Sha1::new()),
            Algorithm::Sha256 => State::Sha256(crypto::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(crypto::Sha512::new()),
            Algorithm::Md5 => State::Md5(md5::Md5::new()),
            Algorithm::XxHash64 => State::XxHash64(XxHash64::with_seed(0)),
            Algorithm::XxHash3 => State::XxHash3(Box::new(XxHash3_64::new())),
            Algorithm::XxHash128 => State::XxHash128(Box::new(XxHash3_128::new())),
        };
        Self { algorithm, state }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha1(sha1) => sha1.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
            State::Sha512(sha512) => sha512.update(bytes),
            State::Md5(md5) => md5.update(bytes),
            State::XxHash64(hash) => hash.write(bytes),
            State::XxHash3(hash) => hash.write(bytes),
            State::XxHash128(hash) => hash.write(bytes),
        }
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.state {
            State::Crc(crc) => big_endian(crc.finalize(), self.algorithm.length()),
            State::Sha1(sha1) => sha1.finish().to_vec(),
            State::Sha256(sha256) => sha256.finish().to_vec(),
            State::Sha512(sha512) => sha512.finish().to_vec(),
            State::Md5(md5) => md5.finalize().to_vec(),
            State::XxHash64(hash) => hash.finish().to_be_bytes().to_vec(),
            State::XxHash3(hash) => hash.finish().to_be_bytes().to_vec(),
            State::XxHash128(hash) => hash.finish_128().to_be_bytes().to_vec(),
        }
    }
}
