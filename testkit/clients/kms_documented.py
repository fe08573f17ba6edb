"""Compares what KMS operations answer with what the installed botocore documents of them: every documented error is brought
about, every documented member of every answer is seen, and every documented bound of every input is tried.

Usage: kms_documented.py MISSING UNSEEN. MISSING lists the operations that are not served, UNSEEN what is documented and
does not occur here, with the reason. What is documented and neither seen nor listed fails, and so does what is listed and
seen. The last line says that all was seen.
"""

import fnmatch
import json
import os
import re
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

# The longest text or blob that is tried.
MOST = 140_000

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
        self.errors = {name: set() for name in self.model.operation_names}
        self.members = {name: set() for name in self.model.operation_names}
        self.made = {}
        for client in self.clients.values():
            client.meta.events.register("after-call.kms", self.note)

    def note(self, http_response, model, **_):
        if http_response.status_code == 200 and http_response.content:
            for path in paths_of(json.loads(http_response.content), model.output_shape):
                self.members[model.name].add(path)

    def call(self, operation, arguments, region=None):
        """The answer, or the code of the error."""
        client = self.clients[region or self.home]
        try:
            return client._make_api_call(operation, arguments), None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, (operation, error)
            self.errors[operation].add(code)
            return None, code

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


def paths_of(value, shape, path=""):
    """The paths of the members in an answer. One that is not documented ends in `?`."""
    if shape is not None and shape.type_name == "list":
        for item in value:
            yield from paths_of(item, shape.member, path)
    elif shape is not None and shape.type_name == "structure":
        for name, inner in value.items():
            own = f"{path}.{name}".lstrip(".")
            yield own if name in shape.members else own + "?"
            yield from paths_of(inner, shape.members.get(name), own)


def documented_paths(shape, path=""):
    if shape is None:
        return
    if shape.type_name == "list":
        yield from documented_paths(shape.member, path)
    elif shape.type_name == "structure":
        for name, inner in shape.members.items():
            own = f"{path}.{name}".lstrip(".")
            yield own
            yield from documented_paths(inner, own)


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


def usual_triggers(server, operation):
    """How errors come about that many operations share: input by error."""
    members = server.model.operation_model(operation).input_shape.members
    triggers = {
        "DisabledException": lambda: on(server, operation, "disabled"),
        "KMSInvalidStateException": lambda: on(server, operation, "doomed"),
        "NotFoundException": lambda: named(server, operation, server.arn(GHOST)),
        "InvalidArnException": lambda: named(server, operation, "arn:aws:kms:nowhere"),
        "DryRunOperationException": lambda: on(server, operation, DryRun=True),
    }
    if "GrantTokens" in members:
        triggers["InvalidGrantTokenException"] = lambda: on(server, operation, GrantTokens=["AAAA"])
    if "Marker" in members:
        triggers["InvalidMarkerException"] = lambda: on(server, operation, Marker="not one of ours")
    wrong = "hmac" if KIND_OF.get(operation, "symmetric") != "hmac" else "symmetric"
    triggers["InvalidKeyUsageException"] = lambda: named(server, operation, server.key(wrong))
    if KIND_OF.get(operation) == "external":
        triggers["UnsupportedOperationException"] = lambda: named(server, operation, server.key())
    return triggers


def too_many_tags():
    return [{"TagKey": str(number), "TagValue": ""} for number in range(51)]


