//! The memory that objects take while they are made of deltas, bounded for all fetches of a server together. Knows no
//! objects. Blocks.

use std::sync::{Condvar, Mutex, PoisonError};

/// Up to so many bytes are given at once and not counted: most objects take fewer.
pub(crate) const FREE_BYTES: u64 = 1 << 20;

/// Bytes that are given to one thread after the other, in the order in which they asked.
pub(crate) struct Memory {
    bytes_max: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    used: u64,
    /// How many have asked, and how many of them have been given theirs.
    asked: u64,
    given: u64,
}

/// Bytes that were given; they are free again when it is dropped. Whoever has some must not ask for more.
pub(crate) struct Share<'a> {
    memory: &'a Memory,
    pub(crate) bytes: u64,
}

impl Memory {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until so many bytes are free. More than there are in all are given to one thread while no other has any.
    pub(crate) fn take(&self, bytes: u64) -> Share<'_> {
        if bytes <= FREE_BYTES {
            return Share { memory: self, bytes: 0 };
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = state.asked;
        state.asked += 1;
        while state.given != turn || state.used > 0 && state.used.saturating_add(bytes) > self.bytes_max {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.given += 1;
        state.used += bytes;
        // The next one may find room as well.
        self.changed.notify_all();
        Share { memory: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.state.lock().unwrap_or_else(PoisonError::into_inner).used -= self.bytes;
            self.memory.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn threads_never_have_more_together_than_there_is_but_for_one_alone() {
        let (memory, used) = (Memory::new(10 * MIB), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for number in 0..12_u64 {
                let (memory, used) = (&memory, &used);
                scope.spawn(move || {
                    for round in 0..50 {
                        let bytes = [2, 3, 5, 25][((number + round) % 4) as usize] * MIB;
                        let share = memory.take(bytes);
                        let now = used.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        assert!(now <= 10 * MIB || now == bytes, "{now}");
                        used.fetch_sub(bytes, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert_eq!(memory.state.lock().unwrap().used, 0);
    }

    #[test]
    fn who_asks_for_much_is_not_passed_by_who_asks_for_little_later() {
        let memory = Memory::new(10 * MIB);
        let first = memory.take(4 * MIB);
        let (order, came) = mpsc::channel();
        std::thread::scope(|scope| {
            for (turn, bytes) in [(1, 10 * MIB), (2, 2 * MIB)] {
                let (memory, order) = (&memory, order.clone());
                scope.spawn(move || {
                    let share = memory.take(bytes);
                    order.send(bytes).unwrap();
                    drop(share);
                });
                while memory.state.lock().unwrap().asked != turn + 1 {
                    std::thread::yield_now();
                }
            }
            assert!(came.recv_timeout(Duration::from_millis(50)).is_err(), "there is room for the second alone");
            // Few bytes are not counted.
            drop(memory.take(FREE_BYTES));
            drop(first);
            assert_eq!([came.recv().unwrap(), came.recv().unwrap()], [10 * MIB, 2 * MIB]);
        });
    }
}
