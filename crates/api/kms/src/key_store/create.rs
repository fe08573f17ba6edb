//! `CreateCustomKeyStore`.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::SecretText;

use super::cause;
use super::name::{
    ACCOUNT_LENGTH, ACCOUNT_PATTERN, CLUSTER_LENGTH, CLUSTER_PATTERN, ENDPOINT_LENGTH, ENDPOINT_PATTERN, PASSWORD,
    PATH_LENGTH, PATH_PATTERN, ProxyCredential, STORE_NAME, TRUST_ANCHOR, VPC_SERVICE_LENGTH, VPC_SERVICE_PATTERN,
    random_id,
};
use crate::Kms;
use crate::access::Account;
use crate::error::{During, KeyStoreFault, KmsError};
use crate::record::key_store::{STORES_MAX, all};
use crate::record::{ConnectionState, Connectivity, KeyStoreRecord, KeyStoreType, Place, PlaceClaim};
use store::Tx;

wire::shape! {
    pub(crate) struct CreateCustomKeyStoreInput {
        "CustomKeyStoreName" name: String, required, [STORE_NAME];
        "CloudHsmClusterId" cluster_id: String, optional, [CLUSTER_LENGTH, CLUSTER_PATTERN];
        "TrustAnchorCertificate" trust_anchor: String, optional, [TRUST_ANCHOR];
        "KeyStorePassword" password: SecretText, optional, [PASSWORD];
        "CustomKeyStoreType" kind: KeyStoreType, optional, [];
        "XksProxyUriEndpoint" endpoint: String, optional, [ENDPOINT_LENGTH, ENDPOINT_PATTERN];
        "XksProxyUriPath" path: String, optional, [PATH_LENGTH, PATH_PATTERN];
        "XksProxyVpcEndpointServiceName" vpc_service: String, optional, [VPC_SERVICE_LENGTH, VPC_SERVICE_PATTERN];
        "XksProxyVpcEndpointServiceOwner" vpc_service_owner: String, optional, [ACCOUNT_LENGTH, ACCOUNT_PATTERN];
        "XksProxyAuthenticationCredential" credential: ProxyCredential, optional, [];
        "XksProxyConnectivity" connectivity: Connectivity, optional, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateCustomKeyStoreOutput {
    custom_key_store_id: String,
}

impl CreateCustomKeyStoreInput {
    /// Where the store is to be: every member of its type is there, and none of the other's.
    fn place(self) -> Result<(String, Place), KmsError> {
        let invalid = |message: String| KmsError::Validation(message);
        let missing = |member: &str| invalid(format!("{member} is required for this type of custom key store."));
        let kind = self.kind.unwrap_or(KeyStoreType::AwsCloudHsm);
        let of_token = [
            ("CloudHsmClusterId", self.cluster_id.is_some()),
            ("TrustAnchorCertificate", self.trust_anchor.is_some()),
            ("KeyStorePassword", self.password.is_some()),
        ];
        let of_proxy = [
            ("XksProxyUriEndpoint", self.endpoint.is_some()),
            ("XksProxyUriPath", self.path.is_some()),
            ("XksProxyVpcEndpointServiceName", self.vpc_service.is_some()),
            ("XksProxyVpcEndpointServiceOwner", self.vpc_service_owner.is_some()),
            ("XksProxyAuthenticationCredential", self.credential.is_some()),
            ("XksProxyConnectivity", self.connectivity.is_some()),
        ];
        let foreign: &[(&str, bool)] = match kind {
            KeyStoreType::AwsCloudHsm => &of_proxy,
            KeyStoreType::ExternalKeyStore => &of_token,
        };
        if let Some((member, _)) = foreign.iter().find(|(_, given)| *given) {
            return Err(invalid(format!("{member} is not valid for a custom key store of type {kind}.")));
        }
        let place = match kind {
            KeyStoreType::AwsCloudHsm => Place::Token {
                cluster_id: self.cluster_id.ok_or_else(|| missing("CloudHsmClusterId"))?,
                trust_anchor: self.trust_anchor.ok_or_else(|| missing("TrustAnchorCertificate"))?,
                password: self.password.ok_or_else(|| missing("KeyStorePassword"))?,
            },
            KeyStoreType::ExternalKeyStore => {
                let connectivity = self.connectivity.ok_or_else(|| missing("XksProxyConnectivity"))?;
                only_public(connectivity, self.vpc_service, self.vpc_service_owner)?;
                let credential = self.credential.ok_or_else(|| missing("XksProxyAuthenticationCredential"))?;
                let path = self.path.ok_or_else(|| missing("XksProxyUriPath"))?;
                only_version_1(&path)?;
                Place::Proxy {
                    endpoint: self.endpoint.ok_or_else(|| missing("XksProxyUriEndpoint"))?,
                    path,
                    access_key_id: credential.access_key_id,
                    secret: credential.raw_secret_access_key,
                }
            }
        };
        Ok((self.name, place))
    }
}

/// Refuses what leads through a VPC: there is none here.
///
/// # Errors
/// [`KeyStoreFault::NoVpcEndpointService`]; [`KmsError::Validation`].
pub(super) fn only_public(
    connectivity: Connectivity,
    vpc_service: Option<String>,
    vpc_service_owner: Option<String>,
) -> Result<(), KmsError> {
    let not_public = |member: &str| {
        Err(KmsError::Validation(format!("{member} is not valid with XksProxyConnectivity PUBLIC_ENDPOINT.")))
    };
    match (connectivity, vpc_service, vpc_service_owner) {
        (Connectivity::PublicEndpoint, None, None) => Ok(()),
        (Connectivity::PublicEndpoint, Some(_), _) => not_public("XksProxyVpcEndpointServiceName"),
        (Connectivity::PublicEndpoint, None, Some(_)) => not_public("XksProxyVpcEndpointServiceOwner"),
        (Connectivity::VpcEndpointService, None, _) => Err(KmsError::Validation(
            "XksProxyVpcEndpointServiceName is required with XksProxyConnectivity VPC_ENDPOINT_SERVICE.".to_owned(),
        )),
        (Connectivity::VpcEndpointService, Some(name), _) => Err(KeyStoreFault::NoVpcEndpointService { name }.into()),
    }
}

/// Refuses the path of a version of the API that is not spoken here.
///
/// # Errors
/// [`KmsError::Validation`].
pub(super) fn only_version_1(path: &str) -> Result<(), KmsError> {
    if path.ends_with("/kms/xks/v1") && !path.contains("//") {
        return Ok(());
    }
    Err(KmsError::Validation("XksProxyUriPath must end with /kms/xks/v1.".to_owned()))
}

/// Creates a key store. It is not connected yet.
///
/// Source: AWS KMS API Reference, CreateCustomKeyStore.
pub(crate) struct CreateCustomKeyStore;

impl ResourceOperation for CreateCustomKeyStore {
    type On = Account;
    const NAME: &'static str = "CreateCustomKeyStore";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateCustomKeyStoreInput;
    type Output = CreateCustomKeyStoreOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (name, place) = input.place()?;
        let kms = &**call.service;
        let (port, why) = (place.to_port(), cause(Self::NAME, call));
        let checked = kms.key_stores.check(&port, &why).await;
        checked.map_err(|error| KeyStoreFault::Refused { during: During::Configuration, error })?;
        let record = KeyStoreRecord {
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            id: random_id(),
            name,
            created: call.now,
            place,
            connection: ConnectionState::Disconnected,
            failure: None,
            attempt: 0,
            keys: 0,
        };
        let custom_key_store_id = record.id.clone();
        call.write(&kms.store, move |tx| {
            let domain = record.domain();
            let others = all(tx, &domain)?;
            if others.len() >= STORES_MAX {
                let (most, usage) = (STORES_MAX as u64, others.len() as u64);
                return Err(KmsError::QuotaExceeded { quota: "Custom key store", most, usage });
            }
            is_free(&others, &record.name)?;
            claim(&record, tx)?;
            Ok::<_, KmsError>(tx.insert(&domain, &record.id, &record)?)
        })
        .await?;
        Ok(CreateCustomKeyStoreOutput { custom_key_store_id })
    }
}

/// Whether no store among `others` has the name.
///
/// # Errors
/// [`KeyStoreFault::NameInUse`].
pub(super) fn is_free(others: &[KeyStoreRecord], name: &str) -> Result<(), KmsError> {
    match others.iter().any(|other| other.name == name) {
        true => Err(KeyStoreFault::NameInUse { name: name.to_owned() }.into()),
        false => Ok(()),
    }
}

/// Takes the store's place for it.
///
/// # Errors
/// [`KeyStoreFault::ClusterInUse`], [`KeyStoreFault::UriInUse`].
pub(super) fn claim(record: &KeyStoreRecord, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    let (parent, name) = record.place.claim(&record.region);
    if let Some(other) = tx.get::<PlaceClaim>(&parent, &name)?
        && (&other.account, &other.region, &other.store) != (&record.account, &record.region, &record.id)
    {
        return Err(match record.place.kind() {
            KeyStoreType::AwsCloudHsm => KeyStoreFault::ClusterInUse { cluster_id: name }.into(),
            KeyStoreType::ExternalKeyStore => KeyStoreFault::UriInUse { uri: name }.into(),
        });
    }
    let KeyStoreRecord { account, region, id, .. } = record;
    let claim = PlaceClaim { account: account.clone(), region: region.clone(), store: id.clone() };
    Ok(tx.put(&parent, &name, &claim)?)
}
