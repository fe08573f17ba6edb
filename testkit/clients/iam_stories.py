"""IAM and STS with boto3: people, groups, roles and policies of two accounts, and what each of them may do.

Takes the data directory. The profile `staging` is the root user of a second account whose service control policy denies
making groups. Every refusal and every answer is checked here; the last line says that all of them were right.
"""

import base64
import configparser
import json
import os
import pathlib
import sys
import time

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ADMIN = boto3.Session()
IAM, STS, KMS = ADMIN.client("iam"), ADMIN.client("sts"), ADMIN.client("kms")
ACCOUNT = STS.get_caller_identity()["Account"]
ENCODED = ". Encoded authorization failure message: "


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


def session(key_id, secret, token=None):
    return boto3.Session(aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token)


def session_of(credentials):
    return session(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession"], **more})


def user(name, *statements, **more):
    IAM.create_user(UserName=name, **more)
    if statements:
        IAM.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = IAM.create_access_key(UserName=name)["AccessKey"]
    return session(key["AccessKeyId"], key["SecretAccessKey"])


def lists_and_waiters():
    names = {f"person-{index:02}" for index in range(23)}
    for name in names:
        IAM.create_user(UserName=name, Path="/people/")
    pages = list(IAM.get_paginator("list_users").paginate(PathPrefix="/people/", PaginationConfig={"PageSize": 5}))
    assert len(pages) >= 5 and {one["UserName"] for page in pages for one in page["Users"]} == names
    IAM.create_group(GroupName="people")
    for name in names:
        IAM.add_user_to_group(GroupName="people", UserName=name)
    policy = IAM.create_policy(PolicyName="lists", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    IAM.create_role(RoleName="lists", AssumeRolePolicyDocument=trust(ACCOUNT))
    IAM.create_instance_profile(InstanceProfileName="lists")
    for waiter, arguments in [
        ("user_exists", {"UserName": "person-00"}),
        ("role_exists", {"RoleName": "lists"}),
        ("policy_exists", {"PolicyArn": policy}),
        ("instance_profile_exists", {"InstanceProfileName": "lists"}),
    ]:
        IAM.get_waiter(waiter).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 1}, **arguments)
    given = {
        "GroupName": "people", "UserName": "person-00", "RoleName": "lists", "PolicyArn": policy,
        "InstanceProfileName": "lists", "ActionNames": ["s3:GetObject"], "PolicyInputList": [document(allow("s3:*"))],
        "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/people/person-00",
        "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example",
    }
    IAM.create_open_id_connect_provider(Url="https://login.example", ClientIDList=["app"], ThumbprintList=["0" * 40])
    model = IAM.meta.service_model
    walked = 0
    for operation, method in sorted((name, method) for method, name in IAM.meta.method_to_api_mapping.items()):
        if not IAM.can_paginate(method):
            continue
        required = model.operation_model(operation).input_shape.required_members
        if any(word in operation for word in ["MFA", "SAML", "ServerCertificate", "SigningCertificate"]):
            message = refused("InvalidAction", getattr(IAM, method), **{name: "none-of-this-name-or-arn" for name in required})
            assert message == f"iam:{operation} is an operation of AWS that this server does not serve", message
            continue
        arguments = {name: given[name] for name in required}
        pages = list(IAM.get_paginator(method).paginate(PaginationConfig={"PageSize": 2}, **arguments))
        assert pages and not pages[-1].get("IsTruncated"), operation
        walked += 1
    assert walked >= 27, walked
    whole = IAM.get_paginator("get_account_authorization_details").paginate().build_full_result()
    assert len([one for one in whole["UserDetailList"] if one["GroupList"] == ["people"]]) == 23


def conflicts_and_names():
    refused("EntityAlreadyExists", IAM.create_user, UserName="PERSON-00")
    refused("NoSuchEntity", IAM.get_user, UserName="nobody")
    refused("ValidationError", IAM.create_user, UserName="a b")
    refused("DeleteConflict", IAM.delete_group, GroupName="people")
    refused("DeleteConflict", IAM.delete_user, UserName="person-00")
    message = refused("MalformedPolicyDocument", IAM.put_user_policy, UserName="person-00", PolicyName="bad",
                      PolicyDocument=document(allow("kms:Decrypt", Condition={"StringsEqual": {"a:b": "c"}})))
    assert message.startswith("Statement[0].Condition.StringsEqual: "), message
    for index in range(2):
        IAM.create_access_key(UserName="person-00")
    refused("LimitExceeded", IAM.create_access_key, UserName="person-00")


