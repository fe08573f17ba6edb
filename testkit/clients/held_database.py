"""A database that another process holds: what has to be written waits, then fails with AWS's retryable error; what is
already known goes on being served; and once the database is free again, all is as before.

The argument is the database's path.
"""

import sqlite3
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

kms = boto3.client("kms", config=Config(retries={"total_max_attempts": 1}))
key = kms.create_key()["KeyMetadata"]["KeyId"]

holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
try:
    kms.create_alias(AliasName="alias/held", TargetKeyId=key)
    raise AssertionError("an alias was made in a database that somebody else holds")
except ClientError as error:
    said = error.response
    assert said["Error"]["Code"] == "DependencyTimeoutException", said
    assert said["ResponseMetadata"]["HTTPStatusCode"] == 503, said
sealed = kms.encrypt(KeyId=key, Plaintext=b"meanwhile")["CiphertextBlob"]
holder.execute("ROLLBACK")

assert kms.list_aliases(KeyId=key)["Aliases"] == [], "nothing is half done"
kms.create_alias(AliasName="alias/held", TargetKeyId=key)
assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"meanwhile"
print("What is held is waited for, and refused in time.")
