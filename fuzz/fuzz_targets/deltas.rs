//! Deltas: applying foreign ones never panics and keeps the limit, and a delta that we make makes its target.
#![no_main]

use git_pack::{DeltaIndex, apply, create, result_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (base, other) = input;
    if let Ok(made) = apply(&base, &other, 1 << 16) {
        assert!(made.len() <= 1 << 16);
        assert_eq!(result_bytes(&other), Ok((base.len() as u64, made.len() as u64)));
    }
    let index = DeltaIndex::new(&base);
    let delta = create(&index, &base, &other, usize::MAX).expect("there is no limit");
    assert_eq!(apply(&base, &delta, other.len() as u64).as_deref(), Ok(other.as_slice()));
    if let Some(short) = create(&index, &base, &other, delta.len() / 2) {
        assert!(short.len() <= delta.len() / 2);
    }
});
