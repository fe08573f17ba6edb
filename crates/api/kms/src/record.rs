//! Records: what is stored of keys, material, grants, aliases and key stores, and what it means.
//!
//! The lowest room of the crate: knows no operation, and not who may do what.

pub(crate) mod algorithm;
pub(crate) mod alias;
pub mod blob;
pub(crate) mod context;
pub(crate) mod grant;
pub(crate) mod imported;
pub(crate) mod key;
pub(crate) mod key_count;
pub(crate) mod key_store;
pub(crate) mod last_usage;
pub(crate) mod material;
pub(crate) mod multi_region;
pub(crate) mod party;
pub(crate) mod policy;
pub(crate) mod ready;
pub(crate) mod reference;
pub(crate) mod schedule;
pub(crate) mod spec;
pub(crate) mod state;

pub(crate) use algorithm::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, MacAlgorithm, SigningAlgorithm, algorithms_of,
    check_use,
};
pub(crate) use alias::AliasRecord;
pub(crate) use blob::{AccountNumber, AnyCiphertext, BlobError, KeyVersion, MaterialHint};
pub(crate) use context::EncryptionContext;
pub(crate) use grant::{
    Claim, Constraints, GrantOperation, GrantRecord, GrantUse, Grants, RetirableRecord, retirable_parent,
};
pub(crate) use imported::{ExpirationModel, Import};
pub(crate) use key::{KeyRecord, LiveKey, Rotation, Version, domain, path};
pub(crate) use key_count::KeyCount;
pub(crate) use key_store::{
    ConnectionErrorCode, ConnectionState, Connectivity, Held, KeyStoreRecord, KeyStoreType, Place, PlaceClaim,
};
pub(crate) use last_usage::{LastUsage, Slot, Usage};
pub(crate) use material::{DomainKey, MaterialId, MaterialRecord, RotationType, Wrapped};
pub(crate) use multi_region::{MultiRegionConfiguration, MultiRegionKeyType, Relatives};
pub(crate) use party::{Party, Standing, names_of};
pub(crate) use policy::PolicyRecord;
pub(crate) use ready::{Material, PublicMaterial};
pub(crate) use reference::{
    ALIAS_PREFIX, Forms, KeyId, Reference, Target, account_arn, alias_arn, is_account_id, key_arn,
};
pub(crate) use schedule::{Due, Job};
pub(crate) use spec::{
    DataKeyPairSpec, DataKeySpec, DryRunModifier, KeyManager, KeySpec, KeyUsage, Origin, RecipientInfo,
};
pub(crate) use state::KeyState;
