"""Changes one thing after another and prints each change once it is acknowledged, until the server is gone.

Usage: change_until_killed.py ROUND. A line is a JSON fact that check_facts.py can check.
"""

import json
import sys
import threading

import boto3
from botocore.config import Config

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
printing = threading.Lock()


def acknowledged(**fact):
    with printing:
        print(json.dumps(fact), flush=True)


def change(round_, worker):
    session = boto3.Session()
    kms, iam = session.client("kms", config=ONCE), session.client("iam", config=ONCE)
    account = session.client("sts", config=ONCE).get_caller_identity()["Account"]
    for step in range(10_000):
        name = f"r{round_}w{worker}s{step}"
        key = kms.create_key(Description=name)["KeyMetadata"]["KeyId"]
        acknowledged(kind="key", id=key, description=name)
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        acknowledged(kind="alias", id=key, alias=f"alias/{name}")
        policy = {
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": name,
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }],
        }
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        acknowledged(kind="policy", id=key, sid=name)
        iam.create_user(UserName=name)
        acknowledged(kind="user", name=name)
        grant = kms.create_grant(
            KeyId=key, GranteePrincipal=f"arn:aws:iam::{account}:user/{name}", Operations=["Decrypt"]
        )["GrantId"]
        acknowledged(kind="grant", id=key, grant=grant)
        sealed = kms.encrypt(KeyId=key, Plaintext=name.encode())["CiphertextBlob"]
        acknowledged(kind="ciphertext", id=key, blob=sealed.hex(), plaintext=name)


def main():
    workers = [threading.Thread(target=change, args=(sys.argv[1], worker)) for worker in range(4)]
    # A worker ends with an exception when the server is gone: that is the end that is waited for.
    threading.excepthook = lambda _: None
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
