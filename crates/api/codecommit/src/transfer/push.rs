//! Pushes: what a client wants to change, its pack, and what became of both.
//!
//! A push has two halves, so that over HTTP all of it has arrived before the answer begins.

mod report;

use std::io;

use bytes::Bytes;
use git::{Received, Receiving, RefOutcome, RefUpdate, Repository};
use git_object::{ObjectId, fsck};
use git_wire::{Command, PushReader, WireError, clean};
use service::Behalf;
use tokio::time::{Instant, sleep_until};
use wire::Fault;

use super::output::{Banded, SILENCE_MAX};
use super::progress::Lines;
use super::publication::{Moved, Publication, Publish};
use super::record::{PUSH_REFUSED, Pushed, Record, Refused, listed};
use super::{Client, Output, Packets, PushedRef, TransferError, Transfers};
use crate::access::GitPushInput;
use crate::reference::HIDDEN;
use report::Verdict;

pub(super) use report::words;

/// Bytes that a push has to bring in its time while others wait for a turn.
const PACE_BYTES: usize = 64 << 10;

/// A push that has arrived.
pub struct Push {
    request: git_wire::Push,
    name: String,
    repository: Repository,
    /// The verdict on each update, if known.
    verdicts: Vec<Option<Verdict>>,
    pack: Pack,
    record: Record,
}

/// The objects of a push.
enum Pack {
    /// There need be none.
    None,
    Arrived(Box<Receiving>),
    Refused(TransferError),
}

impl Transfers {
    /// Takes in a push; `None` from a client that only tries whether it may send. `ends` says that the stream ends with
    /// the push, as over HTTP.
    ///
    /// # Errors
    /// [`TransferError::Refused`] when there is no such repository, or when the client may not write to it at all;
    /// [`TransferError::Wire`] for what is no push; [`TransferError::Input`] when it broke off.
    pub async fn receive(
        &self,
        client: &Client,
        name: &str,
        packets: &mut Packets,
        ends: bool,
    ) -> Result<Option<Push>, TransferError> {
        let mut reader = PushReader::new(None);
        let request = packets.until(|packet| reader.packet(packet)).await;
        packets.refuse_in(reader.side_band());
        let request = request?;
        let Some(request) = request.filter(|request| !request.commands.is_empty()) else {
            self.open_for_push(client, name, Vec::new()).await?;
            return Ok(None);
        };
        let references = request.commands.iter().map(|command| shown(command, presumed(command))).collect();
        let (repository, pushed, record) = self.open_for_push(client, name, references).await?;
        match self.take_in(&request, &repository, pushed.refusals, packets, ends).await {
            Ok((verdicts, pack)) => {
                Ok(Some(Push { request, name: name.to_owned(), repository, verdicts, pack, record }))
            }
            Err(error) => {
                record.failed(&error, &described(&request, &record), Vec::new())?;
                Err(error)
            }
        }
    }

    async fn take_in(
        &self,
        request: &git_wire::Push,
        repository: &Repository,
        refusals: Vec<Option<String>>,
        packets: &mut Packets,
        ends: bool,
    ) -> Result<(Vec<Option<Verdict>>, Pack), TransferError> {
        if let Some(format) = repository.format().filter(|format| *format != request.format) {
            let client = request.format.name().to_owned();
            return Err(WireError::ObjectFormat { server: format.name(), client }.into());
        }
        let mut verdicts: Vec<_> = refusals.into_iter().map(|refusal| refusal.map(Verdict::Denied)).collect();
        for (verdict, command) in verdicts.iter_mut().zip(&request.commands) {
            *verdict = verdict.take().or_else(|| forbidden(command, repository));
        }
        let pack = if request.has_pack() {
            let wanted =
                verdicts.iter().any(Option::is_none) && !(request.atomic && verdicts.iter().any(Option::is_some));
            receive_pack(repository, request, wanted, packets, (&self.rules, ends)).await?
        } else {
            Pack::None
        };
        Ok((verdicts, pack))
    }

