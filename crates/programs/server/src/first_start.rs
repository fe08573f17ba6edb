//! The first start: the account, and its administrator's access key in `aws/credentials`.
//!
//! A marker file stands from before the database is made until the access key is handed over. A first start that died
//! in between is begun anew: otherwise there would be an administrator whose secret nobody has.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use iam::IamError;
use store::Store;

use crate::aws_profile;
use crate::clock;
use crate::data_dir::{Layout, replace_file};
use crate::error::ServerError;

/// What the first start made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstStart {
    /// The account's id.
    pub account: String,
    /// The administrator's ARN.
    pub administrator: String,
}

/// Prepares the directory before anything is opened in it: marks a first start, or takes away what is left of one that
/// was cut short. Nobody has used that: the server answers only once the marker is gone.
pub(crate) fn prepare(layout: &Layout) -> Result<(), ServerError> {
    let marker = layout.first_start();
    if marker.exists() {
        tracing::warn!("the first start was interrupted and begins anew");
        for file in layout.database_files() {
            remove(&file, |path| fs::remove_file(path))?;
        }
        remove(&layout.audit(), |path| fs::remove_dir_all(path))
    } else if layout.database().exists() {
        Ok(())
    } else {
        replace_file(&marker, b"The first start is under way.\n")
    }
}

/// Makes the account if there is none, and hands over its administrator's access key. `wanted` is the account that the
/// operator asked for.
pub(crate) async fn finish(
    store: &Store,
    layout: &Layout,
    wanted: Option<&str>,
) -> Result<Option<FirstStart>, ServerError> {
    let made = iam::bootstrap(store, wanted.map(str::to_owned), clock::now()).await;
    let made = made.map_err(|error| match error {
        IamError::Store(error) => ServerError::Store(error),
        error => ServerError::Account(error),
    })?;
    let Some(made) = made else {
        check_account(store, layout, wanted).await?;
        return Ok(None);
    };
    aws_profile::write_credentials(layout, &made.access_key_id, made.secret_access_key.expose())?;
    remove(&layout.first_start(), |path| fs::remove_file(path))?;
    Ok(Some(FirstStart { account: made.account, administrator: made.arn.to_string() }))
}

/// An account can be chosen at the first start only.
async fn check_account(store: &Store, layout: &Layout, wanted: Option<&str>) -> Result<(), ServerError> {
    let Some(given) = wanted else { return Ok(()) };
    let accounts = iam::accounts(store).await?;
    if accounts.iter().any(|account| account.id == given) {
        return Ok(());
    }
    let found = accounts.into_iter().next().map(|account| account.id).unwrap_or_default();
    Err(ServerError::OtherAccount { path: layout.root().to_owned(), found, given: given.to_owned() })
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), ServerError> {
    let removed = how(path).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) });
    // A removal that a crash undoes would take the account with it at the next start.
    let synced = removed.and_then(|()| path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all()));
    synced.map_err(|cause| ServerError::Io { action: "remove", path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SealConfig;
    use crate::{lasting, root_seal};

    fn store(layout: &Layout) -> Store {
        prepare(layout).expect("prepared");
        let seal = root_seal::open(layout, &SealConfig::default()).expect("a seal");
        lasting::open_store(layout, &seal).expect("a store")
    }

    fn credentials(layout: &Layout) -> String {
        fs::read_to_string(layout.aws_credentials()).expect("credentials")
    }

    #[tokio::test]
    async fn an_account_is_made_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let first = finish(&store(&layout), &layout, Some("111122223333")).await.expect("made").expect("the first");
        assert_eq!(first.account, "111122223333");
        assert_eq!(first.administrator, "arn:aws:iam::111122223333:user/administrator");
        let handed_over = credentials(&layout);

        let again = store(&layout);
        assert_eq!(finish(&again, &layout, None).await.expect("opened"), None);
        assert_eq!(finish(&again, &layout, Some("111122223333")).await.expect("opened"), None);
        let error = finish(&again, &layout, Some("444455556666")).await.expect_err("another account");
        assert!(error.to_string().contains("111122223333"), "{error}");
        assert_eq!(credentials(&layout), handed_over);
    }

    #[tokio::test]
    async fn a_first_start_that_was_cut_short_is_begun_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        // Died after the account was committed, before its access key was written.
        iam::bootstrap(&store(&layout), None, clock::now()).await.expect("made").expect("the first");
        assert!(layout.first_start().exists() && !layout.aws_credentials().exists());

        let first = finish(&store(&layout), &layout, None).await.expect("made");
        assert!(first.is_some() && layout.aws_credentials().exists() && !layout.first_start().exists());
    }
}
