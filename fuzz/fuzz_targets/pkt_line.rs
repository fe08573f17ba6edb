//! Packet lines: reading never panics, packets are the same however they arrive, and what is written is read again.
#![no_main]

use git_wire::{Band, Decoder, Packet, SideBand, clean, line};
use libfuzzer_sys::fuzz_target;

fn read(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let (mut decoder, mut packets) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(packet)) => packets.push(match packet {
                    Packet::Data(bytes) => bytes.to_vec(),
                    other => format!("{other:?}").into_bytes(),
                }),
                Ok(None) => break,
                Err(_) => return (packets, false),
            }
        }
    }
    (packets, true)
}

fuzz_target!(|input: (&[u8], usize)| {
    let (bytes, at) = input;
    let (first, second) = bytes.split_at(at % (bytes.len() + 1));
    assert_eq!(read(&[bytes]), read(&[first, second]));

    let mut out = Vec::new();
    line(&mut out, &[first, second]);
    assert_eq!(read(&[&out]), (vec![bytes[..bytes.len().min(65_516)].to_vec()], true));
    let mut out = Vec::new();
    SideBand::Small.write(Band::Data, bytes, &mut out);
    let (packets, whole) = read(&[&out]);
    let payload: Vec<u8> = packets.iter().flat_map(|packet| packet[1..].iter().copied()).collect();
    assert!(whole && payload == bytes);
    assert!(!clean(bytes).contains(['\x1b', '\r', '\0', '\u{9b}', '\u{202e}']));
});
