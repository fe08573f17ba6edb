//! Points in time as the protocols write them: epoch seconds in awsJson, ISO 8601 in XML.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The serde newtype name by which the XML serializer knows a timestamp and writes ISO 8601.
pub(crate) const NEWTYPE: &str = "$sealstack::Timestamp";

/// One day in milliseconds.
const DAY_MILLIS: i64 = 86_400_000;

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This many days later (earlier when negative).
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MILLIS)))
    }

    /// `2026-11-23T14:43:38Z`: whole seconds, UTC.
    #[must_use]
    pub fn iso8601(self) -> String {
        // Every answer in XML and every audit record has one: digits are written, not formatted.
        let at = self.date_time();
        let (hour, minute, second) = at.to_hms();
        let year = at.year().unsigned_abs() % 10_000;
        let [century, year] = [year / 100, year % 100].map(|part| u8::try_from(part).unwrap_or_default());
        let parts = [century, year, at.month().into(), at.day(), hour, minute, second];
        let [[c1, c2], [y1, y2], [m1, m2], [d1, d2], [h1, h2], [n1, n2], [s1, s2]] =
            parts.map(|part| [b'0' + part / 10, b'0' + part % 10]);
        let text = [c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z'];
        String::from_utf8_lossy(&text).into_owned()
    }

    /// `2026-11-23T14:43:38.123Z`: milliseconds, UTC.
    #[must_use]
    pub fn iso8601_millis(self) -> String {
        let mut text = self.iso8601();
        text.pop();
        text.push_str(&format!(".{:03}Z", self.0.rem_euclid(1000)));
        text
    }

    /// `Mon, 23 Nov 2026 14:43:38 GMT`, the form in headers.
    #[must_use]
    pub fn http_date(self) -> String {
        let format =
            format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
        self.date_time().format(&format).unwrap_or_default()
    }

    /// Reads the date of a header.
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc2822).ok().map(Self::from)
    }

    /// `20261123T144338Z`, the form in SigV4 headers.
    #[must_use]
    pub fn amz_date(self) -> String {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        self.date_time().format(&format).unwrap_or_default()
    }

    /// Reads RFC 3339.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(Self::from)
    }

    /// The same instant as a `time` value; the epoch if it is out of that type's range.
    #[must_use]
    pub fn date_time(self) -> OffsetDateTime {
        // In 64 bits: every call asks for some dates.
        let whole = OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000));
        whole.map_or(OffsetDateTime::UNIX_EPOCH, |whole| whole + time::Duration::milliseconds(self.0.rem_euclid(1000)))
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(at: std::time::SystemTime) -> Self {
        Self::from(OffsetDateTime::from(at))
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(at.unix_timestamp() * 1000 + i64::from(at.millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        // Exact: milliseconds of the next 285,000 years fit a double's 53 bits.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        out.serialize_newtype_struct(NEWTYPE, &(self.0 as f64 / 1000.0))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a timestamp")
            }
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is a date no one has")]
            fn visit_f64<E>(self, seconds: f64) -> Result<Timestamp, E> {
                Ok(Timestamp((seconds * 1000.0).round() as i64))
            }
            fn visit_i64<E>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds.saturating_mul(1000)))
            }
            fn visit_u64<E>(self, seconds: u64) -> Result<Timestamp, E> {
                Ok(Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse_rfc3339(text).ok_or_else(|| E::custom("not a timestamp"))
            }
        }
        from.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_keeps_its_milliseconds_through_json() {
        let at = Timestamp::from_millis(1_763_908_618_123);
        let json = serde_json::to_string(&at).expect("json");
        assert_eq!(json, "1763908618.123");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("back"), at);
        assert_eq!(at.iso8601(), "2025-11-23T14:36:58Z");
        assert_eq!(at.amz_date(), "20251123T143658Z");
        assert_eq!(Timestamp::from_millis(253_402_300_799_999).iso8601(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::from_millis(-59_011_459_200_000).iso8601(), "0100-01-01T00:00:00Z");
    }
}
