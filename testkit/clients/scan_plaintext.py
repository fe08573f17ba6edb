"""Tells a server things of every kind and prints each, as label TAB hexadecimal, for a search of its directory.

Each text is printed as UTF-8, as UTF-16, in base64 and reversed case where that applies, so that a mere re-encoding does not hide it.
"""

import base64
import json

import boto3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding


def tell_pairs(kms, tell, key):
    """Private keys, of which every part that is secret is told, and what is made with keys that are not symmetric."""
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_2048")
    numbers = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None).private_numbers()
    for name in ("d", "p", "q"):
        value = getattr(numbers, name)
        tell(f"the RSA data key's {name}", value.to_bytes((value.bit_length() + 7) // 8, "big"))

    imported = ec.generate_private_key(ec.SECP256R1())
    der = imported.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    parameters = kms.get_parameters_for_import(
        KeyId=signing, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_4096")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    kms.import_key_material(
        KeyId=signing,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=serialization.load_der_public_key(parameters["PublicKey"]).encrypt(der, oaep),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    tell("the imported private key", imported.private_numbers().private_value.to_bytes(32, "big"))
    message = b"the cinnabar resolution is carried"
    tell("the signed message", message)
    signature = kms.sign(KeyId=signing, Message=message, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    imported.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))

    mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    tell("the code", kms.generate_mac(KeyId=mac, Message=message, MacAlgorithm="HMAC_SHA_256")["Mac"])
    agreeing = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    peer = ec.generate_private_key(ec.SECP384R1()).public_key()
    spki = peer.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    derived = kms.derive_shared_secret(KeyId=agreeing, KeyAgreementAlgorithm="ECDH", PublicKey=spki)
    tell("the shared secret", derived["SharedSecret"])


def main():
    told = []

    def tell(label, value):
        raw = value if isinstance(value, bytes) else value.encode()
        told.append((label, raw))
        told.append((label + " in base64", base64.b64encode(raw).rstrip(b"=")))
        told.append((label + " in hexadecimal", raw.hex().encode()))
        if not isinstance(value, bytes):
            told.append((label + " in UTF-16", value.encode("utf-16-le")))

    kms, iam, sts = boto3.client("kms"), boto3.client("iam"), boto3.client("sts")
    account = sts.get_caller_identity()["Account"]

    policy = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Heliotrope policy statement",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    tell("the key policy's Sid", "Heliotrope policy statement")
    tell("the description", "quarterly obsidian forecasts")
    key = kms.create_key(
        Policy=policy,
        Description="quarterly obsidian forecasts",
        Tags=[{"TagKey": "vermilion-team", "TagValue": "saffron-ledger"}],
    )["KeyMetadata"]["KeyId"]
    tell("the tag's key", "vermilion-team")
    tell("the tag's value", "saffron-ledger")
    kms.create_alias(AliasName="alias/cerulean-vault", TargetKeyId=key)
    tell("the alias", "cerulean-vault")

    context = {"amaranth-purpose": "periwinkle-value"}
    tell("the encryption context", "periwinkle-value")
    plaintext = b"tell nobody about the chartreuse protocol"
    tell("the plaintext", plaintext)
    sealed = kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == plaintext
    tell("the data key", kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)["Plaintext"])
    tell("random bytes", kms.generate_random(NumberOfBytes=32)["Plaintext"])
    kms.update_key_description(KeyId=key, Description="superseded gamboge wording")
    tell("the second description", "superseded gamboge wording")
    kms.rotate_key_on_demand(KeyId=key)
    tell_pairs(kms, tell, key)

    iam.create_user(UserName="magenta-operator")
    tell("the user's name", "magenta-operator")
    made = iam.create_access_key(UserName="magenta-operator")["AccessKey"]
    tell("the secret access key", made["SecretAccessKey"])
    document = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "UltramarineInline", "Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
    })
    iam.put_user_policy(UserName="magenta-operator", PolicyName="viridian-policy", PolicyDocument=document)
    tell("the inline policy's Sid", "UltramarineInline")
    tell("the inline policy's name", "viridian-policy")
    iam.create_policy(PolicyName="mauve-managed", PolicyDocument=document.replace("UltramarineInline", "CarmineManaged"))
    tell("the managed policy's Sid", "CarmineManaged")
    tell("the managed policy's name", "mauve-managed")
    kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{account}:user/magenta-operator",
        Operations=["Decrypt"],
        Name="indigo-grant",
    )
    tell("the grant's name", "indigo-grant")

    for label, value in told:
        print(f"{label}\t{value.hex()}")


if __name__ == "__main__":
    main()
