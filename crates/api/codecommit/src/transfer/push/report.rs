//! The report on a client's push.

use git::RefOutcome;
use git_wire::RefReport;

use crate::transfer::TransferError;
use crate::transfer::output::Banded;

/// The outcome of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was made.
    Done,
    /// A policy denies it, in words.
    Denied(String),
    /// It was not made, and why.
    Refused(String),
}

impl Verdict {
    /// Why the update was not made.
    pub(super) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Denied(words) | Self::Refused(words) => Some(words),
        }
    }
}

/// The words for `outcome`, git's where it has some.
pub(in crate::transfer) fn words(outcome: &RefOutcome) -> String {
    match outcome {
        RefOutcome::Done => "ok".to_owned(),
        RefOutcome::Stale { found: Some(found) } => format!("fetch first: the reference is at {found} now"),
        RefOutcome::Stale { found: None } => "fetch first: the reference is gone".to_owned(),
        RefOutcome::NameTaken { by } => format!("cannot be there beside '{by}'"),
        RefOutcome::BadName => "funny refname".to_owned(),
        RefOutcome::Repeated => "multiple updates for one reference".to_owned(),
        RefOutcome::NotACommit => "a branch must name a commit".to_owned(),
        RefOutcome::NotChecked => "missing necessary objects".to_owned(),
        RefOutcome::Aborted => "atomic push failed".to_owned(),
    }
}

/// Sends the report. What needs more than a word is shown to the user as well: some clients show no more of a report
/// than `remote rejected`.
pub(super) async fn send(
    request: &git_wire::Push,
    verdicts: &[Option<Verdict>],
    failure: Option<&TransferError>,
    to: &Banded<'_>,
) -> Result<(), TransferError> {
    let failed = failure.map(TransferError::words);
    if let Some(words) = &failed {
        to.message(&format!("error: {words}\n")).await?;
    }
    let mut shown: Vec<&str> = Vec::new();
    for verdict in verdicts.iter().flatten() {
        if let Some(words) = verdict.refusal()
            && words.len() > 60
            && !shown.contains(&words)
        {
            shown.push(words);
            to.message(&format!("error: {words}\n")).await?;
        }
    }
    let Some(form) = request.report else { return to.end().await };
    let unpacked = match failure {
        // The pack was in order where policies alone refused.
        None | Some(TransferError::Refused(_)) => Ok(()),
        Some(_) => Err(failed.as_deref().unwrap_or_default()),
    };
    let references = request.commands.iter().zip(verdicts).map(|(command, verdict)| {
        let report = match (verdict, &failed) {
            (Some(Verdict::Done), _) => RefReport::Ok,
            (Some(Verdict::Denied(words) | Verdict::Refused(words)), _) => RefReport::Refused(words),
            (None, Some(words)) if unpacked.is_ok() => RefReport::Refused(words),
            (None, Some(_)) => RefReport::Refused("unpacker error"),
            (None, None) => RefReport::Refused("atomic push failed"),
        };
        (command.name.as_slice(), report)
    });
    let mut out = Vec::new();
    form.write(unpacked, references, &mut out);
    to.data(out.into()).await?;
    to.end().await
}
