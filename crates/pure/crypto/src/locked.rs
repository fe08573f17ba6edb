//! Memory for keys: pages of our own that are locked against swapping, left out of core dumps, and cut into slots of
//! 32 bytes, of which a secret takes one or two.
//!
//! Unsafe code is here, in `aws_lc.rs` and in `digest/vector.rs`, and nowhere else. Slots are claimed and given back
//! without a lock; a slot is all zeros whenever nobody holds it.
#![allow(unsafe_code, reason = "mapping and locking pages, and lending out parts of them, has no safe interface")]

use std::cell::Cell;
use std::ptr::{NonNull, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous};
use zeroize::Zeroize;

const SLOT_BYTES: usize = 32;
const SLOTS_PER_WORD: usize = 64;
const WORDS: usize = 32;
const SLOTS: usize = WORDS * SLOTS_PER_WORD;

/// One region: 64 KiB, a whole number of pages on every platform, and what an ordinary user could always lock.
const REGION_BYTES: usize = SLOTS * SLOT_BYTES;

/// The regions, oldest first. They are never unmapped: a server's number of keys hardly shrinks.
static FIRST: OnceLock<Box<Region>> = OnceLock::new();

static LOCKED_BYTES: AtomicUsize = AtomicUsize::new(0);
static UNLOCKED_BYTES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Where this thread last found a free slot, so that short-lived keys claim the same one again and again.
    static HINT: Cell<Option<(&'static Region, usize)>> = const { Cell::new(None) };
}

/// How much of the memory for keys the operating system let us lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedMemory {
    /// Bytes that cannot be swapped out.
    pub locked_bytes: usize,
    /// Bytes that could not be locked; raising RLIMIT_MEMLOCK locks them at the next start.
    pub unlocked_bytes: usize,
}

/// The state of the memory for keys, to be reported once at start and shown among the metrics.
#[must_use]
pub fn locked_memory() -> LockedMemory {
    first_region();
    LockedMemory {
        locked_bytes: LOCKED_BYTES.load(Ordering::Relaxed),
        unlocked_bytes: UNLOCKED_BYTES.load(Ordering::Relaxed),
    }
}

struct Region {
    base: NonNull<[u8; SLOT_BYTES]>,
    /// A bit for each slot: set while somebody holds it.
    held: [AtomicU64; WORDS],
    next: OnceLock<Box<Self>>,
}

// SAFETY: `base` is only an address; the memory behind it is reached through `Slots`, and each slot has one holder.
unsafe impl Send for Region {}
// SAFETY: as above; everything else in the region is atomic.
unsafe impl Sync for Region {}

fn first_region() -> &'static Region {
    FIRST.get_or_init(|| Box::new(Region::map()))
}

impl Region {
    fn map() -> Self {
        // SAFETY: a new private mapping without an address hint cannot overlap memory that anybody uses.
        let mapped =
            unsafe { mmap_anonymous(null_mut(), REGION_BYTES, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
        let Some(base) = mapped.ok().and_then(NonNull::new) else {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; REGION_BYTES]>());
        };
        // SAFETY: the range is the mapping just made.
        let locked = unsafe { mlock(base.as_ptr(), REGION_BYTES) }.is_ok();
        let counter = if locked { &LOCKED_BYTES } else { &UNLOCKED_BYTES };
        counter.fetch_add(REGION_BYTES, Ordering::Relaxed);
        // SAFETY: the range is the mapping just made, and the advice changes none of its contents. Where the kernel
        // does not know it, core dumps are still off for the process.
        let _ = unsafe { madvise(base.as_ptr(), REGION_BYTES, Advice::LinuxDontDump) };
        Self { base: base.cast(), held: [const { AtomicU64::new(0) }; WORDS], next: OnceLock::new() }
    }

    /// Claims `N` free slots side by side, looking from the word `from` on.
    fn claim<const N: usize>(&'static self, from: usize) -> Option<Slots<N>> {
        for (word, held) in self.held.iter().enumerate().skip(from) {
            let mut seen = held.load(Ordering::Relaxed);
            while let Some(bit) = Slots::<N>::free(seen) {
                // Acquire pairs with the release in `drop`: the last holder's zeros are seen before our writes.
                let taken = seen | Slots::<N>::MASK << bit;
                match held.compare_exchange_weak(seen, taken, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => {
                        HINT.set(Some((self, word)));
                        return Some(Slots { region: self, index: word * SLOTS_PER_WORD + bit as usize });
                    }
                    Err(now) => seen = now,
                }
            }
        }
        None
    }
}

/// The only holder of `N` slots side by side.
pub(crate) struct Slots<const N: usize> {
    region: &'static Region,
    index: usize,
}

impl<const N: usize> Slots<N> {
    /// The bits of one holder's slots.
    const MASK: u64 = (1 << N) - 1;

    /// The first bits of all places for `N` slots. One place never reaches into the next, nor into the next word.
    const PLACES: u64 = u64::MAX / Self::MASK;

    const FITS: () = assert!(N > 0 && N < SLOTS_PER_WORD && SLOTS_PER_WORD.is_multiple_of(N));

    /// Where there is a free place, when `held` are the bits of a word.
    fn free(held: u64) -> Option<u32> {
        let () = Self::FITS;
        let free = (0..N).fold(Self::PLACES, |free, slot| free & !(held >> slot));
        (free != 0).then(|| free.trailing_zeros())
    }

    /// Slots of zeros.
    pub(crate) fn new() -> Self {
        if let Some((region, word)) = HINT.get()
            && let Some(slots) = region.claim(word)
        {
            return slots;
        }
        let mut region = first_region();
        loop {
            if let Some(slots) = region.claim(0) {
                return slots;
            }
            region = region.next.get_or_init(|| Box::new(Region::map()));
        }
    }

    pub(crate) fn bytes(&self) -> &[[u8; SLOT_BYTES]; N] {
        // SAFETY: `index + N` is at most SLOTS, so the slots lie in the mapping, which is never unmapped; any bytes are
        // valid; the slots' bits are ours, so only `bytes_mut` of this holder could write, and it borrows mutably.
        unsafe { self.region.base.add(self.index).cast().as_ref() }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [[u8; SLOT_BYTES]; N] {
        // SAFETY: as in `bytes`, and the mutable borrow makes this the only reference.
        unsafe { self.region.base.add(self.index).cast().as_mut() }
    }
}

impl<const N: usize> Drop for Slots<N> {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        if let Some(held) = self.region.held.get(self.index / SLOTS_PER_WORD) {
            held.fetch_and(!(Self::MASK << (self.index % SLOTS_PER_WORD)), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