def attributes_decide():
    red = KMS.create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]["Arn"]
    blue = KMS.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["Arn"]
    same = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    rita = user("rita", allow("kms:*", Condition=same), Tags=[{"Key": "team", "Value": "red"}]).client("kms")
    rita.encrypt(KeyId=red, Plaintext=b"x")
    refused("AccessDeniedException", rita.encrypt, KeyId=blue, Plaintext=b"x")
    IAM.tag_user(UserName="rita", Tags=[{"Key": "team", "Value": "blue"}])
    rita.encrypt(KeyId=blue, Plaintext=b"x")
    refused("AccessDeniedException", rita.encrypt, KeyId=red, Plaintext=b"x")
    return red


def boundaries_limit(key):
    limit = IAM.create_policy(PolicyName="limit", PolicyDocument=document(allow("kms:*")))["Policy"]["Arn"]
    bea = user("bea", allow("*"), PermissionsBoundary=limit)
    bea.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    message = refused("AccessDenied", bea.client("iam").list_users)
    assert "because no permissions boundary allows the iam:ListUsers action" in message, message
    IAM.delete_user_permissions_boundary(UserName="bea")
    bea.client("iam").list_users()


def both_accounts_decide(staging):
    there = staging.client("iam")
    account = staging.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:iam::{account}:role/guests"
    there.create_role(RoleName="guests", AssumeRolePolicyDocument=trust(
        ACCOUNT, Condition={"StringEquals": {"sts:ExternalId": "42"}}))
    there.put_role_policy(RoleName="guests", PolicyName="own", PolicyDocument=document(allow("iam:*")))
    gus = user("gus")
    ask = {"RoleArn": arn, "RoleSessionName": "visit", "ExternalId": "42"}
    refused("AccessDenied", gus.client("sts").assume_role, **ask)
    IAM.put_user_policy(UserName="gus", PolicyName="own", PolicyDocument=document(allow("sts:AssumeRole", arn)))
    refused("AccessDenied", gus.client("sts").assume_role, RoleArn=arn, RoleSessionName="visit")
    refused("AccessDenied", gus.client("sts").assume_role, **{**ask, "ExternalId": "43"})
    guest = session_of(gus.client("sts").assume_role(**ask)["Credentials"])
    assert guest.client("sts").get_caller_identity()["Account"] == account
    guest.client("iam").list_roles()
    # The account's service control policy binds its guests and its root user alike.
    for iam in [guest.client("iam"), there]:
        message = refused("AccessDenied", iam.create_group, GroupName="team")
        assert "with an explicit deny in a service control policy: Statement[1] (NoGroups)" in message, message
    there.delete_role_policy(RoleName="guests", PolicyName="own")
    there.delete_role(RoleName="guests")
    refused("InvalidClientTokenId", guest.client("iam").list_roles)


def tags_go_along():
    IAM.create_role(RoleName="first", AssumeRolePolicyDocument=trust(ACCOUNT))
    first, second = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ["first", "second"])
    IAM.put_role_policy(RoleName="first", PolicyName="own", PolicyDocument=document(
        allow(["sts:AssumeRole", "sts:TagSession"], second)))
    IAM.create_role(RoleName="second", AssumeRolePolicyDocument=trust(first))
    IAM.put_role_policy(RoleName="second", PolicyName="own", PolicyDocument=document(
        allow("iam:ListUsers", Condition={"StringEquals": {"aws:PrincipalTag/project": "x"}})))
    tags = [{"Key": "project", "Value": "x"}, {"Key": "shift", "Value": "late"}]
    begun = STS.assume_role(RoleArn=first, RoleSessionName="one", Tags=tags, TransitiveTagKeys=["project"])
    chained = session_of(begun["Credentials"]).client("sts")
    on = session_of(chained.assume_role(RoleArn=second, RoleSessionName="two")["Credentials"])
    on.client("iam").list_users()
    refused("ValidationError", chained.assume_role, RoleArn=second, RoleSessionName="two",
            Tags=[{"Key": "project", "Value": "y"}])
    refused("ValidationError", chained.assume_role, RoleArn=second, RoleSessionName="two", DurationSeconds=3601)
    plain = session_of(STS.assume_role(RoleArn=first, RoleSessionName="one")["Credentials"]).client("sts")
    without = session_of(plain.assume_role(RoleArn=second, RoleSessionName="two")["Credentials"])
    refused("AccessDenied", without.client("iam").list_users)


