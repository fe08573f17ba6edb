//! `UpdateCustomKeyStore`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;

use super::cause;
use super::create::{claim, is_free, only_public, only_version_1};
use super::name::{
    ACCOUNT_LENGTH, ACCOUNT_PATTERN, CLUSTER_LENGTH, CLUSTER_PATTERN, ENDPOINT_LENGTH, ENDPOINT_PATTERN, PASSWORD,
    PATH_LENGTH, PATH_PATTERN, ProxyCredential, STORE_NAME, VPC_SERVICE_LENGTH, VPC_SERVICE_PATTERN,
};
use crate::Kms;
use crate::access::Account;
use crate::error::{During, KeyStoreFault, KmsError};
use crate::ports::KeyStoreError;
use crate::record::key_store::{all, find};
use crate::record::{ConnectionState, Connectivity, KeyStoreRecord, Place, PlaceClaim, domain};
use crate::rules::CUSTOM_KEY_STORE_ID;

wire::shape! {
    pub(crate) struct UpdateCustomKeyStoreInput {
        "CustomKeyStoreId" id: String, required, [CUSTOM_KEY_STORE_ID];
        "NewCustomKeyStoreName" new_name: String, optional, [STORE_NAME];
        "KeyStorePassword" password: SecretText, optional, [PASSWORD];
        "CloudHsmClusterId" cluster_id: String, optional, [CLUSTER_LENGTH, CLUSTER_PATTERN];
        "XksProxyUriEndpoint" endpoint: String, optional, [ENDPOINT_LENGTH, ENDPOINT_PATTERN];
        "XksProxyUriPath" path: String, optional, [PATH_LENGTH, PATH_PATTERN];
        "XksProxyVpcEndpointServiceName" vpc_service: String, optional, [VPC_SERVICE_LENGTH, VPC_SERVICE_PATTERN];
        "XksProxyVpcEndpointServiceOwner" vpc_service_owner: String, optional, [ACCOUNT_LENGTH, ACCOUNT_PATTERN];
        "XksProxyAuthenticationCredential" credential: ProxyCredential, optional, [];
        "XksProxyConnectivity" connectivity: Connectivity, optional, [];
    }
}

impl UpdateCustomKeyStoreInput {
    /// The members that are of one type of store only, as far as they are given.
    fn given(&self, of_token: bool) -> Option<&'static str> {
        let members: &[(&'static str, bool)] = if of_token {
            &[("KeyStorePassword", self.password.is_some()), ("CloudHsmClusterId", self.cluster_id.is_some())]
        } else {
            &[
                ("XksProxyUriEndpoint", self.endpoint.is_some()),
                ("XksProxyUriPath", self.path.is_some()),
                ("XksProxyVpcEndpointServiceName", self.vpc_service.is_some()),
                ("XksProxyVpcEndpointServiceOwner", self.vpc_service_owner.is_some()),
                ("XksProxyAuthenticationCredential", self.credential.is_some()),
                ("XksProxyConnectivity", self.connectivity.is_some()),
            ]
        };
        members.iter().find(|(_, given)| *given).map(|(member, _)| *member)
    }

    /// Whether the store has to be disconnected for this.
    const fn takes_disconnection(&self) -> bool {
        self.password.is_some() || self.cluster_id.is_some() || self.endpoint.is_some() || self.connectivity.is_some()
    }

    /// Checks the members against the type and connection state of the store.
    fn check(&self, record: &KeyStoreRecord) -> Result<(), KmsError> {
        let invalid = |message: String| Err(KmsError::Validation(message));
        let (of_token, of_proxy) = (self.given(true), self.given(false));
        if self.new_name.is_none() && of_token.is_none() && of_proxy.is_none() {
            return invalid("Specify at least one property of the custom key store to update.".to_owned());
        }
        let foreign = if matches!(record.place, Place::Token { .. }) { of_proxy } else { of_token };
        if let Some(member) = foreign {
            let kind = record.place.kind();
            return invalid(format!("{member} is not valid for a custom key store of type {kind}."));
        }
        let connectivity = self.connectivity.unwrap_or(Connectivity::PublicEndpoint);
        only_public(connectivity, self.vpc_service.clone(), self.vpc_service_owner.clone())?;
        if let Some(path) = &self.path {
            only_version_1(path)?;
        }
        let disconnected = record.connection == ConnectionState::Disconnected;
        let settled = disconnected || record.connection == ConnectionState::Connected;
        if !settled || self.takes_disconnection() && !disconnected {
            let (id, state) = (record.id.clone(), record.connection.as_str());
            return Err(KeyStoreFault::State { id, state }.into());
        }
        Ok(())
    }

