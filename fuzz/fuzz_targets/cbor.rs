//! Bodies in CBOR: decoding them into real shapes never panics.
#![no_main]

#[path = "../shape.rs"]
mod shape;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = wire::decode::<shape::Everything>(wire::Protocol::cbor("Fuzz", ""), body);
});
