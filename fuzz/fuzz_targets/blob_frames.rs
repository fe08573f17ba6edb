//! Sealed blobs: opening never panics, and only what was sealed opens, to what it was.
#![no_main]

use std::sync::LazyLock;

use blobs::{BlobId, CHUNK_BYTES, Owner, open_whole, seal_whole};
use crypto::Key256;
use libfuzzer_sys::fuzz_target;

static OWNER: LazyLock<Owner> = LazyLock::new(|| Owner::new(&Key256::from_slice(&[7; 32]).expect("32 bytes"), b"fuzz"));

/// Contents of no bytes, part of a chunk, a whole one and three chunks, each with its id and its sealed bytes.
static BLOBS: LazyLock<Vec<(Vec<u8>, BlobId, Vec<u8>)>> = LazyLock::new(|| {
    let lengths = [0, 40, CHUNK_BYTES, 2 * CHUNK_BYTES + 40];
    let sealed = lengths.into_iter().map(|length| {
        let plaintext = vec![length as u8; length];
        let (id, sealed) = seal_whole(&OWNER, &plaintext).expect("it is short");
        (plaintext, id, sealed)
    });
    sealed.collect()
});

fuzz_target!(|input: (u8, u32, u32, u8, &[u8])| {
    let (which, place, length, way, bytes) = input;
    let (plaintext, id, sealed) = &BLOBS[usize::from(which) % BLOBS.len()];
    let place = place as usize % (sealed.len() + 1);
    let end = place + length as usize % (sealed.len() - place + 1);
    let mut changed = sealed.clone();
    match way % 4 {
        // Other bytes altogether.
        0 => changed = bytes.to_vec(),
        // Bytes in place of a part, which may be empty.
        1 => drop(changed.splice(place..end, bytes.iter().copied())),
        // A part moved to the end, or put there once more.
        2 => changed.extend_from_within(place..end),
        _ => changed[place..].iter_mut().zip(bytes).for_each(|(place, byte)| *place ^= byte),
    }
    match open_whole(&OWNER, id, &changed) {
        Ok(opened) => assert!(changed == *sealed && opened == *plaintext),
        Err(_) => assert!(changed != *sealed),
    }
});
