//! Bodies in aws-chunked frames: reading them never panics, and nothing passes that was not signed or is not as long as said.
#![no_main]

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use wire::body::{Body, BodyError};
use wire::sigv4::{Authorization, ChunkChain, RequestParts, SigningKey, StatedPayload};

fn chain() -> Option<ChunkChain> {
    let mut headers = HeaderMap::new();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIA/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature={}",
        "0".repeat(64)
    );
    headers.insert("authorization", HeaderValue::try_from(authorization).ok()?);
    headers.insert("x-amz-date", HeaderValue::from_static("20130524T000000Z"));
    let parts = RequestParts { method: "PUT", path: "/", query: "", headers: &headers, host: Some("s3") };
    let key = SigningKey::derive(b"a secret nobody knows", "20130524", "us-east-1", "s3");
    Some(Authorization::parse(&parts).ok()?.chunk_chain(Arc::new(key)))
}

/// The plaintext's length, if all of it passes.
fn read(mut body: Body, pieces: [&[u8]; 2]) -> Result<u64, BodyError> {
    let mut length = 0;
    for mut piece in pieces {
        while let Some(plain) = body.push(&mut piece)? {
            length += plain.len() as u64;
        }
        assert!(piece.is_empty());
    }
    body.finish().map(|finished| {
        assert_eq!(finished.length, length);
        length
    })
}

fuzz_target!(|input: (u8, u8, u16, &[u8])| {
    let (stated, length, cut, bytes) = input;
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-decoded-content-length", HeaderValue::from(u64::from(length)));
    let stated = match stated % 3 {
        0 => StatedPayload::UnsignedChunks,
        1 => StatedPayload::SignedChunks { trailer: true },
        _ => StatedPayload::SignedChunks { trailer: false },
    };
    if !matches!(stated, StatedPayload::SignedChunks { trailer: false }) && length % 2 == 0 {
        headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
    }
    let Ok(body) = Body::new(stated, &headers, chain()) else { return };
    let pieces = bytes.split_at(bytes.len().min(cut.into()));
    match read(body, pieces.into()) {
        Ok(read) => {
            assert_eq!(stated, StatedPayload::UnsignedChunks);
            assert_eq!(read, u64::from(length));
        }
        Err(error) => assert!(error.fault().status >= 400),
    }
});
