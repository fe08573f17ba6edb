//! `DescribeCustomKeyStores`.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Permit, ResourceOperation, Window};
use wire::Timestamp;

use super::name::STORE_NAME;
use crate::Kms;
use crate::access::Account;
use crate::error::{KeyStoreFault, KmsError};
use crate::record::key_store::all;
use crate::record::{ConnectionErrorCode, ConnectionState, Connectivity, KeyStoreRecord, KeyStoreType, Place, domain};
use crate::rules::{CUSTOM_KEY_STORE_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::shape! {
    pub(crate) struct DescribeCustomKeyStoresInput {
        "CustomKeyStoreId" id: String, optional, [CUSTOM_KEY_STORE_ID];
        "CustomKeyStoreName" name: String, optional, [STORE_NAME];
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
    }
}

/// A store as its owner sees it: without its secrets.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CustomKeyStoresListEntry {
    custom_key_store_id: String,
    custom_key_store_name: String,
    cloud_hsm_cluster_id: Option<String>,
    trust_anchor_certificate: Option<String>,
    connection_state: ConnectionState,
    connection_error_code: Option<ConnectionErrorCode>,
    creation_date: Timestamp,
    custom_key_store_type: KeyStoreType,
    xks_proxy_configuration: Option<XksProxyConfiguration>,
}

/// How a proxy is reached.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct XksProxyConfiguration {
    connectivity: Connectivity,
    access_key_id: String,
    uri_endpoint: String,
    uri_path: String,
}

impl From<KeyStoreRecord> for CustomKeyStoresListEntry {
    fn from(record: KeyStoreRecord) -> Self {
        let custom_key_store_type = record.place.kind();
        let (token, proxy) = match record.place {
            Place::Token { cluster_id, trust_anchor, .. } => (Some((cluster_id, trust_anchor)), None),
            Place::Proxy { endpoint, path, access_key_id, .. } => {
                let configuration = XksProxyConfiguration {
                    connectivity: Connectivity::PublicEndpoint,
                    access_key_id: access_key_id.0.as_str().to_owned(),
                    uri_endpoint: endpoint,
                    uri_path: path,
                };
                (None, Some(configuration))
            }
        };
        let (cloud_hsm_cluster_id, trust_anchor_certificate) = token.unzip();
        Self {
            custom_key_store_id: record.id,
            custom_key_store_name: record.name,
            cloud_hsm_cluster_id,
            trust_anchor_certificate,
            connection_state: record.connection,
            connection_error_code: record.failure,
            creation_date: record.created,
            custom_key_store_type,
            xks_proxy_configuration: proxy,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeCustomKeyStoresOutput {
    custom_key_stores: Vec<CustomKeyStoresListEntry>,
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists the key stores of an account in a region.
///
/// Source: AWS KMS API Reference, DescribeCustomKeyStores.
pub(crate) struct DescribeCustomKeyStores;

impl ResourceOperation for DescribeCustomKeyStores {
    type On = Account;
    const NAME: &'static str = "DescribeCustomKeyStores";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DescribeCustomKeyStoresInput;
    type Output = DescribeCustomKeyStoresOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        if input.id.is_some() && input.name.is_some() {
            return Err(KmsError::Validation(
                "You cannot specify CustomKeyStoreId and CustomKeyStoreName in the same request.".to_owned(),
            ));
        }
        let domain = domain(call.account(), call.region);
        let mut records = call.service.store.read(move |tx| Ok::<_, KmsError>(all(tx, &domain)?)).await?;
        let wanted = input.id.as_ref().or(input.name.as_ref());
        if let Some(text) = wanted {
            records.retain(|record| input.id.as_ref() == Some(&record.id) || input.name.as_ref() == Some(&record.name));
            if records.is_empty() {
                return Err(KeyStoreFault::NotFound { text: text.clone() }.into());
            }
        }
        // Pages go by id; there are ten stores at most.
        records.sort_by(|one, other| one.id.cmp(&other.id));
        let listed = Window::new(input.marker, input.limit, 100, 1000).by_name(records, |record| &record.id)?;
        let Listed { items, next } = listed.map(CustomKeyStoresListEntry::from);
        Ok(DescribeCustomKeyStoresOutput { custom_key_stores: items, truncated: next.is_some(), next_marker: next })
    }
}
