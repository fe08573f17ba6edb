"""Tells a server things of every kind and prints each, as label TAB hexadecimal, for a search of its directory.

Each text is printed as UTF-8, as UTF-16, in base64 and reversed case where that applies, so that a mere re-encoding does not hide it.
"""

import base64
import json

import boto3


def main():
    told = []

    def tell(label, value):
        raw = value if isinstance(value, bytes) else value.encode()
        told.append((label, raw))
        told.append((label + " in base64", base64.b64encode(raw).rstrip(b"=")))
        told.append((label + " in hexadecimal", raw.hex().encode()))
        if not isinstance(value, bytes):
            told.append((label + " in UTF-16", value.encode("utf-16-le")))

    kms, iam, sts = boto3.client("kms"), boto3.client("iam"), boto3.client("sts")
    account = sts.get_caller_identity()["Account"]

    policy = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Heliotrope policy statement",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    tell("the key policy's Sid", "Heliotrope policy statement")
    tell("the description", "quarterly obsidian forecasts")
    key = kms.create_key(
        Policy=policy,
        Description="quarterly obsidian forecasts",
        Tags=[{"TagKey": "vermilion-team", "TagValue": "saffron-ledger"}],
    )["KeyMetadata"]["KeyId"]
    tell("the tag's key", "vermilion-team")
    tell("the tag's value", "saffron-ledger")
    kms.create_alias(AliasName="alias/cerulean-vault", TargetKeyId=key)
    tell("the alias", "cerulean-vault")

    context = {"amaranth-purpose": "periwinkle-value"}
    tell("the encryption context", "periwinkle-value")
    plaintext = b"tell nobody about the chartreuse protocol"
    tell("the plaintext", plaintext)
    sealed = kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == plaintext
    tell("the data key", kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)["Plaintext"])
    tell("random bytes", kms.generate_random(NumberOfBytes=32)["Plaintext"])
    kms.update_key_description(KeyId=key, Description="superseded gamboge wording")
    tell("the second description", "superseded gamboge wording")
    kms.rotate_key_on_demand(KeyId=key)

    iam.create_user(UserName="magenta-operator")
    tell("the user's name", "magenta-operator")
    made = iam.create_access_key(UserName="magenta-operator")["AccessKey"]
    tell("the secret access key", made["SecretAccessKey"])
    document = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "UltramarineInline", "Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
    })
    iam.put_user_policy(UserName="magenta-operator", PolicyName="viridian-policy", PolicyDocument=document)
    tell("the inline policy's Sid", "UltramarineInline")
    tell("the inline policy's name", "viridian-policy")
    iam.create_policy(PolicyName="mauve-managed", PolicyDocument=document.replace("UltramarineInline", "CarmineManaged"))
    tell("the managed policy's Sid", "CarmineManaged")
    tell("the managed policy's name", "mauve-managed")
    kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{account}:user/magenta-operator",
        Operations=["Decrypt"],
        Name="indigo-grant",
    )
    tell("the grant's name", "indigo-grant")

    for label, value in told:
        print(f"{label}\t{value.hex()}")


if __name__ == "__main__":
    main()
