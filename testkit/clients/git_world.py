"""Makes the user `dev`, who may do everything with repositories, and repositories. Prints name and password of the user's Git credentials.

Usage: git_world.py REPOSITORY...
"""

import json
import sys

import boto3


def main():
    iam, codecommit = boto3.client("iam"), boto3.client("codecommit")
    iam.create_user(UserName="dev")
    statement = {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="dev", PolicyName="own", PolicyDocument=document)
    made = iam.create_service_specific_credential(UserName="dev", ServiceName="codecommit.amazonaws.com")
    print(made["ServiceSpecificCredential"]["ServiceUserName"])
    print(made["ServiceSpecificCredential"]["ServicePassword"])
    for name in sys.argv[1:]:
        codecommit.create_repository(repositoryName=name)


main()
