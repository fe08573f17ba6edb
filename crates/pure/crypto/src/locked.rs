//! Memory for keys: pages of our own that are locked against swapping, left out of core dumps, and cut into slots of
//! 32 bytes.
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

// SAFETY: `base` is only an address; the memory behind it is reached through a `Slot`, and each slot has one holder.
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

    /// Claims a free slot, looking from the word `from` on.
    fn claim(&'static self, from: usize) -> Option<Slot> {
        for (word, held) in self.held.iter().enumerate().skip(from) {
            let mut seen = held.load(Ordering::Relaxed);
            while seen != u64::MAX {
                let bit = seen.trailing_ones();
                // Acquire pairs with the release in `Slot::drop`: the last holder's zeros are seen before our writes.
                match held.compare_exchange_weak(seen, seen | 1 << bit, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => {
                        HINT.set(Some((self, word)));
                        return Some(Slot { region: self, index: word * SLOTS_PER_WORD + bit as usize });
                    }
                    Err(now) => seen = now,
                }
            }
        }
        None
    }
}

/// A slot's only holder.
pub(crate) struct Slot {
    region: &'static Region,
    index: usize,
}

impl Slot {
    /// A slot of zeros.
    pub(crate) fn new() -> Self {
        if let Some((region, word)) = HINT.get()
            && let Some(slot) = region.claim(word)
        {
            return slot;
        }
        let mut region = first_region();
        loop {
            if let Some(slot) = region.claim(0) {
                return slot;
            }
            region = region.next.get_or_init(|| Box::new(Region::map()));
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; SLOT_BYTES] {
        // SAFETY: `index` is below SLOTS, so the slot lies in the mapping, which is never unmapped; any bytes are
        // valid; the slot's bit is ours, so only `bytes_mut` of this holder could write, and it borrows it mutably.
        unsafe { self.region.base.add(self.index).as_ref() }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; SLOT_BYTES] {
        // SAFETY: as in `bytes`, and the mutable borrow makes this the only reference.
        unsafe { self.region.base.add(self.index).as_mut() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        if let Some(held) = self.region.held.get(self.index / SLOTS_PER_WORD) {
            held.fetch_and(!(1 << (self.index % SLOTS_PER_WORD)), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
