"""The server as a client of KMS meets it: keys of every kind in the states that are wanted, and for each operation an input
with which it succeeds.
"""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from documented import Seen

GHOST = "11111111-2222-3333-4444-555555555555"

# Kinds of keys, by what makes them.
KINDS = {
    "symmetric": {},
    "hmac": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "rsa": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    "sign": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    "agree": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    "kem": {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
    "external": {"Origin": "EXTERNAL"},
    "primary": {"MultiRegion": True},
}

# The kind of key that an operation takes, where it is not a symmetric one.
KIND_OF = {
    "Decapsulate": "kem", "Encapsulate": "kem", "DeriveSharedSecret": "agree", "GenerateMac": "hmac", "VerifyMac": "hmac",
    "GetPublicKey": "sign", "Sign": "sign", "Verify": "sign", "ReplicateKey": "primary", "UpdatePrimaryRegion": "primary",
    "GetParametersForImport": "external", "ImportKeyMaterial": "external", "DeleteImportedKeyMaterial": "external",
}

# The member that names the key, where it is not KeyId.
KEY_MEMBER = {"CreateAlias": "TargetKeyId", "UpdateAlias": "TargetKeyId", "ReEncrypt": "DestinationKeyId"}

# Their own tests, which bring a token or a proxy along, show what these answer.
OF_CUSTOM_KEY_STORES = {
    "ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore", "UpdateCustomKeyStore",
}


class Server:
    """The server, and what it has answered so far."""

    def __init__(self):
        plain = Config(parameter_validation=False, retries={"max_attempts": 0, "mode": "standard"})
        session = boto3.Session()
        self.clients = {
            region: session.client("kms", region_name=region, config=plain)
            for region in (session.region_name, "eu-west-1", "eu-west-2")
        }
        self.home = session.region_name
        self.account = session.client("sts").get_caller_identity()["Account"]
        self.model = self.clients[self.home].meta.service_model
        self.seen = Seen()
        self.made = {}
        for client in self.clients.values():
            self.seen.watch(client)

    def call(self, operation, arguments, region=None):
        """The answer, or the code of the error."""
        client = self.clients[region or self.home]
        try:
            return client._make_api_call(operation, arguments), None
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, (operation, error)
            return None, error.response["Error"]["Code"]

    def done(self, operation, region=None, **arguments):
        answer, code = self.call(operation, arguments, region)
        assert answer is not None, f"{operation} with {arguments} was refused with {code}"
        return answer

    def fresh(self, kind="symmetric", **more):
        key = self.done("CreateKey", **{**KINDS[kind], **more})["KeyMetadata"]["KeyId"]
        if kind == "external":
            self.import_into(key, os.urandom(32))
        if kind == "primary":
            self.done("ReplicateKey", KeyId=key, ReplicaRegion="eu-west-1")
        return key

    def key(self, kind="symmetric", state="enabled"):
        """A key to share."""
        if (kind, state) not in self.made:
            key = self.fresh(kind)
            if state == "disabled":
                self.done("DisableKey", KeyId=key)
            if state == "doomed":
                self.done("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
            self.made[kind, state] = key
        return self.made[kind, state]

    def arn(self, key, region=None):
        return f"arn:aws:kms:{region or self.home}:{self.account}:key/{key}"

    def wrapped(self, key, material):
        parameters = self.done(
            "GetParametersForImport", KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        return {
            "KeyId": key,
            "ImportToken": parameters["ImportToken"],
            "EncryptedKeyMaterial": load_der_public_key(parameters["PublicKey"]).encrypt(material, oaep),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        }

    def import_into(self, key, material, **more):
        return self.done("ImportKeyMaterial", **{**self.wrapped(key, material), **more})

    def grant(self, key):
        root = f"arn:aws:iam::{self.account}:root"
        return self.done("CreateGrant", KeyId=key, GranteePrincipal=root, Operations=["Decrypt"])["GrantId"]

    def sealed(self, key):
        return self.done("Encrypt", KeyId=key, Plaintext=b"x")["CiphertextBlob"]


def policy(server):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{server.account}:root"}, "Action": "kms:*",
        "Resource": "*"}]})


