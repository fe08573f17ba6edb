"""The calls that Terraform's aws provider makes for KMS resources, in its order and with its waits, against a server.

Each resource is a class with the provider's create, read, update and delete; what it waits for is polled as the provider
polls it, but for the pauses in between. The last line says that all of them ended as `terraform apply` and
`terraform destroy` need it.

Source: the resources' documentation, https://registry.terraform.io/providers/hashicorp/aws/latest/docs, and the AWS KMS
API Reference.
"""

import datetime
import json
import os

import boto3
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

# How often in a row a wait wants to see what it waits for: KMS answers from many machines, and so may this server.
SEEN_IN_A_ROW = 5


class NotFound(Exception):
    pass


def wait_until(check):
    for _ in range(SEEN_IN_A_ROW):
        assert check(), check


def normal(policy):
    """A policy as the provider compares it: without regard to the order of members and to lists of one."""

    def simple(value):
        if isinstance(value, dict):
            return {key: simple(inner) for key, inner in value.items()}
        if isinstance(value, list):
            items = sorted((simple(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
            return items[0] if len(items) == 1 else items
        return value

    return simple(json.loads(policy))


def tags_of(tags):
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


class Resource:
    """What the resources have in common."""

    def __init__(self, kms):
        self.kms = kms
        self.id = None

    # Reading.

    def find_key(self):
        try:
            metadata = self.kms.describe_key(KeyId=self.id)["KeyMetadata"]
        except self.kms.exceptions.NotFoundException as error:
            raise NotFound from error
        # A key that waits for its deletion is gone as far as Terraform is concerned.
        if metadata["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            raise NotFound(metadata["KeyState"])
        return metadata

    def policy(self):
        answer = self.kms.get_key_policy(KeyId=self.id, PolicyName="default")
        return answer["Policy"]

    def tags(self):
        found = {}
        for page in self.kms.get_paginator("list_resource_tags").paginate(KeyId=self.id):
            found.update({tag["TagKey"]: tag["TagValue"] for tag in page["Tags"]})
        return found

    def read(self):
        metadata = self.find_key()
        state = {
            "arn": metadata["Arn"],
            "description": metadata["Description"],
            "is_enabled": metadata["Enabled"],
            "key_spec": metadata["KeySpec"],
            "key_usage": metadata["KeyUsage"],
            "multi_region": metadata["MultiRegion"],
            "policy": normal(self.policy()),
            "tags": self.tags(),
        }
        assert metadata["KeyManager"] == "CUSTOMER"
        if metadata["Origin"] == "AWS_KMS":
            status = self.kms.get_key_rotation_status(KeyId=self.id)
            state["enable_key_rotation"] = status["KeyRotationEnabled"]
            state["rotation_period_in_days"] = status.get("RotationPeriodInDays")
        return state, metadata

    # Updating.

    def set_policy(self, policy):
        self.kms.put_key_policy(
            KeyId=self.id, PolicyName="default", Policy=policy, BypassPolicyLockoutSafetyCheck=False
        )
        wait_until(lambda: normal(self.policy()) == normal(policy))

    def set_description(self, description):
        self.kms.update_key_description(KeyId=self.id, Description=description)
        wait_until(lambda: self.find_key()["Description"] == description)

    def set_enabled(self, enabled):
        (self.kms.enable_key if enabled else self.kms.disable_key)(KeyId=self.id)
        wait_until(lambda: self.find_key()["Enabled"] == enabled)

    def set_rotation(self, enabled, period=None):
        if enabled:
            more = {"RotationPeriodInDays": period} if period else {}
            self.kms.enable_key_rotation(KeyId=self.id, **more)
        else:
            self.kms.disable_key_rotation(KeyId=self.id)

        def as_wanted():
            status = self.kms.get_key_rotation_status(KeyId=self.id)
            return status["KeyRotationEnabled"] == enabled and status.get("RotationPeriodInDays", period) == period

        wait_until(as_wanted)

    def set_tags(self, tags):
        old = self.tags()
        gone = [key for key in old if key not in tags]
        new = {key: value for key, value in tags.items() if old.get(key) != value}
        if gone:
            self.kms.untag_resource(KeyId=self.id, TagKeys=gone)
        if new:
            self.kms.tag_resource(KeyId=self.id, Tags=tags_of(new))
        wait_until(lambda: self.tags() == tags)

    # Deleting.

    def delete(self, days):
        self.kms.schedule_key_deletion(KeyId=self.id, PendingWindowInDays=days)
        try:
            state = self.find_key()["KeyState"]
        except NotFound:
            pass
        else:
            raise AssertionError(f"after its deletion the key is {state}")
        # Destroyed twice, as by a plan that is out of date: the provider takes this for success.
        try:
            self.kms.schedule_key_deletion(KeyId=self.id, PendingWindowInDays=days)
            raise AssertionError("a key was scheduled for deletion twice")
        except self.kms.exceptions.KMSInvalidStateException as error:
            assert "is pending deletion" in str(error), error


class Key(Resource):
    """aws_kms_key."""

    def create(self, policy=None, tags=(), rotation=None, enabled=True, **arguments):
        if policy:
            arguments["Policy"] = policy
        tags = dict(tags)
        self.id = self.kms.create_key(
            BypassPolicyLockoutSafetyCheck=False, Tags=tags_of(tags), **arguments
        )["KeyMetadata"]["KeyId"]
        if rotation:
            self.set_rotation(True, rotation)
        if not enabled:
            self.set_enabled(False)
        if policy:
            wait_until(lambda: normal(self.policy()) == normal(policy))
        if tags:
            wait_until(lambda: self.tags() == tags)
        return self.read()[0]


class ReplicaKey(Resource):
    """aws_kms_replica_key: made from the primary key's Region, managed in its own."""

    def create(self, primary, policy=None, tags=(), enabled=True, description=""):
        region = self.kms.meta.region_name
        arguments = {"Policy": policy} if policy else {}
        answer = primary.kms.replicate_key(
            KeyId=primary.id, ReplicaRegion=region, Tags=tags_of(dict(tags)), Description=description, **arguments
        )
        self.id = answer["ReplicaKeyMetadata"]["KeyId"]
        # The provider waits while the replica is being created.
        assert self.find_key()["KeyState"] in ("Enabled", "PendingImport")
        if not enabled:
            self.set_enabled(False)
        if policy:
            wait_until(lambda: normal(self.policy()) == normal(policy))
        if tags:
            wait_until(lambda: self.tags() == dict(tags))
        state, metadata = self.read()
        configuration = metadata["MultiRegionConfiguration"]
        assert configuration["MultiRegionKeyType"] == "REPLICA", configuration
        state["primary_key_arn"] = configuration["PrimaryKey"]["Arn"]
        return state


class ExternalKey(Resource):
    """aws_kms_external_key."""

    def create(self, material=None, valid_to=None, enabled=True, policy=None, tags=(), **arguments):
        if policy:
            arguments["Policy"] = policy
        metadata = self.kms.create_key(
            Origin="EXTERNAL", KeyUsage="ENCRYPT_DECRYPT", Tags=tags_of(dict(tags)), **arguments
        )["KeyMetadata"]
        self.id = metadata["KeyId"]
        if material:
            self.import_material(material, valid_to)
            if not enabled:
                self.set_enabled(False)
        if policy:
            wait_until(lambda: normal(self.policy()) == normal(policy))
        return self.read_external()

    def import_material(self, material, valid_to):
        parameters = self.kms.get_parameters_for_import(
            KeyId=self.id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        public = load_der_public_key(parameters["PublicKey"])
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        arguments = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        if valid_to:
            arguments = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
        self.kms.import_key_material(
            KeyId=self.id,
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=public.encrypt(material, oaep),
            **arguments,
        )
        assert self.find_key()["KeyState"] in ("Enabled", "Disabled")
        wait_until(lambda: self.find_key().get("ValidTo") == valid_to)

    def read_external(self):
        state, metadata = self.read()
        assert metadata["Origin"] == "EXTERNAL"
        assert "enable_key_rotation" not in state
        state["key_state"] = metadata["KeyState"]
        state["expiration_model"] = metadata.get("ExpirationModel")
        state["valid_to"] = metadata.get("ValidTo")
        return state


class Alias:
    """aws_kms_alias."""

    def __init__(self, kms, name):
        self.kms, self.name = kms, name

    def create(self, key):
        self.kms.create_alias(AliasName=self.name, TargetKeyId=key)
        return self.read()

    def find(self):
        for page in self.kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == self.name:
                    return alias
        raise NotFound(self.name)

    def read(self):
        alias = self.find()
        target = alias["TargetKeyId"]
        region, account = self.kms.meta.region_name, alias["AliasArn"].split(":")[4]
        assert alias["AliasArn"] == f"arn:aws:kms:{region}:{account}:{self.name}"
        return {"target_key_id": target, "target_key_arn": f"arn:aws:kms:{region}:{account}:key/{target}"}

    def update(self, key):
        self.kms.update_alias(AliasName=self.name, TargetKeyId=key)
        return self.read()

    def delete(self):
        self.kms.delete_alias(AliasName=self.name)
        try:
            self.kms.delete_alias(AliasName=self.name)
            raise AssertionError("an alias was deleted twice")
        except self.kms.exceptions.NotFoundException:
            pass


class Grant:
    """aws_kms_grant."""

    def __init__(self, kms, key):
        self.kms, self.key, self.id = kms, key, None

    def create(self, **arguments):
        answer = self.kms.create_grant(KeyId=self.key, **arguments)
        assert answer["GrantToken"]
        self.id = answer["GrantId"]
        return self.read()

    def read(self):
        for page in self.kms.get_paginator("list_grants").paginate(KeyId=self.key):
            for grant in page["Grants"]:
                if grant["GrantId"] == self.id:
                    return grant
        raise NotFound(self.id)

    def delete(self, retire=False):
        end = self.kms.retire_grant if retire else self.kms.revoke_grant
        end(KeyId=self.key, GrantId=self.id)
        try:
            self.read()
            raise AssertionError("a grant outlived its end")
        except NotFound:
            pass


def statement(sid, principal, action, **more):
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*", **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Id": "key-policy", "Statement": list(statements)})


def main():
    session = boto3.Session()
    kms, iam = session.client("kms"), session.client("iam")
    away = session.client("kms", region_name="eu-west-1")
    account = session.client("sts").get_caller_identity()["Account"]
    root = f"arn:aws:iam::{account}:root"
    role = iam.create_role(
        RoleName="terraform-user",
        AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}],
        }),
    )["Role"]["Arn"]

    policy = document(
        statement("root", [root], ["kms:*"]),
        statement("use", role, ["kms:Encrypt", "kms:Decrypt"], Condition={"Bool": {"kms:MultiRegion": "false"}}),
    )
    key = Key(kms)
    state = key.create(policy, {"Name": "main", "team": ""}, rotation=180, Description="made by a plan")
    assert state["policy"] == normal(policy) and state["tags"] == {"Name": "main", "team": ""}, state
    assert (state["enable_key_rotation"], state["rotation_period_in_days"]) == (True, 180), state
    assert (state["description"], state["is_enabled"], state["multi_region"]) == ("made by a plan", True, False), state

    # An apply that changes everything: on before, off after.
    key.set_rotation(True, 90)
    key.set_rotation(False)
    key.set_description("changed by a plan")
    key.set_policy(document(statement("root", root, "kms:*")))
    key.set_tags({"Name": "main", "stage": "test"})
    key.set_enabled(False)
    state, _ = key.read()
    assert (state["enable_key_rotation"], state["is_enabled"], state["description"]) == (
        False, False, "changed by a plan"), state
    key.set_enabled(True)

    # A policy that names nobody yet is retried until its principal is there.
    unborn = document(statement("root", root, "kms:*"), statement("use", f"arn:aws:iam::{account}:role/unborn", "kms:*"))
    for call in (lambda: kms.create_key(Policy=unborn), lambda: key.set_policy(unborn)):
        try:
            call()
            raise AssertionError("a policy was accepted that names nobody")
        except kms.exceptions.MalformedPolicyDocumentException as error:
            assert "invalid principals" in str(error), error

    alias = Alias(kms, "alias/terraform/main")
    assert alias.create(key.id)["target_key_arn"] == state["arn"]
    other = Key(kms)
    other.create(enabled=False)
    assert alias.update(other.id)["target_key_id"] == other.id
    alias.update(key.id)

    grant = Grant(kms, key.id)
    shown = grant.create(
        Name="my-grant",
        GranteePrincipal=role,
        RetiringPrincipal=session.client("sts").get_caller_identity()["Arn"],
        Operations=["Encrypt", "Decrypt", "GenerateDataKey"],
        Constraints={"EncryptionContextEquals": {"Department": "Finance"}},
    )
    assert (shown["Name"], shown["GranteePrincipal"]) == ("my-grant", role), shown
    assert sorted(shown["Operations"]) == ["Decrypt", "Encrypt", "GenerateDataKey"], shown
    assert shown["Constraints"] == {"EncryptionContextEquals": {"Department": "Finance"}}, shown
    grant.delete(retire=True)
    again = Grant(kms, key.id)
    again.create(GranteePrincipal=role, Operations=["Decrypt"])
    again.delete()

    primary = Key(kms)
    assert primary.create(MultiRegion=True, Description="primary")["multi_region"]
    replica = ReplicaKey(away)
    state = replica.create(primary, policy, {"Name": "replica"}, enabled=False, description="replica")
    assert state["primary_key_arn"] == primary.read()[0]["arn"], state
    assert (state["is_enabled"], state["tags"], state["enable_key_rotation"]) == (False, {"Name": "replica"}, False)
    replica.set_enabled(True)
    primary.set_rotation(True, 365)
    wait_until(lambda: replica.read()[0]["enable_key_rotation"])
    replica.set_tags({})
    replica.set_policy(document(statement("root", root, "kms:*")))
    sealed = kms.encrypt(KeyId=primary.id, Plaintext=b"there")["CiphertextBlob"]
    assert away.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"there"

    external = ExternalKey(kms)
    material = os.urandom(32)
    state = external.create(Description="without material")
    assert (state["key_state"], state["expiration_model"], state["valid_to"]) == ("PendingImport", None, None), state
    external.import_material(material, None)
    # The material's expiry is changed by importing it again.
    valid_to = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)
    external.import_material(material, valid_to)
    state = external.read_external()
    assert (state["key_state"], state["expiration_model"]) == ("Enabled", "KEY_MATERIAL_EXPIRES"), state
    assert state["valid_to"] == valid_to, state
    disabled = ExternalKey(kms)
    state = disabled.create(os.urandom(32), valid_to, enabled=False, policy=policy, tags={"Name": "external"})
    assert (state["key_state"], state["tags"]) == ("Disabled", {"Name": "external"}), state

    # Destroying goes from the leaves to the root.
    alias.delete()
    replica.delete(7)
    for resource in (key, other, external, disabled):
        resource.delete(7)
    # The primary key waits for its replica first, and Terraform for neither.
    primary.kms.schedule_key_deletion(KeyId=primary.id, PendingWindowInDays=7)
    try:
        primary.find_key()
        raise AssertionError("a deleted primary key was found")
    except NotFound as error:
        assert str(error) == "PendingReplicaDeletion", error
    # Reading a state whose key never was: Terraform drops it.
    ghost = Key(kms)
    ghost.id = "11111111-2222-3333-4444-555555555555"
    try:
        ghost.read()
        raise AssertionError("a key that never was was found")
    except NotFound:
        pass
    print("Plans apply, change and are destroyed.")


if __name__ == "__main__":
    try:
        main()
    except ClientError as error:
        raise SystemExit(f"{error.operation_name}: {error}") from error
