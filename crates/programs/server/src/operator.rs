//! Operations on the host: accounts, their limits, lost administrators, and the root seal. The root seal
//! also while the server runs, through its admin socket.
//!
//! Opens the database under its root seal, does one thing, and closes it again. New credentials go into
//! `aws/credentials`; none is printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iam::{Account, Handover, IamError};
pub use kms::{DomainKeyReport, DomainKeyState};
use service::Operator;
use store::Store;

use crate::admin::Client;
use crate::aws_profile;
use crate::clock;
use crate::config::{AuditConfig, SealConfig};
use crate::continuity::Evidence;
use crate::data_dir::{DataDir, Layout};
use crate::durable_state::{DurableState, Rotated, runtime};
use crate::error::ServerError;
use crate::{durable_state, first_start, root_seal};

/// A credential that was put into `aws/credentials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// The account.
    pub account: String,
    /// Whose credential it is.
    pub arn: String,
}

/// Makes an account and puts its root user's access key into the profile of the same name.
///
/// # Errors
/// [`ServerError::Operator`] for a name that is taken or malformed, and for one that is a profile already; those of
/// opening the database.
pub fn create_account(data: &DataDir, seal: &SealConfig, name: &str) -> Result<Profile, ServerError> {
    free(data, name)?;
    let made = with_store(data, seal, async |store| iam::create_account(store, name, here()).await)?;
    hand_over(data, name, made)
}

/// Makes a new administrator in an account, given by id or name, and puts its access key into `profile`.
///
/// # Errors
/// [`ServerError::Operator`] when there is no such account, or when it has to be named; those of opening the database.
pub fn recover(
    data: &DataDir,
    seal: &SealConfig,
    account: Option<&str>,
    profile: &str,
) -> Result<Profile, ServerError> {
    let made = with_store(data, seal, async |store| iam::recover(store, account, here()).await)?;
    hand_over(data, profile, made)
}

/// Every account, in the order of their making.
///
/// # Errors
/// Those of opening the database.
pub fn accounts(data: &DataDir, seal: &SealConfig) -> Result<Vec<Account>, ServerError> {
    with_store(data, seal, async |store| Ok(iam::accounts(store).await?))
}

/// Limits an account, given by id or name, by the service control policy in a file.
///
/// # Errors
/// [`ServerError::Io`], [`ServerError::Operator`]; those of opening the database.
pub fn set_service_control(data: &DataDir, seal: &SealConfig, account: &str, file: &Path) -> Result<(), ServerError> {
    let document = std::fs::read_to_string(file).map_err(|cause| ServerError::Io {
        action: "read",
        path: file.to_owned(),
        cause,
    })?;
    with_store(data, seal, async |store| iam::set_service_control(store, account, document, here()).await)
}

/// The service control policy of an account.
///
/// # Errors
/// [`ServerError::Operator`]; those of opening the database.
pub fn service_control(data: &DataDir, seal: &SealConfig, account: &str) -> Result<Option<String>, ServerError> {
    with_store(data, seal, async |store| iam::service_control(store, account).await)
}

/// Takes the service control policy of an account away; says whether there was one.
///
/// # Errors
/// [`ServerError::Operator`]; those of opening the database.
pub fn clear_service_control(data: &DataDir, seal: &SealConfig, account: &str) -> Result<bool, ServerError> {
    with_store(data, seal, async |store| iam::clear_service_control(store, account, here()).await)
}

/// Every domain key, and how many keys each wraps. A server may be running in the directory.
///
/// # Errors
/// Those of opening the database; [`ServerError::Store`].
pub fn domain_keys(layout: &Layout, seal: &SealConfig) -> Result<Vec<DomainKeyReport>, ServerError> {
    let store = durable_state::open_beside(layout, seal)?;
    Ok(runtime()?.block_on(kms::domain_keys(&store))?)
}

/// A rotation of the root key that is about to begin: its present seal has been opened as far as this process can.
pub struct Rotation {
    data: PathBuf,
    current: seal::SealConfig,
    next: Option<seal::SealConfig>,
}

