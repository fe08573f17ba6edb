//! A command that a client runs on a channel, to its exit status.

use std::io;

use bytes::Bytes;
use codecommit::transfer::{ByteSource, Client, Output, Packets, Permitted, TransferError, Transfers, archive};
use futures_util::stream;
use git_wire::{Service, SshCommand, Version, clean};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf};
use tokio::sync::mpsc;

use crate::ssh::GitSsh;

/// Pieces of an answer that wait for the client.
const PIECES_AHEAD: usize = 4;

/// The stream of a command's error messages.
///
/// Source: RFC 4254, section 5.2.
const STDERR: u32 = 1;

/// Git's exit status when it cannot go on.
const FAILED: u32 = 128;

/// A shell's exit status when there is no such command.
const NO_COMMAND: u32 = 127;

/// Runs a command.
pub(super) async fn run(git: &GitSsh, client: &Client, command: &[u8], version: Version, channel: Channel<Msg>) {
    let transfers = &git.transfers;
    let (service, repository) = match SshCommand::parse(command) {
        Ok(SshCommand::Git { service, repository }) => (service, repository),
        Ok(SshCommand::LfsTransfer) => return end(&channel, "git-lfs-transfer: not found", NO_COMMAND).await,
        Ok(SshCommand::LfsAuthenticate { repository, upload }) => {
            return lfs_authenticate(git, client, &repository, upload, &channel).await;
        }
        Err(error) => return end(&channel, &error.to_string(), NO_COMMAND).await,
    };
    let (reader, writer) = channel.split();
    let mut packets = Packets::new(source(reader));
    let (output, pieces) = Output::new(PIECES_AHEAD);
    let transfer = async move {
        let outcome = transfer(transfers, client, service, &repository, version, &mut packets, &output).await;
        if let Err(Failure::Untold(error @ TransferError::Wire(_))) = &outcome {
            // The client may be gone.
            let _ = output.send(packets.refusal(&clean(error.words().as_bytes()))).await;
        }
        // Dropped: nothing more is sent.
        drop(output);
        outcome
    };
    let (outcome, ()) = tokio::join!(transfer, forward(pieces, &writer));
    let status = if outcome.is_ok() { 0 } else { FAILED };
    if let Err(Failure::Told(error) | Failure::Untold(error)) = &outcome {
        let ip = client.ip;
        if error.is_ours() {
            tracing::error!(%ip, %error, "a transfer failed");
        } else {
            // What a repository is called and has stays out of the log.
            tracing::debug!(%ip, "a transfer was refused");
        }
    }
    if let Err(Failure::Untold(error)) = &outcome {
        let text = format!("ERROR: {}\n", clean(error.words().as_bytes()));
        let _ = writer.extended_data_bytes(STDERR, Bytes::from(text)).await;
    }
    // A client that closed the channel needs none of it.
    let _ = writer.exit_status(status).await;
    let _ = writer.eof().await;
    let _ = writer.close().await;
}

/// Why a transfer failed, and whether the client knows.
enum Failure {
    Told(TransferError),
    Untold(TransferError),
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        Self::Untold(error)
    }
}

async fn transfer(
    transfers: &Transfers,
    client: &Client,
    service: Service,
    name: &str,
    version: Version,
    packets: &mut Packets,
    output: &Output,
) -> Result<(), Failure> {
    match service {
        Service::UploadPack => {
            let discovery = transfers.discover(client, name, service, version, false).await?;
            discovery.send(output).await?;
            discovery.into_upload().serve(version, packets, output).await.map_err(Failure::Told)
        }
        Service::ReceivePack => {
            let discovery = transfers.discover(client, name, service, version, false).await?;
            discovery.send(output).await?;
            match transfers.receive(client, name, packets, false).await? {
                Some(push) => transfers.finish(client, push, output).await.map_err(Failure::Told),
                None => Ok(()),
            }
        }
        Service::UploadArchive => {
            let permitted = transfers.pull(client, name).await?;
            archive(permitted, packets, output).await.map_err(Failure::Told)
        }
    }
}

/// Leads a client of Git LFS to HTTPS, if it may do there what it wants.
async fn lfs_authenticate(git: &GitSsh, client: &Client, repository: &str, upload: bool, channel: &Channel<Msg>) {
    let opened = if upload {
        git.transfers.push_beside(client, repository, None).await
    } else {
        git.transfers.pull(client, repository).await
    };
    // The requests over HTTPS have records of their own.
    if let Err(error) = opened.and_then(Permitted::listed) {
        return end(channel, &format!("ERROR: {}", clean(error.words().as_bytes())), FAILED).await;
    }
    let Some(credentials) = git.lfs_credentials(&client.caller, repository) else {
        return end(channel, "Git LFS is not served.", NO_COMMAND).await;
    };
    // A client that closed the channel needs none of it.
    let _ = channel.data_bytes(Bytes::from(credentials)).await;
    let _ = channel.exit_status(0).await;
    let _ = channel.eof().await;
    let _ = channel.close().await;
}

/// Sends pieces as the client takes them.
async fn forward(mut pieces: mpsc::Receiver<Bytes>, writer: &russh::ChannelWriteHalf<Msg>) {
    while let Some(bytes) = pieces.recv().await {
        if writer.data_bytes(bytes).await.is_err() {
            // Whoever sends more finds nobody there.
            return;
        }
    }
}

/// A client's bytes on its channel.
fn source(reader: ChannelReadHalf) -> ByteSource {
    Box::pin(stream::unfold(reader, |mut reader| async {
        loop {
            match reader.wait().await {
                Some(ChannelMsg::Data { data }) => return Some((Ok::<Bytes, io::Error>(data), reader)),
                None | Some(ChannelMsg::Eof | ChannelMsg::Close) => return None,
                Some(_) => {}
            }
        }
    }))
}

/// Ends a command that does nothing but say something.
pub(super) async fn end(channel: &Channel<Msg>, words: &str, status: u32) {
    let text = format!("{words}\n");
    // A client that closed the channel needs none of it.
    let _ = channel.extended_data_bytes(STDERR, Bytes::from(text)).await;
    let _ = channel.exit_status(status).await;
    let _ = channel.eof().await;
    let _ = channel.close().await;
}
