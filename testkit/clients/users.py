"""Makes users with an access key and Git credentials each, and leaves these in files of the current folder.

Usage: users.py, which reads {NAME: {"arn": MANAGED POLICY} or [STATEMENT, ...]} from its standard input. NAME.id and NAME.secret get the
access key, NAME.git what a credential helper of Git prints.
"""

import json
import sys
from pathlib import Path

import boto3


def main():
    iam = boto3.client("iam")
    for name, policy in json.load(sys.stdin).items():
        iam.create_user(UserName=name)
        if isinstance(policy, dict):
            iam.attach_user_policy(UserName=name, PolicyArn=policy["arn"])
        elif policy:
            document = json.dumps({"Version": "2012-10-17", "Statement": policy})
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        Path(f"{name}.id").write_text(key["AccessKeyId"])
        Path(f"{name}.secret").write_text(key["SecretAccessKey"])
        made = iam.create_service_specific_credential(UserName=name, ServiceName="codecommit.amazonaws.com")
        made = made["ServiceSpecificCredential"]
        Path(f"{name}.git").write_text(f"username={made['ServiceUserName']}\npassword={made['ServicePassword']}\n")


main()
