//! When a rule is due for a version, an upload or a delete marker. Knows no store.

use crate::record::{Filter, LifecycleConfiguration, LifecycleRule, RuleStatus};

/// One day in milliseconds.
const DAY: i64 = 86_400_000;

/// A version as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aged<'a> {
    pub(crate) key: &'a str,
    pub(crate) bytes: u64,
    /// Its tags. Rules that are about tags are for no version whose tags are not known.
    pub(crate) tags: Option<&'a [(String, String)]>,
    /// When it was written, in milliseconds since 1970.
    pub(crate) modified_ms: u64,
}

/// The midnight at which something ends that began at `since` and lasts for some days, both in milliseconds since 1970.
pub(super) fn end_of_days(since_ms: u64, days: i32) -> i64 {
    let end = i64::try_from(since_ms).unwrap_or(i64::MAX).saturating_add(i64::from(days).saturating_mul(DAY));
    end.div_euclid(DAY).saturating_add(1).saturating_mul(DAY)
}

impl LifecycleRule {
    pub(super) fn is_enabled(&self) -> bool {
        self.status == RuleStatus::Enabled
    }

    /// The prefix of its objects' names.
    pub(super) fn prefix(&self) -> &str {
        let of_filter = self.filter.as_ref().and_then(|filter| {
            filter.prefix.as_deref().or_else(|| filter.and.as_ref().and_then(|and| and.prefix.as_deref()))
        });
        self.prefix.as_deref().or(of_filter).unwrap_or_default()
    }

    /// Whether it goes by tags.
    pub(super) fn goes_by_tags(&self) -> bool {
        let Some(Filter { tag, and, .. }) = &self.filter else { return false };
        tag.is_some() || and.as_ref().is_some_and(|and| !and.tags.is_empty())
    }

    /// Whether it is about a version.
    pub(super) fn is_about(&self, version: &Aged<'_>) -> bool {
        let bytes = i64::try_from(version.bytes).unwrap_or(i64::MAX);
        let has = |key: &str, value: &str| {
            version.tags.is_some_and(|tags| tags.iter().any(|(known, of)| known == key && of == value))
        };
        let sizes = |larger: Option<i64>, smaller: Option<i64>| {
            larger.is_none_or(|larger| bytes > larger) && smaller.is_none_or(|smaller| bytes < smaller)
        };
        let filtered = self.filter.as_ref().is_none_or(|filter| {
            let and = filter.and.as_ref();
            filter.tag.as_ref().is_none_or(|tag| has(&tag.key, &tag.value))
                && sizes(filter.larger_than, filter.smaller_than)
                && and.is_none_or(|and| {
                    and.tags.iter().all(|tag| has(&tag.key, &tag.value)) && sizes(and.larger_than, and.smaller_than)
                })
        });
        self.is_enabled() && version.key.starts_with(self.prefix()) && filtered
    }

    /// When it lets a current version expire, in milliseconds since 1970.
    pub(super) fn expires_at(&self, modified_ms: u64) -> Option<i64> {
        let expiration = self.expiration.as_ref()?;
        let by_days = expiration.days.map(|days| end_of_days(modified_ms, days));
        by_days.or(expiration.date.map(wire::Timestamp::millis))
    }
}

/// When a current version expires, in milliseconds since 1970, and the id of the rule: of several, the first one to be due.
pub(super) fn expiration<'c>(configuration: &'c LifecycleConfiguration, version: &Aged<'_>) -> Option<(i64, &'c str)> {
    let due = configuration.rules.iter().filter(|rule| rule.is_about(version)).filter_map(|rule| {
        let at = rule.expires_at(version.modified_ms)?;
        Some((at, rule.id.as_deref().unwrap_or_default()))
    });
    due.min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_608_000_000;

    fn configuration(rules: &str) -> LifecycleConfiguration {
        serde_json::from_str(&format!(r#"{{"Rules": [{rules}]}}"#)).expect("rules")
    }

    #[test]
    fn days_end_at_the_next_midnight() {
        let midnight = (NOON / 86_400_000) as i64 * DAY;
        assert_eq!(end_of_days(NOON, 1), midnight + 2 * DAY);
        assert_eq!(end_of_days(NOON - NOON % 86_400_000, 1), midnight + 2 * DAY);
        assert_eq!(end_of_days(u64::MAX, i32::MAX).rem_euclid(DAY), i64::MAX.rem_euclid(DAY));
    }

    #[test]
    fn a_rule_is_about_what_its_filter_says() {
        let rule = |filter: &str| {
            let text =
                format!(r#"{{"ID": "a", "Status": "Enabled", "Filter": {filter}, "Expiration": {{"Days": 1}}}}"#);
            configuration(&text)
        };
        let tags = [("team".to_owned(), "red".to_owned())];
        let version = Aged { key: "logs/a", bytes: 100, tags: Some(&tags), modified_ms: NOON };
        for (filter, about) in [
            ("{}", true),
            (r#"{"Prefix": "logs/"}"#, true),
            (r#"{"Prefix": "data/"}"#, false),
            (r#"{"Tag": {"Key": "team", "Value": "red"}}"#, true),
            (r#"{"Tag": {"Key": "team", "Value": "blue"}}"#, false),
            (r#"{"ObjectSizeGreaterThan": 100}"#, false),
            (r#"{"ObjectSizeLessThan": 101}"#, true),
            (
                r#"{"And": {"Prefix": "logs/", "Tags": [{"Key": "team", "Value": "red"}], "ObjectSizeGreaterThan": 99}}"#,
                true,
            ),
            (r#"{"And": {"Prefix": "logs/", "Tags": [{"Key": "team", "Value": "blue"}]}}"#, false),
        ] {
            assert_eq!(expiration(&rule(filter), &version).is_some(), about, "{filter}");
        }
        let unknown = Aged { tags: None, ..version };
        assert_eq!(expiration(&rule(r#"{"Tag": {"Key": "team", "Value": "red"}}"#), &unknown), None);
    }

    #[test]
    fn the_first_rule_to_be_due_decides_and_a_disabled_one_does_not() {
        let rules = configuration(
            r#"{"ID": "late", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}},
               {"ID": "early", "Status": "Enabled", "Prefix": "a", "Expiration": {"Days": 2}},
               {"ID": "off", "Status": "Disabled", "Filter": {}, "Expiration": {"Days": 1}}"#,
        );
        let version = Aged { key: "a", bytes: 1, tags: None, modified_ms: NOON };
        assert_eq!(expiration(&rules, &version), Some((end_of_days(NOON, 2), "early")));
        assert_eq!(expiration(&rules, &Aged { key: "b", ..version }), Some((end_of_days(NOON, 9), "late")));
    }
}
