use std::collections::HashSet;

use super::*;

fn share(index: u8, value: u8) -> Share {
    Share { index: NonZeroU8::new(index).unwrap(), value: Key256::from_slice(&[value; 32]).unwrap() }
}

fn again(share: &Share) -> Share {
    Share { index: share.index, value: share.value.duplicate() }
}

/// FIPS 197, sections 4.2 and 4.2.1.
#[test]
fn products_are_those_of_the_standard() {
    for (a, b, product) in [(0x57, 0x83, 0xc1), (0x57, 0x13, 0xfe), (0x57, 2, 0xae), (0x57, 4, 0x47), (0x57, 16, 7)] {
        assert_eq!((multiply(a, b), multiply(b, a)), (product, product));
    }
}

#[test]
fn the_field_is_one() {
    assert_eq!(inverse(0), 0);
    for a in 0..=255 {
        assert_eq!(multiply(a, 1), a);
        assert!(a == 0 || multiply(a, inverse(a)) == 1, "{a}");
        for b in 0..=255 {
            assert_eq!(multiply(a, b), multiply(b, a));
            assert_eq!(multiply(a, b ^ 0x35), multiply(a, b) ^ multiply(a, 0x35));
        }
    }
}

#[test]
fn any_threshold_of_the_shares_give_the_key_and_fewer_give_another() {
    for (count, threshold) in [(2, 2), (3, 2), (5, 3), (6, 6), (7, 4)] {
        let key = Key256::random();
        let shares = split(&key, count, threshold).unwrap();
        assert_eq!(shares.len(), usize::from(count));
        for chosen in 1_u32..1 << count {
            let some: Vec<Share> = shares
                .iter()
                .enumerate()
                .filter(|(at, _)| (chosen >> at) & 1 == 1)
                .map(|(_, share)| again(share))
                .collect();
            let enough = some.len() >= usize::from(threshold);
            assert_eq!(combine(&some).unwrap().expose() == key.expose(), enough, "{chosen:b} of {count}/{threshold}");
        }
    }
}

#[test]
fn two_hundred_and_fifty_five_shares_are_the_most() {
    let key = Key256::random();
    let mut shares = split(&key, 255, 255).unwrap();
    shares.reverse();
    assert_eq!(combine(&shares).unwrap().expose(), key.expose());
}

/// With one share fewer than needed every key is as likely as any other: to each there is exactly one other share.
#[test]
fn a_share_short_says_nothing() {
    let held = share(1, 0x5a);
    let keys: HashSet<u8> =
        (0..=255).map(|value| combine(&[again(&held), share(2, value)]).unwrap().expose()[0]).collect();
    assert_eq!(keys.len(), 256);
    // And that other share really occurs: the coefficient takes all values, zero included.
    let key = Key256::from_slice(&[7; 32]).unwrap();
    let mut seen = HashSet::new();
    for _ in 0..200 {
        seen.extend(split(&key, 2, 2).unwrap()[0].value.expose().iter().copied());
    }
    assert_eq!(seen.len(), 256);
}

#[test]
fn numbers_that_make_no_sense_and_shares_given_twice_are_refused() {
    for (count, threshold) in [(0, 0), (1, 1), (5, 0), (5, 1), (3, 4), (0, 2)] {
        assert!(matches!(split(&Key256::random(), count, threshold), Err(CryptoError::Shares)), "{count}/{threshold}");
    }
    assert!(matches!(combine(&[]), Err(CryptoError::Shares)));
    assert!(matches!(combine(&[share(1, 1), share(2, 2), share(1, 1)]), Err(CryptoError::Shares)));
}
