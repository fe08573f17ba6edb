use super::*;

/// The end of a log of `sequence` records, a third of them marked.
fn end(sequence: u64) -> End {
    End { journal: [3; 16], segment: 1, offset: 0, sequence, chain: [0; 32], marked: sequence / 3 }
}

fn buffer(bytes_max: usize) -> Buffer {
    Buffer::new(end(0), bytes_max, Duration::from_millis(1))
}

/// Takes what waits, as the writer does.
fn take(buffer: &Buffer) -> (Vec<u8>, Turn) {
    let mut batch = Vec::new();
    let turn = buffer.next_turn(None, false, &mut batch);
    (batch, turn)
}

#[test]
fn sequences_go_on_where_the_log_ended() {
    let buffer = Buffer::new(end(41), 1000, Duration::from_millis(1));
    assert_eq!(buffer.last(), Ticket(41));
    assert_eq!(buffer.append(b"{}", false).unwrap(), Ticket(42));
    assert_eq!(buffer.append(b"{}", false).unwrap(), Ticket(43));
    assert_eq!(buffer.last(), Ticket(43));
}

#[test]
fn a_record_may_have_its_greatest_length_and_no_more() {
    let buffer = buffer(1 << 20);
    assert!(buffer.append(&vec![b'x'; RECORD_BYTES_MAX], false).is_ok());
    let refused = buffer.append(&vec![b'x'; RECORD_BYTES_MAX + 1], false);
    assert!(matches!(refused, Err(JournalError::TooLong { length }) if length == RECORD_BYTES_MAX + 1));
    assert_eq!(buffer.last(), Ticket(1));
}

#[test]
fn what_waits_is_bounded_until_it_is_written() {
    let buffer = buffer(3 * (ENTRY_OVERHEAD + 2));
    for _ in 0..3 {
        buffer.append(b"{}", false).unwrap();
    }
    assert!(matches!(buffer.append(b"{}", false), Err(JournalError::Full)));
    // Taken isn't written.
    let (batch, turn) = take(&buffer);
    assert_eq!(batch.len(), 3 * (ENTRY_OVERHEAD + 2));
    assert!(matches!(buffer.append(b"{}", false), Err(JournalError::Full)));
    assert_eq!(buffer.waiting_bytes(), batch.len());
    buffer.succeed(turn.waiters, end(0));
    assert_eq!(buffer.waiting_bytes(), 0);
    assert_eq!(buffer.append(b"{}", false).unwrap(), Ticket(4));
}

#[test]
fn a_batch_that_is_not_done_is_not_replaced() {
    let buffer = buffer(1000);
    buffer.append(b"one", false).unwrap();
    let (mut batch, _) = take(&buffer);
    let before = batch.clone();
    buffer.append(b"two", false).unwrap();
    let turn = buffer.next_turn(Some(Instant::now()), false, &mut batch);
    assert!(turn.appended.is_none());
    assert_eq!(batch, before);
    assert!(!buffer.is_drained());
}

#[test]
fn whoever_waits_hears_how_it_went() {
    let buffer = buffer(1000);
    let ticket = buffer.append(b"{}", false).unwrap();
    let mut receiver = buffer.wait_for(ticket).unwrap().unwrap();
    let (_, turn) = take(&buffer);
    buffer.succeed(turn.waiters, end(1));
    assert_eq!(receiver.try_recv(), Ok(()));
    assert!(buffer.wait_for(ticket).unwrap().is_none());

    let ticket = buffer.append(b"{}", false).unwrap();
    let mut receiver = buffer.wait_for(ticket).unwrap().unwrap();
    buffer.fail(Vec::new());
    assert!(receiver.try_recv().is_err());
    assert!(!buffer.healthy());
    assert!(matches!(buffer.wait_for(ticket), Err(JournalError::Unwritable)));
    buffer.succeed(Vec::new(), end(2));
    assert!(buffer.healthy());
    assert!(buffer.wait_for(ticket).unwrap().is_none());
}

#[test]
fn a_failing_writer_is_woken_by_the_clock_alone() {
    let buffer = buffer(1000);
    buffer.append(b"{}", false).unwrap();
    let start = Instant::now();
    let pause = Duration::from_millis(30);
    buffer.next_turn(Some(start + pause), true, &mut Vec::new());
    assert!(start.elapsed() >= pause);
}

