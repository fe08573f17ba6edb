//! Random bytes from the provider's generator, which the operating system seeds.

use std::cell::RefCell;

/// Fills `out` with random bytes fit for keys.
#[expect(clippy::expect_used, reason = "without randomness no operation is safe, and the provider itself aborts")]
pub fn random_bytes(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system supplies randomness");
}

/// How many bytes a thread generates at once: the provider's generator is rekeyed after each time, which takes longer
/// than the bytes.
const STOCK_BYTES: usize = 512;

/// Random bytes that were generated and not handed out yet.
struct Stock {
    bytes: [u8; STOCK_BYTES],
    left: usize,
}

thread_local! {
    static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; STOCK_BYTES], left: 0 }) };
}

/// Random bytes for what is unpredictable until it is used and public from then on, such as nonces and salts. No keys:
/// what the thread has in stock lies in memory for a while. Quicker than [`random_bytes`]; none are handed out twice.
///
/// Processes that fork would share them: a child must not generate nonces.
#[must_use]
pub fn random_nonce<const N: usize>() -> [u8; N] {
    const { assert!(N <= STOCK_BYTES, "a nonce fits into the stock") };
    STOCK.with_borrow_mut(|stock| {
        loop {
            if let Some(nonce) = stock.bytes.get(..stock.left).and_then(|left| left.last_chunk()) {
                stock.left -= N;
                return *nonce;
            }
            random_bytes(&mut stock.bytes);
            stock.left = STOCK_BYTES;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_nonce_is_handed_out_twice_nor_overlaps_another() {
        let draw = || (0..1000).flat_map(|_| [random_nonce::<16>().to_vec(), random_nonce::<24>().to_vec()]);
        let own: Vec<Vec<u8>> = draw().collect();
        let others = std::thread::spawn(move || draw().collect::<Vec<_>>()).join().expect("it ends");
        let nonces: Vec<Vec<u8>> = own.into_iter().chain(others).collect();
        // Eight bytes at any place are found once: chance repeats them once in 10^14 runs.
        let mut seen = HashSet::new();
        for window in nonces.iter().flat_map(|nonce| nonce.windows(8)) {
            assert!(seen.insert(window.to_vec()), "{window:?}");
        }
    }
}
