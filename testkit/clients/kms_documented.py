"""Compares what KMS operations answer with what the installed botocore documents of them: every documented error is brought
about, every documented member of every answer is seen, and every documented bound of every input is tried.

Usage: kms_documented.py MISSING UNSEEN WORDING. MISSING lists the operations that are not served, UNSEEN what is documented
and does not occur here, with the reason, WORDING how the errors are worded. What is documented and neither seen nor listed
fails, so does what is listed and seen, and so does any other wording. The last line says that all was seen.
"""

import json
import os
import sys
import time

from bounds import beyond
from documented import Unseen, documented_paths, errors_of
from kms_server import (
    GHOST, KEY_MEMBER, KIND_OF, KINDS, OF_CUSTOM_KEY_STORES, Server, alias, base, named, on, policy,
)
from wording import compare_wording, worded


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


def try_rules(s):
    """Breaks rules that no model documents, for their wording."""
    waiting = s.done("CreateKey", Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    statement = json.loads(policy(s))["Statement"][0]
    stranger = {**statement, "Principal": {"AWS": f"arn:aws:iam::{s.account}:user/nobody"}}
    locked = {**statement, "Action": "kms:DescribeKey"}
    signing = {"KeyId": s.key("sign"), "SigningAlgorithm": "ECDSA_SHA_256"}
    for operation, arguments in [
        ("DescribeKey", {"KeyId": "no-key"}),
        ("DescribeKey", {"KeyId": s.arn(s.key(), "eu-west-1")}),
        ("Encrypt", {"KeyId": waiting, "Plaintext": b"x"}),
        ("Encrypt", {"KeyId": s.key("rsa"), "Plaintext": bytes(191), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
        ("GenerateMac", {"KeyId": s.key("hmac"), "Message": b"m", "MacAlgorithm": "HMAC_SHA_512"}),
        ("GenerateRandom", {}),
        ("GenerateDataKey", {"KeyId": s.key()}),
        ("Sign", {**signing, "Message": b"m", "MessageType": "DIGEST"}),
        ("TagResource", {"KeyId": s.key(), "Tags": [{"TagKey": "a", "TagValue": value} for value in "bc"]}),
        ("CreateAlias", {"AliasName": "mine", "TargetKeyId": s.key()}),
        ("CreateAlias", {"AliasName": "alias/mine", "TargetKeyId": alias(s, s.key())}),
        ("CreateKey", {"KeySpec": "HMAC_256"}),
        ("PutKeyPolicy", {"KeyId": s.key(), "Policy": json.dumps({"Version": "2012-10-17", "Statement": [stranger]})}),
        ("PutKeyPolicy", {"KeyId": s.key(), "Policy": json.dumps({"Version": "2012-10-17", "Statement": [locked]})}),
        ("ImportKeyMaterial", {
            **s.wrapped(waiting, os.urandom(32)), "ExpirationModel": "KEY_MATERIAL_EXPIRES"}),
    ]:
        answer, _ = s.call(operation, arguments)
        assert answer is None, f"{operation} with {arguments} was answered: {answer}"


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        missing = {line.strip() for line in lines if not line.startswith("#")}
    unseen = Unseen(sys.argv[2])
    server = Server()
    seen = server.seen
    served = set(server.model.operation_names) - missing - OF_CUSTOM_KEY_STORES

    see_answers(server, served)
    own = own_triggers(server)
    for operation in sorted(served):
        triggers = usual_triggers(server, operation)
        for code in sorted(errors_of(server.model.operation_model(operation))):
            trigger = own.get((operation, code), triggers.get(code))
            if trigger is not None and not unseen.lists("error", operation, code):
                server.call(operation, trigger())
    bounds = try_bounds(server, served)
    try_rules(server)

    for operation in sorted(served):
        model = server.model.operation_model(operation)
        errors = errors_of(model)
        unseen.compare("error", operation, errors, seen.errors.get(operation, set()) & errors)
        members = seen.members.get(operation, set())
        unseen.compare("member", operation, set(documented_paths(model.output_shape)), members)
    unseen.problems += compare_wording(sys.argv[3], {worded(*message) for message in seen.messages})
    unseen.conclude()
    errors = sum(len(codes) for codes in seen.errors.values())
    members = sum(len(paths) for paths in seen.members.values())
    print(f"{len(served)} operations, {errors} errors, {members} members and {bounds} bounds are as documented.")


if __name__ == "__main__":
    main()
