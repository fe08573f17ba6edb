//! Files that are not what was written are refused.

use std::fs;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use crypto::Key256;
use crypto::aead::TAG_LENGTH;
use futures_util::StreamExt;

use super::fixture::{Place, block_on, content, owner, read};
use crate::format::{FRAME_BYTES, HEADER_BYTES};
use crate::{BlobError, BlobId, CHUNK_BYTES, Owner, open_whole, seal_whole};

/// Where the version stands.
const VERSION: std::ops::Range<usize> = 8..10;

#[track_caller]
fn assert_refused(id: &BlobId, sealed: &[u8], why: &str) {
    let opened = open_whole(&owner(), id, sealed);
    assert!(matches!(opened, Err(BlobError::NotAuthentic { id: found }) if found == *id), "{why}: {opened:?}");
}

fn flipped(sealed: &[u8], place: usize) -> Vec<u8> {
    let mut changed = sealed.to_vec();
    changed[place] ^= 1 << (place % 8);
    changed
}

#[test]
fn a_change_of_any_byte_is_refused() {
    for length in [0, 1, 300] {
        let (id, sealed) = seal_whole(&owner(), &content(length)).unwrap();
        for place in 0..sealed.len() {
            let changed = flipped(&sealed, place);
            if VERSION.contains(&place) {
                let opened = open_whole(&owner(), &id, &changed);
                assert!(matches!(opened, Err(BlobError::UnknownVersion { .. })), "{place}: {opened:?}");
            } else {
                assert_refused(&id, &changed, &format!("byte {place} of {length} was changed"));
            }
        }
    }
    let (id, sealed) = seal_whole(&owner(), &content(2 * CHUNK_BYTES + 9)).unwrap();
    for place in (HEADER_BYTES..sealed.len()).step_by(97) {
        assert_refused(&id, &flipped(&sealed, place), &format!("byte {place} was changed"));
    }
}

#[test]
fn a_file_of_any_other_length_is_refused() {
    let (id, sealed) = seal_whole(&owner(), &content(40)).unwrap();
    for length in 0..sealed.len() {
        assert_refused(&id, &sealed[..length], &format!("cut to {length}"));
    }
    for more in 1..100 {
        assert_refused(&id, &[&sealed[..], &vec![0; more]].concat(), &format!("extended by {more}"));
    }

    // Full chunks, so that a file without the last of them has a length that a blob can have.
    let (id, sealed) = seal_whole(&owner(), &content(3 * CHUNK_BYTES)).unwrap();
    for chunk in 0..3 {
        for less in [0, 1, TAG_LENGTH, TAG_LENGTH + 1] {
            let length = HEADER_BYTES + chunk * FRAME_BYTES + less;
            assert_refused(&id, &sealed[..length], &format!("cut to {length}"));
        }
    }
    for again in 0..3 {
        let chunk = &sealed[HEADER_BYTES + again * FRAME_BYTES..][..FRAME_BYTES];
        assert_refused(&id, &[&sealed[..], chunk].concat(), &format!("chunk {again} once more"));
    }
}

#[test]
fn chunks_in_other_places_are_refused() {
    let [(one, first), (other, second)] = [(), ()].map(|()| seal_whole(&owner(), &content(4 * CHUNK_BYTES)).unwrap());
    let chunk = |number: usize| HEADER_BYTES + number * FRAME_BYTES..HEADER_BYTES + (number + 1) * FRAME_BYTES;
    for number in 0..4 {
        for place in (0..4).filter(|place| *place != number) {
            let mut moved = first.clone();
            moved[chunk(place)].copy_from_slice(&first[chunk(number)]);
            assert_refused(&one, &moved, &format!("chunk {number} in place of {place}"));
            moved[chunk(number)].copy_from_slice(&first[chunk(place)]);
            assert_refused(&one, &moved, &format!("chunks {number} and {place} changed places"));
        }
        let mut mixed = first.clone();
        mixed[chunk(number)].copy_from_slice(&second[chunk(number)]);
        assert_refused(&one, &mixed, &format!("chunk {number} of another blob"));
        let mut without = first.clone();
        without.drain(chunk(number));
        assert_refused(&one, &without, &format!("without chunk {number}"));
    }
    // One blob's file under another's name, as it is and with the other's header.
    assert_refused(&other, &first, "another blob's file");
    let header = [&second[..HEADER_BYTES], &first[HEADER_BYTES..]].concat();
    assert_refused(&other, &header, "another blob's chunks");
}

#[test]
fn a_blob_of_another_owner_or_key_is_refused() {
    let (id, sealed) = seal_whole(&owner(), b"content").unwrap();
    assert!(open_whole(&owner(), &id, &sealed).is_ok());
    let key = Key256::from_slice(&[7; 32]).unwrap();
    for name in [&b""[..], b"the other", b"the owne", b"the owner\0"] {
        let opened = open_whole(&Owner::new(&key, name), &id, &sealed);
        assert!(matches!(opened, Err(BlobError::NotAuthentic { .. })), "{name:?}");
    }
    let opened = open_whole(&Owner::new(&Key256::random(), b"the owner"), &id, &sealed);
    assert!(matches!(opened, Err(BlobError::NotAuthentic { .. })));
}

