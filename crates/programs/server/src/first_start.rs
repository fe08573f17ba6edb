//! The first start: the account, and its administrator's access key in `aws/credentials`.
//!
//! A marker file stands from before the database is made until the access key is handed over. A first start that died
//! in between is begun anew: otherwise there would be an administrator whose secret nobody has.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use iam::{FirstAdministrator, IamError};
use service::Regions;
use store::Store;

use crate::aws_profile;
use crate::config::Config;
use crate::data_dir::{Layout, replace_file};
use crate::error::ServerError;
use crate::operator::here;
use crate::seed::{Seed, Seeded};

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
        remove(&layout.anchor(), |path| fs::remove_file(path))?;
        remove(&layout.audit(), |path| fs::remove_dir_all(path))
    } else if layout.database().exists() {
        Ok(())
    } else {
        replace_file(&marker, b"The first start is under way.\n")
    }
}

/// What a first start makes.
pub(crate) enum World {
    /// One account, of this id if the operator asked for one.
    Account(Option<String>),
    /// What the seed in a file says; keys that name no Region are in the first, none is outside of the others.
    Seed(PathBuf, String, Regions),
}

impl From<&Config> for World {
    fn from(config: &Config) -> Self {
        match &config.seed {
            Some(file) => Self::Seed(file.clone(), config.region.clone(), config.regions.clone()),
            None => Self::Account(config.account.clone()),
        }
    }
}

/// Makes the world if there is none, and hands over its administrators' access keys.
pub(crate) async fn finish(store: &Store, layout: &Layout, world: &World) -> Result<Option<FirstStart>, ServerError> {
    let (made, wanted) = match world {
        World::Account(wanted) => (bootstrap(store, wanted.clone()).await?, wanted.as_deref()),
        World::Seed(file, region, regions) => {
            let made = Seed::read(file)?.plant(store, (region, regions)).await?;
            if made.is_none() {
                tracing::info!("there are accounts already: the seed is for the first start and changes nothing");
            }
            (made, None)
        }
    };
    let Some(made) = made else {
        check_account(store, layout, wanted).await?;
        return Ok(None);
    };
    for (index, Seeded { profile, administrator }) in made.iter().enumerate() {
        let FirstAdministrator { access_key_id, secret_access_key, .. } = administrator;
        let profile = if index == 0 { aws_profile::DEFAULT } else { profile };
        aws_profile::write_profile(layout, profile, access_key_id, secret_access_key.expose())?;
    }
    remove(&layout.first_start(), |path| fs::remove_file(path))?;
    Ok(made.into_iter().next().map(|Seeded { administrator, .. }| FirstStart {
        account: administrator.account,
        administrator: administrator.arn.to_string(),
    }))
}

async fn bootstrap(store: &Store, wanted: Option<String>) -> Result<Option<Vec<Seeded>>, ServerError> {
    let made = iam::bootstrap(store, wanted, here()).await.map_err(|error| match error {
        IamError::Store(error) => ServerError::Store(error),
        error => ServerError::Account(error),
    })?;
    Ok(made.map(|administrator| vec![Seeded { profile: aws_profile::DEFAULT.to_owned(), administrator }]))
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
        let account = |id: &str| World::Account(Some(id.to_owned()));
        let first = finish(&store(&layout), &layout, &account("111122223333")).await.expect("made").expect("the first");
        assert_eq!(first.account, "111122223333");
        assert_eq!(first.administrator, "arn:aws:iam::111122223333:user/administrator");
        let handed_over = credentials(&layout);

        let again = store(&layout);
        assert_eq!(finish(&again, &layout, &World::Account(None)).await.expect("opened"), None);
        assert_eq!(finish(&again, &layout, &account("111122223333")).await.expect("opened"), None);
        let error = finish(&again, &layout, &account("444455556666")).await.expect_err("another account");
        assert!(error.to_string().contains("111122223333"), "{error}");
        assert_eq!(credentials(&layout), handed_over);
    }

    #[tokio::test]
    async fn a_first_start_that_was_cut_short_is_begun_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        // Died after the account was committed, before its access key was written.
        iam::bootstrap(&store(&layout), None, here()).await.expect("made").expect("the first");
        assert!(layout.first_start().exists() && !layout.aws_credentials().exists());

        let first = finish(&store(&layout), &layout, &World::Account(None)).await.expect("made");
        assert!(first.is_some() && layout.aws_credentials().exists() && !layout.first_start().exists());
    }
}
