//! A search of the log, newest first: which records belong to a look-up, and where the next page goes on.
//!
//! A call reads a bounded number of records. A page may therefore hold fewer events than there are, even none, and
//! still have a token: that is AWS's contract as well.

use std::ops::ControlFlow;
use std::path::Path;

use crypto::Key256;
use journal::{JournalError, Order};
use wire::Timestamp;

use crate::record::Record;
use crate::resource;

/// How many records one call looks at.
const RECORDS_MAX: usize = 200_000;

wire::text_enum! {
    /// The attributes that events can be looked up by.
    pub(crate) enum AttributeKey {
        EventId = "EventId",
        EventName = "EventName",
        ReadOnly = "ReadOnly",
        Username = "Username",
        ResourceType = "ResourceType",
        ResourceName = "ResourceName",
        EventSource = "EventSource",
        AccessKeyId = "AccessKeyId",
    }
}

/// The events that a look-up asks for.
pub(crate) struct Wanted {
    /// Whose: only events of the caller's own account are seen.
    pub(crate) account: String,
    /// Their region.
    pub(crate) region: String,
    /// From then, inclusive.
    pub(crate) start: Timestamp,
    /// Until then, inclusive.
    pub(crate) end: Timestamp,
    /// The attribute that they have, if one is asked for.
    pub(crate) attribute: Option<(AttributeKey, String)>,
    /// The most of them.
    pub(crate) count: usize,
}

/// A page of records, each in its own bytes, and where to go on.
pub(crate) struct Found {
    pub(crate) records: Vec<String>,
    /// The next older record that was not looked at, unless nothing is left.
    pub(crate) next: Option<u64>,
}

/// Searches the log in `directory` from the record `before` back. Blocks.
///
/// # Errors
/// Those of [`journal::read`].
pub(crate) fn search(directory: &Path, key: &Key256, before: u64, wanted: &Wanted) -> Result<Found, JournalError> {
    let mut found = Found { records: Vec::new(), next: None };
    let mut seen = 0;
    journal::read(directory, key, 1..=before, Order::NewestFirst, |record| {
        if found.records.len() == wanted.count || seen == RECORDS_MAX {
            found.next = Some(record.sequence);
            return ControlFlow::Break(());
        }
        seen += 1;
        // A record is sealed after its call, so whatever is behind this one is older still.
        if Timestamp::from(record.sealed_at) < wanted.start {
            return ControlFlow::Break(());
        }
        if let Ok(text) = std::str::from_utf8(record.bytes)
            && wanted.takes(text)
        {
            found.records.push(text.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

impl Wanted {
    /// Whether the record `text` is an event that is wanted.
    fn takes(&self, text: &str) -> bool {
        // Most records of a busy server are other accounts': they are passed over without being parsed.
        if !text.contains(&self.account) {
            return false;
        }
        let Ok(record) = serde_json::from_str::<Record<'_>>(text) else { return false };
        record.recipient_account_id.as_deref() == Some(self.account.as_str())
            && record.aws_region == self.region
            && Timestamp::parse_rfc3339(&record.event_time).is_some_and(|at| self.start <= at && at <= self.end)
            && self.attribute.as_ref().is_none_or(|(key, value)| has(&record, *key, value))
    }
}

fn has(record: &Record<'_>, key: AttributeKey, value: &str) -> bool {
    let mut resources = record.resources.iter().map(|resource| &*resource.arn);
    match key {
        AttributeKey::EventId => record.event_id == value,
        AttributeKey::EventName => record.event_name == value,
        AttributeKey::ReadOnly => record.read_only == (value == "true"),
        AttributeKey::Username => record.user_identity.name() == Some(value),
        AttributeKey::ResourceType => resources.any(|arn| resource::named(arn).kind == Some(value)),
        AttributeKey::ResourceName => resources.any(|arn| arn == value || resource::named(arn).name == value),
        AttributeKey::EventSource => record.event_source == value,
        AttributeKey::AccessKeyId => record.user_identity.access_key_id.as_deref() == Some(value),
    }
}

#[cfg(test)]
mod tests;
