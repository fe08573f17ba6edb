"""Encrypts and decrypts files with the official Python SDK as a test asks for it.

Usage: encryption_sdk_messages.py REQUEST, a file of JSON: {"keyrings": [...], "cases": [...]}. A case to encrypt names
a source and a sink; one to decrypt a source and the file that has to come out, and its source is removed.
"""

import base64
import json
import os
import sys
from types import SimpleNamespace

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.models import KMSConfigurationKmsKeyArn
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl import models
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

# What the SDK looks at of a boto3 client.
META = SimpleNamespace(config=SimpleNamespace(user_agent_extra=None), region_name="us-east-1")

PROVIDERS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


class Items:
    """Stands in for DynamoDB: one item whatever is asked for, by its sort key."""

    def __init__(self, items):
        self.items, self.meta = items, META

    def get_item(self, **request):
        item = self.items[request["Key"]["type"]["S"]]
        named = {name: {"S": value} for name, value in item["attributes"].items()}
        named["hierarchy-version"] = {"N": item["attributes"]["hierarchy-version"]}
        return {"Item": {**named, "enc": {"B": base64.b64decode(item["enc"])}, **request["Key"]}}


def keyring(spec):
    kind = spec["kind"]
    if kind == "aes":
        key = base64.b64decode(spec["key"])
        algorithm = f"ALG_AES{len(key) * 8}_GCM_IV12_TAG16"
        return PROVIDERS.create_raw_aes_keyring(models.CreateRawAesKeyringInput(
            key_namespace="interop", key_name="aes", wrapping_key=key, wrapping_alg=algorithm))
    if kind == "rsa":
        return PROVIDERS.create_raw_rsa_keyring(models.CreateRawRsaKeyringInput(
            key_namespace="interop", key_name="rsa", padding_scheme=spec["padding"],
            public_key=spec["public"].encode(), private_key=spec["private"].encode()))
    if kind == "ecdh":
        scheme = models.RawEcdhStaticConfigurationsRawPrivateKeyToStaticPublicKey(
            models.RawPrivateKeyToStaticPublicKeyInput(
                sender_static_private_key=spec["private"].encode(),
                recipient_public_key=base64.b64decode(spec["public"])))
        return PROVIDERS.create_raw_ecdh_keyring(models.CreateRawEcdhKeyringInput(
            key_agreement_scheme=scheme, curve_spec=spec["curve"]))
    if kind == "hierarchy":
        store = KeyStore(KeyStoreConfig(
            ddb_table_name="table", logical_key_store_name=spec["store"], kms_configuration=KMSConfigurationKmsKeyArn(spec["arn"]),
            ddb_client=Items(spec["items"]), kms_client=boto3.client("kms")))
        return PROVIDERS.create_aws_kms_hierarchical_keyring(models.CreateAwsKmsHierarchicalKeyringInput(
            key_store=store, branch_key_id=spec["id"], ttl_seconds=60))
    if kind == "kms":
        return PROVIDERS.create_aws_kms_keyring(models.CreateAwsKmsKeyringInput(
            kms_key_id=spec["key"], kms_client=boto3.client("kms")))
    if kind == "kms-multi":
        # Each key is asked for in its own region.
        return PROVIDERS.create_aws_kms_multi_keyring(models.CreateAwsKmsMultiKeyringInput(
            generator=spec["generator"], kms_key_ids=spec["keys"]))
    if kind == "kms-discovery":
        admitted = models.DiscoveryFilter(account_ids=[spec["account"]], partition="aws")
        return PROVIDERS.create_aws_kms_discovery_keyring(models.CreateAwsKmsDiscoveryKeyringInput(
            kms_client=boto3.client("kms"), discovery_filter=admitted))
    if kind == "kms-mrk":
        return PROVIDERS.create_aws_kms_mrk_keyring(models.CreateAwsKmsMrkKeyringInput(
            kms_key_id=spec["key"], kms_client=boto3.client("kms", region_name=spec["region"])))
    if kind == "kms-rsa":
        return PROVIDERS.create_aws_kms_rsa_keyring(models.CreateAwsKmsRsaKeyringInput(
            kms_key_id=spec["key"], public_key=spec["public"].encode(), encryption_algorithm="RSAES_OAEP_SHA_256",
            kms_client=boto3.client("kms")))
    if kind == "kms-ecdh":
        scheme = models.KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
            models.KmsPrivateKeyToStaticPublicKeyInput(
                sender_kms_identifier=spec["key"], sender_public_key=base64.b64decode(spec["sender"]),
                recipient_public_key=base64.b64decode(spec["recipient"])))
        return PROVIDERS.create_aws_kms_ecdh_keyring(models.CreateAwsKmsEcdhKeyringInput(
            key_agreement_scheme=scheme, curve_spec=spec["curve"], kms_client=boto3.client("kms")))
    raise ValueError(kind)


def materials(case, keyring):
    if not case["required"]:
        return {"keyring": keyring}
    default = PROVIDERS.create_default_cryptographic_materials_manager(
        models.CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring))
    return {"materials_manager": PROVIDERS.create_required_encryption_context_cmm(
        models.CreateRequiredEncryptionContextCMMInput(
            underlying_cmm=default, required_encryption_context_keys=case["required"]))}


def client(suite):
    forbid = suite.message_format_version == 1
    policy = CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT if forbid else CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(case, keyrings):
    suite = AlgorithmSuite.get_by_id(case["suite"])
    options = {"encryption_context": case["context"], **materials(case, keyrings[case["keyring"]][case["do"]])}
    source = read(case["source"])
    if case["do"] == "encrypt":
        sealed, _ = client(suite).encrypt(source=source, algorithm=suite, frame_length=case["frame_length"], **options)
        with open(case["sink"], "wb") as file:
            file.write(sealed)
    else:
        plaintext, _ = client(suite).decrypt(source=source, **options)
        if plaintext != read(case["expected"]):
            raise AssertionError("another plaintext came out")
        os.remove(case["source"])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    keyrings = [{verb: keyring(spec) for verb, spec in pair.items()} for pair in request["keyrings"]]
    for case in request["cases"]:
        try:
            run(case, keyrings)
        except Exception as error:
            raise SystemExit(f"{case['what']}: {error!r}") from error


if __name__ == "__main__":
    main()
