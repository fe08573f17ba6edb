//! Objects as operations read them. Its calls block.

use std::collections::HashMap;
use std::sync::Arc;

use git::{GitError, Object, Objects, Repository};
use git_diff::{DiffError, Item, Source};
use git_object::{Commit, FormError, Kind, Mode, ObjectFormat, ObjectId, Tree, hash_object};

use crate::error::CodeCommitError;

/// The largest commit, tree or tag that is read, in bytes.
const STRUCTURE_BYTES_MAX: u64 = 64 << 20;

/// The largest file that is compared or merged, in bytes.
pub(crate) const COMPARED_BYTES_MAX: u64 = 6 << 20;

/// Reads objects.
#[derive(Clone)]
pub(crate) struct Reader {
    objects: Objects,
    /// Objects that are not written yet.
    made: Arc<ById>,
}

type ById = HashMap<ObjectId, (Kind, Arc<[u8]>)>;

/// Objects that were made and are not written yet.
pub(crate) type Made = Vec<(Kind, Vec<u8>)>;

/// The parts of a commit that answers show.
#[derive(Clone)]
pub(crate) struct CommitParts {
    pub(crate) id: ObjectId,
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    object: Arc<Object>,
}

impl CommitParts {
    /// The commit itself.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`].
    pub(crate) fn commit(&self) -> Result<Commit<'_>, CodeCommitError> {
        Commit::parse(self.id.format(), &self.object).map_err(damaged)
    }
}

fn damaged(error: FormError) -> CodeCommitError {
    CodeCommitError::Damaged(error.to_string())
}

impl From<DiffError<GitError>> for CodeCommitError {
    fn from(error: DiffError<GitError>) -> Self {
        match error {
            DiffError::Source(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl Source for Reader {
    type Error = GitError;
    type Bytes = Read;

    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Read, GitError> {
        if let Some((_, content)) = self.made.get(id).filter(|(made, _)| *made == kind) {
            return Ok(Read::Made(Arc::clone(content)));
        }
        let bytes_max = if kind == Kind::Blob { COMPARED_BYTES_MAX } else { STRUCTURE_BYTES_MAX };
        let found = self.objects.read(id, bytes_max)?.filter(|object| object.kind == kind);
        found.map(Read::Stored).ok_or(GitError::MissingObject { id: *id })
    }

    fn size(&self, id: &ObjectId) -> Result<u64, GitError> {
        self.objects.header(id)?.map(|(_, bytes)| bytes).ok_or(GitError::MissingObject { id: *id })
    }
}

/// An object that was read.
pub(crate) enum Read {
    Stored(Arc<Object>),
    Made(Arc<[u8]>),
}

impl AsRef<[u8]> for Read {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Stored(object) => object,
            Self::Made(content) => content,
        }
    }
}

impl Reader {
    /// The objects of a repository.
    pub(crate) fn new(repository: &Repository) -> Self {
        Self::over(repository.objects())
    }

    /// These objects.
    pub(crate) fn over(objects: Objects) -> Self {
        Self { objects, made: Arc::default() }
    }

    /// The same with objects that are not written yet.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`].
    pub(crate) fn with_made(&self, format: ObjectFormat, made: &Made) -> Result<Self, CodeCommitError> {
        let mut all = HashMap::with_capacity(made.len());
        for (kind, content) in made {
            let id =
                hash_object(format, *kind, content).map_err(|error| CodeCommitError::Damaged(error.to_string()))?;
            all.insert(id, (*kind, Arc::from(content.as_slice())));
        }
        Ok(Self { objects: self.objects.clone(), made: Arc::new(all) })
    }

    /// The kind and the length of an object, if it is there.
    ///
    /// # Errors
    /// Those of `git`.
    pub(crate) fn header(&self, id: &ObjectId) -> Result<Option<(Kind, u64)>, CodeCommitError> {
        Ok(self.objects.header(id)?)
    }

    /// A commit, if there is one of the id.
    ///
    /// # Errors
    /// Those of `git`; [`CodeCommitError::Damaged`].
    pub(crate) fn commit(&self, id: &ObjectId) -> Result<Option<CommitParts>, CodeCommitError> {
        let Some(object) = self.objects.read(id, STRUCTURE_BYTES_MAX)?.filter(|found| found.kind == Kind::Commit)
        else {
            return Ok(None);
        };
        let commit = Commit::parse(id.format(), &object).map_err(damaged)?;
        let (tree, parents) = (commit.tree(), commit.parents().collect());
        Ok(Some(CommitParts { id: *id, tree, parents, object }))
    }

    /// A commit that must be there.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit); [`GitError::MissingObject`].
    pub(crate) fn expect_commit(&self, id: &ObjectId) -> Result<CommitParts, CodeCommitError> {
        self.commit(id)?.ok_or_else(|| GitError::MissingObject { id: *id }.into())
    }

    /// A file's content. `bytes_max` is what the caller takes.
    ///
    /// # Errors
    /// [`GitError::TooLarge`]; those of `git`.
    pub(crate) fn blob(&self, id: &ObjectId, bytes_max: u64) -> Result<Option<Arc<Object>>, CodeCommitError> {
        Ok(self.objects.read(id, bytes_max)?.filter(|object| object.kind == Kind::Blob))
    }

    /// The item at a path of a tree.
    ///
    /// # Errors
    /// Those of `git`; [`CodeCommitError::Damaged`].
    pub(crate) fn item(&self, tree: &ObjectId, path: &str) -> Result<Option<Item>, CodeCommitError> {
        Ok(git_diff::item_at(self, tree, path.as_bytes())?)
    }

    /// The entries of a tree.
    ///
    /// # Errors
    /// Those of `git`; [`CodeCommitError::Damaged`].
    pub(crate) fn entries(&self, tree: &ObjectId) -> Result<Vec<(Vec<u8>, Mode, ObjectId)>, CodeCommitError> {
        let content = self.read(tree, Kind::Tree)?;
        let entries = Tree::new(tree.format(), content.as_ref());
        let entry = |entry: git_object::Entry<'_>| (entry.name.to_vec(), entry.mode, entry.id);
        entries.map(|found| found.map(entry).map_err(damaged)).collect()
    }
}

/// Runs what reads objects on a thread that may block.
///
/// # Errors
/// Those of `work`.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CodeCommitError> + Send + 'static,
) -> Result<T, CodeCommitError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(GitError::Interrupted.into()))
}
