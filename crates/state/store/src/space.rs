//! Spaces: parts of the store whose commits are numbered apart, so that a process follows those that it has cached, and
//! an engine with several writers can lock them apart. Which records belong to which space, the store's user decides.

use crate::StoreError;

/// A part of the store with a version of its own, which grows by one with each commit that changes something in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(u8);

impl Space {
    /// The space of accounts, keys and policies, in which [`Store::write`](crate::Store::write) works.
    pub const MAIN: Self = Self(0);

    /// How many spaces there are.
    pub const COUNT: u8 = 64;

    /// The space of this number; `None` from [`COUNT`](Self::COUNT) on.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::COUNT { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// The spaces that a transaction names, and may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spaces(u64);

impl Spaces {
    /// These spaces.
    #[must_use]
    pub fn of(spaces: &[Space]) -> Self {
        Self(spaces.iter().fold(0, |set, space| set | 1 << space.0))
    }

    /// The one with the lowest number; [`Space::MAIN`] if there is none.
    pub(crate) fn first(self) -> Space {
        u8::try_from(self.0.trailing_zeros()).ok().and_then(Space::new).unwrap_or(Space::MAIN)
    }

    /// Whether `space` is one of them.
    #[must_use]
    pub const fn contains(self, space: Space) -> bool {
        self.0 >> space.0 & 1 == 1
    }
}

impl From<Space> for Spaces {
    fn from(space: Space) -> Self {
        Self::of(&[space])
    }
}

/// The version of each space; 0 for a space in which nothing was ever changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions(Vec<(Space, u64)>);

impl Versions {
    pub(crate) fn of(&self, space: Space) -> u64 {
        self.0.iter().find(|(found, _)| *found == space).map_or(0, |(_, version)| *version)
    }

    /// Sets the version of a space.
    pub(crate) fn set(&mut self, space: Space, version: u64) {
        match self.0.iter_mut().find(|(found, _)| *found == space) {
            Some((_, known)) => *known = version,
            None => self.0.push((space, version)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Space, u64)> {
        self.0.iter().copied()
    }

    /// Their number, then each as `space u8 ‖ version u64`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // There are at most 64 spaces.
        out.push(u8::try_from(self.0.len()).unwrap_or(u8::MAX));
        for (space, version) in &self.0 {
            out.push(space.0);
            out.extend_from_slice(&version.to_be_bytes());
        }
    }

    /// Parses what [`write`](Self::write) wrote. Returns the bytes behind it as well.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (count, mut rest) = bytes.split_first()?;
        let mut versions = Self::default();
        for _ in 0..*count {
            let (number, after) = rest.split_first()?;
            let (version, after) = after.split_first_chunk::<8>()?;
            versions.0.push((Space::new(*number)?, u64::from_be_bytes(*version)));
            rest = after;
        }
        Some((versions, rest))
    }
}

/// How far a process has followed the changes feed of each space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(pub(crate) Versions);

impl Position {
    /// The version of `space` up to which changes were followed.
    #[must_use]
    pub fn version(&self, space: Space) -> u64 {
        self.0.of(space)
    }
}

/// Refuses a space that the transaction did not name.
pub(crate) fn check_named(named: Spaces, space: Space) -> Result<(), StoreError> {
    if named.contains(space) { Ok(()) } else { Err(StoreError::SpaceNotNamed { space: space.0 }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixty_four_spaces_and_a_set_has_those_that_were_named() {
        assert_eq!((Space::new(0), Space::new(64)), (Some(Space::MAIN), None));
        let (three, last) = (Space::new(3).unwrap(), Space::new(63).unwrap());
        let named = Spaces::of(&[three, last]);
        assert!(named.contains(three) && named.contains(last) && !named.contains(Space::MAIN));
        assert_eq!(
            (named.first(), Spaces::from(Space::MAIN).first(), Spaces::of(&[]).first()),
            (three, Space::MAIN, Space::MAIN)
        );
    }

    #[test]
    fn versions_parse_to_what_they_were_and_no_part_of_them_does() {
        let mut versions = Versions::default();
        versions.set(Space::MAIN, 7);
        versions.set(Space::new(9).unwrap(), u64::MAX);
        versions.set(Space::MAIN, 8);
        let mut bytes = Vec::new();
        versions.write(&mut bytes);
        let whole = [&bytes[..], b"rest"].concat();
        assert_eq!(Versions::parse(&whole), Some((versions.clone(), &b"rest"[..])));
        assert!((0..bytes.len()).all(|length| Versions::parse(&bytes[..length]).is_none()));
        assert_eq!((versions.of(Space::MAIN), versions.of(Space::new(1).unwrap())), (8, 0));
    }
}
