//! How fast a long content goes in and out of a directory. Run in a release build: it prints, and holds nothing to it.

use std::time::Instant;

use blobs::{Blobs, Owner};
use bytes::Bytes;
use crypto::Key256;
use futures_util::{StreamExt, TryStreamExt};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const PIECE: usize = 64 * 1024;
const PIECES: usize = 1 << 14;

#[test]
#[ignore = "takes a gigabyte of disk, and tells something in a release build only"]
fn a_gigabyte_in_and_out() {
    let dir = std::env::temp_dir().join(format!("sealstack-blobs-figures-{}", std::process::id()));
    let blobs = Blobs::in_directory(&dir).unwrap();
    let owner = Owner::new(&Key256::random(), b"the owner");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let piece = Bytes::from(vec![5; PIECE]);
    let mebibytes = (PIECE * PIECES) as f64 / f64::from(1 << 20);
    let report = |what: &str, start: Instant| {
        let (seconds, peak) = (start.elapsed().as_secs_f64(), MEMORY.peak_usage_as_kb());
        println!("{what}: {:.0} MiB/s, peak {peak:.0} KiB", mebibytes / seconds);
        MEMORY.reset_peak_usage();
    };
    runtime.block_on(async {
        for _ in 0..3 {
            MEMORY.reset_peak_usage();
            let start = Instant::now();
            let mut draft = blobs.draft(&owner).await.unwrap();
            for _ in 0..PIECES {
                draft.write(piece.clone()).await.unwrap();
            }
            let written = draft.finish().await.unwrap();
            report("written and synced", start);
            let start = Instant::now();
            let blob = blobs.blob(&owner, &written.id).await.unwrap();
            let mut reading = blob.read_all();
            let mut bytes = 0;
            while let Some(piece) = reading.next().await {
                bytes += piece.unwrap().len();
            }
            assert_eq!(bytes, PIECE * PIECES);
            report("read", start);
            let start = Instant::now();
            assert_eq!(blobs.check(&owner, &written.id).await.unwrap(), written.contents);
            report("checked with its digest", start);
            let start = Instant::now();
            for number in 0..1000_u64 {
                let at = number * 1_000_003;
                let found: Vec<Bytes> = blob.read(at..at + 100).unwrap().try_collect().await.unwrap();
                assert_eq!(found.concat().len(), 100);
            }
            println!("a read of 100 bytes: {:.0} us", start.elapsed().as_secs_f64() * 1000.0);
        }
    });
    let _ = std::fs::remove_dir_all(&dir);
}
