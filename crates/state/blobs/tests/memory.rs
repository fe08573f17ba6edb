//! How much memory a long content takes on its way in and out.

use blobs::{Blobs, Owner};
use bytes::Bytes;
use crypto::Key256;
use futures_util::TryStreamExt;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn a_long_content_takes_as_much_memory_as_a_short_one() {
    let dir = std::env::temp_dir().join(format!("sealstack-blobs-memory-{}", std::process::id()));
    let blobs = Blobs::in_directory(&dir).unwrap();
    let owner = Owner::new(&Key256::random(), b"the owner");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let piece = Bytes::from(vec![5; 1 << 20]);
    // One value for both ways: reading holds two pieces, each sealed and opened for a moment.
    let most = |length: usize| {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        runtime.block_on(async {
            let mut draft = blobs.draft(&owner).await.unwrap();
            for _ in 0..length {
                draft.write(piece.clone()).await.unwrap();
            }
            let written = draft.finish().await.unwrap();
            let blob = blobs.blob(&owner, &written.id).await.unwrap();
            let read = blob.read_all().try_fold(0, |read, piece| async move { Ok(read + piece.len()) });
            assert_eq!(read.await.unwrap(), length << 20);
        });
        MEMORY.peak_usage() - before
    };
    most(2);
    let (short, long) = (most(4), most(128));
    let _ = std::fs::remove_dir_all(&dir);
    assert!(long < short + (256 << 10), "{long} bytes for 128 MiB, {short} for 4 MiB");
    assert!(long < 2 << 20, "{long} bytes");
}
