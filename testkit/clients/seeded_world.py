"""Meets the world of docs/examples/seed.toml with the credentials that stand there.

Usage: seeded_world.py ENDPOINT [CIPHERTEXT]. Prints the unique ids that it met on one line, and a new ciphertext on
another; opens CIPHERTEXT, which another server of the same seed made.
"""

import base64
import sys

import boto3
from botocore.exceptions import ClientError

KEY = "11111111-2222-3333-4444-555555555555"


def main():
    endpoint = sys.argv[1]

    def client(service, key_id, secret, region="us-east-1", token=None):
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    administrator = ("AKIAADMINISTRATOR222", "administrator/secret+of/the/test/suite22")
    alice = ("AKIAALICEALICEALICE2", "alice/secret+of/the/test/suite2222222222")

    identity = client("sts", *alice).get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::111122223333:user/alice", identity
    iam = client("iam", *administrator)
    role = iam.get_role(RoleName="deployer")["Role"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="alice")["Groups"]] == ["readers"]
    assert iam.list_user_policies(UserName="alice")["PolicyNames"] == ["list"]
    session = client("sts", *alice).assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    assumed = client("sts", session["AccessKeyId"], session["SecretAccessKey"], token=session["SessionToken"])
    assert assumed.get_caller_identity()["Arn"].endswith("assumed-role/deployer/session")

    kms = client("kms", *alice)
    aliases = {alias["AliasName"]: alias["TargetKeyId"] for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias}
    assert aliases == {"alias/app": KEY}, aliases
    sealed = kms.encrypt(KeyId="alias/app", Plaintext=b"a secret")["CiphertextBlob"]
    for ciphertext in [sealed] + [base64.b64decode(text) for text in sys.argv[2:]]:
        assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"a secret"
    try:
        kms.disable_key(KeyId=KEY)
        raise AssertionError("alice manages no keys")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error

    metadata = client("kms", *administrator).describe_key(KeyId=KEY)["KeyMetadata"]
    assert metadata["Description"] == "the key that everything is sealed under", metadata
    elsewhere = client("kms", *administrator, region="eu-west-1")
    other = elsewhere.describe_key(KeyId="66666666-7777-8888-9999-000000000000")["KeyMetadata"]
    assert (other["KeySpec"], other["KeyUsage"], other["KeyState"]) == ("HMAC_256", "GENERATE_VERIFY_MAC", "Disabled")

    print(identity["UserId"], role["RoleId"], metadata["CurrentKeyMaterialId"])
    print(base64.b64encode(sealed).decode())


if __name__ == "__main__":
    main()
