"""Encrypts and decrypts with the official Python SDK what a test asks for in JSON on standard input."""

import base64
import json
import sys
from types import SimpleNamespace

import aws_encryption_sdk
from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.models import KMSConfigurationKmsKeyArn
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl import models
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

# What the SDK looks at of a boto3 client.
META = SimpleNamespace(config=SimpleNamespace(user_agent_extra=None), region_name="us-west-2")

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


class Keys:
    """Stands in for KMS: decrypts what it was told the plaintext of, if the encryption context is the expected one."""

    def __init__(self, arn, known):
        self.arn, self.known, self.meta = arn, known, META

    def decrypt(self, **request):
        known = self.known[base64.b64encode(request["CiphertextBlob"]).decode()]
        if request["EncryptionContext"] != known["context"]:
            raise AssertionError(f"{request['EncryptionContext']} is not {known['context']}")
        return {"KeyId": self.arn, "Plaintext": base64.b64decode(known["plaintext"])}


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
            ddb_client=Items(spec["items"]), kms_client=Keys(spec["arn"], spec["known"])))
        return PROVIDERS.create_aws_kms_hierarchical_keyring(models.CreateAwsKmsHierarchicalKeyringInput(
            key_store=store, branch_key_id=spec["id"], ttl_seconds=60))
    raise ValueError(kind)


def materials(case, spec):
    if not case["required"]:
        return {"keyring": keyring(spec)}
    default = PROVIDERS.create_default_cryptographic_materials_manager(
        models.CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring(spec)))
    return {"materials_manager": PROVIDERS.create_required_encryption_context_cmm(
        models.CreateRequiredEncryptionContextCMMInput(
            underlying_cmm=default, required_encryption_context_keys=case["required"]))}


def client(suite):
    forbid = suite.message_format_version == 1
    policy = CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT if forbid else CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy)


def run(case, keyrings):
    suite = AlgorithmSuite.get_by_id(case["suite"])
    source = base64.b64decode(case["source"])
    sources = materials(case, keyrings[case["keyring"]])
    if case["do"] == "encrypt":
        result, _ = client(suite).encrypt(
            source=source, algorithm=suite, frame_length=case["frame_length"], encryption_context=case["context"], **sources)
    else:
        result, _ = client(suite).decrypt(source=source, encryption_context=case["context"], **sources)
    return base64.b64encode(result).decode()


request = json.load(sys.stdin)
json.dump([run(case, request["keyrings"]) for case in request["cases"]], sys.stdout)
