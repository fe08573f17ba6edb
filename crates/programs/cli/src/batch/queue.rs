//! Work that is found by one thread and taken by several.
//!
//! The finder is faster than those who take, so it waits most of the time. It waits until half of the queue is taken:
//! woken for each piece, it would cost more time than the work on a short file's name does.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The state that both sides share.
struct Queue<T> {
    state: Mutex<State<T>>,
    /// There is something to take, or nothing will come any more.
    more: Condvar,
    /// Half of the queue is empty, or nobody takes any more.
    room: Condvar,
    max: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    takers: usize,
    /// How many takers wait.
    idle: usize,
    ended: bool,
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a piece off, and lets the finder know when there is room again.
    fn pop(&self, state: &mut State<T>) -> Option<T> {
        let next = state.waiting.pop_front()?;
        if state.waiting.len() == self.max / 2 {
            self.room.notify_one();
        }
        Some(next)
    }
}

/// The finder's side. Dropping it ends the queue.
pub(super) struct Giver<T>(Arc<Queue<T>>);

/// The side of one who takes.
pub(super) struct Taker<T>(Arc<Queue<T>>);

/// A queue of up to `max` pieces, for one who gives and one who takes.
pub(super) fn queue<T>(max: usize) -> (Giver<T>, Taker<T>) {
    let state = State { waiting: VecDeque::new(), takers: 1, idle: 0, ended: false };
    let queue =
        Arc::new(Queue { state: Mutex::new(state), more: Condvar::new(), room: Condvar::new(), max: max.max(2) });
    (Giver(Arc::clone(&queue)), Taker(queue))
}

impl<T> Giver<T> {
    /// Gives a piece, once there is room for it; false when nobody takes any more.
    pub(super) fn give(&self, piece: T) -> bool {
        let mut state = self.0.state();
        if state.waiting.len() >= self.0.max {
            let full = |state: &mut State<T>| state.takers > 0 && state.waiting.len() > self.0.max / 2;
            state = self.0.room.wait_while(state, full).unwrap_or_else(PoisonError::into_inner);
        }
        if state.takers == 0 {
            return false;
        }
        state.waiting.push_back(piece);
        let wanted = state.idle > 0;
        drop(state);
        if wanted {
            self.0.more.notify_one();
        }
        true
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.more.notify_all();
    }
}

impl<T> Taker<T> {
    /// The next piece, once there is one; `None` when no more will come.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.0.state();
        loop {
            let next = self.0.pop(&mut state);
            if next.is_some() || state.ended {
                return next;
            }
            state.idle += 1;
            state = self.0.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// The next piece if there is one.
    pub(super) fn at_hand(&self) -> Option<T> {
        self.0.pop(&mut self.0.state())
    }
}

impl<T> Clone for Taker<T> {
    fn clone(&self) -> Self {
        self.0.state().takers += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.takers -= 1;
        if state.takers == 0 {
            self.0.room.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_given_is_taken_once() {
        let (giver, taker) = queue(8);
        let (count, sum) = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..3)
                .map(|_| {
                    let taker = taker.clone();
                    scope
                        .spawn(move || std::iter::from_fn(|| taker.take()).fold((0, 0), |(n, sum), x| (n + 1, sum + x)))
                })
                .collect();
            drop(taker);
            for number in 0..10_000_u64 {
                assert!(giver.give(number));
            }
            drop(giver);
            let taken = takers.into_iter().map(|taker| taker.join().expect("it ends"));
            taken.fold((0, 0), |(count, sum), (more, plus)| (count + more, sum + plus))
        });
        assert_eq!((count, sum), (10_000, 10_000 * 9_999 / 2));
    }

    #[test]
    fn what_is_not_there_is_not_waited_for_at_hand() {
        let (giver, taker) = queue(2);
        assert_eq!(taker.at_hand(), None::<u8>);
        assert!(giver.give(1) && giver.give(2));
        assert_eq!(taker.at_hand(), Some(1));
        drop(giver);
        assert_eq!((taker.take(), taker.take()), (Some(2), None));
    }

    #[test]
    fn a_full_queue_that_nobody_takes_from_ends() {
        let (giver, taker) = queue(2);
        assert!(giver.give(1) && giver.give(2));
        std::thread::scope(|scope| {
            let giving = scope.spawn(|| giver.give(3));
            drop(taker);
            assert!(!giving.join().expect("it ends"));
        });
        assert!(!giver.give(4));
    }
}
