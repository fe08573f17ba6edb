//! Conditions of requests: on what is read, and on what a change replaces.
//!
//! Source: Amazon S3 User Guide, "Conditional requests"; RFC 9110, section 13.

use buckets::Condition;
use http::header::{ETAG, HeaderValue, LAST_MODIFIED};
use wire::Timestamp;

use crate::error::{Refusal, S3Error};

/// The conditions of a request that reads.
#[derive(Clone, Copy, Default)]
pub(crate) struct ReadConditions<'a> {
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: Option<&'a str>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// Whether one of the entity tags of a header is this one.
fn matches(header: &str, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.split(',').any(|tag| tag.trim() == "*" || plain(tag) == etag)
}

impl ReadConditions<'_> {
    /// Tests the conditions at `now` on a version of this entity tag, written at this time in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`]; [`Refusal::NotModified`] with the headers that a cache needs.
    pub(crate) fn check(self, (etag, modified_ms): (&str, u64), now: Timestamp) -> Result<(), S3Error> {
        let seconds = |time: Timestamp| time.millis().div_euclid(1000);
        let modified = Timestamp::from_millis(i64::try_from(modified_ms).unwrap_or(i64::MAX));
        let failed = |condition| Err(Refusal::PreconditionFailed { condition }.into());
        match (self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !matches(tags, etag) => return failed("If-Match"),
            (None, Some(since)) if seconds(modified) > seconds(since) => return failed("If-Unmodified-Since"),
            _ => {}
        }
        let unmodified = match (self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => matches(tags, etag),
            (None, Some(since)) => since.millis() <= now.millis() && seconds(modified) <= seconds(since),
            (None, None) => false,
        };
        if !unmodified {
            return Ok(());
        }
        let headers = [(ETAG, quoted(etag)), (LAST_MODIFIED, modified.http_date())];
        let value = |(name, value)| HeaderValue::try_from(value).ok().map(|value| (name, value));
        Err(S3Error::WithHeaders(Refusal::NotModified, headers.into_iter().filter_map(value).collect()))
    }

    /// Tests the conditions on the source of a copy, of which there is no "not modified".
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`].
    pub(crate) fn check_source(self, version: (&str, u64), now: Timestamp) -> Result<(), S3Error> {
        self.check(version, now).map_err(|error| match error {
            S3Error::WithHeaders(Refusal::NotModified, _) => {
                let none_match = self.if_none_match.is_some();
                let condition =
                    if none_match { "x-amz-copy-source-If-None-Match" } else { "x-amz-copy-source-If-Modified-Since" };
                Refusal::PreconditionFailed { condition }.into()
            }
            error => error,
        })
    }
}

/// The condition of a request that writes.
///
/// # Errors
/// [`Refusal::NotImplemented`] for those that AWS does not have.
pub(crate) fn write_condition(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Condition, S3Error> {
    let refuse = |header: &str| {
        let reason = "A header you provided implies functionality that is not implemented";
        Err(Refusal::NotImplemented { header: header.to_owned(), reason }.into())
    };
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some("*")) => Ok(Condition::Absent),
        (Some(etag), None) if etag != "*" => Ok(Condition::Matches(etag.trim_matches('"').to_owned())),
        (Some(_), Some(_)) => refuse("If-Match,If-None-Match"),
        (Some(_), None) => refuse("If-Match"),
        (None, Some(_)) => refuse("If-None-Match"),
    }
}

/// An entity tag as headers have it.
pub(crate) fn quoted(etag: &str) -> String {
    ["\"", etag, "\""].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(conditions: ReadConditions<'_>) -> u16 {
        match conditions.check(("abc", 10_500), Timestamp::from_millis(100_000)) {
            Ok(()) => 200,
            Err(S3Error::WithHeaders(refusal, _) | S3Error::Refused(refusal)) => refusal.status(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_tag_counts_before_a_date_and_a_date_in_the_future_not_at_all() {
        let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1000));
        let (yes, no) = (Some("\"x\", W/\"abc\""), Some("abd"));
        let none = ReadConditions::default();
        for (conditions, expected) in [
            (none, 200),
            (ReadConditions { if_match: yes, ..none }, 200),
            (ReadConditions { if_match: no, ..none }, 412),
            (ReadConditions { if_match: Some("*"), ..none }, 200),
            (ReadConditions { if_match: yes, if_unmodified_since: at(1), ..none }, 200),
            (ReadConditions { if_unmodified_since: at(10), ..none }, 200),
            (ReadConditions { if_unmodified_since: at(9), ..none }, 412),
            (ReadConditions { if_none_match: yes, ..none }, 304),
            (ReadConditions { if_none_match: no, ..none }, 200),
            (ReadConditions { if_none_match: no, if_modified_since: at(50), ..none }, 200),
            (ReadConditions { if_modified_since: at(10), ..none }, 304),
            (ReadConditions { if_modified_since: at(9), ..none }, 200),
            (ReadConditions { if_modified_since: at(101), ..none }, 200),
            (ReadConditions { if_match: no, if_none_match: yes, ..none }, 412),
        ] {
            assert_eq!(outcome(conditions), expected);
        }
    }

    #[test]
    fn writes_take_the_conditions_that_aws_has_and_no_others() {
        assert_eq!(write_condition(None, Some("*")).unwrap(), Condition::Absent);
        assert_eq!(write_condition(Some("\"a\""), None).unwrap(), Condition::Matches("a".to_owned()));
        assert_eq!(write_condition(Some("a"), None).unwrap(), Condition::Matches("a".to_owned()));
        for (if_match, if_none_match) in [(Some("*"), None), (None, Some("a")), (Some("a"), Some("*"))] {
            let refused = write_condition(if_match, if_none_match);
            assert!(matches!(refused, Err(S3Error::Refused(Refusal::NotImplemented { .. }))));
        }
    }
}