/// That opening or reading a blob finds that it is not what was written.
async fn assert_found(place: &Place, id: &BlobId, why: &str) {
    let checked = place.blobs.check(&owner(), id).await;
    assert!(matches!(checked, Err(BlobError::NotAuthentic { .. })), "{why}: {checked:?}");
    let opened = match place.blobs.blob(&owner(), id).await {
        Ok(blob) => read(&blob, 0..blob.plaintext_bytes()).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(opened, Err(BlobError::NotAuthentic { .. })), "{why}: {opened:?}");
}

#[test]
fn damaged_files_are_refused_by_check_and_by_every_reader() {
    let place = Place::new();
    block_on(async {
        let whole = content(6 * CHUNK_BYTES);
        let other = place.write(&whole).await.id;
        for chunk in 0..6 {
            let id = place.write(&whole).await.id;
            place.edit(&id, |bytes| bytes[HEADER_BYTES + chunk * FRAME_BYTES + 5] ^= 1);
            assert_found(&place, &id, &format!("chunk {chunk}")).await;
        }
        let id = place.write(&whole).await.id;
        place.edit(&id, |bytes| bytes.truncate(HEADER_BYTES + 5 * FRAME_BYTES));
        // Already before anything is read from the front.
        let opened = place.blobs.blob(&owner(), &id).await.map(|_| ());
        assert!(matches!(opened, Err(BlobError::NotAuthentic { .. })), "{opened:?}");

        fs::copy(place.file(&other), place.file(&id)).unwrap();
        assert_found(&place, &id, "another blob's file").await;

        // A link is refused although it leads to the genuine file.
        let id = place.write(&whole).await.id;
        let moved = place.path.join("moved");
        fs::rename(place.file(&id), &moved).unwrap();
        for file in ["a link", "a directory", "a pipe"] {
            match file {
                "a link" => symlink(&moved, place.file(&id)).unwrap(),
                "a directory" => fs::create_dir(place.file(&id)).unwrap(),
                _ => {
                    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
                    rustix::fs::mknodat(rustix::fs::CWD, place.file(&id), kind, mode, 0).unwrap();
                }
            }
            assert_found(&place, &id, file).await;
            assert!(place.blobs.list(None, 1000).await.unwrap().iter().all(|listed| listed.id != id), "{file}");
            let _ = fs::remove_file(place.file(&id)).or_else(|_| fs::remove_dir(place.file(&id)));
        }
    });
}

#[test]
fn a_link_in_place_of_a_directory_is_not_followed() {
    let (place, other) = (Place::new(), Place::new());
    block_on(async {
        let id = other.write(b"content").await.id;
        let shelf = place.file(&id).parent().unwrap().to_owned();
        fs::remove_dir(&shelf).unwrap();
        symlink(other.file(&id).parent().unwrap(), &shelf).unwrap();
        assert!(other.blobs.blob(&owner(), &id).await.is_ok());
        assert!(place.blobs.blob(&owner(), &id).await.is_err());
    });
}

#[test]
fn a_range_is_read_without_the_chunks_beside_it() {
    let place = Place::new();
    block_on(async {
        let whole = content(12 * CHUNK_BYTES);
        let id = place.write(&whole).await.id;
        for chunk in [2, 6] {
            place.edit(&id, |bytes| bytes[HEADER_BYTES + chunk * FRAME_BYTES] ^= 1);
        }
        let blob = place.blobs.blob(&owner(), &id).await.unwrap();
        let (start, end) = (3 * CHUNK_BYTES, 6 * CHUNK_BYTES);
        assert!(read(&blob, start as u64..end as u64).await.unwrap() == whole[start..end]);
        for range in [start - 1..end, start..end + 1] {
            let refused = read(&blob, range.start as u64..range.end as u64).await;
            assert!(matches!(refused, Err(BlobError::NotAuthentic { .. })), "{range:?}");
        }
    });
}

#[test]
fn a_stream_ends_at_the_first_piece_that_is_not_authentic() {
    let place = Place::new();
    block_on(async {
        let whole = content(12 * CHUNK_BYTES);
        let id = place.write(&whole).await.id;
        place.edit(&id, |bytes| bytes[HEADER_BYTES + 5 * FRAME_BYTES] ^= 1);
        let blob = place.blobs.blob(&owner(), &id).await.unwrap();
        let pieces: Vec<Result<Bytes, BlobError>> = blob.read_all().collect().await;
        let [Ok(first), Err(BlobError::NotAuthentic { .. })] = &*pieces else { panic!("{pieces:?}") };
        assert!(whole.starts_with(first) && first.len() == 4 * CHUNK_BYTES);
    });
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_refused() {
    let place = Place::new();
    block_on(async {
        let id = place.write(&content(12 * CHUNK_BYTES)).await.id;
        let blob = place.blobs.blob(&owner(), &id).await.unwrap();
        fs::File::options().write(true).open(place.file(&id)).unwrap().set_len(100).unwrap();
        let refused = read(&blob, 0..10).await;
        assert!(matches!(refused, Err(BlobError::NotAuthentic { .. })), "{refused:?}");
    });
}
