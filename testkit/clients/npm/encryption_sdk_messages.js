// Encrypts and decrypts files with the official SDK for Node.js as a test asks for it.
//
// Usage: encryption_sdk_messages.js REQUEST, as encryption_sdk_messages.py takes it.
'use strict'

const { constants } = require('node:crypto')
const { readFileSync, rmSync, writeFileSync } = require('node:fs')
const {
  buildClient, CommitmentPolicy, KmsKeyringNode, RawAesKeyringNode, RawAesWrappingSuiteIdentifier, RawRsaKeyringNode,
} = require('@aws-crypto/client-node')

const WRAPPING_SUITES = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
}

const PADDINGS = {
  PKCS1: { padding: constants.RSA_PKCS1_PADDING },
  OAEP_SHA1_MGF1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  OAEP_SHA256_MGF1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
  OAEP_SHA384_MGF1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha384' },
  OAEP_SHA512_MGF1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha512' },
}

function keyring (spec) {
  switch (spec.kind) {
    case 'aes': {
      // The SDK insists on a buffer of its own, not a part of Node.js's pool.
      const unencryptedMasterKey = Uint8Array.from(Buffer.from(spec.key, 'base64'))
      const wrappingSuite = WRAPPING_SUITES[unencryptedMasterKey.length]
      return new RawAesKeyringNode({ keyNamespace: 'interop', keyName: 'aes', unencryptedMasterKey, wrappingSuite })
    }
    case 'rsa': {
      const rsaKey = { publicKey: spec.public, privateKey: spec.private }
      return new RawRsaKeyringNode({ keyNamespace: 'interop', keyName: 'rsa', rsaKey, ...PADDINGS[spec.padding] })
    }
    case 'kms':
      return new KmsKeyringNode({ generatorKeyId: spec.key })
    case 'kms-multi':
      return new KmsKeyringNode({ generatorKeyId: spec.generator ?? undefined, keyIds: spec.keys })
    case 'kms-discovery':
      return new KmsKeyringNode({
        discovery: true, discoveryFilter: { accountIDs: [spec.account], partition: 'aws' },
      })
    default:
      throw new Error(spec.kind)
  }
}

// Committing suites are those of the format's second version.
function client (suite) {
  return buildClient(suite === 0x0478 || suite === 0x0578
    ? CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    : CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
}

async function run (testCase, pair) {
  const { encrypt, decrypt } = client(testCase.suite)
  const source = readFileSync(testCase.source)
  const ours = keyring(pair[testCase.do])
  if (testCase.do === 'encrypt') {
    const { result } = await encrypt(ours, source, {
      suiteId: testCase.suite, frameLength: testCase.frame_length, encryptionContext: testCase.context,
    })
    writeFileSync(testCase.sink, result)
    return
  }
  const { plaintext, messageHeader } = await decrypt(ours, source)
  for (const [name, value] of Object.entries(testCase.context)) {
    if (messageHeader.encryptionContext[name] !== value) throw new Error(`the context lacks ${name}`)
  }
  if (!plaintext.equals(readFileSync(testCase.expected))) throw new Error('another plaintext came out')
  rmSync(testCase.source)
}

async function main () {
  const { keyrings, cases } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  for (const testCase of cases) {
    try {
      await run(testCase, keyrings[testCase.keyring])
    } catch (error) {
      throw new Error(`${testCase.what}: ${error.stack}`)
    }
  }
}

main()
