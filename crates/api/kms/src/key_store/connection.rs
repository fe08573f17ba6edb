//! Connecting key stores and disconnecting them.
//!
//! The store's record says whether its owner has connected it, and outlasts this process; the connection itself is
//! opened again by the first call that needs it.

use std::sync::Arc;

use crate::ports::{Cause, KeyStore, KeyStoreError};
use service::{AuditClass, Call, Permit, ResourceOperation};

use super::cause;
use crate::Kms;
use crate::access::Account;
use crate::error::{During, KeyStoreFault, KmsError};
use crate::record::{ConnectionErrorCode, key_store::find};
use crate::record::{ConnectionState, KeyStoreRecord, domain};
use crate::rules::CUSTOM_KEY_STORE_ID;

wire::shape! {
    /// The input of the operations that need no more than the store's id.
    pub(crate) struct StoreIdInput {
        "CustomKeyStoreId" id: String, required, [CUSTOM_KEY_STORE_ID];
    }
}

/// Starts to connect a key store; `DescribeCustomKeyStores` reports the outcome. A token that is absent or unfit is
/// refused at once.
///
/// Source: AWS KMS API Reference, ConnectCustomKeyStore.
pub(crate) struct ConnectCustomKeyStore;

impl ResourceOperation for ConnectCustomKeyStore {
    type On = Account;
    const NAME: &'static str = "ConnectCustomKeyStore";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = StoreIdInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let domain = domain(call.account(), call.region);
        let cause = cause(Self::NAME, call);
        call.service.check_token(&domain, &input.id, &cause).await?;
        let begun = call
            .write(&call.service.store, move |tx| {
                let mut record = find(tx, &domain, &input.id)?;
                match record.connection {
                    ConnectionState::Connected | ConnectionState::Connecting => Ok(None),
                    ConnectionState::Failed | ConnectionState::Disconnecting => {
                        Err(KmsError::from(KeyStoreFault::State { id: record.id, state: record.connection.as_str() }))
                    }
                    ConnectionState::Disconnected => {
                        record.connection = ConnectionState::Connecting;
                        record.attempt += 1;
                        tx.put(&domain, &record.id, &record)?;
                        Ok(Some(record))
                    }
                }
            })
            .await?;
        if let Some(record) = begun {
            let kms = Arc::clone(call.service);
            tokio::spawn(async move { kms.attempt(&record, &cause).await });
        }
        Ok(())
    }
}

/// Disconnects a key store: its keys cannot be used from the moment at which the call is answered.
///
/// Source: AWS KMS API Reference, DisconnectCustomKeyStore.
pub(crate) struct DisconnectCustomKeyStore;

impl ResourceOperation for DisconnectCustomKeyStore {
    type On = Account;
    const NAME: &'static str = "DisconnectCustomKeyStore";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = StoreIdInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let domain = domain(call.account(), call.region);
        let path = call
            .write(&call.service.store, move |tx| {
                let mut record = find(tx, &domain, &input.id)?;
                match record.connection {
                    ConnectionState::Disconnected | ConnectionState::Disconnecting => {
                        Err(KmsError::from(KeyStoreFault::State { id: record.id, state: record.connection.as_str() }))
                    }
                    _ => {
                        record.connection = ConnectionState::Disconnected;
                        record.failure = None;
                        // An attempt that is still under way has been overtaken.
                        record.attempt += 1;
                        tx.put(&domain, &record.id, &record)?;
                        Ok(record.path())
                    }
                }
            })
            .await?;
        call.service.connections.forget(&path);
        Ok(())
    }
}

impl Kms {
    /// Looks whether the token of a disconnected store can be connected at all.
    ///
    /// # Errors
    /// [`KeyStoreFault::NotFound`]; [`KeyStoreFault::Refused`] when the token is absent or lacks what keys need.
    async fn check_token(&self, domain: &str, id: &str, cause: &Cause) -> Result<(), KmsError> {
        let record = self.key_store_records.get(domain, id).await?;
        let record = record.ok_or_else(|| KmsError::from(KeyStoreFault::NotFound { text: id.to_owned() }))?;
        if record.cluster_id().is_none() || record.connection != ConnectionState::Disconnected {
            return Ok(());
        }
        match self.key_stores.check(&record.place.to_port(), cause).await {
            Err(error @ (KeyStoreError::TokenAbsent(_) | KeyStoreError::TokenUnfit { .. })) => {
                tracing::warn!(store = record.id, cause = ?error, "a custom key store cannot be connected");
                Err(KeyStoreFault::Refused { during: During::Connecting, error }.into())
            }
            _ => Ok(()),
        }
    }

