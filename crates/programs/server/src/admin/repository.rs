//! Commands on repositories over the admin socket: after their question, they speak Git's own protocol there, or hear how
//! far the work is.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use codecommit::transfer::{Client, Output, Packets};
use futures_util::stream;
use git::MaintenanceProgress;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Duration, timeout};

use super::message::{Answer, RepositoryAction, RepositoryQuestion};
use crate::core::Core;
use crate::error::ServerError;
use crate::repositories::{Import, LET_PASS_MAX, Repositories, UntilDropped, failed, signed_path};

/// Pieces of bytes that wait for the command.
const PIECES_AHEAD: usize = 8;

/// How much of what a command sends is read at once.
const PIECE_BYTES: usize = 128 << 10;

/// How long a command has to read why its import was refused in the middle.
const DRAIN: Duration = Duration::from_secs(10);

/// Answers a command, to its end or until the server stops.
pub(super) async fn serve(
    stream: UnixStream,
    question: RepositoryQuestion,
    core: &Core,
    uid: u32,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let in_git = AtomicBool::new(false);
    let answered = tokio::select! {
        answered = answer(read, &mut write, question, core, (uid, &in_git)) => answered?,
        _ = stopping.wait_for(|stop| *stop) => {
            let message = "the server is stopping: try again once it runs".to_owned();
            // Git's protocol has no place for it.
            (!in_git.load(Ordering::Relaxed)).then_some(Answer::Refused { message, exit_code: 1 })
        }
    };
    if let Some(answer) = answered {
        say(&mut write, &answer).await?;
    }
    write.shutdown().await
}

/// Does what is asked for. Yields the last answer, if it is not in Git's protocol.
async fn answer(
    read: impl AsyncRead + Send + Unpin + 'static,
    write: &mut (impl AsyncWrite + Send + Unpin),
    question: RepositoryQuestion,
    core: &Core,
    (uid, in_git): (u32, &AtomicBool),
) -> io::Result<Option<Answer>> {
    let prepared = async {
        let repositories = core.repositories().await?;
        let RepositoryQuestion { user_name, password, region, action } = question;
        let path = signed_path(action.name(), action.repository());
        let client = repositories.client(&user_name, &password, &region, (action.name(), &path)).await?;
        Ok::<_, ServerError>((repositories, client, action))
    };
    let (repositories, client, action) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Some(Answer::refused(&error))),
    };
    let last = match action {
        RepositoryAction::List => match repositories.names(&client).await {
            Ok(names) => Ok(Answer::Repositories { names }),
            Err(error) => Err(error),
        },
        RepositoryAction::Verify { name } => verify(&repositories, &client, &name, write).await,
        RepositoryAction::Maintain { name } => maintain(&repositories, &client, &name, write).await,
        RepositoryAction::Export { name } => {
            in_git.store(true, Ordering::Relaxed);
            say(write, &Answer::Begun).await?;
            return transfer(read, write, async |packets, output| {
                if let Err(error) = repositories.export(&client, &name, packets, output).await {
                    let mut out = Vec::new();
                    git_wire::error_line(&mut out, format_args!("{}", failed(&error)));
                    // The command may be what failed, or know already.
                    let _ = output.send(out).await;
                }
            })
            .await
            .map(|()| None);
        }
        RepositoryAction::Import { name, description, key, let_pass, pushes } => {
            if let_pass.len() > LET_PASS_MAX {
                return Ok(Some(Answer::refused(&ServerError::Misunderstood)));
            }
            let mut import = Import { name: &name, description, key, let_pass: &let_pass, pushes, uid };
            match repositories.prepare(&client, &mut import).await {
                Err(error) => Err(error),
                Ok(transfers) => {
                    in_git.store(true, Ordering::Relaxed);
                    say(write, &Answer::Begun).await?;
                    return transfer(read, write, async |packets, output| {
                        Repositories::import(&transfers, &client, &import, packets, output).await;
                    })
                    .await
                    .map(|()| None);
                }
            }
        }
    };
    Ok(Some(last.unwrap_or_else(|error| Answer::refused(&error))))
}

