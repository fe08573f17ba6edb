//! Fetches: what a client asks for, what both sides have, and the pack.

mod v0;
mod v2;

use bytes::Bytes;
use futures_util::StreamExt as _;
use git::{Boundary, Filter, GitError, PackStream, Repository, UploadEvent, Wanted};
use git_object::{ObjectFormat, ObjectId};
use git_wire::{Deepen, Fetch, Version, error_line};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::output::{Banded, SILENCE_MAX};
use super::record::Record;
use super::{Output, Packets, Permitted, TransferError};

/// A fetch from a repository.
pub struct Upload {
    repository: Repository,
    format: ObjectFormat,
    /// Whether each request stands alone, as over HTTP.
    stateless: bool,
    record: Record,
}

impl Upload {
    /// A fetch from a repository that the client may read.
    #[must_use]
    pub fn new(permitted: Permitted, stateless: bool) -> Self {
        let (repository, record) = permitted.into_parts();
        let format = repository.format().unwrap_or(ObjectFormat::Sha1);
        Self { repository, format, stateless, record }
    }

    /// Answers what the client sends, to its end. What cannot be answered is reported to it in words.
    ///
    /// # Errors
    /// Every [`TransferError`] but [`TransferError::Refused`], for the log: the client knows.
    pub async fn serve(&self, version: Version, packets: &mut Packets, output: &Output) -> Result<(), TransferError> {
        let served = match version {
            Version::V2 => self.serve_v2(packets, output).await,
            Version::V0 | Version::V1 => self.serve_v0(packets, output).await,
        };
        match served {
            Err(Stop::Told(error)) => Err(error),
            Err(Stop::Untold(error)) => {
                let mut out = Vec::new();
                error_line(&mut out, format_args!("{}", git_wire::clean(error.words().as_bytes())));
                // The client may be what failed.
                let _ = output.send(out).await;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Which of `ids` the repository has.
    async fn known(&self, ids: Vec<ObjectId>) -> Result<Vec<bool>, GitError> {
        let objects = self.repository.objects();
        let looked_up = spawn_blocking(move || ids.iter().map(|id| objects.exists(id)).collect());
        looked_up.await.unwrap_or(Err(GitError::Interrupted))
    }

    /// Refuses a fetch of what no reference leads to.
    async fn check(&self, wants: &[ObjectId]) -> Result<(), TransferError> {
        match self.repository.unreachable(wants.to_vec()).await? {
            Some(id) => Err(GitError::NotReachable { id }.into()),
            None => Ok(()),
        }
    }

    /// Where the client's history is to end, if it asks for less than all.
    async fn boundary(&self, fetch: &Fetch) -> Result<Option<Boundary>, TransferError> {
        let Deepen { depth, relative, since, not } = &fetch.deepen;
        let rules = since.is_some() || !not.is_empty();
        let deepen = match depth {
            Some(_) if rules => {
                let reason = "deepen and deepen-since (or deepen-not) cannot be used together".to_owned();
                return Err(GitError::BadRequest { reason }.into());
            }
            Some(depth) if *relative => git::Deepen::Relative(u64::from(*depth)),
            Some(depth) => git::Deepen::Depth(u64::from(*depth)),
            None if rules => {
                let not = not.iter().map(|name| self.excluded(name)).collect::<Result<_, _>>()?;
                git::Deepen::Rules { since: *since, not }
            }
            None => return Ok(None),
        };
        Ok(Some(self.repository.deepen(fetch.wants.clone(), fetch.shallow.clone(), deepen).await?))
    }

    /// The object of a reference that a history is to exclude, by its name or the end of it.
    fn excluded(&self, name: &[u8]) -> Result<ObjectId, TransferError> {
        let text = str::from_utf8(name).unwrap_or_default();
        let found = if text == "HEAD" {
            self.repository.reference(self.repository.head())
        } else {
            let full = ["", "refs/", "refs/tags/", "refs/heads/"].into_iter().map(|folder| [folder, text].concat());
            full.filter_map(|name| self.repository.reference(&name)).next()
        };
        found.ok_or_else(|| {
            let reason = format!("git upload-pack: deepen-not is not a ref: {}", git_wire::clean(name));
            GitError::BadRequest { reason }.into()
        })
    }

    /// Records the fetch, and begins the pack.
    fn pack(
        &self,
        fetch: Fetch,
        haves: Vec<ObjectId>,
        boundary: Option<Boundary>,
    ) -> Result<PackStream, TransferError> {
        self.record.fetched(&fetch)?;
        let mut filter = Filter::default();
        if let Some(asked) = &fetch.filter {
            narrow(&mut filter, asked)?;
        }
        let Fetch { wants, shallow, thin_pack: thin, include_tag, ofs_delta, .. } = fetch;
        Ok(self.repository.upload(Wanted { wants, haves, shallow, boundary, filter, thin, include_tag, ofs_delta }))
    }
}

/// A failure, and whether the client knows of it.
enum Stop {
    Told(TransferError),
    Untold(TransferError),
}

impl<E: Into<TransferError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Untold(error.into())
    }
}

/// Sends a pack to its end.
async fn send_pack(mut pack: PackStream, to: &Banded<'_>) -> Result<(), Stop> {
    let sent = async {
        loop {
            let Ok(event) = timeout(SILENCE_MAX, pack.next()).await else {
                to.keep_alive().await?;
                continue;
            };
            match event.transpose()? {
                None => return to.end().await,
                Some(UploadEvent::Data(bytes)) => to.data(bytes).await?,
                Some(UploadEvent::Counting { objects }) => {
                    to.progress(&format!("Enumerating objects: {objects}\r")).await?;
                }
                Some(UploadEvent::Counted { objects }) => {
                    to.progress(&format!("Enumerating objects: {objects}, done.\n")).await?;
                }
            }
        }
    };
    let sent: Result<(), TransferError> = sent.await;
    if let Err(error) = sent {
        // An `ERR` packet would be taken for a part of the pack.
        let _ = to.error(&format!("{}\n", error.words())).await;
        return Err(Stop::Told(error));
    }
    Ok(())
}

/// Makes `filter` leave out what `asked` leaves out as well.
fn narrow(filter: &mut Filter, asked: &git_wire::Filter) -> Result<(), TransferError> {
    use git_wire::Filter as Asked;
    let least = |known: Option<u64>, asked: u64| Some(known.map_or(asked, |known| known.min(asked)));
    match asked {
        Asked::NoBlobs => filter.blob_bytes = Some(0),
        Asked::BlobsBelow(bytes) => filter.blob_bytes = least(filter.blob_bytes, *bytes),
        Asked::TreeDepth(depth) => filter.tree_depth = least(filter.tree_depth, *depth),
        Asked::Only(kind) if filter.only.is_some_and(|only| only != *kind) => {
            let reason = "a combination of filters that leaves nothing".to_owned();
            return Err(GitError::BadRequest { reason }.into());
        }
        Asked::Only(kind) => filter.only = Some(*kind),
        Asked::All(filters) => filters.iter().try_for_each(|asked| narrow(filter, asked))?,
    }
    Ok(())
}

/// Sends what was put together.
async fn flush(out: &mut Vec<u8>, output: &Output) -> Result<(), TransferError> {
    output.send(Bytes::from(std::mem::take(out))).await
}