    /// Changes the record. Returns whether that changed the store's place or the credentials for it.
    fn apply(&self, record: &mut KeyStoreRecord) -> bool {
        if let Some(name) = &self.new_name {
            record.name.clone_from(name);
        }
        match &mut record.place {
            Place::Token { cluster_id, password, .. } => {
                if let Some(changed) = &self.cluster_id {
                    cluster_id.clone_from(changed);
                }
                if let Some(changed) = &self.password {
                    *password = changed.duplicate();
                }
            }
            Place::Proxy { endpoint, path, access_key_id, secret } => {
                if let Some(changed) = &self.endpoint {
                    endpoint.clone_from(changed);
                }
                if let Some(changed) = &self.path {
                    path.clone_from(changed);
                }
                if let Some(changed) = &self.credential {
                    *access_key_id = changed.access_key_id.duplicate();
                    *secret = changed.raw_secret_access_key.duplicate();
                }
            }
        }
        self.given(true).is_some() || self.given(false).is_some()
    }
}

/// Changes a key store. A new place or new secrets are tried before they replace the old.
///
/// Source: AWS KMS API Reference, UpdateCustomKeyStore.
pub(crate) struct UpdateCustomKeyStore;

impl ResourceOperation for UpdateCustomKeyStore {
    type On = Account;
    const NAME: &'static str = "UpdateCustomKeyStore";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateCustomKeyStoreInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let kms = &**call.service;
        let domain = domain(call.account(), call.region);
        let (parent, id) = (domain.clone(), input.id.clone());
        let mut record = kms.store.read(move |tx| find(tx, &parent, &id)).await?;
        input.check(&record)?;
        if input.apply(&mut record) {
            let checked = kms.key_stores.check(&record.place.to_port(), &cause(Self::NAME, call)).await;
            checked.map_err(|error| refused(error, &record))?;
        }
        let forgotten = call.write(&kms.store, move |tx| replace(&input, &domain, tx)).await?;
        if let Some(path) = forgotten {
            kms.connections.forget(&path);
        }
        Ok(())
    }
}

/// Makes the change, if the store is still one that it can be made to. Returns the path of one whose connection no
/// longer is what it was.
fn replace(input: &UpdateCustomKeyStoreInput, domain: &str, tx: &mut Tx<'_>) -> Result<Option<String>, KmsError> {
    let mut record = find(tx, domain, &input.id)?;
    input.check(&record)?;
    if let Some(name) = &input.new_name {
        let mut others = all(tx, domain)?;
        others.retain(|other| other.id != record.id);
        is_free(&others, name)?;
    }
    let (parent, name) = record.place.claim(&record.region);
    let moved = input.apply(&mut record);
    if moved {
        record.attempt += 1;
        tx.delete::<PlaceClaim>(&parent, &name)?;
        claim(&record, tx)?;
    }
    tx.put(domain, &record.id, &record)?;
    Ok(moved.then(|| record.path()))
}

fn refused(error: KeyStoreError, record: &KeyStoreRecord) -> KmsError {
    match (error, record.cluster_id()) {
        (KeyStoreError::WrongTrustAnchor, Some(cluster_id)) => {
            KeyStoreFault::ClusterNotRelated { cluster_id: cluster_id.to_owned() }.into()
        }
        (error, _) => KeyStoreFault::Refused { during: During::Configuration, error }.into(),
    }
}
