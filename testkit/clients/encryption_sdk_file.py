"""A large file through the unmodified AWS Encryption SDK, with an encryption context and a strict provider.

Usage: encryption_sdk_file.py KEY_ARN FILE. Leaves nothing behind but proof on stdout.
"""

import hashlib
import os
import sys

import aws_encryption_sdk
from aws_encryption_sdk import CommitmentPolicy, StrictAwsKmsMasterKeyProvider

CHUNK_BYTES = 1 << 20
CONTEXT = {"purpose": "walk", "client": "aws-encryption-sdk"}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    key_arn, path = sys.argv[1:]
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )
    provider = StrictAwsKmsMasterKeyProvider(key_ids=[key_arn])
    sealed, opened = path + ".sealed", path + ".opened"

    with open(path, "rb") as source, open(sealed, "wb") as target:
        with client.stream(
            mode="e",
            source=source,
            key_provider=provider,
            encryption_context=CONTEXT,
            frame_length=CHUNK_BYTES,
        ) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                target.write(chunk)
    with open(sealed, "rb") as source, open(opened, "wb") as target:
        with client.stream(mode="d", source=source, key_provider=provider) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                target.write(chunk)
            if not CONTEXT.items() <= stream.header.encryption_context.items():
                sys.exit("Encryption SDK: the encryption context is not the one given")
            suite = stream.header.algorithm.name
    if digest(path) != digest(opened):
        sys.exit("Encryption SDK: the file came back changed")
    print(f"Encryption SDK: {os.path.getsize(path)} bytes there and back, {suite}")
    os.remove(sealed)
    os.remove(opened)


if __name__ == "__main__":
    main()
