//! Objects that were received and checked, durable and invisible until a reference leads to them: the quarantine.

use std::collections::HashMap;
use std::sync::Arc;

use blobs::Written;
use git_object::{Kind, ObjectFormat, ObjectId};
use store::Tx;

use crate::git::SERVICE;
use crate::objects::Objects;
use crate::publish::{Publication, RefOutcome, RefUpdate, Tip};
use crate::reach::Walk;
use crate::record::PackRecord;
use crate::repository::blocking;
use crate::{GitError, Repository};

/// Objects that references may be moved to. Hold it until the transaction that published it is durable: what nobody
/// published is removed by the next sweep of the blobs. Clones are the same.
#[derive(Clone)]
pub struct Received(Arc<Inner>);

struct Inner {
    repository: Repository,
    format: ObjectFormat,
    /// As well those that were there before.
    objects: Objects,
    tips: HashMap<ObjectId, Tip>,
    pack: Option<Unpublished>,
}

/// A pack that no record refers to yet.
pub(crate) struct Unpublished {
    pub(crate) record: PackRecord,
    pub(crate) written: Vec<Written>,
}

impl Received {
    pub(crate) fn new(
        repository: &Repository,
        format: ObjectFormat,
        objects: Objects,
        tips: HashMap<ObjectId, Tip>,
        pack: Option<Unpublished>,
    ) -> Self {
        Self(Arc::new(Inner { repository: repository.clone(), format, objects, tips, pack }))
    }

    /// The objects that were received together with those of the repository, for checks before references move.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.0.objects
    }

    /// Whether `from` leads to `to`: an update of a branch from `to` to `from` keeps its history. False where either is no
    /// commit.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn leads_to(&self, from: ObjectId, to: ObjectId) -> Result<bool, GitError> {
        let objects = self.0.objects.clone();
        blocking(move || {
            for id in [from, to] {
                if objects.kind(&id)? != Some(Kind::Commit) {
                    return Ok(false);
                }
            }
            Walk::new(&objects).leads_to(&from, &to)
        })
        .await
    }

    /// The repository as it was when the objects were received.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.0.repository
    }

    /// Moves references in the caller's transaction, each from what the caller takes it to name, and adds the objects if
    /// a reference moved. With `atomic` all move or none. Nothing is visible before the transaction is durable. `who` and
    /// `at` (seconds since 1970) go to the references' history.
    ///
    /// Call it once. Yields an outcome for each update, in order.
    ///
    /// # Errors
    /// [`GitError::NotFound`] when the repository was removed; [`GitError::OtherFormat`] when another first push came
    /// before; [`GitError::Outdated`]; those of reading and writing.
    pub fn publish(
        &self,
        tx: &mut Tx<'_>,
        updates: &[RefUpdate],
        atomic: bool,
        who: &str,
        at: i64,
    ) -> Result<Vec<RefOutcome>, GitError> {
        let Inner { repository, format, tips, pack, .. } = &*self.0;
        let publication = Publication {
            id: repository.id(),
            format: *format,
            dropped: repository.0.snapshot.meta.dropped,
            pack: pack.as_ref().map(|pack| &pack.record),
            tips,
        };
        let (outcomes, added) = publication.publish(tx, updates, atomic, who, at)?;
        if let Some(pack) = pack.as_ref().filter(|_| added) {
            for written in &pack.written {
                blobs::Reference::insert(tx, written, SERVICE, repository.id())?;
            }
        }
        Ok(outcomes)
    }
}
