"""Encrypts or decrypts one file as a stream with the official Python SDK, under a raw key.

Usage: encryption_sdk.py encrypt|decrypt SUITE FRAME_LENGTH SOURCE SINK.
"""

import sys

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders, models
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_encryption_sdk.identifiers import AlgorithmSuite

CHUNK_BYTES = 1 << 20

verb, suite, frame_length, source, sink = sys.argv[1:]
keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_raw_aes_keyring(
    models.CreateRawAesKeyringInput(
        key_namespace="benchmark", key_name="key", wrapping_key=bytes([7] * 32), wrapping_alg="ALG_AES256_GCM_IV12_TAG16"))
options = {"keyring": keyring}
if verb == "encrypt":
    options |= {"algorithm": AlgorithmSuite.get_by_id(int(suite, 16)), "frame_length": int(frame_length)}
with open(source, "rb") as data, open(sink, "wb") as target:
    with aws_encryption_sdk.EncryptionSDKClient().stream(mode=verb[0], source=data, **options) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            target.write(chunk)
