//! Multi-Region keys: which keys are related, and which of them leads. Knows Regions, not what the keys share.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::record::key_arn;

wire::text_enum! {
    /// The role of a multi-Region key among its relatives.
    pub(crate) enum MultiRegionKeyType {
        Primary = "PRIMARY",
        Replica = "REPLICA",
    }
}

/// The Regions of a multi-Region key, of which each related key's record has a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relatives {
    /// The Region of the primary key.
    pub(crate) primary: String,
    /// The Regions of its replicas.
    pub(crate) replicas: BTreeSet<String>,
}

impl Relatives {
    /// Those of a primary key without replicas.
    pub(crate) fn of_primary(region: &str) -> Self {
        Self { primary: region.to_owned(), replicas: BTreeSet::new() }
    }

    /// The role of the key in `region`.
    pub(crate) fn key_type(&self, region: &str) -> MultiRegionKeyType {
        if self.primary == region { MultiRegionKeyType::Primary } else { MultiRegionKeyType::Replica }
    }

    /// Every Region, the primary key's first.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.primary.as_str()).chain(self.replicas.iter().map(String::as_str))
    }
}

/// `MultiRegionKey`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiRegionKey {
    arn: String,
    region: String,
}

/// `MultiRegionConfiguration`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MultiRegionConfiguration {
    multi_region_key_type: MultiRegionKeyType,
    primary_key: MultiRegionKey,
    replica_keys: Vec<MultiRegionKey>,
}

impl MultiRegionConfiguration {
    /// As the key `id` of `account` in `region` shows it.
    pub(crate) fn new(relatives: &Relatives, region: &str, account: &str, id: &str) -> Self {
        let key = |region: &str| MultiRegionKey { arn: key_arn(region, account, id), region: region.to_owned() };
        Self {
            multi_region_key_type: relatives.key_type(region),
            primary_key: key(&relatives.primary),
            replica_keys: relatives.replicas.iter().map(|region| key(region)).collect(),
        }
    }
}
