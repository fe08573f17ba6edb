//! SHA-256, SHA-384 and Argon2id.

use crypto::password::{Cost, derive};
use crypto::{SecretBytes, Sha256, Sha384, sha256, sha384};

use super::read;

/// How long the pieces are that a message arrives in: the provider's block, ours, one below and one above them.
const PIECES: [usize; 5] = [1, 63, 128, 129, 1_000];

/// A hash, whole and in pieces.
struct Function {
    name: &'static str,
    whole: fn(&[u8]) -> Vec<u8>,
    pieces: fn(&[u8], usize) -> Vec<u8>,
}

const FUNCTIONS: [Function; 2] = [
    Function {
        name: "SHA256",
        whole: |message| sha256(message).to_vec(),
        pieces: |message, length| {
            let mut digest = Sha256::new();
            message.chunks(length).for_each(|piece| digest.update(piece));
            digest.finish().to_vec()
        },
    },
    Function {
        name: "SHA384",
        whole: |message| sha384(message).to_vec(),
        pieces: |message, length| {
            let mut digest = Sha384::new();
            message.chunks(length).for_each(|piece| digest.update(piece));
            digest.finish().to_vec()
        },
    },
];

#[test]
fn digests_of_short_and_long_messages_come_out() {
    for (function, vectors) in FUNCTIONS.iter().zip([129, 257]) {
        let mut ran = 0;
        for length in ["Short", "Long"] {
            for record in read(&format!("hashes/SHA2/{}{length}Msg.rsp", function.name)) {
                // The length is in bits, and an empty message stands as one zero.
                let message = &record.bytes("Msg")[..record.number("Len") / 8];
                let expected = record.bytes("MD");
                assert_eq!((function.whole)(message), expected, "{}, {length}", function.name);
                for piece in PIECES {
                    assert_eq!((function.pieces)(message, piece), expected, "{}, {length}, {piece}", function.name);
                }
                ran += 1;
            }
        }
        assert_eq!(ran, vectors, "{}", function.name);
    }
}

/// A hundred checkpoints in a chain of 100,000 digests (SHAVS, section 6.4).
#[test]
fn chains_of_digests_come_out() {
    for function in FUNCTIONS {
        let records = read(&format!("hashes/SHA2/{}Monte.rsp", function.name));
        let (seed, checkpoints) = records.split_first().unwrap();
        let mut seed = seed.bytes("Seed");
        for checkpoint in checkpoints {
            let mut last = [seed.clone(), seed.clone(), seed];
            for _ in 0..1_000 {
                let digest = (function.pieces)(&last.concat(), 50);
                last.rotate_left(1);
                last[2] = digest;
            }
            let [_, _, digest] = last;
            assert_eq!(digest, checkpoint.bytes("MD"), "{}", function.name);
            seed = digest;
        }
        assert_eq!(checkpoints.len(), 100, "{}", function.name);
    }
}

/// RFC 9106's own vector has a secret and associated data, which a passphrase has not; those of OpenSSL and of the
/// reference implementation's command are of other lengths, but for two.
#[test]
fn argon2id_derives_the_same() {
    let (mut ran, mut skipped) = (0, 0);
    for record in read("KDF/argon2id.txt") {
        if record.find("secret").is_some() || record.number("length") != 32 {
            skipped += 1;
            continue;
        }
        let number = |name| u32::try_from(record.number(name)).unwrap();
        let cost = Cost { memory_kib: number("memcost"), passes: number("iter"), lanes: number("lanes") };
        let key = derive(&SecretBytes::from(record.bytes("pass")), &record.bytes("salt"), cost).unwrap();
        assert_eq!(key.expose()[..], record.bytes("output"));
        ran += 1;
    }
    assert_eq!((ran, skipped), (2, 4));
}
