"""Shows of each member of each KMS operation's input, as the installed botocore documents them, that it is acted upon or
refused: none may be ignored silently.

A member that is shown nowhere fails, and so does a demonstration of a member that is not documented. What operations on
custom key stores take, their own tests show.
"""

import json
import os
import time

import boto3

from kms_server import GHOST, KEY_MEMBER, OF_CUSTOM_KEY_STORES, Server, alias, encapsulated, named, on, policy

RECIPIENT = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"x"}
CONTEXT = {"purpose": "test"}


class Shown:
    """What a call answers, and what it leaves behind."""

    def __init__(self, server):
        self.s = server
        self.root = f"arn:aws:iam::{server.account}:root"
        self.user = boto3.client("iam").create_user(UserName="grantee")["User"]["Arn"]

    def refused(self, code, operation, arguments):
        answer, got = self.s.call(operation, arguments)
        assert answer is None and got == code, f"{operation} with {str(arguments)[:300]}: {got or answer}, not {code}"
        return True

    def described(self, key, region=None):
        return self.s.done("DescribeKey", region=region, KeyId=key)["KeyMetadata"]

    def made(self, **arguments):
        return self.s.done("CreateKey", **arguments)["KeyMetadata"]

    def opens(self, blob, context):
        """Whether a ciphertext opens with this context, and with no other."""
        self.refused("InvalidCiphertextException", "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": {"a": "b"}})
        return "Plaintext" in self.s.done("Decrypt", CiphertextBlob=blob, EncryptionContext=context)

    def granted(self, **more):
        """A new grant as it is listed."""
        key = self.s.fresh()
        grantee = {"GranteePrincipal": self.user, "Operations": ["Decrypt"]}
        self.s.done("CreateGrant", KeyId=key, **{**grantee, **more})
        return self.s.done("ListGrants", KeyId=key)["Grants"][0]

    def first_of_two(self, operation, **arguments):
        """Whether a limit of one cuts a list of two."""
        return self.s.done(operation, Limit=1, **arguments)["Truncated"]


def usual(t, operation, member):
    """How members are shown that many operations share."""
    s = t.s
    key_member = KEY_MEMBER.get(operation, "KeyId")
    if member == key_member:
        return lambda: t.refused("NotFoundException", operation, named(s, operation, s.arn(GHOST)))
    return {
        "GrantTokens": lambda: t.refused(
            "InvalidGrantTokenException", operation, on(s, operation, GrantTokens=["AAAA"])),
        "DryRun": lambda: t.refused("DryRunOperationException", operation, on(s, operation, DryRun=True)),
        "Marker": lambda: t.refused("InvalidMarkerException", operation, on(s, operation, Marker="not one of ours")),
        "Recipient": lambda: t.refused("UnsupportedOperationException", operation, on(s, operation, Recipient=RECIPIENT)),
    }.get(member)


