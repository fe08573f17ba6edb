//! The first start: the account, and its administrator's access key in `aws/credentials`.
//!
//! The database says whether the access key is handed over. A first start that died before is finished by the next start:
//! otherwise there would be an administrator whose secret nobody has. No file in the directory decides about that, and
//! nothing is ever removed for it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use iam::{FirstAdministrator, IamError};
use service::Regions;
use store::Store;

use crate::aws_profile;
use crate::config::Config;
use crate::data_dir::Layout;
use crate::error::ServerError;
use crate::operator::here;
use crate::seed::{Seed, Seeded};

/// The account that the first start made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstStart {
    /// The account's id.
    pub account: String,
    /// The administrator's ARN.
    pub administrator: String,
}

/// The accounts and keys that a first start makes.
pub(crate) enum World {
    /// One account, of this id if the operator gave one.
    Account(Option<String>),
    /// Those of a seed in a file; keys that name no Region are in the first, none is outside of the others.
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
    let begun = iam::unfinished_first_start(store).await.map_err(of_accounts)?;
    if begun.is_some() {
        tracing::warn!("the first start was interrupted: the administrators' access keys are handed over now");
    }
    let made = match (world, begun) {
        (World::Account(wanted), Some(begun)) => {
            check_account(store, layout, wanted.as_deref()).await?;
            Some(begun.into_iter().map(Seeded::from).collect())
        }
        (World::Account(wanted), None) => bootstrap(store, wanted.clone()).await?,
        (World::Seed(file, region, regions), begun) => {
            let made = Seed::read(file)?.plant(store, begun, (region, regions)).await?;
            if made.is_none() {
                tracing::info!("there are accounts already: the seed is for the first start and changes nothing");
            }
            made
        }
    };
    let Some(made) = made else {
        if let World::Account(wanted) = world {
            check_account(store, layout, wanted.as_deref()).await?;
        }
        forget_marker(layout)?;
        return Ok(None);
    };
    for (index, Seeded { profile, administrator }) in made.iter().enumerate() {
        let FirstAdministrator { access_key_id, secret_access_key, .. } = administrator;
        let profile = if index == 0 { aws_profile::DEFAULT } else { profile };
        aws_profile::write_profile(layout, profile, access_key_id, secret_access_key.expose())?;
    }
    iam::end_first_start(store).await.map_err(of_accounts)?;
    forget_marker(layout)?;
    Ok(made.into_iter().next().map(|Seeded { administrator, .. }| FirstStart {
        account: administrator.account,
        administrator: administrator.arn.to_string(),
    }))
}

/// Whether there are accounts and somebody has their access keys.
pub(crate) async fn is_over(store: &Store) -> Result<bool, ServerError> {
    let unfinished = iam::unfinished_first_start(store).await.map_err(of_accounts)?;
    Ok(unfinished.is_none() && !iam::accounts(store).await?.is_empty())
}

async fn bootstrap(store: &Store, wanted: Option<String>) -> Result<Option<Vec<Seeded>>, ServerError> {
    let made = iam::bootstrap(store, wanted, here()).await.map_err(of_accounts)?;
    Ok(made.map(|administrator| vec![Seeded::from(administrator)]))
}

fn of_accounts(error: IamError) -> ServerError {
    match error {
        IamError::Store(error) => ServerError::Store(error),
        error => ServerError::Account(error),
    }
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

/// Removes the marker of older versions, which took a directory that has one for unused and emptied it.
fn forget_marker(layout: &Layout) -> Result<(), ServerError> {
    let path = layout.first_start_marker();
    match fs::remove_file(&path) {
        Ok(()) => {
            tracing::warn!(
                path = %path.display(),
                "removed the first-start marker of an older version; if nobody has an administrator's access key, stop \
                 the server and run `sealstack admin recover`"
            );
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(ServerError::Io { action: "remove", path, cause }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SealConfig;
    use crate::{durable_state, root_seal};

    fn store(layout: &Layout) -> Store {
        let seal = root_seal::open(layout, &SealConfig::default()).expect("a seal");
        durable_state::open_store(layout, &seal).expect("a store")
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
    async fn a_first_start_that_was_cut_short_is_finished_by_the_next() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        // Died after the account was committed, before its access key was written.
        let made = iam::bootstrap(&store(&layout), None, here()).await.expect("made").expect("the first");
        assert!(!layout.aws_credentials().exists() && !is_over(&store(&layout)).await.expect("read"));

        let other = World::Account(Some("444455556666".to_owned()));
        finish(&store(&layout), &layout, &other).await.expect_err("another account was begun");
        let first = finish(&store(&layout), &layout, &World::Account(None)).await.expect("made").expect("finished");
        assert_eq!(first.account, made.account);
        let credentials = credentials(&layout);
        assert!(credentials.contains(&made.access_key_id) && credentials.contains(made.secret_access_key.expose()));
        fs::remove_file(layout.aws_credentials()).expect("taken away by the operator");
        assert_eq!(finish(&store(&layout), &layout, &World::Account(None)).await.expect("opened"), None);
        assert!(!layout.aws_credentials().exists(), "it is handed over once");
        assert!(is_over(&store(&layout)).await.expect("read"));
    }

    #[tokio::test]
    async fn a_seed_that_was_cut_short_is_finished_by_the_next_start() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let file = dir.path().join("seed.toml");
        let id = "11111111-2222-3333-4444-555555555555";
        let seed = format!(
            "[[account]]\nid = \"111122223333\"\n[[account.key]]\nid = \"{id}\"\n\
             [[account]]\nid = \"444455556666\"\nname = \"second\"\n"
        );
        fs::write(&file, seed).expect("a seed");
        let regions = Regions::default();
        let planted = Seed::read(&file).expect("a seed").plant(&store(&layout), None, ("us-east-1", &regions)).await;
        let planted = planted.expect("planted").expect("the first");
        assert_eq!(planted.len(), 2);

        let world = World::Seed(file, "us-east-1".to_owned(), regions);
        let first = finish(&store(&layout), &layout, &world).await.expect("made").expect("finished");
        assert_eq!(first.account, "111122223333");
        let credentials = credentials(&layout);
        assert!(credentials.contains("[default]") && credentials.contains("[second]"), "{credentials}");
        assert!(planted.iter().all(|made| credentials.contains(&made.administrator.access_key_id)));
        assert_eq!(finish(&store(&layout), &layout, &world).await.expect("opened"), None);
    }
}
