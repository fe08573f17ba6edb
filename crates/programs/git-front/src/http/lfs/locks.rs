//! Locks of Git LFS.

use codecommit::transfer::{Permitted, TransferError};
use front::Response;
use git::{Lock, Locking, Repository};
use git_wire::lfs::{self, LockAnswer, LockRequest, LocksAnswer, Name, UnlockRequest, VerifyAnswer, VerifyRequest};
use http::StatusCode;
use wire::Timestamp;

use super::{Asked, failed, message, refused};
use crate::http::GitHttp;

/// Locks in an answer at most.
const PAGE: usize = 100;

impl GitHttp {
    pub(super) async fn lock(&self, mut asked: Asked<'_>) -> Result<Response, Response> {
        let LockRequest { path } = asked.message().await?;
        let repository = self.to_lock(&asked, Permitted::changed).await?;
        let at = (self.clock)().millis() / 1000;
        let locked = repository.lock(&path, &asked.owner(), at).await;
        match locked.map_err(|error| refused(&error.into()))? {
            Locking::Done(lock) => Ok(message(StatusCode::CREATED, &LockAnswer { lock: shown(lock), message: None })),
            Locking::Held(lock) => {
                let answer = LockAnswer { lock: shown(lock), message: Some("already created lock") };
                Ok(message(StatusCode::CONFLICT, &answer))
            }
            Locking::NotFound => Err(failed(StatusCode::NOT_FOUND, "There is no such repository.")),
        }
    }

    pub(super) async fn unlock(&self, mut asked: Asked<'_>, id: &str) -> Result<Response, Response> {
        let UnlockRequest { force } = asked.message().await?;
        let repository = self.to_lock(&asked, Permitted::changed).await?;
        let unlocked = repository.unlock(id, &asked.owner(), force).await;
        match unlocked.map_err(|error| refused(&error.into()))? {
            Locking::Done(lock) => Ok(message(StatusCode::OK, &LockAnswer { lock: shown(lock), message: None })),
            Locking::Held(_) => Err(failed(StatusCode::FORBIDDEN, "The lock is somebody else's; --force removes it.")),
            Locking::NotFound => Err(failed(StatusCode::NOT_FOUND, "There is no such lock.")),
        }
    }

    pub(super) async fn locks(&self, asked: Asked<'_>) -> Result<Response, Response> {
        let pulled = self.transfers.pull(asked.client, asked.path.name).await;
        let repository = pulled.and_then(Permitted::listed).map_err(|error| refused(&error))?;
        if let Some(path) = asked.query("path") {
            let found = repository.lock_on(&path).await.map_err(|error| refused(&error.into()))?;
            let id = asked.query("id");
            let found = found.filter(|lock| id.as_ref().is_none_or(|id| *id == lock.id));
            let locks = found.into_iter().map(shown).collect();
            return Ok(message(StatusCode::OK, &LocksAnswer { locks, next_cursor: None }));
        }
        let limit = asked.query("limit").and_then(|limit| limit.parse().ok());
        let (mut locks, next_cursor) = page(&repository, asked.query("cursor"), limit).await?;
        if let Some(id) = asked.query("id") {
            locks.retain(|lock| lock.id == id);
        }
        let locks = locks.into_iter().map(shown).collect();
        Ok(message(StatusCode::OK, &LocksAnswer { locks, next_cursor }))
    }

    pub(super) async fn verify_locks(&self, mut asked: Asked<'_>) -> Result<Response, Response> {
        let VerifyRequest { cursor, limit } = asked.message().await?;
        let repository = self.to_lock(&asked, Permitted::listed).await?;
        let (locks, next_cursor) = page(&repository, cursor.filter(|cursor| !cursor.is_empty()), limit).await?;
        let owner = asked.owner();
        let (ours, theirs): (Vec<_>, Vec<_>) = locks.into_iter().partition(|lock| lock.owner == owner);
        let [ours, theirs] = [ours, theirs].map(|locks| locks.into_iter().map(shown).collect());
        Ok(message(StatusCode::OK, &VerifyAnswer { ours, theirs, next_cursor }))
    }

    async fn to_lock(
        &self,
        asked: &Asked<'_>,
        recorded: fn(Permitted) -> Result<Repository, TransferError>,
    ) -> Result<Repository, Response> {
        let pushed = self.transfers.push_beside(asked.client, asked.path.name, None).await;
        pushed.and_then(recorded).map_err(|error| refused(&error))
    }
}

impl Asked<'_> {
    /// As whom the caller has locks.
    fn owner(&self) -> String {
        self.client.caller.principal.arn.to_string()
    }
}

/// Some locks, and where the next begin.
async fn page(
    repository: &Repository,
    after: Option<String>,
    limit: Option<usize>,
) -> Result<(Vec<Lock>, Option<String>), Response> {
    let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
    let (locks, more) = repository.locks(after, limit).await.map_err(|error| refused(&error.into()))?;
    let next = locks.last().filter(|_| more).map(|lock| lock.path.clone());
    Ok((locks, next))
}

fn shown(lock: Lock) -> lfs::Lock {
    let Lock { id, path, owner, at } = lock;
    let name = owner.rsplit('/').next().unwrap_or_default().to_owned();
    lfs::Lock { id, path, locked_at: Timestamp::from_millis(at * 1000).iso8601(), owner: Name { name } }
}
