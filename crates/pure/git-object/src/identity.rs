//! Who made a commit or a tag, and when.
//!
//! Owns the form `Name <email> seconds zone`. Refuses to know headers, and whether a name is true.

/// An author, committer or tagger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The name, which may be empty.
    pub name: &'a [u8],
    /// The address, without its angle brackets; may be empty.
    pub email: &'a [u8],
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// The time zone of whoever made it.
    pub zone: Zone,
}

/// A time zone as it is written: `+0530` or `-0000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone([u8; 5]);

impl Zone {
    /// UTC, `+0000`.
    pub const UTC: Self = Self(*b"+0000");

    /// The zone of a text with a sign and four digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let zone = Self(text.try_into().ok()?);
        let [sign, digits @ ..] = zone.0;
        (matches!(sign, b'+' | b'-') && digits.iter().all(u8::is_ascii_digit)).then_some(zone)
    }

    /// The zone that is so many minutes ahead of UTC.
    #[must_use]
    pub fn from_minutes(minutes: i32) -> Option<Self> {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        Self::parse(format!("{sign}{:02}{:02}", minutes / 60, minutes % 60).as_bytes())
    }

    /// Its minutes ahead of UTC. Any four digits are a zone to git, however far that is.
    #[must_use]
    pub fn minutes(self) -> i32 {
        let [sign, a, b, c, d] = self.0.map(i32::from);
        let digit = |character: i32| character - i32::from(b'0');
        let minutes = (digit(a) * 10 + digit(b)) * 60 + digit(c) * 10 + digit(d);
        if sign == i32::from(b'-') { -minutes } else { minutes }
    }

    /// Its five characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// An identity that would break the header that it is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name or an email address has characters that a commit's header cannot hold, or the time is before 1970")]
pub struct IdentityError;

impl<'a> Identity<'a> {
    /// Reads what an `author` line has, as leniently as git does: a part that is missing is empty, or time zero in UTC.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        let mut identity = Identity { name: line, email: &[], seconds: 0, zone: Zone::UTC };
        let Some(open) = line.iter().position(|byte| *byte == b'<') else { return identity };
        let (name, rest) = line.split_at_checked(open).unwrap_or((line, &[]));
        identity.name = name.trim_ascii();
        let rest = rest.strip_prefix(b"<").unwrap_or(rest);
        identity.email = rest.split(|byte| *byte == b'>').next().unwrap_or_default();
        // Behind the last bracket, so that a broken address does not hide the date.
        let date = rest.rsplit(|byte| *byte == b'>').next().unwrap_or_default();
        let mut words = date.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let seconds = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(|word| word.parse().ok());
        identity.seconds = seconds.unwrap_or(0);
        identity.zone = words.next().and_then(Zone::parse).unwrap_or(Zone::UTC);
        identity
    }

    /// Appends it as a header has it.
    ///
    /// # Errors
    /// [`IdentityError`] for `<`, `>`, newlines and NUL in name or address, and for negative times. [`clean`] leaves
    /// none of these characters.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), IdentityError> {
        let breaks = |part: &[u8]| part.iter().any(|byte| matches!(byte, b'<' | b'>' | b'\n' | 0));
        if breaks(self.name) || breaks(self.email) || self.seconds < 0 {
            return Err(IdentityError);
        }
        out.extend_from_slice(self.name);
        out.extend_from_slice(b" <");
        out.extend_from_slice(self.email);
        out.extend_from_slice(format!("> {} {}", self.seconds, self.zone.as_str()).as_bytes());
        Ok(())
    }
}

/// A name or address as git makes it fit for a header: without control characters and certain punctuation at its ends,
/// and without `<`, `>` and newlines inside.
///
/// Source: git-commit-tree, "Commit Information".
#[must_use]
pub fn clean(text: &str) -> String {
    let ends = |c: char| c <= ' ' || matches!(c, ',' | ':' | ';' | '<' | '>' | '"' | '\\' | '\'');
    text.trim_matches(ends).chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\0')).collect()
}

#[cfg(test)]
mod tests {
    use super::{Identity, IdentityError, Zone, clean};

    #[test]
    fn an_identity_is_written_as_it_was_read() {
        for line in ["A U Thor <a@example.com> 1700000000 +0530", " <> 0 -0000", "Ä <x> 1 -1145"] {
            let identity = Identity::parse(line.as_bytes());
            let mut out = Vec::new();
            identity.write(&mut out).expect("fit for a header");
            assert_eq!(String::from_utf8(out).expect("text"), line);
        }
        assert_eq!(Identity::parse(b"A <a> 5 +0530").zone.minutes(), 330);
        assert_eq!(Zone::from_minutes(-705), Zone::parse(b"-1145"));
    }

    #[test]
    fn a_broken_identity_is_read_as_far_as_it_goes() {
        let identity = Identity::parse(b"Joe <joe@<home>> 12 +0100");
        assert_eq!((identity.name, identity.seconds), (&b"Joe"[..], 12));
        assert_eq!(Identity::parse(b"Joe").name, b"Joe");
        assert_eq!(Identity::parse(b"Joe <j> nonsense").seconds, 0);
    }

    #[test]
    fn what_would_end_a_header_is_not_written() {
        let identity = Identity { name: b"a\nparent b", email: b"", seconds: 0, zone: Zone::UTC };
        assert_eq!(identity.write(&mut Vec::new()), Err(IdentityError));
        assert_eq!(clean(" \"a\nb<c>.\", "), "abc.");
    }
}