#[test]
fn a_closed_buffer_takes_nothing_and_lets_the_writer_go() {
    let buffer = buffer(1000);
    let ticket = buffer.append(b"{}", false).unwrap();
    buffer.close();
    assert!(matches!(buffer.append(b"{}", false), Err(JournalError::Closed)));
    let (batch, turn) = take(&buffer);
    assert!(turn.closing && !batch.is_empty());
    buffer.stop();
    assert!(matches!(buffer.wait_for(ticket), Err(JournalError::Unwritable)));
}

#[test]
fn marked_records_are_counted_from_where_the_log_ended() {
    let buffer = Buffer::new(end(41), 1000, Duration::from_millis(1));
    assert_eq!((buffer.marked(), buffer.durable().marked), (13, 13));
    for marked in [true, false, true] {
        buffer.append(b"{}", marked).unwrap();
    }
    assert_eq!((buffer.marked(), buffer.durable().marked), (15, 13));
    let (_, turn) = take(&buffer);
    let durable = End { marked: 15, ..end(44) };
    buffer.succeed(turn.waiters, durable);
    assert_eq!((buffer.marked(), buffer.durable()), (15, durable));
    // What is refused isn't counted.
    assert!(matches!(buffer.append(&[0; 1000], true), Err(JournalError::Full)));
    assert_eq!(buffer.marked(), 15);
}

#[test]
fn the_writer_is_let_go_by_a_mark_and_gathers_the_rest() {
    let buffer = Buffer::new(end(0), 1000, Duration::from_secs(20));
    let start = Instant::now();
    let mut batch = Vec::new();
    buffer.append(b"{}", false).unwrap();
    buffer.next_turn(Some(start + Duration::from_millis(30)), false, &mut batch);
    assert!(start.elapsed() >= Duration::from_millis(30), "a plain record doesn't");
    batch.clear();
    buffer.append(b"{}", true).unwrap();
    buffer.append(b"{}", false).unwrap();
    // A failing disk isn't tried any sooner for it.
    let start = Instant::now();
    let failing = buffer.next_turn(Some(start + Duration::from_millis(30)), true, &mut vec![0]);
    assert!(failing.appended.is_none() && start.elapsed() >= Duration::from_millis(30));
    let turn = buffer.next_turn(None, false, &mut batch);
    assert!(turn.appended.is_some() && start.elapsed() < Duration::from_secs(10));
    assert_eq!(batch.len(), 2 * (ENTRY_OVERHEAD + 2));
    // The mark is done with.
    batch.clear();
    buffer.append(b"{}", false).unwrap();
    let start = Instant::now();
    buffer.next_turn(Some(start + Duration::from_millis(30)), false, &mut batch);
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn reserved_room_is_there_for_marked_records_alone() {
    let entry = ENTRY_OVERHEAD + 2;
    let buffer = buffer(4 * entry);
    let room = buffer.reserve(2).unwrap();
    assert_eq!(room, entry);
    let other = buffer.reserve(2).unwrap();
    for _ in 0..2 {
        buffer.append(b"{}", false).unwrap();
    }
    assert!(matches!(buffer.append(b"{}", false), Err(JournalError::Full)));
    assert!(matches!(buffer.reserve(0), Err(JournalError::Full)));
    assert!(matches!(buffer.reserve(usize::MAX), Err(JournalError::Full)));
    for _ in 0..2 {
        buffer.append(b"{}", true).unwrap();
    }
    // The bound holds for marked records too.
    assert!(matches!(buffer.append(b"{}", true), Err(JournalError::Full)));
    let (_, turn) = take(&buffer);
    buffer.succeed(turn.waiters, end(4));
    // What is written makes room, and what is reserved stays so until it is given back.
    assert!(matches!(buffer.reserve(entry + 3), Err(JournalError::Full)));
    buffer.release(room);
    buffer.release(other);
    assert_eq!(buffer.reserve(4 * entry - ENTRY_OVERHEAD).unwrap(), 4 * entry);
}

#[test]
fn no_room_is_reserved_in_a_journal_that_cannot_be_written() {
    let buffer = buffer(1000);
    buffer.fail(Vec::new());
    assert!(matches!(buffer.reserve(1), Err(JournalError::Unwritable)));
    buffer.succeed(Vec::new(), end(0));
    assert!(buffer.reserve(1).is_ok());
    buffer.close();
    assert!(matches!(buffer.reserve(1), Err(JournalError::Closed)));
}
