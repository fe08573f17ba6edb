use std::collections::HashSet;
use std::sync::Barrier;

use super::*;

#[test]
fn a_slot_is_zeros_when_it_comes_and_when_it_goes() {
    let mut slot = Slots::<1>::new();
    assert_eq!(slot.bytes(), &[[0; SLOT_BYTES]]);
    slot.bytes_mut().fill([0xff; SLOT_BYTES]);
    let (region, index) = (slot.region, slot.index);
    drop(slot);
    // Another test's thread may claim the slot at once, so try until nobody has.
    for _ in 0..1_000 {
        let word = &region.held[index / SLOTS_PER_WORD];
        let bit = 1 << (index % SLOTS_PER_WORD);
        if word.fetch_or(bit, Ordering::Acquire) & bit == 0 {
            let again = Slots::<1> { region, index };
            assert_eq!(again.bytes(), &[[0; SLOT_BYTES]]);
            return;
        }
    }
    panic!("the slot was never given back");
}

#[test]
fn more_slots_than_a_region_has_are_all_different() {
    let slots: Vec<Slots<1>> = (0..SLOTS * 2 + 1).map(|_| Slots::new()).collect();
    let addresses: HashSet<usize> = slots.iter().map(|slot| slot.bytes().as_ptr() as usize).collect();
    assert_eq!(addresses.len(), slots.len());
    let memory = locked_memory();
    assert!(memory.locked_bytes + memory.unlocked_bytes >= REGION_BYTES * 3);
}

#[test]
fn two_slots_stand_side_by_side_in_one_word() {
    assert_eq!(Slots::<1>::free(0b1011), Some(2));
    for (held, place) in [(0, Some(0)), (0b1, Some(2)), (0b10, Some(2)), (0b0100_0011, Some(2)), (0b0100_0111, Some(4))]
    {
        assert_eq!(Slots::<2>::free(held), place, "{held:b}");
    }
    assert_eq!(Slots::<2>::free(u64::MAX >> 2), Some(62));
    assert_eq!(Slots::<2>::free(0x5555_5555_5555_5555), None);
    assert_eq!(Slots::<2>::free(u64::MAX >> 1), None);
}

#[test]
fn many_threads_never_share_a_slot() {
    const THREADS: u8 = 8;
    let start = Barrier::new(usize::from(THREADS));
    std::thread::scope(|scope| {
        for thread in 1..=THREADS {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for round in 0..200_usize {
                    let mut held: Vec<_> = (0..=round % 100).map(|_| (Slots::<1>::new(), Slots::<2>::new())).collect();
                    for slot in held.iter_mut().flat_map(|(one, two)| one.bytes_mut().iter_mut().chain(two.bytes_mut()))
                    {
                        assert_eq!(slot, &[0; SLOT_BYTES]);
                        slot.fill(thread);
                    }
                    std::thread::yield_now();
                    let mut slots = held.iter().flat_map(|(one, two)| one.bytes().iter().chain(two.bytes()));
                    assert!(slots.all(|slot| slot == &[thread; SLOT_BYTES]));
                }
            });
        }
    });
}

#[test]
fn the_kernel_reports_the_region_as_locked_and_not_dumped() {
    let slot = Slots::<1>::new();
    if locked_memory().unlocked_bytes > 0 {
        return;
    }
    let address = slot.region.base.as_ptr() as usize;
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut flags = None;
    let mut inside = false;
    for line in maps.lines() {
        if let Some((range, _)) = line.split_once(' ')
            && let Some((from, to)) = range.split_once('-')
            && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
        {
            inside = (from..to).contains(&address);
        } else if inside && line.starts_with("VmFlags:") {
            flags = Some(line.to_owned());
        }
    }
    let flags = flags.unwrap();
    assert!(flags.contains(" lo ") && flags.contains(" dd "), "{flags}");
}
