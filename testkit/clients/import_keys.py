"""Keys from outside: material is wrapped with Python's `cryptography`, as a customer would, and imported with boto3.

What was imported is used through the server and checked against the same key here. The last line says that all of it
agreed.
"""

import os
import sys

import boto3
from cryptography.hazmat.primitives import hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def oaep(algorithm):
    digest = hashes.SHA256() if algorithm.endswith("SHA_256") else hashes.SHA1()
    return padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)


def wrap(public, algorithm, material):
    if algorithm.startswith("RSA_AES"):
        # An AES key of the customer's own wraps the material, the public key wraps the AES key.
        aes = os.urandom(32)
        return public.encrypt(aes, oaep(algorithm)) + keywrap.aes_key_wrap_with_padding(aes, material)
    return public.encrypt(material, oaep(algorithm))


def import_material(kms, key, material, algorithm, spec):
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)
    public = serialization.load_der_public_key(parameters["PublicKey"])
    assert public.key_size == int(spec.removeprefix("RSA_")), public.key_size
    answer = kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrap(public, algorithm, material),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    return answer


def symmetric(kms, algorithm, spec):
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    material = os.urandom(32)
    first = import_material(kms, key, material, algorithm, spec)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    try:
        kms.decrypt(CiphertextBlob=sealed)
        raise AssertionError("deleted material decrypted")
    except kms.exceptions.KMSInvalidStateException:
        pass
    try:
        import_material(kms, key, os.urandom(32), algorithm, spec)
        raise AssertionError("other material was taken for the same")
    except kms.exceptions.IncorrectKeyMaterialException:
        pass
    assert import_material(kms, key, material, algorithm, spec)["KeyMaterialId"] == first["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def external(kms, spec, usage):
    return kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]


def mac(kms, algorithm, spec):
    for length, digest in ((28, hashes.SHA224()), (32, hashes.SHA256()), (48, hashes.SHA384()), (64, hashes.SHA512())):
        bits = digest.digest_size * 8
        key, material = external(kms, f"HMAC_{bits}", "GENERATE_VERIFY_MAC"), os.urandom(length)
        import_material(kms, key, material, algorithm, spec)
        answer = kms.generate_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{bits}", Message=b"message")
        own = hmac.HMAC(material, digest)
        own.update(b"message")
        assert answer["Mac"] == own.finalize(), bits


def der(tag, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 0x80 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def without_public_key(private):
    """The private key in PKCS#8 as some other libraries write it."""
    encoded = private.private_bytes(*PKCS8)
    # What a P-256 key's PKCS#8 says of its algorithm.
    algorithm = encoded[encoded.index(b"\x30\x13"):][:21]
    scalar = private.private_numbers().private_value.to_bytes(32, "big")
    return der(0x30, b"\x02\x01\x00", algorithm, der(4, der(0x30, b"\x02\x01\x01", der(4, scalar))))


def elliptic(kms, algorithm, spec):
    for name, curve, signing, digest in (
        ("ECC_NIST_P256", ec.SECP256R1(), "ECDSA_SHA_256", hashes.SHA256()),
        ("ECC_NIST_P384", ec.SECP384R1(), "ECDSA_SHA_384", hashes.SHA384()),
        ("ECC_NIST_P521", ec.SECP521R1(), "ECDSA_SHA_512", hashes.SHA512()),
        ("ECC_SECG_P256K1", ec.SECP256K1(), "ECDSA_SHA_256", hashes.SHA256()),
    ):
        private = ec.generate_private_key(curve)
        key = external(kms, name, "SIGN_VERIFY")
        # Wrapped directly, the longest is too long for the shortest wrapping key.
        longer = name == "ECC_NIST_P521" and algorithm.startswith("RSAES")
        import_material(kms, key, private.private_bytes(*PKCS8), algorithm, "RSA_3072" if longer else spec)
        signed = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm=signing)
        private.public_key().verify(signed["Signature"], b"message", ec.ECDSA(digest))
        own = private.sign(b"message", ec.ECDSA(digest))
        assert kms.verify(KeyId=key, Message=b"message", Signature=own, SigningAlgorithm=signing)["SignatureValid"]
        assert kms.get_public_key(KeyId=key)["PublicKey"] == private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    private = ec.generate_private_key(ec.SECP256R1())
    key = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    import_material(kms, key, without_public_key(private), algorithm, spec)
    # Another encoding of the same key is the same material.
    import_material(kms, key, private.private_bytes(*PKCS8), algorithm, spec)
    signed = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm="ECDSA_SHA_256")
    private.public_key().verify(signed["Signature"], b"message", ec.ECDSA(hashes.SHA256()))
    private = ed25519.Ed25519PrivateKey.generate()
    key = external(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    import_material(kms, key, private.private_bytes(*PKCS8), algorithm, spec)
    signed = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm="ED25519_SHA_512")
    private.public_key().verify(signed["Signature"], b"message")


def rivest(kms, algorithm, spec):
    for bits in (2048, 3072, 4096):
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        key = external(kms, f"RSA_{bits}", "ENCRYPT_DECRYPT")
        import_material(kms, key, private.private_bytes(*PKCS8), algorithm, spec)
        sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
        assert private.decrypt(sealed["CiphertextBlob"], oaep("SHA_256")) == b"secret"
    signer = external(kms, "RSA_2048", "SIGN_VERIFY")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    import_material(kms, signer, private.private_bytes(*PKCS8), algorithm, spec)
    signed = kms.sign(KeyId=signer, Message=b"message", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
    private.public_key().verify(signed["Signature"], b"message", padding.PKCS1v15(), hashes.SHA256())
    # A key of another length, or of another kind, is not this key's.
    for stranger in (rsa.generate_private_key(public_exponent=65537, key_size=3072), ec.generate_private_key(ec.SECP256R1())):
        try:
            import_material(kms, signer, stranger.private_bytes(*PKCS8), algorithm, spec)
            raise AssertionError("a key of another spec was imported")
        except kms.exceptions.IncorrectKeyMaterialException:
            pass


def main():
    kms = boto3.client("kms")
    for algorithm, spec in (
        ("RSAES_OAEP_SHA_1", "RSA_2048"), ("RSAES_OAEP_SHA_256", "RSA_3072"),
        ("RSA_AES_KEY_WRAP_SHA_1", "RSA_2048"), ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"),
    ):
        symmetric(kms, algorithm, spec)
    largest = external(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    import_material(kms, largest, os.urandom(32), "RSAES_OAEP_SHA_256", "RSA_4096")
    mac(kms, "RSAES_OAEP_SHA_256", "RSA_2048")
    elliptic(kms, "RSAES_OAEP_SHA_256", "RSA_2048")
    elliptic(kms, "RSA_AES_KEY_WRAP_SHA_1", "RSA_2048")
    rivest(kms, "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048")
    print("What was imported is what the customer has.")


if __name__ == "__main__":
    sys.exit(main())
