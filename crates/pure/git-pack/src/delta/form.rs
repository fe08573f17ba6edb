//! The form of deltas, and what they make of their bases. Never trusts a declared size.

use crate::DeltaError;

/// Room that a result may have beyond the bytes that its base and its delta already take.
const ROOM: usize = 64 << 10;

/// A size at the beginning of a delta: 7 bits a byte, the lowest first. Returns what follows.
fn size(delta: &[u8]) -> Result<(u64, &[u8]), DeltaError> {
    let mut size = 0;
    for (at, byte) in delta.iter().enumerate() {
        let (bits, shift) = (u64::from(byte & 0x7f), 7 * at as u32);
        if shift > 63 || bits << shift >> shift != bits {
            break;
        }
        size |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok((size, delta.get(at + 1..).unwrap_or_default()));
        }
    }
    Err(DeltaError::Truncated)
}

pub(super) fn write_size(mut size: u64, out: &mut Vec<u8>) {
    while size > 0x7f {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

/// The sizes of base and result that a delta declares.
///
/// # Errors
/// [`DeltaError::Truncated`].
pub fn result_bytes(delta: &[u8]) -> Result<(u64, u64), DeltaError> {
    let (base, rest) = size(delta)?;
    let (result, _) = size(rest)?;
    Ok((base, result))
}

/// Applies `delta` to `base`: at most `bytes_max` bytes.
///
/// # Errors
/// [`DeltaError`].
pub fn apply(base: &[u8], delta: &[u8], bytes_max: u64) -> Result<Vec<u8>, DeltaError> {
    let mut out = Vec::new();
    apply_into(base, delta, bytes_max, &mut out)?;
    Ok(out)
}

/// As [`apply`], into a buffer that is replaced.
///
/// # Errors
/// [`DeltaError`]: what `out` holds then is to be discarded.
pub fn apply_into(base: &[u8], delta: &[u8], bytes_max: u64, out: &mut Vec<u8>) -> Result<(), DeltaError> {
    out.clear();
    let (base_bytes, rest) = size(delta)?;
    let (declared, mut rest) = size(rest)?;
    if base_bytes != base.len() as u64 {
        return Err(DeltaError::BaseBytes { declared: base_bytes, found: base.len() as u64 });
    }
    if declared > bytes_max {
        return Err(DeltaError::TooLarge { max: bytes_max });
    }
    let wrong = DeltaError::ResultBytes { declared };
    let declared = usize::try_from(declared).map_err(|_| wrong)?;
    // No more than what was sent already, about: a short delta that declares gigabytes has to make them first.
    out.reserve(declared.min(base.len() + delta.len() + ROOM));
    while let Some((&opcode, after)) = rest.split_first() {
        let bytes = if opcode & 0x80 != 0 {
            let (from, length, after) = copy(opcode, after)?;
            rest = after;
            base.get(from..).and_then(|tail| tail.get(..length)).ok_or(DeltaError::PastBase)?
        } else if opcode != 0 {
            let (bytes, after) = after.split_at_checked(usize::from(opcode)).ok_or(DeltaError::Truncated)?;
            rest = after;
            bytes
        } else {
            return Err(DeltaError::Reserved);
        };
        if bytes.len() > declared - out.len() {
            return Err(wrong);
        }
        out.extend_from_slice(bytes);
    }
    if out.len() == declared { Ok(()) } else { Err(wrong) }
}

/// The place and length of a copy: bit n of the opcode says whether byte n of the two numbers follows.
fn copy(opcode: u8, rest: &[u8]) -> Result<(usize, usize, &[u8]), DeltaError> {
    let count = (opcode & 0x7f).count_ones() as usize;
    let (arguments, after) = rest.split_at_checked(count).ok_or(DeltaError::Truncated)?;
    let (mut number, mut arguments) = (0_u64, arguments.iter());
    for bit in 0..7 {
        if opcode & 1 << bit != 0 {
            number |= u64::from(arguments.next().copied().unwrap_or_default()) << (8 * bit);
        }
    }
    let (from, length) = ((number & 0xffff_ffff) as usize, (number >> 32) as usize);
    Ok((from, if length == 0 { 0x1_0000 } else { length }, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{apply, result_bytes, write_size};
    use crate::DeltaError;

    fn delta(base: u64, result: u64, instructions: &[u8]) -> Vec<u8> {
        let mut delta = Vec::new();
        write_size(base, &mut delta);
        write_size(result, &mut delta);
        delta.extend_from_slice(instructions);
        delta
    }

    #[test]
    fn a_delta_copies_and_inserts() {
        let base: Vec<u8> = (0..0x2_0000_u32).map(|at| (at % 253) as u8).collect();
        // Two bytes from 0x100; "xy"; 0x10000 bytes, which are written as no length, from 3.
        let delta = delta(0x2_0000, 0x1_0004, &[0x92, 1, 2, 2, b'x', b'y', 0x81, 3]);
        let made = apply(&base, &delta, 1 << 20).expect("a result");
        assert_eq!(result_bytes(&delta), Ok((0x2_0000, 0x1_0004)));
        assert_eq!(made, [&base[0x100..0x102], b"xy", &base[3..0x1_0003]].concat());
        assert_eq!(apply(&base, &delta, 0x1_0003), Err(DeltaError::TooLarge { max: 0x1_0003 }));
    }

    #[test]
    fn a_delta_that_points_past_its_base_is_refused() {
        for instructions in [&[0x91, 9, 2][..], &[0x91, 11, 1], &[0x9f, 0xff, 0xff, 0xff, 0xff, 1], &[0x80]] {
            let length =
                if instructions.len() > 1 { u64::from(instructions[instructions.len() - 1]) } else { 0x1_0000 };
            let refused = apply(&[0; 10], &delta(10, length, instructions), 1 << 20);
            assert_eq!(refused, Err(DeltaError::PastBase), "{instructions:x?}");
        }
    }

    #[test]
    fn a_delta_that_lies_is_refused_and_reserves_nothing() {
        let base = [7; 10];
        let refused = |delta: &[u8]| apply(&base, delta, u64::MAX).expect_err("refused");
        let huge = 1 << 62;
        assert_eq!(refused(&delta(10, huge, &[0x90, 10])), DeltaError::ResultBytes { declared: huge });
        assert_eq!(refused(&delta(10, 9, &[0x90, 10])), DeltaError::ResultBytes { declared: 9 });
        assert_eq!(refused(&delta(10, 2, &[1, 0])), DeltaError::ResultBytes { declared: 2 });
        assert_eq!(refused(&delta(11, 1, &[1, 0])), DeltaError::BaseBytes { declared: 11, found: 10 });
        assert_eq!(refused(&delta(10, 2, &[2, 0])), DeltaError::Truncated);
        assert_eq!(refused(&delta(10, 2, &[0x91, 0])), DeltaError::Truncated);
        assert_eq!(refused(&delta(10, 2, &[0])), DeltaError::Reserved);
        assert_eq!(refused(&[]), DeltaError::Truncated);
        assert_eq!(refused(&[10, 0x80]), DeltaError::Truncated);
        assert_eq!(refused(&[0xff; 12]), DeltaError::Truncated);
    }

    proptest! {
        #[test]
        fn foreign_bytes_are_no_panic(instructions in prop::collection::vec(any::<u8>(), 0..60), result in 0..90_u64) {
            if let Ok(made) = apply(&[1; 40], &delta(40, result, &instructions), 1 << 16) {
                prop_assert_eq!(made.len() as u64, result);
            }
        }
    }
}