def own(t):
    """How the others are shown, by operation and member."""
    s = t.s
    key, other, sealed = s.key(), s.fresh(), s.sealed(s.key())
    listed = s.fresh()
    names = [alias(s, listed), alias(s, listed)]
    grants = [s.done("CreateGrant", KeyId=listed, GranteePrincipal=grantee, RetiringPrincipal=t.user,
                     Operations=["Decrypt"]) for grantee in (t.root, t.user)]
    s.done("TagResource", KeyId=listed, Tags=[{"TagKey": name, "TagValue": ""} for name in "ab"])
    for _ in range(2):
        s.done("RotateKeyOnDemand", KeyId=listed)
    strict = json.loads(policy(s))
    strict["Statement"][0]["Action"] = ["kms:Describe*", "kms:Get*", "kms:Encrypt"]
    locked = {"Policy": json.dumps(strict), "BypassPolicyLockoutSafetyCheck": True}
    safe = {**locked, "BypassPolicyLockoutSafetyCheck": False}
    own_policy = policy(s).replace('"Version"', '"Id": "own", "Version"')
    rsa = s.key("rsa")
    oaep = s.done("Encrypt", KeyId=rsa, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")["CiphertextBlob"]
    external = s.fresh("external")
    waiting = t.made(Origin="EXTERNAL")["KeyId"]
    material = os.urandom(32)
    first = s.import_into(waiting, material, KeyMaterialDescription="the first", ValidTo=int(time.time()) + 9_000,
                          ExpirationModel="KEY_MATERIAL_EXPIRES")
    second = s.import_into(waiting, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    imported = s.done("ListKeyRotations", KeyId=waiting, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    replica = {"KeyId": s.fresh("primary"), "ReplicaRegion": "eu-west-2"}
    replicated = s.done("ReplicateKey", **replica, Description="elsewhere", Tags=[{"TagKey": "a", "TagValue": "b"}],
                        Policy=own_policy)
    moved = s.fresh("primary")
    s.done("UpdatePrimaryRegion", KeyId=moved, PrimaryRegion="eu-west-1")
    bound = {"KeyId": key, "EncryptionContext": CONTEXT}
    pair = {"KeyPairSpec": "ECC_NIST_P256"}
    data_key = lambda operation, **arguments: s.done("Decrypt", CiphertextBlob=s.done(
        operation, KeyId=key, **arguments)["CiphertextBlob"])["Plaintext"]
    reencrypted = lambda **arguments: s.done("ReEncrypt", **{
        "CiphertextBlob": sealed, "DestinationKeyId": other, **arguments})
    digest = {"Message": bytes(32), "MessageType": "DIGEST"}
    signing = on(s, "Verify")

    shown = {
        "CreateAlias": {"AliasName": lambda: t.described(names[0])["KeyId"] == listed},
        "CreateGrant": {
            "GranteePrincipal": lambda: t.granted(GranteePrincipal=t.root)["GranteePrincipal"] == t.root,
            "RetiringPrincipal": lambda: t.granted(RetiringPrincipal=t.user)["RetiringPrincipal"] == t.user,
            "Operations": lambda: t.granted(Operations=["Encrypt"])["Operations"] == ["Encrypt"],
            "Constraints": lambda: t.granted(
                Constraints={"EncryptionContextEquals": CONTEXT})["Constraints"] == {"EncryptionContextEquals": CONTEXT},
            "Name": lambda: t.granted(Name="its-name")["Name"] == "its-name",
            "GranteeServicePrincipal": lambda: t.refused("UnsupportedOperationException", "CreateGrant", {
                "KeyId": key, "GranteeServicePrincipal": "dynamodb.amazonaws.com", "Operations": ["Decrypt"]}),
            "RetiringServicePrincipal": lambda: t.refused("UnsupportedOperationException", "CreateGrant", {
                "KeyId": key, "GranteePrincipal": t.user, "RetiringServicePrincipal": "dynamodb.amazonaws.com",
                "Operations": ["Decrypt"]}),
        },
        "CreateKey": {
            "Policy": lambda: '"own"' in s.done("GetKeyPolicy", KeyId=t.made(Policy=own_policy)["KeyId"])["Policy"],
            "Description": lambda: t.made(Description="mine")["Description"] == "mine",
            "KeyUsage": lambda: t.made(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyUsage"] == "SIGN_VERIFY",
            "CustomerMasterKeySpec": lambda: t.made(
                CustomerMasterKeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeySpec"] == "HMAC_256",
            "KeySpec": lambda: t.made(KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")["KeySpec"] == "HMAC_384",
            "Origin": lambda: t.made(Origin="EXTERNAL")["Origin"] == "EXTERNAL",
            "CustomKeyStoreId": lambda: t.refused("ValidationException", "CreateKey", {"CustomKeyStoreId": "cks-0"}),
            "XksKeyId": lambda: t.refused("ValidationException", "CreateKey", {"XksKeyId": "theirs"}),
            "BypassPolicyLockoutSafetyCheck": lambda: t.refused(
                "MalformedPolicyDocumentException", "CreateKey", safe) and t.made(**locked),
            "Tags": lambda: s.done("ListResourceTags", KeyId=t.made(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyId"])[
                "Tags"] == [{"TagKey": "a", "TagValue": "b"}],
            "MultiRegion": lambda: t.made(MultiRegion=True)["MultiRegion"],
        },
        "Decapsulate": {
            "SharedSecretCiphertextBlob": lambda: s.done("Decapsulate", **on(s, "Decapsulate"))["SharedSecret"] != s.done(
                "Decapsulate", **on(s, "Decapsulate", SharedSecretCiphertextBlob=encapsulated(s)))["SharedSecret"],
            "EncapsulationAlgorithm": lambda: t.refused(
                "ValidationException", "Decapsulate", on(s, "Decapsulate", EncapsulationAlgorithm="RSA")),
        },
        "Decrypt": {
            "CiphertextBlob": lambda: t.refused("InvalidCiphertextException", "Decrypt", {"CiphertextBlob": sealed[:-1]}),
            "EncryptionContext": lambda: t.opens(s.done("Encrypt", **bound, Plaintext=b"x")["CiphertextBlob"], CONTEXT),
            "KeyId": lambda: t.refused("IncorrectKeyException", "Decrypt", {"CiphertextBlob": sealed, "KeyId": other}),
            "EncryptionAlgorithm": lambda: s.done(
                "Decrypt", KeyId=rsa, CiphertextBlob=oaep, EncryptionAlgorithm="RSAES_OAEP_SHA_1")["Plaintext"] == b"x"
                and t.refused("InvalidCiphertextException", "Decrypt", {
                    "KeyId": rsa, "CiphertextBlob": oaep, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
            "DryRunModifiers": lambda: t.refused("DryRunOperationException", "Decrypt", {
                "KeyId": key, "DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
        },
        "DeleteAlias": {"AliasName": lambda: s.done("DeleteAlias", AliasName=alias(s, key))
                        and t.refused("NotFoundException", "DeleteAlias", {"AliasName": "alias/nothing"})},
        "DeleteImportedKeyMaterial": {"KeyMaterialId": lambda: t.refused(
            "NotFoundException", "DeleteImportedKeyMaterial", {"KeyId": external, "KeyMaterialId": "0" * 64})},
        "DeriveSharedSecret": {
            "KeyAgreementAlgorithm": lambda: t.refused(
                "ValidationException", "DeriveSharedSecret", on(s, "DeriveSharedSecret", KeyAgreementAlgorithm="DH")),
            "PublicKey": lambda: t.refused(
                "ValidationException", "DeriveSharedSecret", on(s, "DeriveSharedSecret", PublicKey=b"x")),
        },
        "EnableKeyRotation": {"RotationPeriodInDays": lambda: s.done(
            "EnableKeyRotation", KeyId=other, RotationPeriodInDays=123) and s.done(
            "GetKeyRotationStatus", KeyId=other)["RotationPeriodInDays"] == 123},
        "Encapsulate": {"EncapsulationAlgorithm": lambda: t.refused(
            "ValidationException", "Encapsulate", on(s, "Encapsulate", EncapsulationAlgorithm="RSA"))},
        "Encrypt": {
            "Plaintext": lambda: s.done("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x",
            "EncryptionContext": lambda: t.opens(s.done("Encrypt", **bound, Plaintext=b"x")["CiphertextBlob"], CONTEXT),
            "EncryptionAlgorithm": lambda: len(oaep) == 256,
        },
        "GenerateDataKey": {
            "EncryptionContext": lambda: t.opens(
                s.done("GenerateDataKey", **bound, KeySpec="AES_256")["CiphertextBlob"], CONTEXT),
            "NumberOfBytes": lambda: len(data_key("GenerateDataKey", NumberOfBytes=7)) == 7,
            "KeySpec": lambda: len(data_key("GenerateDataKey", KeySpec="AES_128")) == 16,
        },
        "GenerateDataKeyPair": {
            "EncryptionContext": lambda: t.opens(
                s.done("GenerateDataKeyPair", **bound, **pair)["PrivateKeyCiphertextBlob"], CONTEXT),
            "KeyPairSpec": lambda: s.done(
                "GenerateDataKeyPair", KeyId=key, KeyPairSpec="ECC_NIST_P521")["KeyPairSpec"] == "ECC_NIST_P521",
        },
        "GenerateDataKeyPairWithoutPlaintext": {
            "EncryptionContext": lambda: t.opens(
                s.done("GenerateDataKeyPairWithoutPlaintext", **bound, **pair)["PrivateKeyCiphertextBlob"], CONTEXT),
            "KeyPairSpec": lambda: s.done("GenerateDataKeyPairWithoutPlaintext", KeyId=key, KeyPairSpec="ECC_NIST_P521")[
                "KeyPairSpec"] == "ECC_NIST_P521",
        },
        "GenerateDataKeyWithoutPlaintext": {
            "EncryptionContext": lambda: t.opens(
                s.done("GenerateDataKeyWithoutPlaintext", **bound, KeySpec="AES_256")["CiphertextBlob"], CONTEXT),
            "NumberOfBytes": lambda: len(data_key("GenerateDataKeyWithoutPlaintext", NumberOfBytes=7)) == 7,
            "KeySpec": lambda: len(data_key("GenerateDataKeyWithoutPlaintext", KeySpec="AES_128")) == 16,
        },
        "GenerateMac": {
            "Message": lambda: s.done("GenerateMac", **on(s, "GenerateMac"))["Mac"] != s.done(
                "GenerateMac", **on(s, "GenerateMac", Message=b"another"))["Mac"],
            "MacAlgorithm": lambda: t.refused(
                "InvalidKeyUsageException", "GenerateMac", on(s, "GenerateMac", MacAlgorithm="HMAC_SHA_384")),
        },
        "GenerateRandom": {
            "NumberOfBytes": lambda: len(s.done("GenerateRandom", NumberOfBytes=5)["Plaintext"]) == 5,
            "CustomKeyStoreId": lambda: t.refused(
                "CustomKeyStoreNotFoundException", "GenerateRandom", {"NumberOfBytes": 1, "CustomKeyStoreId": "cks-0"}),
        },
        "GetKeyPolicy": {"PolicyName": lambda: t.refused(
            "NotFoundException", "GetKeyPolicy", {"KeyId": key, "PolicyName": "another"})},
        "GetParametersForImport": {
            "WrappingAlgorithm": lambda: t.refused("UnsupportedOperationException", "GetParametersForImport", {
                "KeyId": external, "WrappingAlgorithm": "SM2PKE", "WrappingKeySpec": "RSA_2048"}),
            "WrappingKeySpec": lambda: len(s.done(
                "GetParametersForImport", KeyId=external, WrappingAlgorithm="RSAES_OAEP_SHA_256",
                WrappingKeySpec="RSA_4096")["PublicKey"]) > 512,
        },
        "ImportKeyMaterial": {
            "ImportToken": lambda: t.refused(
                "InvalidImportTokenException", "ImportKeyMaterial", on(s, "ImportKeyMaterial", ImportToken=b"x")),
            "EncryptedKeyMaterial": lambda: t.refused(
                "InvalidCiphertextException", "ImportKeyMaterial", on(s, "ImportKeyMaterial", EncryptedKeyMaterial=b"x")),
            "ValidTo": lambda: "ValidTo" in t.described(waiting),
            "ExpirationModel": lambda: t.described(waiting)["ExpirationModel"] == "KEY_MATERIAL_EXPIRES",
            "ImportType": lambda: first["KeyMaterialId"] != second["KeyMaterialId"]
                and t.refused("IncorrectKeyMaterialException", "ImportKeyMaterial", {
                    **s.wrapped(waiting, os.urandom(32)), "ImportType": "EXISTING_KEY_MATERIAL"}),
            "KeyMaterialDescription": lambda: "the first" in [one.get("KeyMaterialDescription") for one in imported],
            "KeyMaterialId": lambda: t.refused("IncorrectKeyMaterialException", "ImportKeyMaterial", {
                **s.wrapped(waiting, material), "KeyMaterialId": second["KeyMaterialId"]}),
        },
        "ListAliases": {
            "KeyId": lambda: len(s.done("ListAliases", KeyId=listed)["Aliases"]) == 2,
            "Limit": lambda: t.first_of_two("ListAliases", KeyId=listed),
        },
        "ListGrants": {
            "Limit": lambda: t.first_of_two("ListGrants", KeyId=listed),
            "GrantId": lambda: [grant["GrantId"] for grant in s.done(
                "ListGrants", KeyId=listed, GrantId=grants[1]["GrantId"])["Grants"]] == [grants[1]["GrantId"]],
            "GranteePrincipal": lambda: [grant["GrantId"] for grant in s.done(
                "ListGrants", KeyId=listed, GranteePrincipal=t.user)["Grants"]] == [grants[1]["GrantId"]],
            "GranteeServicePrincipal": lambda: not s.done(
                "ListGrants", KeyId=listed, GranteeServicePrincipal="dynamodb.amazonaws.com")["Grants"],
        },
        # A key has one policy, so that no limit cuts the list.
        "ListKeyPolicies": {"Limit": lambda: len(s.done("ListKeyPolicies", KeyId=key, Limit=1)["PolicyNames"]) == 1},
        "ListKeyRotations": {
            "Limit": lambda: t.first_of_two("ListKeyRotations", KeyId=listed),
            "IncludeKeyMaterial": lambda: len(imported) > len(
                s.done("ListKeyRotations", KeyId=waiting, IncludeKeyMaterial="ROTATIONS_ONLY")["Rotations"]),
        },
        "ListKeys": {
            "Limit": lambda: t.first_of_two("ListKeys"),
            "ResourceOwners": lambda: t.refused(
                "UnsupportedOperationException", "ListKeys", {"ResourceOwners": ["OTHER_ACCOUNTS_VIA_RAM"]}),
        },
        "ListResourceTags": {"Limit": lambda: t.first_of_two("ListResourceTags", KeyId=listed)},
        "ListRetirableGrants": {
            "Limit": lambda: t.first_of_two("ListRetirableGrants", RetiringPrincipal=t.user),
            "RetiringPrincipal": lambda: s.done("ListRetirableGrants", RetiringPrincipal=t.user)["Grants"]
                and not s.done("ListRetirableGrants", RetiringPrincipal=t.root)["Grants"],
            "RetiringServicePrincipal": lambda: not s.done(
                "ListRetirableGrants", RetiringServicePrincipal="dynamodb.amazonaws.com")["Grants"]
                and t.refused("ValidationException", "ListRetirableGrants", {
                    "RetiringPrincipal": t.user, "RetiringServicePrincipal": "dynamodb.amazonaws.com"}),
        },
        "PutKeyPolicy": {
            "PolicyName": lambda: t.refused(
                "UnsupportedOperationException", "PutKeyPolicy", on(s, "PutKeyPolicy", PolicyName="another")),
            "Policy": lambda: not s.done("PutKeyPolicy", KeyId=other, Policy=own_policy).get("Policy")
                and '"own"' in s.done("GetKeyPolicy", KeyId=other)["Policy"],
            "BypassPolicyLockoutSafetyCheck": lambda: t.refused(
                "MalformedPolicyDocumentException", "PutKeyPolicy", {"KeyId": s.fresh(), **safe})
                and s.done("PutKeyPolicy", KeyId=s.fresh(), **locked),
        },
        "ReEncrypt": {
            "CiphertextBlob": lambda: t.refused(
                "InvalidCiphertextException", "ReEncrypt", on(s, "ReEncrypt", CiphertextBlob=sealed[:-1])),
            "SourceEncryptionContext": lambda: t.refused(
                "InvalidCiphertextException", "ReEncrypt", on(s, "ReEncrypt", SourceEncryptionContext=CONTEXT)),
            "SourceKeyId": lambda: t.refused(
                "IncorrectKeyException", "ReEncrypt", on(s, "ReEncrypt", SourceKeyId=other)),
            "DestinationEncryptionContext": lambda: t.opens(
                reencrypted(DestinationEncryptionContext=CONTEXT)["CiphertextBlob"], CONTEXT),
            "SourceEncryptionAlgorithm": lambda: reencrypted(
                CiphertextBlob=oaep, SourceKeyId=rsa, SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1"),
            "DestinationEncryptionAlgorithm": lambda: len(reencrypted(
                DestinationKeyId=rsa, DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_1")["CiphertextBlob"]) == 256,
            "DryRunModifiers": lambda: t.refused("DryRunOperationException", "ReEncrypt", {
                "SourceKeyId": key, "DestinationKeyId": other, "DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
        },
        "ReplicateKey": {
            "ReplicaRegion": lambda: t.described(replica["KeyId"], "eu-west-2")["KeyId"] == replica["KeyId"],
            "Policy": lambda: '"own"' in replicated["ReplicaPolicy"],
            "BypassPolicyLockoutSafetyCheck": lambda: t.refused(
                "MalformedPolicyDocumentException", "ReplicateKey", on(s, "ReplicateKey", **safe)),
            "Description": lambda: replicated["ReplicaKeyMetadata"]["Description"] == "elsewhere",
            "Tags": lambda: replicated["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}],
        },
        "RetireGrant": {
            "GrantToken": lambda: t.refused("InvalidGrantTokenException", "RetireGrant", {"GrantToken": "AAAA"}),
            "KeyId": lambda: t.refused("NotFoundException", "RetireGrant", {
                "KeyId": s.arn(key), "GrantId": grants[0]["GrantId"]}),
            "GrantId": lambda: t.refused("NotFoundException", "RetireGrant", {"KeyId": s.arn(key), "GrantId": "0" * 64}),
            "DryRun": lambda: t.refused("DryRunOperationException", "RetireGrant", {
                "KeyId": s.arn(key), "GrantId": s.grant(key), "DryRun": True}),
        },
        "RevokeGrant": {"GrantId": lambda: t.refused("NotFoundException", "RevokeGrant", {"KeyId": key, "GrantId": "0" * 64})},
        "ScheduleKeyDeletion": {"PendingWindowInDays": lambda: s.done(
            "ScheduleKeyDeletion", KeyId=s.fresh(), PendingWindowInDays=9)["PendingWindowInDays"] == 9},
        "Sign": {
            "Message": lambda: t.refused("KMSInvalidSignatureException", "Verify", {**signing, "Message": b"another"}),
            "MessageType": lambda: t.refused("ValidationException", "Sign", on(s, "Sign", MessageType="DIGEST"))
                and s.done("Sign", **on(s, "Sign", **digest)),
            "SigningAlgorithm": lambda: t.refused(
                "InvalidKeyUsageException", "Sign", on(s, "Sign", SigningAlgorithm="ECDSA_SHA_384")),
        },
        "TagResource": {"Tags": lambda: len(s.done("ListResourceTags", KeyId=listed)["Tags"]) == 2},
        "UntagResource": {"TagKeys": lambda: s.done("TagResource", KeyId=other, Tags=[
            {"TagKey": name, "TagValue": ""} for name in "ab"]) and s.done("UntagResource", KeyId=other, TagKeys=["a"])
            and [tag["TagKey"] for tag in s.done("ListResourceTags", KeyId=other)["Tags"]] == ["b"]},
        "UpdateAlias": {"AliasName": lambda: t.refused(
            "NotFoundException", "UpdateAlias", {"AliasName": "alias/nothing", "TargetKeyId": key})},
        "UpdateKeyDescription": {"Description": lambda: s.done(
            "UpdateKeyDescription", KeyId=other, Description="new") and t.described(other)["Description"] == "new"},
        "UpdatePrimaryRegion": {"PrimaryRegion": lambda: t.described(moved)["MultiRegionConfiguration"]["PrimaryKey"][
            "Region"] == "eu-west-1"},
        "Verify": {
            "Message": lambda: t.refused("KMSInvalidSignatureException", "Verify", {**signing, "Message": b"another"}),
            "MessageType": lambda: t.refused("ValidationException", "Verify", {**signing, "MessageType": "DIGEST"}),
            "Signature": lambda: t.refused("KMSInvalidSignatureException", "Verify", {**signing, "Signature": b"x"}),
            "SigningAlgorithm": lambda: t.refused(
                "InvalidKeyUsageException", "Verify", {**signing, "SigningAlgorithm": "ECDSA_SHA_384"}),
        },
        "VerifyMac": {
            "Message": lambda: t.refused("KMSInvalidMacException", "VerifyMac", on(s, "VerifyMac", Message=b"another")),
            "MacAlgorithm": lambda: t.refused(
                "InvalidKeyUsageException", "VerifyMac", on(s, "VerifyMac", MacAlgorithm="HMAC_SHA_384")),
            "Mac": lambda: t.refused("KMSInvalidMacException", "VerifyMac", on(s, "VerifyMac", Mac=bytes(32))),
        },
    }
    return shown


def main():
    server = Server()
    t = Shown(server)
    shown = own(t)
    count, problems = 0, []
    for operation in sorted(set(server.model.operation_names) - OF_CUSTOM_KEY_STORES):
        members = set(server.model.operation_model(operation).input_shape.members)
        demonstrations = shown.pop(operation, {})
        problems += [f"{operation} has no member {member}" for member in set(demonstrations) - members]
        for member in sorted(members):
            demonstration = demonstrations.get(member) or usual(t, operation, member)
            if demonstration is None:
                problems.append(f"nothing shows what {member} of {operation} does")
            elif not demonstration():
                problems.append(f"{member} of {operation} does nothing")
            count += 1
    problems += [f"there is no operation {operation}" for operation in shown]
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{count} members are acted upon or refused.")


if __name__ == "__main__":
    main()
