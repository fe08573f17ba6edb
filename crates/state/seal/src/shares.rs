//! The shares seal: a sealing key that no one holds, split among people of whom a number has to come together.
//!
//! A share as its holder sees it is `seal1-` and twelve groups of six characters: what split it belongs to, its number,
//! its value, and a checksum over all of that. Refuses to know who holds which.

use std::fmt;
use std::num::NonZeroU8;
use std::path::Path;
use std::str::FromStr;

use crypto::{Key256, SecretBytes, Sha256, constant_time_eq, hex, random_bytes, shamir};
use serde::{Deserialize, Serialize};

use crate::header::{Header, Seal};
use crate::{KeySeal, SealError};

/// Prefix of a share.
const PREFIX: &str = "seal1-";

/// Thirty-two characters that neither hand nor eye confuses: no `1`, `b`, `i` or `o`.
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Split, threshold, count, index, value, checksum.
const BYTES: usize = 4 + 1 + 1 + 1 + 32 + CHECKSUM_BYTES;

const CHECKSUM_BYTES: usize = 6;

/// Every five bytes are eight characters.
const CHARACTERS: usize = BYTES / 5 * 8;

const GROUP: usize = 6;

/// A key split among people: which split it is, and how many shares there are and are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Tells this split from every other.
    pub id: SplitId,
    /// How many shares are needed.
    pub threshold: u8,
    /// How many there are.
    pub count: u8,
}

/// Tells the shares of one split from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SplitId([u8; 4]);

impl fmt::Display for SplitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

impl From<SplitId> for String {
    fn from(id: SplitId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SplitId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(&text).map(Self).ok_or("a split's id has 8 hexadecimal digits")
    }
}

/// One person's share.
pub struct Share {
    split: Split,
    share: shamir::Share,
}

/// Why a share is not taken. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// It is no share at all.
    #[error("this is not a share: one begins with seal1- and has twelve groups of six characters after that")]
    NotShare,
    /// A character is wrong, missing or too many.
    #[error("the share's checksum is wrong: a character was mistyped or left out; look at it again")]
    Mistyped,
    /// It belongs to another split.
    #[error("the share belongs to the split {given}, and this server is sealed by the split {}: it is another server's, \
             or was replaced by a later split", sealed.iter().map(SplitId::to_string).collect::<Vec<_>>().join(" or "))]
    Foreign {
        /// Which split it belongs to.
        given: SplitId,
        /// Which ones would do.
        sealed: Vec<SplitId>,
    },
    /// It was given before.
    #[error("share {index} has been given already: another one is needed")]
    Repeated {
        /// Its number.
        index: u8,
    },
    /// All are well-formed, and yet they give no key that opens the seal.
    #[error("the shares given do not open the seal: one of them was made up; all are forgotten, begin again")]
    Forged,
}

/// A sealing key together with the split that it is known by.
pub struct SharedKey {
    pub(crate) split: Split,
    pub(crate) seal: KeySeal,
}

impl SharedKey {
    /// The split.
    #[must_use]
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The key as bytes, for handing it to the process that seals with it.
    #[must_use]
    pub const fn expose(&self) -> &Key256 {
        &self.seal.0
    }

    /// The key that [`expose`](Self::expose) gave.
    #[must_use]
    pub const fn restore(split: Split, key: Key256) -> Self {
        Self { split, seal: KeySeal(key) }
    }
}

/// Makes a sealing key and splits it into `count` shares, of which `threshold` are needed.
///
/// # Errors
/// [`SealError::Split`] unless `2 <= threshold <= count`.
pub fn split(count: u8, threshold: u8) -> Result<(SharedKey, Vec<Share>), SealError> {
    let key = Key256::random();
    let mut id = [0; 4];
    random_bytes(&mut id);
    let split = Split { id: SplitId(id), threshold, count };
    let shares = shamir::split(&key, count, threshold).map_err(|_| SealError::Split)?;
    let shares = shares.into_iter().map(|share| Share { split, share }).collect();
    Ok((SharedKey { split, seal: KeySeal(key) }, shares))
}

impl Share {
    /// Its number, from 1 on.
    #[must_use]
    pub const fn index(&self) -> u8 {
        self.share.index.get()
    }

    /// The share as its holder stores it.
    #[must_use]
    pub fn text(&self) -> SecretBytes {
        let bytes = self.bytes();
        let mut text = SecretBytes::with_capacity(PREFIX.len() + CHARACTERS + CHARACTERS / GROUP);
        text.extend(PREFIX.as_bytes());
        let mut written = 0;
        let (chunks, _) = bytes.expose().as_chunks::<5>();
        for chunk in chunks {
            let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for place in (0..8).rev() {
                if written > 0 && written % GROUP == 0 {
                    text.extend(b"-");
                }
                text.extend(&[letter((bits >> (5 * place)) as u8 & 31)]);
                written += 1;
            }
        }
        text
    }

    fn bytes(&self) -> SecretBytes {
        let Split { id, threshold, count } = self.split;
        let mut bytes = SecretBytes::with_capacity(BYTES);
        bytes.extend(&id.0);
        bytes.extend(&[threshold, count, self.index()]);
        bytes.extend(self.share.value.expose());
        let checksum = checksum(bytes.expose());
        bytes.extend(&checksum);
        bytes
    }
}

