"""Multi-Region keys with the AWS Encryption SDK: its MRK-aware providers seal in one Region and open in another, each with
the Region's own related key. The last line says that they did, also after the primary Region has moved and the key rotated.
"""

import boto3
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.key_providers.kms import MRKAwareStrictAwsKmsMasterKeyProvider

AWAY = "eu-west-1"


def main():
    session = boto3.Session()
    kms = session.client("kms")
    away = session.client("kms", region_name=AWAY)
    primary = kms.create_key(MultiRegion=True)["KeyMetadata"]
    replica = kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=AWAY)["ReplicaKeyMetadata"]
    sdk = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    providers = {
        arn: MRKAwareStrictAwsKmsMasterKeyProvider(key_ids=[arn]) for arn in (primary["Arn"], replica["Arn"])
    }

    def there_and_back():
        for sealing, opening in (tuple(providers), tuple(reversed(providers))):
            sealed, _ = sdk.encrypt(source=b"message", key_provider=providers[sealing], encryption_context={"a": "b"})
            opened, header = sdk.decrypt(source=sealed, key_provider=providers[opening])
            assert opened == b"message" and header.encryption_context["a"] == "b"
            # The message names the key that sealed; the other Region's key opened it.
            assert next(iter(header.encrypted_data_keys)).key_provider.key_info.decode() == sealing

    there_and_back()
    kms.rotate_key_on_demand(KeyId=primary["KeyId"])
    there_and_back()
    kms.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion=AWAY)
    away.rotate_key_on_demand(KeyId=primary["KeyId"])
    there_and_back()
    ids = {client.describe_key(KeyId=primary["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] for client in (kms, away)}
    assert len(ids) == 1, ids
    print("The Encryption SDK opens in each Region what it sealed in the other.")


if __name__ == "__main__":
    main()
