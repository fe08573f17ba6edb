//! Triggers: `GetRepositoryTriggers`, `PutRepositoryTriggers`, `TestRepositoryTriggers`.

use std::collections::BTreeSet;

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Arn;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::Opened;
use crate::content::check_branch_name;
use crate::error::{CodeCommitError, Refusal};
use crate::record::RepositoryRecord;
use crate::record::trigger::{Trigger, TriggerEvent, TriggersRecord};
use crate::reference::queue_test;
use crate::rules::{NAME, NAME_PATTERN};

/// How many triggers a repository has at most.
const TRIGGERS_MAX: usize = 10;

/// How many branches a trigger names at most.
const BRANCHES_MAX: usize = 10;

wire::shape! {
    /// A trigger, as callers give it.
    pub(crate) struct RepositoryTrigger {
        "name" name: String, required, [Rule::Length(1, 100)];
        "destinationArn" destination_arn: String, required, [Rule::Length(1, 2048)];
        "customData" custom_data: String, optional, [Rule::Length(0, 1000)];
        "branches" branches: Vec<String>, optional, [Rule::Length(0, BRANCHES_MAX)];
        "events" events: Vec<TriggerEvent>, required, [];
    }
}

wire::output! {
    /// A trigger, as answers show it.
    pub(crate) struct TriggerOutput {
        "name" name: String, required;
        "destinationArn" destination_arn: String, required;
        "customData" custom_data: String, optional;
        "branches" branches: Vec<String>, required;
        "events" events: Vec<TriggerEvent>, required;
    }
}

wire::shape! {
    pub(crate) struct TriggersInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "triggers" triggers: Vec<RepositoryTrigger>, required, [];
    }
}

impl From<Trigger> for TriggerOutput {
    fn from(trigger: Trigger) -> Self {
        let Trigger { name, destination_arn, custom_data, branches, events } = trigger;
        Self { name, destination_arn, custom_data, branches, events }
    }
}

/// The triggers of an input, checked.
///
/// # Errors
/// One of those for triggers.
fn checked(triggers: Vec<RepositoryTrigger>, region: &str) -> Result<Vec<Trigger>, CodeCommitError> {
    if triggers.len() > TRIGGERS_MAX {
        return Err(Refusal::MaximumRepositoryTriggersExceeded { most: TRIGGERS_MAX }.into());
    }
    let mut names = BTreeSet::new();
    let mut checked = Vec::with_capacity(triggers.len());
    for trigger in triggers {
        let RepositoryTrigger { name, destination_arn, custom_data, branches, events } = trigger;
        let plain = name.chars().all(|character| !character.is_control());
        if !plain || name.trim().is_empty() || !names.insert(name.clone()) {
            return Err(Refusal::InvalidRepositoryTriggerName { name }.into());
        }
        let destination: Option<Arn> = destination_arn.parse().ok();
        let known = destination.filter(|arn| matches!(arn.service(), "sns" | "lambda") && !arn.resource().is_empty());
        let Some(destination) = known else {
            return Err(Refusal::InvalidRepositoryTriggerDestinationArn { arn: destination_arn }.into());
        };
        if destination.region() != region {
            return Err(Refusal::InvalidRepositoryTriggerRegion { arn: destination_arn }.into());
        }
        let branches = branches.ok_or(Refusal::RepositoryTriggerBranchNameListRequired)?;
        if let Some(name) = branches.iter().find(|name| check_branch_name(name).is_err()) {
            return Err(Refusal::InvalidRepositoryTriggerBranchName { name: name.clone() }.into());
        }
        if events.is_empty() {
            return Err(Refusal::RepositoryTriggerEventsListRequired.into());
        }
        let distinct: BTreeSet<_> = events.iter().collect();
        if distinct.len() != events.len() || (events.contains(&TriggerEvent::All) && events.len() > 1) {
            return Err(Refusal::InvalidRepositoryTriggerEvents.into());
        }
        checked.push(Trigger { name, destination_arn, custom_data, branches, events });
    }
    Ok(checked)
}

wire::output! {
    pub(crate) struct GetRepositoryTriggersOutput {
        "configurationId" configuration_id: String, optional;
        "triggers" triggers: Vec<TriggerOutput>, required;
    }
}

/// Gets the triggers of a repository.
pub(crate) struct GetRepositoryTriggers;

impl ResourceOperation for GetRepositoryTriggers {
    type On = Opened;
    const NAME: &'static str = "GetRepositoryTriggers";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = crate::repository::RepositoryInput;
    type Output = GetRepositoryTriggersOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        _: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let id = opened.id.clone();
        let found = call.service.store.read(move |tx| tx.get::<TriggersRecord>(&id, "")).await?;
        let (configuration_id, triggers) = match found {
            Some(record) => (Some(record.configuration_id), record.triggers),
            None => (None, Vec::new()),
        };
        let triggers = triggers.into_iter().map(TriggerOutput::from).collect();
        Ok(GetRepositoryTriggersOutput { configuration_id, triggers })
    }
}

wire::output! {
    pub(crate) struct PutRepositoryTriggersOutput {
        "configurationId" configuration_id: String, required;
    }
}

/// Puts other triggers into the place of all that a repository has.
pub(crate) struct PutRepositoryTriggers;

impl ResourceOperation for PutRepositoryTriggers {
    type On = Opened;
    const NAME: &'static str = "PutRepositoryTriggers";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = TriggersInput;
    type Output = PutRepositoryTriggersOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let triggers = checked(input.triggers, call.region)?;
        let configuration_id = uuid::Uuid::new_v4().to_string();
        let record = TriggersRecord { configuration_id: configuration_id.clone(), triggers };
        let change =
            move |repository: &mut RepositoryRecord, tx: &mut Tx<'_>| Ok(tx.put(&repository.id, "", &record)?);
        call.service.change(call, opened, change).await?;
        Ok(PutRepositoryTriggersOutput { configuration_id })
    }
}

wire::output! {
    /// A trigger whose test failed.
    pub(crate) struct TriggerFailure {
        "trigger" trigger: String, required;
        "failureMessage" message: String, required;
    }
}

wire::output! {
    pub(crate) struct TestRepositoryTriggersOutput {
        "successfulExecutions" successful: Vec<String>, required;
        "failedExecutions" failed: Vec<TriggerFailure>, required;
    }
}

/// Sends an event to the destination of each trigger, whether or not the repository has it.
pub(crate) struct TestRepositoryTriggers;

impl ResourceOperation for TestRepositoryTriggers {
    type On = Opened;
    const NAME: &'static str = "TestRepositoryTriggers";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = TriggersInput;
    type Output = TestRepositoryTriggersOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let triggers = checked(input.triggers, call.region)?;
        if triggers.is_empty() {
            return Err(Refusal::RepositoryTriggersListRequired.into());
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        let who = call.caller.principal.arn.as_str();
        for trigger in triggers {
            let message = queue_test(opened, &trigger, (who, call.now, call.event_id));
            match call.service.delivery.deliver(&trigger.destination_arn, &message).await {
                Ok(()) => successful.push(trigger.name),
                Err(message) => failed.push(TriggerFailure { trigger: trigger.name, message }),
            }
        }
        Ok(TestRepositoryTriggersOutput { successful, failed })
    }
}
