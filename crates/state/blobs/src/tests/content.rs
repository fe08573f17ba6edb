//! Content that is written is read back, and shows nowhere.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use futures_util::StreamExt;
use proptest::prelude::*;

use super::fixture::{Place, block_on, content, owner, read, write};
use crate::draft::BATCH_BYTES;
use crate::format::{FRAME_BYTES, HEADER_BYTES};
use crate::{BlobError, BlobId, CHUNK_BYTES, Contents, open_whole, seal_whole};

/// Few cases, since each waits for the disk.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn whatever_is_written_in_whatever_pieces_is_read_back_from_any_place() {
    let place = Place::new();
    let lengths = prop::collection::vec(0..3 * BATCH_BYTES / 2, 0..5);
    let ranges = prop::collection::vec((0.0..1.0, 0.0..1.0), 4);
    proptest!(cases(40), |(lengths in lengths, ranges in ranges)| {
        let whole = content(lengths.iter().sum());
        let mut rest = &*whole;
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, after) = rest.split_at(length);
            pieces.push(piece);
            rest = after;
        }
        block_on(async {
            let written = write(&place.blobs, &pieces).await.unwrap();
            let sealed_bytes = fs::metadata(place.file(&written.id)).unwrap().len();
            let plaintext_bytes = whole.len() as u64;
            let expected = Contents { plaintext_bytes, sealed_bytes };
            assert_eq!(written.contents, expected);
            assert_eq!(place.blobs.check(&owner(), &written.id).await.unwrap(), expected);
            let blob = place.blobs.blob(&owner(), &written.id).await.unwrap();
            assert_eq!((blob.id(), blob.plaintext_bytes()), (written.id, plaintext_bytes));
            for (one, other) in ranges {
                let at = |part: f64| (whole.len() as f64 * part) as usize;
                let (start, end) = (at(one).min(at(other)), at(one).max(at(other)));
                assert!(read(&blob, start as u64..end as u64).await.unwrap() == whole[start..end]);
                let mut bytes = vec![0; end - start];
                blob.read_at(start as u64, &mut bytes).unwrap();
                assert!(bytes == whole[start..end]);
            }
            let chunks = (0..plaintext_bytes.div_ceil(CHUNK_BYTES as u64).max(1)).map(|number| blob.chunk(number).unwrap());
            assert!(chunks.flat_map(|chunk| chunk.expose().to_vec()).eq(whole.iter().copied()));
        });
    });
}

#[test]
fn what_lies_behind_the_end_is_not_read_at_once_either() {
    let place = Place::new();
    block_on(async {
        let written = place.write(&content(CHUNK_BYTES + 5)).await;
        let blob = place.blobs.blob_blocking(&owner(), &written.id).unwrap();
        blob.read_at(CHUNK_BYTES as u64 + 5, &mut []).unwrap();
        let end = CHUNK_BYTES as u64 + 5;
        assert!(blob.piece(end..end).unwrap().is_empty() && blob.piece(7..7).unwrap().is_empty());
        assert!(matches!(blob.piece(end..end + 1), Err(BlobError::OutOfRange { .. })));
        for (offset, length) in [(CHUNK_BYTES as u64 + 5, 1), (0, CHUNK_BYTES + 6), (u64::MAX, 2)] {
            let mut bytes = vec![0; length];
            assert!(matches!(blob.read_at(offset, &mut bytes), Err(BlobError::OutOfRange { .. })), "{offset}");
        }
        assert!(matches!(blob.chunk(2), Err(BlobError::OutOfRange { .. })));
    });
}

#[test]
fn a_blob_in_memory_is_what_lies_in_a_file() {
    let place = Place::new();
    proptest!(cases(40), |(length in 0..3 * CHUNK_BYTES)| {
        let whole = content(length);
        let (id, sealed) = seal_whole(&owner(), &whole).unwrap();
        fs::write(place.file(&id), &sealed).unwrap();
        let found = block_on(place.blobs.check(&owner(), &id)).unwrap();
        assert_eq!((found.plaintext_bytes, found.sealed_bytes), (length as u64, sealed.len() as u64));
        assert!(open_whole(&owner(), &id, &sealed).unwrap() == whole);
    });
}

