"""Furnishes a moto server with two keys and two users, and has it check every later call's signature and policies.

Usage: moto_world.py URL. Prints what it made as JSON.
"""

import json
import sys
import urllib.request

import boto3

url = sys.argv[1]
known = {"aws_access_key_id": "setting", "aws_secret_access_key": "up", "region_name": "us-east-1", "endpoint_url": url}
kms, iam = boto3.client("kms", **known), boto3.client("iam", **known)


def user(name):
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return [made["AccessKeyId"], made["SecretAccessKey"]]


key, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
kms.create_alias(AliasName="alias/root", TargetKeyId=key)
keeper, stranger = user("keeper"), user("stranger")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["kms:*", "s3:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="keeper", PolicyName="keys", PolicyDocument=json.dumps(policy))
count = urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
urllib.request.urlopen(count).read()
print(json.dumps({"key": key, "other": other, "keeper": keeper, "stranger": stranger}))