    /// Checks what arrived, moves the references, and reports.
    ///
    /// # Errors
    /// Every [`TransferError`] but [`TransferError::Refused`], for the log: the client knows.
    pub async fn finish(&self, client: &Client, push: Push, output: &Output) -> Result<(), TransferError> {
        let Push { request, name, repository, mut verdicts, pack, record } = push;
        let to = Banded { output, side_band: request.side_band, verbose: !request.quiet };
        let wanted = !(request.atomic && verdicts.iter().any(Option::is_some)) && verdicts.iter().any(Option::is_none);
        let (mut failure, pushed) = (None, described(&request, &record));
        let checked = match pack {
            Pack::Refused(error) => Err(error),
            _ if !wanted => Ok(None),
            Pack::None => repository.check(request.format, Vec::new()).await.map(Some).map_err(Into::into),
            Pack::Arrived(receiving) => resolve(*receiving, tips(&request), &to).await.map(Some),
        };
        match checked {
            Ok(None) => record.failed(&refusal(&verdicts), &pushed, refused(&request, &verdicts))?,
            Ok(Some(received)) => {
                let publication = self.publish(client, &name, &request, received, pushed, &mut verdicts);
                if let Err(error) = publication.await {
                    failure = Some(error);
                }
            }
            Err(error) => {
                record.failed(&error, &pushed, refused(&request, &verdicts))?;
                failure = Some(error);
            }
        }
        report::send(&request, &verdicts, failure.as_ref(), &to).await?;
        failure.map_or(Ok(()), Err)
    }

    async fn publish(
        &self,
        client: &Client,
        name: &str,
        request: &git_wire::Push,
        received: Received,
        pushed: Pushed,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), TransferError> {
        let (mut references, mut updates) = (Vec::new(), Vec::new());
        for (command, _) in request.commands.iter().zip(&*verdicts).filter(|(_, verdict)| verdict.is_none()) {
            let fast_forward = match presumed(command) {
                Some(true) if !command.old.is_null() => Some(received.leads_to(command.new, command.old).await?),
                other => other,
            };
            references.push(shown(command, fast_forward));
            let some = |id: ObjectId| (!id.is_null()).then_some(id);
            let name = String::from_utf8_lossy(&command.name).into_owned();
            updates.push(RefUpdate { name, old: some(command.old), new: some(command.new) });
        }
        let shown = GitPushInput { repository_name: name.to_owned(), references };
        let refused = refused(request, verdicts);
        let input = Publication { shown, updates, atomic: request.atomic, received, pushed, refused };
        let origin = client.origin();
        let behalf = Behalf { caller: &client.caller, region: &client.region, origin: &origin };
        let mut moved = self.performer.perform::<Publish>(behalf, input).await?.moved.into_iter();
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_none()) {
            *verdict = moved.next().map(|moved| match moved {
                Moved::Refused(words) => Verdict::Denied(words),
                Moved::Decided(RefOutcome::Done) => Verdict::Done,
                Moved::Decided(outcome) => Verdict::Refused(report::words(&outcome)),
            });
        }
        Ok(())
    }
}

/// A push as its record describes it.
fn described(request: &git_wire::Push, record: &Record) -> Pushed {
    let capabilities = listed(&request.capabilities);
    Pushed { about: record.about().clone(), capabilities, pack: request.has_pack() }
}

/// The references that stay as they are, as the push's record lists them.
fn refused(request: &git_wire::Push, verdicts: &[Option<Verdict>]) -> Vec<Refused> {
    let refused = request.commands.iter().zip(verdicts).filter_map(|(command, verdict)| {
        let words = verdict.as_ref().and_then(Verdict::refusal)?;
        Some(Refused::new(&clean(&command.name), words))
    });
    refused.collect()
}

/// Why a push changes nothing, of which no reference may change: the first that a policy denies, or the first of all.
fn refusal(verdicts: &[Option<Verdict>]) -> TransferError {
    let denied = verdicts.iter().flatten().find_map(|verdict| match verdict {
        Verdict::Denied(words) => Some(Fault::sender("AccessDeniedException", words.as_str())),
        _ => None,
    });
    let first = || verdicts.iter().flatten().find_map(Verdict::refusal).unwrap_or_default();
    TransferError::Refused(denied.unwrap_or_else(|| Fault::sender(PUSH_REFUSED, first())))
}