def own_triggers(s):
    """How errors come about that need more: by operation and error, a list of calls to make beforehand and the input."""
    bad_grant = {"KeyId": s.arn(s.key()), "GrantId": "not-a-grant"}
    no_grant = {"KeyId": s.arn(s.key()), "GrantId": "0" * 64}
    return {
        ("CancelKeyDeletion", "KMSInvalidStateException"): lambda: {"KeyId": s.key()},
        ("CreateAlias", "AlreadyExistsException"): lambda: {"AliasName": alias(s, s.key()), "TargetKeyId": s.key()},
        ("CreateAlias", "InvalidAliasNameException"): lambda: {"AliasName": "alias/aws/mine", "TargetKeyId": s.key()},
        ("CreateAlias", "LimitExceededException"): lambda: {
            "AliasName": "alias/one-more", "TargetKeyId": laden_with_aliases(s)},
        ("CreateKey", "MalformedPolicyDocumentException"): lambda: {"Policy": "{}"},
        ("CreateKey", "TagException"): lambda: {"Tags": too_many_tags()},
        ("CreateKey", "UnsupportedOperationException"): lambda: {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
        ("CreateKey", "LimitExceededException"): lambda: {"Policy": padded_policy(s)},
        ("Decapsulate", "InvalidCiphertextException"): lambda: on(s, "Decapsulate", SharedSecretCiphertextBlob=b"x"),
        ("Decrypt", "InvalidCiphertextException"): lambda: on(s, "Decrypt", CiphertextBlob=b"x"),
        ("Decrypt", "IncorrectKeyException"): lambda: {"CiphertextBlob": s.sealed(s.key()), "KeyId": s.fresh()},
        ("DeleteAlias", "NotFoundException"): lambda: {"AliasName": "alias/nothing"},
        ("DisableKeyRotation", "UnsupportedOperationException"): lambda: {"KeyId": s.key("external")},
        ("EnableKeyRotation", "UnsupportedOperationException"): lambda: {"KeyId": s.key("external")},
        ("GenerateDataKeyPair", "UnsupportedOperationException"): lambda: {"KeyId": s.key(), "KeyPairSpec": "SM2"},
        ("GenerateDataKeyPairWithoutPlaintext", "UnsupportedOperationException"): lambda: {
            "KeyId": s.key(), "KeyPairSpec": "SM2"},
        ("GenerateRandom", "UnsupportedOperationException"): lambda: {
            "NumberOfBytes": 1, "Recipient": {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"x"}},
        ("GetKeyRotationStatus", "UnsupportedOperationException"): lambda: {"KeyId": s.key("external")},
        ("GetPublicKey", "UnsupportedOperationException"): lambda: {"KeyId": s.key()},
        ("ImportKeyMaterial", "ExpiredImportTokenException"): None,
        ("ImportKeyMaterial", "IncorrectKeyMaterialException"): lambda: on(s, "ImportKeyMaterial"),
        ("ImportKeyMaterial", "InvalidCiphertextException"): lambda: on(s, "ImportKeyMaterial", EncryptedKeyMaterial=b"x"),
        ("ImportKeyMaterial", "InvalidImportTokenException"): lambda: on(s, "ImportKeyMaterial", ImportToken=b"x"),
        ("ListGrants", "InvalidGrantIdException"): lambda: bad_grant,
        ("ListKeyRotations", "UnsupportedOperationException"): lambda: {"KeyId": s.key("hmac")},
        ("ListRetirableGrants", "InvalidArnException"): lambda: {
            "RetiringPrincipal": f"arn:aws:iam::{s.account}:user/nobody"},
        ("PutKeyPolicy", "LimitExceededException"): lambda: {"KeyId": s.key(), "Policy": padded_policy(s)},
        ("PutKeyPolicy", "MalformedPolicyDocumentException"): lambda: {"KeyId": s.key(), "Policy": "{}"},
        ("PutKeyPolicy", "UnsupportedOperationException"): lambda: {
            "KeyId": s.key(), "Policy": policy(s), "PolicyName": "another"},
        ("ReEncrypt", "IncorrectKeyException"): lambda: on(s, "ReEncrypt", SourceKeyId=s.fresh()),
        ("ReEncrypt", "InvalidCiphertextException"): lambda: on(s, "ReEncrypt", CiphertextBlob=b"x"),
        ("ReplicateKey", "AlreadyExistsException"): lambda: {"KeyId": s.key("primary"), "ReplicaRegion": "eu-west-1"},
        ("ReplicateKey", "LimitExceededException"): lambda: on(s, "ReplicateKey", Policy=padded_policy(s)),
        ("ReplicateKey", "MalformedPolicyDocumentException"): lambda: on(s, "ReplicateKey", Policy="{}"),
        ("ReplicateKey", "TagException"): lambda: on(s, "ReplicateKey", Tags=too_many_tags()),
        ("ReplicateKey", "UnsupportedOperationException"): lambda: {"KeyId": s.key(), "ReplicaRegion": "eu-west-2"},
        ("RetireGrant", "InvalidArnException"): lambda: {"KeyId": "arn:aws:kms:nowhere", "GrantId": "0" * 64},
        ("RetireGrant", "InvalidGrantIdException"): lambda: bad_grant,
        ("RetireGrant", "InvalidGrantTokenException"): lambda: {"GrantToken": "AAAA"},
        ("RetireGrant", "NotFoundException"): lambda: no_grant,
        ("RetireGrant", "DryRunOperationException"): lambda: {
            "KeyId": s.arn(s.key()), "GrantId": s.grant(s.key()), "DryRun": True},
        ("RevokeGrant", "InvalidGrantIdException"): lambda: bad_grant,
        ("RotateKeyOnDemand", "LimitExceededException"): lambda: {"KeyId": often_rotated(s)},
        ("RotateKeyOnDemand", "UnsupportedOperationException"): lambda: {"KeyId": s.key("hmac")},
        ("TagResource", "TagException"): lambda: {"KeyId": s.key(), "Tags": too_many_tags()},
        ("UntagResource", "TagException"): lambda: {"KeyId": s.key(), "TagKeys": ["aws:mine"]},
        ("UpdateAlias", "LimitExceededException"): lambda: {
            "AliasName": alias(s, s.key()), "TargetKeyId": laden_with_aliases(s)},
        ("UpdatePrimaryRegion", "UnsupportedOperationException"): lambda: {"KeyId": s.key(), "PrimaryRegion": "eu-west-1"},
        ("Verify", "KMSInvalidSignatureException"): lambda: on(s, "Verify", Message=b"another"),
        ("VerifyMac", "KMSInvalidMacException"): lambda: on(s, "VerifyMac", Message=b"another"),
    }


def padded_policy(server):
    return policy(server)[:-1] + " " * 33_000 + "}"


def laden_with_aliases(server):
    if "laden" not in server.made:
        server.made["laden"] = server.fresh()
        for _ in range(50):
            alias(server, server.made["laden"])
    return server.made["laden"]


def often_rotated(server):
    key = server.fresh()
    for _ in range(25):
        server.done("RotateKeyOnDemand", KeyId=key)
    return key


def see_answers(s, served):
    """Calls every operation so that each member of its answer is there once."""
    for operation in sorted(served):
        if operation in ("CancelKeyDeletion", "ScheduleKeyDeletion", "UpdatePrimaryRegion", "ImportKeyMaterial"):
            continue
        kind = KIND_OF.get(operation, "symmetric")
        key = s.fresh(kind) if operation in ("DeleteImportedKeyMaterial", "ReplicateKey", "DisableKey") else s.key(kind)
        answer, code = s.call(operation, base(s, operation, key))
        assert answer is not None, f"{operation} was refused with {code}"
    key = s.fresh()
    s.done("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    s.done("DescribeKey", KeyId=key)
    s.done("CancelKeyDeletion", KeyId=key)
    for kind in KINDS:
        if s.call("CreateKey", KINDS[kind])[0] is not None:
            s.done("DescribeKey", KeyId=s.key(kind))
    for kind in ("rsa", "sign", "agree", "kem"):
        if "GetPublicKey" in served:
            s.done("GetPublicKey", KeyId=s.key(kind))
    # Multi-Region keys.
    for kind in ("hmac", "rsa", "sign", "agree", "kem"):
        made, _ = s.call("CreateKey", {**KINDS[kind], "MultiRegion": True})
        if made is not None:
            s.done("ReplicateKey", KeyId=made["KeyMetadata"]["KeyId"], ReplicaRegion="eu-west-1")
    key = s.fresh("primary")
    s.done("DescribeKey", KeyId=key)
    s.done("ReplicateKey", KeyId=key, ReplicaRegion="eu-west-2", Tags=[{"TagKey": "a", "TagValue": "b"}])
    s.done("UpdatePrimaryRegion", KeyId=key, PrimaryRegion="eu-west-1")
    doomed = s.fresh("primary")
    s.done("ScheduleKeyDeletion", KeyId=doomed, PendingWindowInDays=7)
    s.done("DescribeKey", KeyId=doomed)
    # Imported keys, with material that expires and material that waits.
    key, material = s.done("CreateKey", Origin="EXTERNAL")["KeyMetadata"]["KeyId"], os.urandom(32)
    s.import_into(key, material, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=int(time.time()) + 86_400,
                  KeyMaterialDescription="first")
    s.import_into(key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    s.done("DescribeKey", KeyId=key)
    s.done("RotateKeyOnDemand", KeyId=key)
    s.done("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    # Rotation, usage, grants and lists.
    key = s.fresh()
    s.done("EnableKeyRotation", KeyId=key, RotationPeriodInDays=90)
    s.done("GetKeyRotationStatus", KeyId=key)
    s.done("RotateKeyOnDemand", KeyId=key)
    s.done("RotateKeyOnDemand", KeyId=key)
    s.done("ListKeyRotations", KeyId=key, Limit=1)
    s.sealed(key)
    s.done("GetKeyLastUsage", KeyId=key)
    s.done("TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": ""}])
    s.done("ListResourceTags", KeyId=key, Limit=1)
    alias(s, key), alias(s, key)
    s.done("ListAliases", KeyId=key, Limit=1)
    s.done("ListKeys", Limit=1)
    root = f"arn:aws:iam::{s.account}:root"
    for name in ("one", "two"):
        s.done("CreateGrant", KeyId=key, GranteePrincipal=root, RetiringPrincipal=root, Operations=["Decrypt"], Name=name,
               Constraints={"EncryptionContextSubset": {"a": "b"}, "EncryptionContextEquals": {"a": "b"}})
    s.done("ListGrants", KeyId=key, Limit=1)
    s.done("ListRetirableGrants", RetiringPrincipal=root, Limit=1)


def sample(shape):
    """A value of a shape, as small as it can be."""
    if shape.type_name == "structure":
        return {name: sample(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "string":
        return (shape.enum or ["a" * max(shape.metadata.get("min", 0), 1)])[0]
    return {"list": [], "map": {}, "boolean": False, "blob": b"a"}.get(shape.type_name, 1)


def beyond(shape):
    """Values just beyond what a shape's bounds allow, inside lists and structures too."""
    bounds, kind = shape.metadata, shape.type_name
    if kind in ("string", "blob") and not shape.metadata.get("enum"):
        fill = "a" if kind == "string" else b"a"
        # What is longer than that is too much for a request altogether.
        if bounds.get("max", MOST) < MOST:
            yield fill * (bounds["max"] + 1)
        if bounds.get("min", 0) > 0:
            yield fill * (bounds["min"] - 1)
        # A letter that no pattern of KMS takes.
        stranger = "\u0416" * max(bounds.get("min", 0), 1)
        if "pattern" in bounds and not re.fullmatch(bounds["pattern"], stranger):
            yield stranger
    elif kind == "string":
        yield "NOT_ONE_OF_THEM"
    elif kind == "integer":
        yield from (bounds[side] + step for side, step in (("max", 1), ("min", -1)) if side in bounds)
    elif kind == "list":
        if "max" in bounds:
            yield [sample(shape.member)] * (bounds["max"] + 1)
        for value in beyond(shape.member):
            yield [value]
    elif kind == "structure":
        for name, member in shape.members.items():
            for value in beyond(member):
                yield {**sample(shape), name: value}
        for name in shape.required_members:
            yield {other: value for other, value in sample(shape).items() if other != name}


def try_bounds(server, served):
    """Sends values beyond every documented bound, and leaves out what is required. Returns how many were tried."""
    tried = 0
    for operation in sorted(served):
        shape = server.model.operation_model(operation).input_shape
        good = base(server, operation, server.key(KIND_OF.get(operation, "symmetric")))
        bad = [{**good, name: value} for name, member in shape.members.items() for value in beyond(member)]
        bad += [{other: value for other, value in good.items() if other != name} for name in shape.required_members]
        for arguments in bad:
            answer, code = server.call(operation, arguments)
            assert code == "ValidationException", f"{operation} with {str(arguments)[:300]}: {code or answer}"
            tried += 1
    return tried


def read_unseen(path):
    """The lines `error|member OPERATIONS NAME: reason`."""
    entries = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                subject, reason = line.rstrip("\n").split(": ", 1)
                what, operations, name = subject.split()
                assert what in ("error", "member") and reason, line
                entries.append((what, operations.split(","), name))
    return entries


def matches(entry, what, operation, name):
    kind, operations, pattern = entry
    return (
        kind == what
        and any(fnmatch.fnmatchcase(operation, own) for own in operations)
        and fnmatch.fnmatchcase(name, pattern)
    )


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        missing = {line.strip() for line in lines if not line.startswith("#")}
    unseen = read_unseen(sys.argv[2])
    server = Server()
    served = set(server.model.operation_names) - missing - OF_CUSTOM_KEY_STORES

    see_answers(server, served)
    own = own_triggers(server)
    for operation in sorted(served):
        triggers = usual_triggers(server, operation)
        for shape in server.model.operation_model(operation).error_shapes:
            code = shape.name
            if any(matches(entry, "error", operation, code) for entry in unseen):
                continue
            trigger = own.get((operation, code), triggers.get(code))
            if trigger is not None:
                server.call(operation, trigger())
    bounds = try_bounds(server, served)

    problems, used = [], set()

    def compare(what, operation, documented, seen):
        for name in sorted(documented | seen):
            listed = [entry for entry in unseen if matches(entry, what, operation, name)]
            if name in seen and listed:
                problems.append(f"{what} {operation} {name} is listed as unseen, and was seen")
            if name not in seen and not listed:
                problems.append(f"{what} {operation} {name} is documented, and was not seen")
            if name not in seen:
                used.update(map(str, listed))

    for operation in sorted(served):
        model = server.model.operation_model(operation)
        errors = {shape.name for shape in model.error_shapes}
        compare("error", operation, errors, server.errors[operation] & errors)
        compare("member", operation, set(documented_paths(model.output_shape)), server.members[operation])
    problems += [f"{entry} lists nothing that is unseen" for entry in unseen if str(entry) not in used]
    if problems:
        raise SystemExit("\n".join(problems))
    errors = sum(len(codes) for codes in server.errors.values())
    members = sum(len(paths) for paths in server.members.values())
    print(f"{len(served)} operations, {errors} errors, {members} members and {bounds} bounds are as documented.")


if __name__ == "__main__":
    main()