#[test]
fn lengths_and_ranges_at_the_edges_of_chunks_are_read_back() {
    let place = Place::new();
    let near = |edge: usize| [edge.saturating_sub(1), edge, edge + 1];
    block_on(async {
        for length in [0, CHUNK_BYTES, 2 * CHUNK_BYTES, BATCH_BYTES, 2 * BATCH_BYTES].into_iter().flat_map(near) {
            let whole = content(length);
            let written = place.write(&whole).await;
            let blob = place.blobs.blob(&owner(), &written.id).await.unwrap();
            let edges: Vec<usize> = [0, CHUNK_BYTES, BATCH_BYTES, length].into_iter().flat_map(near).collect();
            for (&start, &end) in edges.iter().flat_map(|start| edges.iter().map(move |end| (start, end))) {
                match read(&blob, start as u64..end as u64).await {
                    Ok(found) => assert!(found == whole[start..end], "{start}..{end} of {length}"),
                    Err(BlobError::OutOfRange { id, plaintext_bytes }) => {
                        assert_eq!((id, plaintext_bytes), (written.id, length as u64));
                        assert!(start > end || end > length, "{start}..{end} of {length}");
                    }
                    Err(error) => panic!("{start}..{end} of {length}: {error}"),
                }
            }
        }
    });
}

#[test]
fn a_stream_says_how_much_is_to_come_and_reads_one_piece_ahead() {
    let place = Place::new();
    block_on(async {
        let whole = content(3 * BATCH_BYTES + 5);
        let written = place.write(&whole).await;
        let blob = place.blobs.blob(&owner(), &written.id).await.unwrap();
        let mut reading = blob.read_all();
        assert_eq!(reading.remaining_bytes(), whole.len() as u64);
        let first = reading.next().await.unwrap().unwrap();
        assert_eq!(first.len(), BATCH_BYTES);
        // The second piece is on its way whether it is asked for or not, and nothing beyond it.
        assert_eq!(reading.remaining_bytes(), whole.len() as u64 - BATCH_BYTES as u64);
        assert_eq!(reading.unread_bytes(), whole.len() as u64 - 2 * BATCH_BYTES as u64);
    });
}

#[test]
fn a_blob_that_was_never_written_is_missing() {
    let place = Place::new();
    let id = BlobId::from_bytes([9; 16]);
    let refused = block_on(place.blobs.blob(&owner(), &id));
    assert!(matches!(refused, Err(BlobError::Missing { id: found }) if found == id));
}

#[test]
fn nothing_is_readable_on_disk_and_only_by_its_owner() {
    let place = Place::new();
    let marker = b"a sentence that shows wherever it is written as it is. ";
    let whole = marker.repeat(5000);
    block_on(async {
        drop(place.write(&whole).await);
        let mut draft = place.blobs.draft(&owner()).await.unwrap();
        draft.write(whole.into()).await.unwrap();
        let files = place.files();
        assert_eq!(files.len(), 2, "a blob and a draft");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.len() > CHUNK_BYTES);
            for secret in [&marker[..16], b"the owner", &[7; 32]] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{secret:?}");
            }
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o700);
    });
}

/// A nonce that is used twice under a key gives the same ciphertext, whatever the tag is.
#[test]
fn no_two_chunks_are_sealed_with_the_same_key_and_nonce() {
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let (_, sealed) = seal_whole(&owner(), &vec![0; 3 * CHUNK_BYTES]).unwrap();
        for frame in sealed[HEADER_BYTES..].chunks(FRAME_BYTES) {
            assert!(seen.insert(frame[..CHUNK_BYTES].to_vec()));
        }
    }
}

#[test]
fn a_blob_of_version_1_opens_in_later_builds() {
    let id = BlobId::parse("405446139ef75dee5a66e784b88a4d0e").unwrap();
    let sealed = "5345414c424c4f420001405446139ef75dee5a66e784b88a4d0ec400b35e376f4ade70a03673f0\
                  9ae4fe7367749e33f71f3a55d4eda3b9e581dc8b077ccb69";
    let sealed: [u8; 63] = crypto::hex::decode(sealed).unwrap();
    assert_eq!(open_whole(&owner(), &id, &sealed).unwrap(), b"sealed in version one");
}