/// Whether an update keeps the history of a reference, as far as that is known before its objects are: what may be so is
/// taken to be so, and decided again later.
fn presumed(command: &Command) -> Option<bool> {
    Some(!command.deletes())
}

fn shown(command: &Command, fast_forward: Option<bool>) -> PushedRef {
    let commit = (!command.deletes()).then(|| command.new.to_string());
    PushedRef { name: clean(&command.name), commit, fast_forward }
}

/// Why an update is made in no case.
fn forbidden(command: &Command, repository: &Repository) -> Option<Verdict> {
    let refused = |words: &str| Some(Verdict::Refused(words.to_owned()));
    match str::from_utf8(&command.name) {
        Err(_) => refused("the name is not UTF-8"),
        Ok(name) if name.starts_with(HIDDEN) => refused("the name is one of the server's own"),
        Ok(name) if command.deletes() && name == repository.head() && repository.reference(name).is_some() => {
            refused("deletion of the default branch prohibited")
        }
        Ok(_) => None,
    }
}

fn tips(request: &git_wire::Push) -> Vec<ObjectId> {
    request.commands.iter().filter(|command| !command.deletes()).map(|command| command.new).collect()
}

/// Takes in the pack, or lets it pass by unseen: a client reads no answer before it has sent all.
async fn receive_pack(
    repository: &Repository,
    request: &git_wire::Push,
    wanted: bool,
    packets: &mut Packets,
    (rules, ends): (&fsck::Options, bool),
) -> Result<Pack, TransferError> {
    // Over SSH only who looks at a pack finds its end.
    let mut receiving = if wanted || !ends { Some(repository.receive(request.format, rules.clone())?) } else { None };
    let (mut refused, mut any) = (None, false);
    let (mut since, mut brought) = (Instant::now(), 0);
    loop {
        let next = match &mut receiving {
            Some(receiving) => {
                let pace = receiving.pace();
                tokio::select! {
                    biased;
                    () = receiving.complete(), if !ends => break,
                    bytes = packets.bytes() => bytes?,
                    () = sleep_until(since + pace) => {
                        if receiving.is_waited_for() && brought < PACE_BYTES {
                            return Err(TransferError::Slow);
                        }
                        (since, brought) = (Instant::now(), 0);
                        continue;
                    }
                }
            }
            _ => packets.bytes().await?,
        };
        let Some(bytes) = next else { break };
        any = true;
        brought += bytes.len();
        if let Some(taking) = &mut receiving
            && let Err(error) = push(taking, bytes).await
        {
            refused = Some(error);
            receiving = None;
            if !ends {
                break;
            }
        }
    }
    match (refused, receiving) {
        (Some(error), _) => Ok(Pack::Refused(error)),
        (None, Some(receiving)) if any => Ok(Pack::Arrived(Box::new(receiving))),
        (None, Some(_)) => Err(TransferError::Input(io::ErrorKind::UnexpectedEof.into())),
        (None, None) => Ok(Pack::None),
    }
}

async fn push(receiving: &mut Receiving, bytes: Bytes) -> Result<(), TransferError> {
    Ok(receiving.push(bytes).await?)
}

/// Resolves and checks a pack, while the client hears how it goes.
async fn resolve(receiving: Receiving, tips: Vec<ObjectId>, to: &Banded<'_>) -> Result<Received, TransferError> {
    let (lines, mut said) = Lines::new();
    let finished = receiving.finish(tips, move |progress| lines.say(progress));
    let mut finished = std::pin::pin!(finished);
    let mut heard = Instant::now();
    loop {
        // A client that hung up does not stop a push that has arrived.
        tokio::select! {
            biased;
            received = &mut finished => return Ok(received?),
            Some(line) = said.recv() => {
                let _ = to.progress(&line).await;
                heard = Instant::now();
            }
            () = sleep_until(heard + SILENCE_MAX) => {
                let _ = to.keep_alive().await;
                heard = Instant::now();
            }
        }
    }
}
