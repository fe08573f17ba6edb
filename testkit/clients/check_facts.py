"""Checks the facts on stdin, which change_until_killed.py printed, against the server."""

import json
import sys

import boto3


def holds(kms, iam, fact):
    match fact["kind"]:
        case "key":
            metadata = kms.describe_key(KeyId=fact["id"])["KeyMetadata"]
            return metadata["Description"] == fact["description"] and metadata["KeyState"] == "Enabled"
        case "alias":
            return kms.describe_key(KeyId=fact["alias"])["KeyMetadata"]["KeyId"] == fact["id"]
        case "policy":
            policy = json.loads(kms.get_key_policy(KeyId=fact["id"], PolicyName="default")["Policy"])
            return policy["Statement"][0]["Sid"] == fact["sid"]
        case "user":
            return iam.get_user(UserName=fact["name"])["User"]["UserName"] == fact["name"]
        case "grant":
            return fact["grant"] in [grant["GrantId"] for grant in kms.list_grants(KeyId=fact["id"])["Grants"]]
        case "ciphertext":
            opened = kms.decrypt(CiphertextBlob=bytes.fromhex(fact["blob"]))
            return opened["Plaintext"].decode() == fact["plaintext"]


def main():
    kms, iam = boto3.client("kms"), boto3.client("iam")
    # The last line may be cut short: the change behind it was never told to anybody.
    facts = []
    for line in sys.stdin:
        if line.endswith("\n"):
            facts.append(json.loads(line))
    lost = []
    for fact in facts:
        try:
            if not holds(kms, iam, fact):
                lost.append((fact, "changed"))
        except Exception as error:  # noqa: BLE001: whatever it is, it goes into the report
            lost.append((fact, str(error)))
    for fact, why in lost:
        print("lost:", fact, why)
    print(f"{len(facts)} facts, {len(lost)} lost")
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
