//! Form bodies into a shape that has every kind of member.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../shape.rs"]
mod shape;

fuzz_target!(|body: &[u8]| {
    let _ = wire::query::action(body);
    let _ = wire::decode::<shape::Everything>(wire::Protocol::query("urn:fuzz/2010-05-08/"), body);
});
