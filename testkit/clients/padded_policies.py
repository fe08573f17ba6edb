"""Makes changes whose audit records would be too long if all of the input stood in them, and some that are refused.

Prints a JSON line for each: the operation, and whether it was allowed.
"""

import json
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions

LENGTH = 131_072
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})


def padded(policy, length=LENGTH):
    """The policy with tabs in it, which count towards no quota and take two bytes each in JSON."""
    return policy[:-1] + "\t" * (length - len(policy)) + policy[-1]


def attempt(operation, call, **arguments):
    try:
        call(**arguments)
        allowed = True
    except botocore.exceptions.ClientError as error:
        allowed = False
        print(json.dumps({"note": str(error)[:200]}))
    print(json.dumps({"operation": operation, "allowed": allowed}), flush=True)


def main():
    kms, iam, sts = boto3.client("kms"), boto3.client("iam"), boto3.client("sts")
    account = sts.get_caller_identity()["Account"]
    iam.create_user(UserName="mallory")
    iam.create_group(GroupName="mallories")
    iam.create_role(RoleName="mallory", AssumeRolePolicyDocument=TRUST)
    policy = padded(EVERYTHING)
    attempt("PutUserPolicy", iam.put_user_policy, UserName="mallory", PolicyName="all", PolicyDocument=policy)
    attempt("PutGroupPolicy", iam.put_group_policy, GroupName="mallories", PolicyName="all", PolicyDocument=policy)
    attempt("PutRolePolicy", iam.put_role_policy, RoleName="mallory", PolicyName="all", PolicyDocument=policy)
    attempt("CreatePolicy", iam.create_policy, PolicyName="all", PolicyDocument=policy)
    own = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*",
        }],
    })
    attempt("CreateKey", kms.create_key, Policy=padded(own, 32_768), Description="\t" * 8192)
    # The same by somebody who may not.
    key = iam.create_access_key(UserName=iam.create_user(UserName="eve")["User"]["UserName"])["AccessKey"]
    eve = boto3.client("iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    attempt("PutUserPolicy", eve.put_user_policy, UserName="eve", PolicyName="all", PolicyDocument=policy)
    # Nobody, with lists that are too long; the second is refused before its operation is looked for.
    for count, operation in [(600, "AssumeRoleWithWebIdentity"), (9900, "-")]:
        parameters = {
            "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15",
            "RoleArn": f"arn:aws:iam::{account}:role/mallory", "RoleSessionName": "mallory", "WebIdentityToken": "token",
        }
        for number in range(1, count + 1):
            parameters[f"PolicyArns.member.{number}.arn"] = f"arn:aws:iam::{account}:policy/all"
        body = urllib.parse.urlencode(parameters).encode()
        endpoint = sts.meta.endpoint_url.replace("https://", "http://")
        try:
            urllib.request.urlopen(urllib.request.Request(endpoint, data=body, method="POST"), timeout=20).read()
            allowed = True
        except urllib.error.URLError:
            allowed = False
        print(json.dumps({"operation": operation, "allowed": allowed}), flush=True)


if __name__ == "__main__":
    main()