def base(server, operation, key):
    """An input with which the operation succeeds on `key`, if that is a key for it."""
    s = server
    unique = os.urandom(8).hex()
    mac = {"KeyId": key, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    signing = {"KeyId": key, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    inputs = {
        "CancelKeyDeletion": lambda: {"KeyId": key},
        "CreateAlias": lambda: {"AliasName": f"alias/{unique}", "TargetKeyId": key},
        "CreateGrant": lambda: {
            "KeyId": key, "GranteePrincipal": f"arn:aws:iam::{s.account}:root", "Operations": ["Decrypt"]},
        "CreateKey": dict,
        "Decapsulate": lambda: {
            "KeyId": key, "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": encapsulated(s)},
        "Decrypt": lambda: {"CiphertextBlob": s.sealed(s.key()), "KeyId": key},
        "DeleteAlias": lambda: {"AliasName": alias(s, key)},
        "DeleteImportedKeyMaterial": lambda: {"KeyId": key},
        "DeriveSharedSecret": lambda: {
            "KeyId": key, "KeyAgreementAlgorithm": "ECDH",
            "PublicKey": s.done("GetPublicKey", KeyId=s.key("agree"))["PublicKey"]},
        "Encapsulate": lambda: {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"},
        "Encrypt": lambda: {"KeyId": key, "Plaintext": b"x"},
        "GenerateDataKey": lambda: {"KeyId": key, "KeySpec": "AES_256"},
        "GenerateDataKeyPair": lambda: {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyPairWithoutPlaintext": lambda: {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyWithoutPlaintext": lambda: {"KeyId": key, "KeySpec": "AES_256"},
        "GenerateMac": lambda: mac,
        "GenerateRandom": lambda: {"NumberOfBytes": 1},
        "GetParametersForImport": lambda: {
            "KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
        "ImportKeyMaterial": lambda: {**s.wrapped(s.key("external"), os.urandom(32)), "KeyId": key},
        "ListAliases": lambda: {"KeyId": key},
        "ListKeys": dict,
        "ListRetirableGrants": lambda: {"RetiringPrincipal": f"arn:aws:iam::{s.account}:root"},
        "PutKeyPolicy": lambda: {"KeyId": key, "Policy": policy(s)},
        "ReEncrypt": lambda: {"CiphertextBlob": s.sealed(s.key()), "DestinationKeyId": key},
        "ReplicateKey": lambda: {"KeyId": key, "ReplicaRegion": "eu-west-2"},
        "RetireGrant": lambda: {"KeyId": s.arn(key), "GrantId": s.grant(key)},
        "RevokeGrant": lambda: {"KeyId": key, "GrantId": s.grant(key)},
        "ScheduleKeyDeletion": lambda: {"KeyId": key, "PendingWindowInDays": 7},
        "Sign": lambda: signing,
        "TagResource": lambda: {"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]},
        "UntagResource": lambda: {"KeyId": key, "TagKeys": ["a"]},
        "UpdateAlias": lambda: {"AliasName": alias(s, s.key()), "TargetKeyId": key},
        "UpdateKeyDescription": lambda: {"KeyId": key, "Description": "d"},
        "UpdatePrimaryRegion": lambda: {"KeyId": key, "PrimaryRegion": "eu-west-1"},
        "Verify": lambda: {**signing, "Signature": s.done("Sign", **{**signing, "KeyId": s.key("sign")})["Signature"]},
        "VerifyMac": lambda: {**mac, "Mac": s.done("GenerateMac", **{**mac, "KeyId": s.key("hmac")})["Mac"]},
    }
    return inputs.get(operation, lambda: {"KeyId": key})()


def encapsulated(server):
    answer = server.done("Encapsulate", KeyId=server.key("kem"), EncapsulationAlgorithm="ML_KEM")
    return answer["SharedSecretCiphertextBlob"]


def alias(server, key):
    name = f"alias/{os.urandom(8).hex()}"
    server.done("CreateAlias", AliasName=name, TargetKeyId=key)
    return name


def on(server, operation, state="enabled", **more):
    """The base input on a shared key in some state."""
    kind = KIND_OF.get(operation, "symmetric")
    arguments = base(server, operation, server.key(kind))
    member = KEY_MEMBER.get(operation, "KeyId")
    if state != "enabled" and member in arguments:
        arguments[member] = server.key(kind, state)
    return {**arguments, **more}


def named(server, operation, name):
    """The base input with another name for the key."""
    return on(server, operation, **{KEY_MEMBER.get(operation, "KeyId"): name})