impl FromStr for Share {
    type Err = ShareError;

    /// Reads a share as its holder typed it: capitals, spaces and hyphens do not matter.
    fn from_str(typed: &str) -> Result<Self, ShareError> {
        let rest = typed.trim().get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX));
        let rest = rest.and_then(|start| typed.trim().get(start.len()..)).ok_or(ShareError::NotShare)?;
        let mut bytes = SecretBytes::with_capacity(BYTES);
        let (mut bits, mut held) = (0_u64, 0);
        for character in rest.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-') {
            if bytes.len() == BYTES {
                return Err(ShareError::Mistyped);
            }
            bits = bits << 5 | u64::from(place(character.to_ascii_lowercase()).ok_or(ShareError::Mistyped)?);
            held += 1;
            if held == 8 {
                let [_, _, _, chunk @ ..] = bits.to_be_bytes();
                bytes.extend(&chunk);
                (bits, held) = (0, 0);
            }
        }
        Self::read(bytes.expose()).filter(|_| held == 0).ok_or(ShareError::Mistyped)
    }
}

impl Share {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if !constant_time_eq(&checksum(content), sum) {
            return None;
        }
        let (id, rest) = content.split_first_chunk()?;
        let ([threshold, count, index], value) = rest.split_first_chunk()?;
        let split = Split { id: SplitId(*id), threshold: *threshold, count: *count };
        let share = shamir::Share { index: NonZeroU8::new(*index)?, value: Key256::from_slice(value).ok()? };
        Some(Self { split, share })
    }
}

/// The character of five bits, found without looking up by them.
fn letter(bits: u8) -> u8 {
    (0_u8..).zip(ALPHABET).fold(0, |found, (place, letter)| found | letter & mask(place ^ bits))
}

/// All ones for zero, and zero for anything else below 32.
const fn mask(difference: u8) -> u8 {
    (difference as i8).wrapping_sub(1).wrapping_shr(7) as u8
}

/// The five bits of a character.
fn place(character: u8) -> Option<u8> {
    let found =
        (0_u8..).zip(ALPHABET).fold(32, |found, (place, letter)| if *letter == character { place } else { found });
    (found < 32).then_some(found)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut digest = Sha256::new();
    digest.update(b"sealstack share 1");
    digest.update(bytes);
    let mut sum = [0; CHECKSUM_BYTES];
    sum.iter_mut().zip(digest.finish()).for_each(|(to, from)| *to = from);
    sum
}

/// Shares as they come in, until there are enough. What is held is zeroised when dropped.
pub struct Gathering {
    /// The splits whose shares would open the seal: two while a rotation from one to the other is unfinished.
    splits: Vec<Split>,
    given: Vec<Share>,
}

/// How far a gathering is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The split whose shares are being gathered, or would be.
    pub split: Split,
    /// How many have been given.
    pub given: u8,
}

impl Gathering {
    /// Begins to gather shares for the seal in `directory`; `None` when no shares open it.
    ///
    /// # Errors
    /// Those of reading the header.
    pub fn begin(directory: &Path) -> Result<Option<Self>, SealError> {
        let Some(header) = Header::read(directory)? else { return Ok(None) };
        let sealed = [Some(&header.current), header.rotation.as_ref().map(|rotation| &rotation.next)];
        let splits = sealed.into_iter().flatten().filter_map(|sealed| match &sealed.seal {
            Seal::Shares { split } => Some(*split),
            Seal::KeyFile { .. } | Seal::Passphrase { .. } | Seal::Kms(_) | Seal::Token(_) => None,
        });
        let splits: Vec<Split> = splits.collect();
        Ok((!splits.is_empty()).then(|| Self { splits, given: Vec::new() }))
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        let split = self.given.first().map(|share| share.split).or_else(|| self.splits.first().copied())?;
        Some(Progress { split, given: u8::try_from(self.given.len()).unwrap_or(u8::MAX) })
    }

    /// Takes a share. Returns the sealing key once there are enough; nothing is forgotten by that.
    ///
    /// # Errors
    /// [`ShareError::Foreign`], [`ShareError::Repeated`].
    pub fn add(&mut self, share: Share) -> Result<Option<SharedKey>, ShareError> {
        let wanted = match self.given.first() {
            Some(first) => vec![first.split],
            None => self.splits.clone(),
        };
        if !wanted.contains(&share.split) {
            let sealed = wanted.iter().map(|split| split.id).collect();
            return Err(ShareError::Foreign { given: share.split.id, sealed });
        }
        if self.given.iter().any(|given| given.index() == share.index()) {
            return Err(ShareError::Repeated { index: share.index() });
        }
        let split = share.split;
        self.given.push(share);
        if self.given.len() < usize::from(split.threshold) {
            return Ok(None);
        }
        let shares: Vec<shamir::Share> = self.given.iter().map(|given| given.copy()).collect();
        // Their numbers differ, and there is at least one.
        let key = shamir::combine(&shares).map_err(|_| ShareError::Forged)?;
        Ok(Some(SharedKey::restore(split, key)))
    }

    /// Forgets every share.
    pub fn reset(&mut self) {
        self.given.clear();
    }
}

impl Share {
    fn copy(&self) -> shamir::Share {
        shamir::Share { index: self.share.index, value: self.share.value.duplicate() }
    }
}

#[cfg(test)]
mod tests;
