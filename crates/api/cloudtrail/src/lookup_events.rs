//! `LookupEvents`: the calls of the caller's account in a region, newest first.

use std::sync::Arc;

use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation, TokenKey};
use wire::Timestamp;
use wire::shape::Rule;

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::record::Record;
use crate::resource;
use crate::search::{AttributeKey, Wanted, search};

/// How many events a page has at most, and unless less is asked for.
const PAGE: i32 = 50;

/// How far back a look-up reaches without a start time, and at most, in days.
const DAYS: i64 = 90;

wire::text_enum! {
    /// Events that are not calls.
    pub(crate) enum EventCategory {
        Insight = "insight",
    }
}

wire::shape! {
    /// An attribute that the events must have.
    pub(crate) struct LookupAttribute {
        "AttributeKey" key: AttributeKey, required, [];
        "AttributeValue" value: String, required, [Rule::Length(1, 2000)];
    }
}

wire::shape! {
    /// The input of `LookupEvents`.
    pub(crate) struct LookupEventsInput {
        "LookupAttributes" attributes: Vec<LookupAttribute>, default, [];
        "StartTime" start_time: Timestamp, optional, [];
        "EndTime" end_time: Timestamp, optional, [];
        "EventCategory" event_category: EventCategory, optional, [];
        "MaxResults" max_results: i32, optional, [];
        "NextToken" next_token: String, optional, [];
    }
}

/// The output of `LookupEvents`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LookupEventsOutput {
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    event_id: String,
    event_name: String,
    /// `true` or `false`, as text.
    read_only: &'static str,
    access_key_id: Option<String>,
    event_time: Timestamp,
    event_source: String,
    username: Option<String>,
    resources: Vec<Resource>,
    /// The whole record, JSON.
    cloud_trail_event: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    resource_type: Option<&'static str>,
    resource_name: String,
}

impl Event {
    /// The event of an audit record; none if that is of another version.
    fn of(text: String) -> Option<Self> {
        let record: Record<'_> = serde_json::from_str(&text).ok()?;
        let resources = record.resources.iter().map(|resource| resource::named(&resource.arn));
        let event = Self {
            event_id: record.event_id.to_string(),
            event_name: record.event_name.to_string(),
            read_only: if record.read_only { "true" } else { "false" },
            access_key_id: record.user_identity.access_key_id.as_deref().map(str::to_owned),
            event_time: Timestamp::parse_rfc3339(&record.event_time)?,
            event_source: record.event_source.to_string(),
            username: record.user_identity.name().map(str::to_owned),
            resources: resources
                .map(|named| Resource { resource_type: named.kind, resource_name: named.name.to_owned() })
                .collect(),
            cloud_trail_event: String::new(),
        };
        Some(Self { cloud_trail_event: text, ..event })
    }
}

/// The events that a look-up asks for, checked.
fn wanted(input: LookupEventsInput, call: &Call<'_, CloudTrail>) -> Result<Wanted, CloudTrailError> {
    let count = input.max_results.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&count) {
        return Err(CloudTrailError::InvalidMaxResults { given: count });
    }
    let (earliest, end) = (call.now.plus_days(-DAYS), input.end_time.unwrap_or(call.now));
    if input.start_time.is_some_and(|start| start > end) {
        return Err(CloudTrailError::InvalidTimeRange);
    }
    let mut attributes = input.attributes.into_iter().map(|attribute| (attribute.key, attribute.value));
    let attribute = attributes.next();
    if attributes.next().is_some() {
        return Err(CloudTrailError::TooManyAttributes);
    }
    if let Some((key @ AttributeKey::ReadOnly, value)) = &attribute
        && !["true", "false"].contains(&value.as_str())
    {
        return Err(CloudTrailError::InvalidAttribute {
            key: key.as_str(),
            value: wire::shape::quote(value).to_owned(),
        });
    }
    Ok(Wanted {
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        start: input.start_time.map_or(earliest, |start| start.max(earliest)),
        end,
        attribute,
        count: usize::try_from(count).unwrap_or_default(),
    })
}

/// The binding of a token: all that was asked for but the page's size, which may change from page to page.
fn binding(input: &LookupEventsInput, call: &Call<'_, CloudTrail>) -> Vec<u8> {
    let attributes: Vec<_> = input.attributes.iter().map(|attribute| (attribute.key, &attribute.value)).collect();
    let asked = (call.account(), call.region, attributes, input.start_time, input.end_time);
    // Texts and numbers always become JSON.
    serde_json::to_vec(&asked).unwrap_or_default()
}

/// Where the search goes on, as a token says; none if this look-up did not give it.
///
/// Tokens are sealed because the place would reveal how much the other accounts of this server do.
fn place_in(tokens: &TokenKey, token: &str, binding: &[u8]) -> Option<u64> {
    tokens.open(token, binding)?.expose().try_into().ok().map(u64::from_be_bytes)
}

/// Looks up the calls of the last 90 days.
///
/// Each event is the audit record itself. A page may be shorter than asked for and still have a next one.
///
/// # Errors
/// [`CloudTrailError`].
///
/// Source: AWS CloudTrail API Reference, LookupEvents.
pub(crate) struct LookupEvents;

impl ResourceOperation for LookupEvents {
    type On = Account<CloudTrail>;
    const NAME: &'static str = "LookupEvents";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = LookupEventsInput;
    type Output = LookupEventsOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CloudTrail>>,
        call: &Call<'_, CloudTrail>,
    ) -> Result<Self::Output, CloudTrailError> {
        let binding = binding(&input, call);
        let before = match &input.next_token {
            None => u64::MAX,
            Some(token) => place_in(&call.service.tokens, token, &binding).ok_or(CloudTrailError::InvalidNextToken)?,
        };
        // Insights are unusual numbers of calls; none are looked for, so there are none.
        let none = input.event_category.is_some();
        let wanted = wanted(input, call)?;
        if none {
            return Ok(LookupEventsOutput { events: Vec::new(), next_token: None });
        }
        let _turn = call.service.searches.acquire().await.map_err(|_| CloudTrailError::CutShort)?;
        let service = Arc::clone(call.service);
        let found =
            tokio::task::spawn_blocking(move || search(&service.directory, &service.key, before, &wanted)).await;
        let found = found.map_err(|_| CloudTrailError::CutShort)?.map_err(CloudTrailError::Journal)?;
        Ok(LookupEventsOutput {
            events: found.records.into_iter().filter_map(Event::of).collect(),
            next_token: found.next.map(|before| call.service.tokens.seal(&before.to_be_bytes(), &binding)),
        })
    }
}
