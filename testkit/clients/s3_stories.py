"""Buckets as people use them: the AWS CLI's commands, a bucket whose key not everybody may use, versions, events and expiry.

The last line says that all of it went as with AWS, but for a disabled key, which closes its bucket at once.
"""

import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.request

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
iam, kms = boto3.client("iam"), boto3.client("kms")
account = boto3.client("sts").get_caller_identity()["Account"]
AWS = str(pathlib.Path(sys.executable).parent / "aws")


def aws(*arguments):
    done = subprocess.run([AWS, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def code_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None, None


def user(name, statements):
    """A client for S3 of a new user with one policy."""
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "s3",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def commands(directory):
    aws("s3", "mb", "s3://commands")
    (directory / "a.txt").write_text("first")
    (directory / "deep").mkdir()
    (directory / "deep" / "b +\u00e4.txt").write_text("second")
    aws("s3", "cp", str(directory / "a.txt"), "s3://commands/a.txt")
    aws("s3", "sync", str(directory), "s3://commands/synced")
    assert "PRE synced/" in aws("s3", "ls", "s3://commands/")
    listed = aws("s3", "ls", "--recursive", "s3://commands")
    assert [line.split(None, 3)[3] for line in listed.splitlines()] == [
        "a.txt", "synced/a.txt", "synced/deep/b +\u00e4.txt"
    ], listed
    assert aws("s3", "cp", "s3://commands/synced/deep/b +\u00e4.txt", "-") == "second"
    # What is there is not sent again.
    assert aws("s3", "sync", str(directory), "s3://commands/synced") == ""
    aws("s3", "rm", "--recursive", "s3://commands")
    aws("s3", "rb", "s3://commands")
    assert "commands" not in aws("s3", "ls")


def a_key_that_not_everybody_may_use():
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/first-cmk", TargetKeyId=key)
    s3.create_bucket(Bucket="sealed")
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/first-cmk"}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = s3.put_object(Bucket="sealed", Key="secret", Body=b"for few")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key), put
    objects = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    without = user("without-the-key", objects)
    code, message = code_of(without.get_object, Bucket="sealed", Key="secret")
    assert code == "AccessDenied" and "kms:Decrypt" in message, (code, message)
    decrypt = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}]
    reader = user("with-the-key", objects + decrypt)
    assert reader.get_object(Bucket="sealed", Key="secret")["Body"].read() == b"for few"
    code, message = code_of(reader.put_object, Bucket="sealed", Key="other", Body=b"x")
    assert code == "AccessDenied" and "kms:GenerateDataKey" in message, (code, message)
    kms.disable_key(KeyId=key)
    assert code_of(reader.get_object, Bucket="sealed", Key="secret")[0] == "KMS.DisabledException"
    assert code_of(s3.get_object, Bucket="sealed", Key="secret")[0] == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert reader.get_object(Bucket="sealed", Key="secret")["Body"].read() == b"for few"


def a_link_for_whoever_has_it():
    s3.create_bucket(Bucket="links")
    s3.put_object(Bucket="links", Key="page", Body=b"shown", ContentType="text/plain")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "links", "Key": "page"}, ExpiresIn=60)
    by_command = aws("s3", "presign", "s3://links/page", "--expires-in", "60").strip()
    # As the AWS CLI and boto3 find it.
    authority = boto3.session.Session()._session.get_config_variable("ca_bundle")
    context = ssl.create_default_context(cafile=authority)
    for one in (link, by_command):
        with urllib.request.urlopen(one, context=context) as answer:
            assert answer.read() == b"shown" and answer.headers["Content-Type"] == "text/plain"


def a_form_for_whoever_has_it():
    s3.create_bucket(Bucket="forms")
    fields = {"Content-Type": "text/plain", "success_action_status": "201"}
    conditions = [{name: value} for name, value in fields.items()] + [["content-length-range", 1, 5]]
    form = s3.generate_presigned_post("forms", "in/${filename}", Fields=fields, Conditions=conditions)
    authority = boto3.session.Session()._session.get_config_variable("ca_bundle")

    def send(content, **more):
        files = {"file": ("note.txt", content, "text/html")}
        return requests.post(form["url"], data=form["fields"] | more, files=files, verify=authority)

    sent = send(b"hello")
    assert sent.status_code == 201 and "<Key>in/note.txt</Key>" in sent.text, (sent.status_code, sent.text)
    got = s3.get_object(Bucket="forms", Key="in/note.txt")
    assert (got["Body"].read(), got["ContentType"], got["ETag"]) == (b"hello", "text/plain", sent.headers["ETag"])
    for content, more, code in [
        (b"", {}, "EntityTooSmall"),
        (b"longer", {}, "EntityTooLarge"),
        (b"x", {"acl": "public-read"}, "AccessDenied"),
        (b"x", {"key": "out/note.txt"}, "AccessDenied"),
        (b"x", {"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
    ]:
        refused = send(content, **more)
        assert f"<Code>{code}</Code>" in refused.text, (code, refused.status_code, refused.text)
    assert s3.list_objects_v2(Bucket="forms")["KeyCount"] == 1


def versions_and_who_may_see_them():
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="versions", Key="a", Body=b"1")["VersionId"]
    s3.put_object(Bucket="versions", Key="a", Body=b"2")
    marker = s3.delete_object(Bucket="versions", Key="a")
    assert marker["DeleteMarker"] is True
    current = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]
    reader = user("current-only", current)
    assert code_of(reader.get_object, Bucket="versions", Key="a", VersionId=first)[0] == "AccessDenied"
    # Who may not list does not learn that there is nothing.
    assert code_of(reader.get_object, Bucket="versions", Key="missing")[0] == "AccessDenied"
    assert code_of(s3.get_object, Bucket="versions", Key="missing")[0] == "NoSuchKey"
    pages = s3.get_paginator("list_object_versions").paginate(Bucket="versions", PaginationConfig={"PageSize": 1})
    seen = [(len(page.get("Versions", [])), len(page.get("DeleteMarkers", []))) for page in pages]
    assert seen == [(0, 1), (1, 0), (1, 0)], seen
    s3.delete_object(Bucket="versions", Key="a", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="versions", Key="a")["Body"].read() == b"2"


def pages_of_a_large_listing():
    s3.create_bucket(Bucket="large")
    for number in range(25):
        s3.put_object(Bucket="large", Key=f"{'even' if number % 2 == 0 else 'odd'}/{number:03}", Body=b"")
    paginator = s3.get_paginator("list_objects_v2")
    keys = [entry["Key"] for page in paginator.paginate(Bucket="large", PaginationConfig={"PageSize": 4})
            for entry in page["Contents"]]
    assert keys == sorted(keys) and len(keys) == 25
    groups = [group["Prefix"] for page in paginator.paginate(Bucket="large", Delimiter="/", PaginationConfig={"PageSize": 1})
              for group in page.get("CommonPrefixes", [])]
    assert groups == ["even/", "odd/"], groups
    first = s3.get_paginator("list_objects").paginate(Bucket="large", Delimiter="/", PaginationConfig={"PageSize": 1})
    assert [group["Prefix"] for page in first for group in page.get("CommonPrefixes", [])] == ["even/", "odd/"]


def main():
    with tempfile.TemporaryDirectory() as directory:
        commands(pathlib.Path(directory))
    a_key_that_not_everybody_may_use()
    a_link_for_whoever_has_it()
    a_form_for_whoever_has_it()
    versions_and_who_may_see_them()
    pages_of_a_large_listing()
    print("Buckets are used as those of AWS, and closed with their keys.")


main()