    /// Tries to connect a store that is said to be connecting, and notes how that ended.
    pub(super) async fn attempt(&self, record: &KeyStoreRecord, cause: &Cause) {
        let place = record.place.to_port();
        let path = record.path();
        let connecting = async {
            self.key_stores.check(&place, cause).await?;
            self.key_stores.connect(&place, cause).await
        };
        let outcome = self.connections.open(&path, record.attempt, connecting).await.map(drop);
        if let Err(error) = &outcome {
            tracing::warn!(store = record.id, cause = ?error, "a custom key store cannot be connected");
        }
        let failure = outcome.err().map(|error| connection_error(&error));
        let (domain, id, attempt) = (record.domain(), record.id.clone(), record.attempt);
        let noted = self.store.write(move |tx| {
            // It may have been disconnected or deleted meanwhile.
            let Some(mut record) = tx.get::<KeyStoreRecord>(&domain, &id)? else { return Ok(false) };
            let current = record.attempt == attempt && record.connection == ConnectionState::Connecting;
            if current {
                record.connection =
                    if failure.is_none() { ConnectionState::Connected } else { ConnectionState::Failed };
                record.failure = failure;
                tx.put(&domain, &id, &record)?;
            }
            Ok::<_, KmsError>(current && failure.is_none())
        });
        if !matches!(noted.await, Ok(true)) {
            self.connections.forget(&path);
        }
    }

    /// The connection to a store, opened again if this process has none yet.
    ///
    /// # Errors
    /// [`KeyStoreFault::State`] when its owner has not connected it; [`KeyStoreFault::Refused`].
    pub(super) async fn connected(
        &self,
        record: &KeyStoreRecord,
        during: During,
        cause: &Cause,
    ) -> Result<Arc<dyn KeyStore>, KmsError> {
        if !record.is_connected() {
            return Err(KeyStoreFault::State { id: record.id.clone(), state: record.connection.as_str() }.into());
        }
        let place = record.place.to_port();
        let connecting = self.key_stores.connect(&place, cause);
        match self.connections.open(&record.path(), record.attempt, connecting).await {
            Ok(store) => Ok(store),
            Err(error) => {
                if matches!(error, KeyStoreError::WrongPin | KeyStoreError::PinLocked | KeyStoreError::NoUser) {
                    self.give_up(record, &error).await?;
                }
                tracing::warn!(store = record.id, cause = ?error, "a custom key store cannot be reached");
                Err(KeyStoreFault::Refused { during, error }.into())
            }
        }
    }

    /// Records that a connected store refuses its credentials, so that further attempts do not lock it.
    async fn give_up(&self, record: &KeyStoreRecord, error: &KeyStoreError) -> Result<(), KmsError> {
        let (domain, id, attempt) = (record.domain(), record.id.clone(), record.attempt);
        let failure = Some(connection_error(error));
        self.store
            .write(move |tx| {
                if let Some(mut record) = tx.get::<KeyStoreRecord>(&domain, &id)?
                    && record.attempt == attempt
                    && record.is_connected()
                {
                    record.connection = ConnectionState::Failed;
                    record.failure = failure;
                    tx.put(&domain, &id, &record)?;
                }
                Ok(())
            })
            .await
    }
}

/// How `DescribeCustomKeyStores` says why a store could not be connected.
const fn connection_error(error: &KeyStoreError) -> ConnectionErrorCode {
    match error {
        KeyStoreError::UnknownToken => ConnectionErrorCode::ClusterNotFound,
        KeyStoreError::TokenAbsent(_) => ConnectionErrorCode::InsufficientCloudHsmHsms,
        KeyStoreError::WrongPin | KeyStoreError::NotAuthenticated => ConnectionErrorCode::InvalidCredentials,
        KeyStoreError::PinLocked => ConnectionErrorCode::UserLockedOut,
        KeyStoreError::NoUser => ConnectionErrorCode::UserNotFound,
        KeyStoreError::Forbidden { .. } | KeyStoreError::InvalidPath => {
            ConnectionErrorCode::XksProxyInvalidConfiguration
        }
        KeyStoreError::Unreachable | KeyStoreError::ManagersUnavailable => ConnectionErrorCode::XksProxyNotReachable,
        KeyStoreError::Tls => ConnectionErrorCode::XksProxyInvalidTlsConfiguration,
        KeyStoreError::TimedOut | KeyStoreError::ManagerTimedOut | KeyStoreError::Throttled => {
            ConnectionErrorCode::XksProxyTimedOut
        }
        KeyStoreError::Denied => ConnectionErrorCode::XksProxyAccessDenied,
        KeyStoreError::Malformed | KeyStoreError::ManagerDown | KeyStoreError::Unsupported => {
            ConnectionErrorCode::XksProxyInvalidResponse
        }
        KeyStoreError::WrongTrustAnchor
        | KeyStoreError::MalformedTrustAnchor
        | KeyStoreError::TokenUnfit { .. }
        | KeyStoreError::KeyNotFound
        | KeyStoreError::KeyDisabled
        | KeyStoreError::KeyUnfit
        | KeyStoreError::NotAuthentic
        | KeyStoreError::MaterialMissing
        | KeyStoreError::Busy
        | KeyStoreError::Failed(_) => ConnectionErrorCode::InternalError,
    }
}