impl Rotation {
    /// Prepares to replace the root key and its seal by new ones, as `next` describes.
    ///
    /// # Errors
    /// [`ServerError::NoData`], [`ServerError::NoSecret`], [`ServerError::Share`], [`ServerError::Seal`].
    pub fn prepare(data: &Path, current: &SealConfig, next: &SealConfig) -> Result<Self, ServerError> {
        let layout = Layout::new(data.to_owned());
        let status = durable_state::existing(&layout)?;
        let next = root_seal::next(next, &status)?;
        let current = root_seal::open(&layout, current)?;
        Ok(Self { data: data.to_owned(), current, next })
    }

    /// Whether the new seal has to be split and handed out first.
    #[must_use]
    pub const fn wants_shares(&self) -> bool {
        self.next.is_none()
    }

    /// Takes the key whose shares were handed out as the new seal.
    #[must_use]
    pub fn by_shares(self, key: seal::SharedKey) -> Self {
        Self { next: Some(seal::SealConfig::Shares(key)), ..self }
    }

    /// Replaces them: through the server that runs in the directory, or else alone.
    ///
    /// # Errors
    /// Those of opening the database; [`ServerError::Refused`].
    pub fn run(self) -> Result<Rotated, ServerError> {
        let Some(next) = self.next else { return Err(ServerError::NoInput { wanted: "the split of a new seal" }) };
        let data = match DataDir::open(&self.data) {
            Ok(data) => data,
            Err(error @ ServerError::InUse { .. }) => {
                let rotated = Client::new(Layout::new(self.data)).rotate(&self.current, &next);
                // Who has the directory is no server: another command.
                return rotated.map_err(|refused| match refused {
                    ServerError::NotRunning { .. } => error,
                    refused => refused,
                });
            }
            Err(error) => return Err(error),
        };
        let layout = data.layout();
        let current = Arc::new(self.current);
        runtime()?.block_on(async {
            let durable_state = DurableState::open(layout, &current, &AuditConfig::default()).await?;
            let rotated = durable_state.rotate_root(layout, &current, next, durable_state::own_uid()).await;
            durable_state.close().await?;
            rotated
        })
    }
}

/// This process, as the one that acts.
pub(crate) fn here() -> Operator {
    Operator { uid: durable_state::own_uid(), time: clock::now() }
}

/// Refuses a profile that is there: its access key would be lost.
fn free(data: &DataDir, profile: &str) -> Result<(), ServerError> {
    if aws_profile::has_credentials(data.layout(), profile)? {
        let what = format!("aws/credentials has a profile called {profile} already.");
        return Err(ServerError::Operator(IamError::Validation(what)));
    }
    Ok(())
}

fn hand_over(data: &DataDir, profile: &str, made: Handover) -> Result<Profile, ServerError> {
    let Handover { account, arn, access_key_id, secret_access_key } = made;
    aws_profile::write_profile(data.layout(), profile, &access_key_id, secret_access_key.expose())?;
    Ok(Profile { name: profile.to_owned(), account, arn: arn.to_string() })
}

fn with_store<T>(
    data: &DataDir,
    seal: &SealConfig,
    work: impl AsyncFnOnce(&Store) -> Result<T, IamError>,
) -> Result<T, ServerError> {
    let layout = data.layout();
    // Opening would make what is missing, and an operator's command is no first start.
    let no_data = || ServerError::NoData { path: layout.root().to_owned() };
    if !layout.database().exists() {
        return Err(no_data());
    }
    let store = durable_state::open_store(layout, &root_seal::open(layout, seal)?)?;
    let runtime = runtime()?;
    // What was put back must not be built upon.
    let audit_key = runtime.block_on(durable_state::audit_key(&store))?;
    Evidence::gather(&store, layout, &audit_key, None)?.verify()?;
    if !runtime.block_on(first_start::is_over(&store))? {
        return Err(no_data());
    }
    let done = runtime.block_on(work(&store)).map_err(|error| match error {
        IamError::Store(error) => ServerError::Store(error),
        error => ServerError::Operator(error),
    })?;
    store.checkpoint()?;
    Ok(done)
}
