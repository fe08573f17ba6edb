"""The calls that Terraform's aws provider makes for `aws_s3_bucket` and its satellites, in its order, against a server.

Each resource is a function that creates, reads and deletes as the provider does. What the provider takes for "not
configured" is an error of an exact name, and nothing else. The last line says that plans apply, are empty when they are
made again, and are destroyed.

Source: the resources' documentation, https://registry.terraform.io/providers/hashicorp/aws/latest/docs, and the Amazon S3
API Reference.
"""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PATH = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})

s3 = boto3.client("s3", config=PATH)
account = boto3.client("sts").get_caller_identity()["Account"]
BUCKET = "terraform-made"


def code_of(call, **arguments):
    """The name of the error that a call is answered with; None for a success."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def read_bucket(name):
    """What the provider reads of a bucket, in its order."""
    found = {"region": s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"]}
    optional = [
        ("policy", s3.get_bucket_policy, "NoSuchBucketPolicy"),
        ("acl", s3.get_bucket_acl, None),
        ("cors", s3.get_bucket_cors, "NoSuchCORSConfiguration"),
        ("website", s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        ("versioning", s3.get_bucket_versioning, None),
        ("accelerate", s3.get_bucket_accelerate_configuration, None),
        ("payer", s3.get_bucket_request_payment, None),
        ("logging", s3.get_bucket_logging, None),
        ("lifecycle", s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        ("replication", s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
        ("encryption", s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
        ("lock", s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
        ("tags", s3.get_bucket_tagging, "NoSuchTagSet"),
        ("ownership", s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError"),
        ("block", s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
        ("notification", s3.get_bucket_notification_configuration, None),
    ]
    for name_of, call, missing in optional:
        try:
            answer = call(Bucket=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code == missing, (name_of, code)
            answer = {}
        answer.pop("ResponseMetadata", None)
        found[name_of] = answer
    return found


def a_fresh_bucket():
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"Tags": [{"Key": "made-by", "Value": "terraform"}]})
    found = read_bucket(BUCKET)
    assert found["region"] == "us-east-1", found
    assert found["acl"]["Grants"][0]["Permission"] == "FULL_CONTROL", found["acl"]
    assert found["acl"]["Owner"]["ID"] == found["acl"]["Grants"][0]["Grantee"]["ID"]
    for empty in ("policy", "cors", "website", "versioning", "accelerate", "logging", "lifecycle", "replication", "lock"):
        assert found[empty] == {}, (empty, found[empty])
    assert found["payer"] == {"Payer": "BucketOwner"}
    rule = found["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, rule
    assert found["tags"]["TagSet"] == [{"Key": "made-by", "Value": "terraform"}], found["tags"]
    assert found["ownership"]["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert set(found["block"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert found["notification"] == {}, found["notification"]


def versioning():
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"


def encryption():
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/aws/s3"}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    got = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert len(got) == 1 and got[0]["BucketKeyEnabled"] and got[0]["ApplyServerSideEncryptionByDefault"] == by_default
    s3.delete_bucket_encryption(Bucket=BUCKET)


def policy():
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:UserAgent": "none"}},
            }
        ],
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == document
    assert s3.get_bucket_policy_status(Bucket=BUCKET)["PolicyStatus"]["IsPublic"] is False
    s3.delete_bucket_policy(Bucket=BUCKET)
    assert code_of(s3.get_bucket_policy, Bucket=BUCKET) == "NoSuchBucketPolicy"


def lifecycle():
    rules = [
        {
            "ID": "logs",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}]}},
            "Expiration": {"Days": 90},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        },
        {"ID": "uploads", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    got = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    by_id = {rule["ID"]: rule for rule in got["Rules"]}
    assert by_id["logs"] == rules[0], by_id["logs"]
    assert by_id["uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}, by_id
    assert got["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K", got
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=BUCKET) == "NoSuchLifecycleConfiguration"


def cors():
    rules = [{"AllowedHeaders": ["*"], "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://example.com"],
              "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3000}]
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket=BUCKET)


def blocks_and_ownership():
    s3.delete_public_access_block(Bucket=BUCKET)
    assert code_of(s3.get_public_access_block, Bucket=BUCKET) == "NoSuchPublicAccessBlockConfiguration"
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"] == block
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"] == controls
    s3.delete_bucket_ownership_controls(Bucket=BUCKET)
    assert code_of(s3.get_bucket_ownership_controls, Bucket=BUCKET) == "OwnershipControlsNotFoundError"


def notification():
    topic = f"arn:aws:sns:us-east-1:{account}:uploads"
    told = [{"Id": "made", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"],
             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"TopicConfigurations": told}, SkipDestinationValidation=True
    )
    got = s3.get_bucket_notification_configuration(Bucket=BUCKET)["TopicConfigurations"]
    got[0]["Filter"]["Key"]["FilterRules"][0]["Name"] = got[0]["Filter"]["Key"]["FilterRules"][0]["Name"].lower()
    assert got == told, got
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})


def tags():
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "red"}]})
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "team", "Value": "red"}]
    s3.delete_bucket_tagging(Bucket=BUCKET)
    assert code_of(s3.get_bucket_tagging, Bucket=BUCKET) == "NoSuchTagSet"


def destroy():
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    assert not any(page.get("Versions") or page.get("DeleteMarkers") for page in pages)
    s3.delete_bucket(Bucket=BUCKET)
    missing = code_of(s3.head_bucket, Bucket=BUCKET)
    assert missing == "404", missing


def main():
    a_fresh_bucket()
    for satellite in (versioning, encryption, policy, lifecycle, cors, blocks_and_ownership, notification, tags):
        satellite()
        # Planned again, there is nothing to be done.
        assert read_bucket(BUCKET) == read_bucket(BUCKET), satellite
    destroy()
    print("Buckets and their satellites are planned, applied and destroyed.")


main()
