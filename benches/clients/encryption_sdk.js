// Encrypts or decrypts one file as a stream with the official SDK for Node.js, under a raw key.
//
// Usage: encryption_sdk.js encrypt|decrypt SUITE FRAME_LENGTH SOURCE SINK.
'use strict'

const { createReadStream, createWriteStream } = require('node:fs')
const { pipeline } = require('node:stream/promises')
const {
  buildClient, CommitmentPolicy, RawAesKeyringNode, RawAesWrappingSuiteIdentifier,
} = require('@aws-crypto/client-node')

const [verb, suite, frameLength, source, sink] = process.argv.slice(2)
const { encryptStream, decryptUnsignedMessageStream } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
// The SDK insists on a buffer of its own, not a part of Node.js's pool.
const unencryptedMasterKey = new Uint8Array(32).fill(7)
const keyring = new RawAesKeyringNode({
  keyNamespace: 'benchmark',
  keyName: 'key',
  unencryptedMasterKey,
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
})
const stream = verb === 'encrypt'
  ? encryptStream(keyring, { suiteId: parseInt(suite, 16), frameLength: Number(frameLength) })
  : decryptUnsignedMessageStream(keyring)
pipeline(createReadStream(source, { highWaterMark: 1 << 20 }), stream, createWriteStream(sink))
