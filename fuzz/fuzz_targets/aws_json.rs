//! awsJson bodies into a shape that has every kind of member.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../shape.rs"]
mod shape;

fuzz_target!(|body: &[u8]| {
    let _ = wire::decode::<shape::Everything>(wire::Protocol::json("1.1", ""), body);
});
