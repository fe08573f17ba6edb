use std::collections::HashSet;
use std::sync::Barrier;

use super::*;

#[test]
fn a_slot_is_zeros_when_it_comes_and_when_it_goes() {
    let mut slot = Slot::new();
    assert_eq!(slot.bytes(), &[0; SLOT_BYTES]);
    slot.bytes_mut().fill(0xff);
    let (region, index) = (slot.region, slot.index);
    drop(slot);
    // Another test's thread may claim the slot at once, so try until nobody has.
    for _ in 0..1_000 {
        let word = &region.held[index / SLOTS_PER_WORD];
        let bit = 1 << (index % SLOTS_PER_WORD);
        if word.fetch_or(bit, Ordering::Acquire) & bit == 0 {
            let again = Slot { region, index };
            assert_eq!(again.bytes(), &[0; SLOT_BYTES]);
            return;
        }
    }
    panic!("the slot was never given back");
}

#[test]
fn more_slots_than_a_region_has_are_all_different() {
    let slots: Vec<Slot> = (0..SLOTS * 2 + 1).map(|_| Slot::new()).collect();
    let addresses: HashSet<usize> = slots.iter().map(|slot| slot.bytes().as_ptr() as usize).collect();
    assert_eq!(addresses.len(), slots.len());
    let memory = locked_memory();
    assert!(memory.locked_bytes + memory.unlocked_bytes >= REGION_BYTES * 3);
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
                    let mut slots: Vec<Slot> = (0..=round % 100).map(|_| Slot::new()).collect();
                    for slot in &mut slots {
                        assert_eq!(slot.bytes(), &[0; SLOT_BYTES]);
                        slot.bytes_mut().fill(thread);
                    }
                    std::thread::yield_now();
                    assert!(slots.iter().all(|slot| slot.bytes() == &[thread; SLOT_BYTES]));
                }
            });
        }
    });
}

#[test]
fn the_kernel_reports_the_region_as_locked_and_not_dumped() {
    let slot = Slot::new();
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
