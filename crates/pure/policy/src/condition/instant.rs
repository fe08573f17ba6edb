//! Dates in conditions: the forms of ISO 8601 that the W3C profile names, or seconds since 1970.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Reads a date. Digits alone are seconds since 1970, also when they could be a year; a date without a time is its
/// midnight, and one without an offset is in UTC.
///
/// Source: W3C, "Date and Time Formats" (NOTE-datetime).
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    if let Ok(seconds) = text.parse::<i64>() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    if let Some((seconds, fraction)) = text.split_once('.')
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(seconds) = seconds.parse::<i64>()
    {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    if !text.contains('T') {
        return date(text).map(|date| PrimitiveDateTime::new(date, Time::MIDNIGHT).assume_utc());
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING))
        .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
        .ok()
}

/// `2026-11` or `2026-11-23`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next().unwrap_or("01"));
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = digits(year, 4) && digits(month, 2) && digits(day, 2) && parts.next().is_none();
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok().filter(|_| sound)
}
