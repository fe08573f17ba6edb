"""Looks up events with boto3: every attribute, time ranges, pages, refusals."""

import datetime
import json

import boto3
from botocore.exceptions import ClientError


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return str(error)
    raise AssertionError(f"{parameters} should have been refused with {code}")


def main():
    kms, iam, trail = boto3.client("kms"), boto3.client("iam"), boto3.client("cloudtrail")
    began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
    keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3)]
    iam.create_user(UserName="clerk")
    access = iam.create_access_key(UserName="clerk")["AccessKey"]

    def events(page_size=50, **parameters):
        pages = trail.get_paginator("lookup_events").paginate(
            PaginationConfig={"PageSize": page_size}, **parameters
        )
        return [event for page in pages for event in page["Events"]]

    def by(key, value):
        return events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])

    created = by("EventName", "CreateKey")
    assert [event["Resources"][0]["ResourceName"] for event in created] == keys[::-1], created
    first = created[-1]
    assert first["ReadOnly"] == "false" and first["EventSource"] == "kms.amazonaws.com", first
    assert first["EventTime"] >= began.replace(microsecond=0), first
    record = json.loads(first["CloudTrailEvent"])
    assert record["eventID"] == first["EventId"] and record["userIdentity"]["userName"] == "administrator"

    assert [event["EventId"] for event in by("EventId", first["EventId"])] == [first["EventId"]]
    assert [event["EventName"] for event in by("ResourceName", "clerk")] == ["CreateAccessKey", "CreateUser"]
    assert len(by("ResourceName", keys[0])) == 1
    assert len(by("ResourceType", "AWS::KMS::Key")) == 3
    assert all(event["EventSource"] == "iam.amazonaws.com" for event in by("EventSource", "iam.amazonaws.com"))
    assert by("Username", "administrator") and not by("Username", "clerk")
    assert by("AccessKeyId", record["userIdentity"]["accessKeyId"]) and not by("AccessKeyId", access["AccessKeyId"])
    assert all(event["ReadOnly"] == "true" for event in by("ReadOnly", "true"))

    everything = [event["EventId"] for event in events(StartTime=began)]
    assert len(everything) == len(set(everything)) >= 5
    until = datetime.datetime.now(datetime.timezone.utc)
    same = [event["EventId"] for event in events(page_size=2, StartTime=began, EndTime=until)]
    assert same[-5:] == everything[-5:], "pages of two"
    assert not events(StartTime=until + datetime.timedelta(hours=1), EndTime=until + datetime.timedelta(hours=2))
    assert not events(EventCategory="insight")
    elsewhere = boto3.client("cloudtrail", region_name="eu-west-1")
    names = {event["EventName"] for event in elsewhere.lookup_events()["Events"]}
    assert names <= {"LookupEvents"}, names

    page = trail.lookup_events(MaxResults=1)
    refused("InvalidNextTokenException", trail.lookup_events, NextToken="x" + page["NextToken"])
    other = [{"AttributeKey": "EventName", "AttributeValue": "CreateKey"}]
    refused("InvalidNextTokenException", trail.lookup_events, NextToken=page["NextToken"], LookupAttributes=other)
    refused("InvalidTimeRangeException", trail.lookup_events, StartTime=until, EndTime=began)
    refused("InvalidLookupAttributesException", trail.lookup_events, LookupAttributes=other * 2)
    maybe = [{"AttributeKey": "ReadOnly", "AttributeValue": "maybe"}]
    refused("InvalidLookupAttributesException", trail.lookup_events, LookupAttributes=maybe)
    plain = boto3.session.Config(parameter_validation=False)
    unchecked = boto3.client("cloudtrail", config=plain)
    refused("InvalidMaxResultsException", unchecked.lookup_events, MaxResults=51)

    clerk = boto3.client(
        "cloudtrail",
        aws_access_key_id=access["AccessKeyId"],
        aws_secret_access_key=access["SecretAccessKey"],
    )
    message = refused("AccessDeniedException", clerk.lookup_events)
    assert "cloudtrail:LookupEvents" in message and "user/clerk" in message, message
    print("looked up")


if __name__ == "__main__":
    main()
