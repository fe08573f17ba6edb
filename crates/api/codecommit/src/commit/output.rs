//! A commit as answers show it.

use git_object::Identity;

use crate::content::CommitParts;
use crate::error::CodeCommitError;

wire::output! {
    /// Who did something, and when: `1484167798 -0800`.
    pub(crate) struct UserInfo {
        "name" name: String, required;
        "email" email: String, required;
        "date" date: String, required;
    }
}

wire::output! {
    /// A commit.
    pub(crate) struct CommitOutput {
        "commitId" commit_id: String, required;
        "treeId" tree_id: String, required;
        "parents" parents: Vec<String>, required;
        "message" message: String, required;
        "author" author: UserInfo, required;
        "committer" committer: UserInfo, required;
        "additionalData" additional_data: String, required;
    }
}

impl From<Identity<'_>> for UserInfo {
    fn from(identity: Identity<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let date = format!("{} {}", identity.seconds, identity.zone.as_str());
        Self { name: text(identity.name), email: text(identity.email), date }
    }
}

impl CommitOutput {
    /// The commit of these parts.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`].
    pub(crate) fn of(parts: &CommitParts) -> Result<Self, CodeCommitError> {
        let commit = parts.commit()?;
        let mut additional = Vec::new();
        for header in commit.headers() {
            additional.extend_from_slice(header.name);
            additional.push(b' ');
            additional.extend_from_slice(&header.value());
            additional.push(b'\n');
        }
        Ok(Self {
            commit_id: parts.id.to_string(),
            tree_id: parts.tree.to_string(),
            parents: parts.parents.iter().map(ToString::to_string).collect(),
            message: String::from_utf8_lossy(commit.message()).into_owned(),
            author: commit.author().into(),
            committer: commit.committer().into(),
            additional_data: String::from_utf8_lossy(&additional).into_owned(),
        })
    }
}
