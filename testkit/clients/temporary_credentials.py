"""Temporary credentials with boto3: a role is assumed, uses a KMS key, and is refused once it is gone.

Every refusal and every answer is checked here; the last line says that all of them were right.
"""

import json
import time

import boto3
from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


def session_of(credentials):
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def main():
    admin = boto3.Session()
    iam, sts, kms = admin.client("iam"), admin.client("sts"), admin.client("kms")
    account = sts.get_caller_identity()["Account"]
    key = kms.create_key()["KeyMetadata"]["Arn"]

    role = "Sealer"
    iam.create_role(
        RoleName=role,
        AssumeRolePolicyDocument=document({
            "Effect": "Allow",
            "Principal": {"AWS": account},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"sts:ExternalId": "42"}},
        }),
    )
    iam.put_role_policy(
        RoleName=role,
        PolicyName="seal",
        PolicyDocument=document({"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": key}),
    )
    arn = f"arn:aws:iam::{account}:role/{role}"

    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="boto3")
    assumed = sts.assume_role(
        RoleArn=arn, RoleSessionName="boto3", ExternalId="42", Tags=[{"Key": "team", "Value": "red"}]
    )
    assert assumed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/{role}/boto3"
    assert 3500 < assumed["Credentials"]["Expiration"].timestamp() - time.time() <= 3600

    session = session_of(assumed["Credentials"])
    assert session.client("sts").get_caller_identity()["Arn"] == assumed["AssumedRoleUser"]["Arn"]
    sealer = session.client("kms")
    blob = sealer.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert sealer.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    refused("AccessDeniedException", sealer.describe_key, KeyId=key)

    limited = sts.assume_role(
        RoleArn=arn,
        RoleSessionName="limited",
        ExternalId="42",
        Policy=document({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
    )
    decrypter = session_of(limited["Credentials"]).client("kms")
    assert decrypter.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    message = refused("AccessDeniedException", decrypter.encrypt, KeyId=key, Plaintext=b"x")
    assert "session policy" in message, message

    presigned = session.client("sts").generate_presigned_url("get_caller_identity")
    assert "X-Amz-Security-Token" in presigned

    iam.delete_role_policy(RoleName=role, PolicyName="seal")
    refused("AccessDeniedException", sealer.encrypt, KeyId=key, Plaintext=b"x")
    iam.delete_role(RoleName=role)
    refused("UnrecognizedClientException", sealer.encrypt, KeyId=key, Plaintext=b"x")

    own = session_of(sts.get_session_token(DurationSeconds=900)["Credentials"])
    assert own.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    refused("InvalidClientTokenId", own.client("iam").list_users)

    federated = sts.get_federation_token(
        Name="guest", Policy=document({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})
    )
    guest = session_of(federated["Credentials"])
    assert guest.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{account}:federated-user/guest"
    assert guest.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    refused("AccessDeniedException", guest.client("kms").encrypt, KeyId=key, Plaintext=b"x")
    print("Temporary credentials are as they should be.")


if __name__ == "__main__":
    main()