def refusals_explain_themselves(key):
    eve = user("eve", {"Sid": "NoUse", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": key}, allow("kms:*"))
    blob = eve.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    message = refused("AccessDeniedException", eve.client("kms").decrypt, CiphertextBlob=blob)
    words, encoded = message.split(ENCODED)
    assert words.endswith("with an explicit deny in an identity-based policy: Statement[0] (NoUse) of own"), words
    refused("AccessDenied", eve.client("sts").decode_authorization_message, EncodedMessage=encoded)
    told = json.loads(STS.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert told["explicitDeny"] and not told["allowed"] and told["context"]["action"] == "kms:Decrypt"
    assert told["matchedStatements"]["items"][0]["statementId"] == "NoUse"
    refused("InvalidAuthorizationMessageException", STS.decode_authorization_message, EncodedMessage="none")


def last_access_is_known():
    arn = f"arn:aws:iam::{ACCOUNT}:user/eve"
    job = IAM.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")["JobId"]
    report = IAM.get_service_last_accessed_details(JobId=job)
    kms = {one["ServiceNamespace"]: one for one in report["ServicesLastAccessed"]}["kms"]
    assert kms["LastAuthenticatedEntity"] == arn and time.time() - kms["LastAuthenticated"].timestamp() < 600
    assert [one["ActionName"] for one in kms["TrackedActionsLastAccessed"]] == ["Decrypt", "Encrypt"]
    held = IAM.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["kms"])
    assert held["PoliciesGrantingServiceAccess"][0]["Policies"][0]["PolicyName"] == "own"


def providers_vouch(data):
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = key.public_key().public_numbers()
    number = lambda value: encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    keys = {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": number(numbers.n), "e": number(numbers.e)}]}
    directory = pathlib.Path(data) / "oidc"
    directory.mkdir(exist_ok=True)
    (directory / "login.example.jwks").write_text(json.dumps(keys))

    def token(key=key, **claims):
        told = {"iss": "https://login.example", "aud": "app", "sub": "deploy", "iat": int(time.time()),
                "exp": int(time.time()) + 600, **claims}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in [{"alg": "RS256", "kid": "1"}, told])
        return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example"
    IAM.create_role(RoleName="web", AssumeRolePolicyDocument=document({
        "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"login.example:aud": "app", "login.example:sub": "deploy"}}}))
    IAM.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=document(allow("iam:ListUsers")))
    nobody = ADMIN.client("sts", config=Config(signature_version=UNSIGNED))
    ask = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/web", "RoleSessionName": "ci"}
    web = session_of(nobody.assume_role_with_web_identity(WebIdentityToken=token(), **ask)["Credentials"])
    web.client("iam").list_users()
    call = nobody.assume_role_with_web_identity
    refused("AccessDenied", call, WebIdentityToken=token(sub="other"), **ask)
    refused("InvalidIdentityToken", call, WebIdentityToken=token(aud="another"), **ask)
    refused("ExpiredTokenException", call, WebIdentityToken=token(exp=int(time.time()) - 600), **ask)
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused("InvalidIdentityToken", call, WebIdentityToken=token(key=forger), **ask)


def main():
    profiles = configparser.ConfigParser()
    profiles.read(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    staging = session(profiles["staging"]["aws_access_key_id"], profiles["staging"]["aws_secret_access_key"])
    lists_and_waiters()
    conflicts_and_names()
    key = attributes_decide()
    boundaries_limit(key)
    both_accounts_decide(staging)
    tags_go_along()
    refusals_explain_themselves(key)
    last_access_is_known()
    providers_vouch(sys.argv[1])
    print(f"Everybody may what they should. {key}")


if __name__ == "__main__":
    main()
