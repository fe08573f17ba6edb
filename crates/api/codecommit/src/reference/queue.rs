//! Events of triggers: queued for delivery with the change that they are about.
//!
//! Source: AWS CodeCommit User Guide, "Example: Create an AWS CodeCommit trigger for an AWS Lambda function".

use git::RefUpdate;
use serde_json::{Value, json};
use service::Deliveries;
use store::Tx;
use wire::Timestamp;

use crate::error::CodeCommitError;
use crate::record::RepositoryRecord;
use crate::record::trigger::{Trigger, TriggerEvent, TriggersRecord};

/// Who caused an event, and when.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) who: &'a str,
    pub(super) now: Timestamp,
    pub(super) region: &'a str,
    /// The input of its id.
    pub(super) event: &'a str,
}

/// Adds an event for each trigger that the changes are for.
///
/// # Errors
/// Those of the store.
pub(super) fn add(
    tx: &mut Tx<'_>,
    repository: &RepositoryRecord,
    moved: &[&RefUpdate],
    source: Source<'_>,
) -> Result<(), CodeCommitError> {
    let Some(triggers) = tx.get::<TriggersRecord>(&repository.id, "")? else { return Ok(()) };
    for trigger in &triggers.triggers {
        let references: Vec<Value> =
            moved.iter().filter(|update| is_for(trigger, update)).map(|update| reference(update)).collect();
        if references.is_empty() {
            continue;
        }
        let (name, what) = ("ReferenceChanges", &references);
        let message = message(repository, trigger, &triggers.configuration_id, name, what, source);
        Deliveries::queue(tx, &trigger.destination_arn, message, source.now)?;
    }
    Ok(())
}

/// The message of a test of a trigger.
pub(crate) fn queue_test(
    repository: &RepositoryRecord,
    trigger: &Trigger,
    (who, now, event): (&str, Timestamp, &str),
) -> String {
    let source = Source { who, now, region: &repository.region, event };
    let branch = trigger.branches.first().map_or("main", String::as_str);
    let commit = "0".repeat(40);
    let references = [json!({"commit": commit, "ref": crate::content::full_branch(branch)})];
    message(repository, trigger, event, "TriggerEventTest", &references, source)
}

fn message(
    repository: &RepositoryRecord,
    trigger: &Trigger,
    configuration_id: &str,
    name: &str,
    references: &[Value],
    source: Source<'_>,
) -> String {
    let Source { who, now, region, event } = source;
    let mut record = json!({
        "awsRegion": region,
        "codecommit": {"references": references},
        "eventId": event,
        "eventName": name,
        "eventPartNumber": 1,
        "eventSource": "aws:codecommit",
        "eventSourceARN": repository.arn(),
        "eventTime": now.iso8601_millis(),
        "eventTotalParts": 1,
        "eventTriggerConfigId": configuration_id,
        "eventTriggerName": trigger.name,
        "eventVersion": "1.0",
        "userIdentityARN": who,
    });
    if let (Some(data), Some(record)) = (&trigger.custom_data, record.as_object_mut()) {
        record.insert("customData".to_owned(), json!(data));
    }
    json!({"Records": [record]}).to_string()
}

fn reference(update: &RefUpdate) -> Value {
    let commit = update.new.or(update.old).map(|id| id.to_string());
    let mut reference = json!({"commit": commit, "ref": update.name});
    if let Some(reference) = reference.as_object_mut() {
        if update.old.is_none() {
            reference.insert("created".to_owned(), json!(true));
        }
        if update.new.is_none() {
            reference.insert("deleted".to_owned(), json!(true));
        }
    }
    reference
}

/// Whether a trigger is for a change.
fn is_for(trigger: &Trigger, update: &RefUpdate) -> bool {
    let what = match (update.old, update.new) {
        (None, _) => TriggerEvent::CreateReference,
        (_, None) => TriggerEvent::DeleteReference,
        _ => TriggerEvent::UpdateReference,
    };
    if update.name.starts_with(super::HIDDEN) {
        return false;
    }
    let event = trigger.events.iter().any(|event| *event == TriggerEvent::All || *event == what);
    let branch = crate::content::branch_name(&update.name);
    let named = |name: &str| trigger.branches.iter().any(|branch| branch == name);
    event && (trigger.branches.is_empty() || branch.is_some_and(named))
}