/// Has `work` speak Git's protocol with the command.
async fn transfer(
    read: impl AsyncRead + Send + Unpin + 'static,
    write: &mut (impl AsyncWrite + Send + Unpin),
    work: impl AsyncFnOnce(&mut Packets, &Output),
) -> io::Result<()> {
    let (output, mut pieces) = Output::new(PIECES_AHEAD);
    let read = Arc::new(tokio::sync::Mutex::new(read));
    let mut packets = Packets::new(Box::pin(stream::unfold(Arc::clone(&read), |read| async {
        let piece = piece(&mut *read.lock().await).await;
        piece.transpose().map(|piece| (piece, read))
    })));
    let working = async {
        work(&mut packets, &output).await;
        drop((packets, output));
    };
    let sending = async {
        while let Some(piece) = pieces.recv().await {
            write.write_all(&piece).await?;
        }
        write.shutdown().await
    };
    let ((), sent) = tokio::join!(working, sending);
    // What was not read when a socket is closed takes what was sent along.
    let mut read = read.lock().await;
    let _ = timeout(DRAIN, async { while let Ok(Some(_)) = piece(&mut *read).await {} }).await;
    sent
}

async fn piece(read: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Bytes>> {
    let mut piece = bytes::BytesMut::with_capacity(PIECE_BYTES);
    let bytes = read.read_buf(&mut piece).await?;
    Ok((bytes > 0).then(|| piece.freeze()))
}

async fn verify(
    repositories: &Repositories,
    client: &Client,
    name: &str,
    write: &mut (impl AsyncWrite + Unpin),
) -> Result<Answer, ServerError> {
    let (running, (progress, latest)) = (UntilDropped::default(), watch::channel(Answer::Begun));
    let go_on = running.go_on();
    let work = repositories.verify(client, name, move |done, of| {
        progress.send_replace(Answer::Progress { stage: "verifying".to_owned(), done, of });
        go_on()
    });
    let verified = telling(work, latest, write).await?;
    let faults = verified.faults.iter().map(ToString::to_string).collect();
    let (packs, objects, references) = (verified.packs, verified.objects, verified.references);
    Ok(Answer::Verified { packs, objects, references, faults })
}

async fn maintain(
    repositories: &Repositories,
    client: &Client,
    name: &str,
    write: &mut (impl AsyncWrite + Unpin),
) -> Result<Answer, ServerError> {
    let (running, (progress, latest)) = (UntilDropped::default(), watch::channel(Answer::Begun));
    let go_on = running.go_on();
    let work = repositories.maintain(client, name, move |at| {
        let (stage, done, of) = match at {
            MaintenanceProgress::Counting { objects } => ("counting", objects, 0),
            MaintenanceProgress::Compressing { done } => ("compressing", done, 0),
            MaintenanceProgress::Writing { done, of } => ("writing", done, of),
        };
        progress.send_replace(Answer::Progress { stage: stage.to_owned(), done, of });
        go_on()
    });
    let swapped = telling(work, latest, write).await?;
    Ok(match swapped {
        None => Answer::Maintained { replaced: 0, written: 0, dropped: 0 },
        Some(git::Swapped { replaced, written, dropped }) => Answer::Maintained { replaced, written, dropped },
    })
}

/// How often a command hears how far the work is.
const PERIOD: Duration = Duration::from_millis(100);

/// Waits for the work, and tells the command meanwhile how far it is. A command that went away ends the work.
async fn telling<T>(
    work: impl Future<Output = Result<T, ServerError>>,
    mut latest: watch::Receiver<Answer>,
    write: &mut (impl AsyncWrite + Unpin),
) -> Result<T, ServerError> {
    let telling = async {
        loop {
            if latest.changed().await.is_err() {
                // The work has ended, and is about to say how.
                return std::future::pending::<ServerError>().await;
            }
            let answer = latest.borrow_and_update().clone();
            if say(write, &answer).await.is_err() {
                return ServerError::Misunderstood;
            }
            tokio::time::sleep(PERIOD).await;
        }
    };
    tokio::select! {
        done = work => done,
        gone = telling => Err(gone),
    }
}

async fn say(write: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}
