// Stores, lists, takes back and removes a tree with the AWS SDK for JavaScript, version 3.
//
// Usage: s3_sdk.js ENDPOINT FOLDER

"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const s3 = require("@aws-sdk/client-s3");

const [endpoint, folder] = process.argv.slice(2);
const Bucket = "bucket-one";
const client = new s3.S3Client({ endpoint, region: "us-east-1", forcePathStyle: true });

async function everything(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function main() {
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  const names = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  for (const Key of names) {
    const whole = path.join(folder, Key);
    // A stream, whose checksum is a trailer, and a buffer, whose checksum is a header, by turns.
    const Body = Key.length % 2 ? fs.createReadStream(whole) : fs.readFileSync(whole);
    const ContentLength = fs.statSync(whole).size;
    const put = await client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ContentLength, Metadata: { of: "walk" } }));
    assert.ok(put.ETag && put.ChecksumCRC32, Key);
  }
  const listed = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 10 }, { Bucket })) {
    listed.push(...page.Contents.map((object) => object.Key));
  }
  assert.deepStrictEqual(listed, [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  for (const Key of names) {
    // The SDK compares the checksum of what it reads.
    const got = await client.send(new s3.GetObjectCommand({ Bucket, Key }));
    assert.ok((await everything(got.Body)).equals(fs.readFileSync(path.join(folder, Key))), Key);
    assert.strictEqual(got.Metadata.of, "walk");
  }
  const begun = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: "parts", ChecksumAlgorithm: "SHA256" }));
  const large = fs.readFileSync(path.join(folder, "large"));
  const Parts = [];
  for (let at = 0, PartNumber = 1; at < large.length; at += 6 << 20, PartNumber++) {
    const Body = large.subarray(at, at + (6 << 20));
    const id = { Bucket, Key: "parts", UploadId: begun.UploadId, PartNumber };
    const part = await client.send(new s3.UploadPartCommand({ ...id, Body, ChecksumAlgorithm: "SHA256" }));
    Parts.push({ PartNumber, ETag: part.ETag, ChecksumSHA256: part.ChecksumSHA256 });
  }
  const id = { Bucket, Key: "parts", UploadId: begun.UploadId };
  const complete = await client.send(new s3.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts } }));
  assert.match(complete.ETag, new RegExp(`-${Parts.length}"$`));
  const whole = await client.send(new s3.GetObjectCommand({ Bucket, Key: "parts" }));
  assert.ok((await everything(whole.Body)).equals(large));
  await assert.rejects(client.send(new s3.GetObjectCommand({ Bucket, Key: "absent" })), { name: "NoSuchKey" });
  await assert.rejects(client.send(new s3.DeleteBucketCommand({ Bucket })), { name: "BucketNotEmpty" });
  const Objects = [...names, "parts"].map((Key) => ({ Key }));
  const deleted = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.strictEqual(deleted.Deleted.length, Objects.length);
  await client.send(new s3.DeleteBucketCommand({ Bucket }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
