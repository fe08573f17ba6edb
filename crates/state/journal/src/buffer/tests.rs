use super::*;

fn buffer(bytes_max: usize) -> Buffer {
    Buffer::new(0, bytes_max, Duration::from_millis(1))
}

/// Takes what waits, as the writer does.
fn take(buffer: &Buffer) -> (Vec<u8>, Turn) {
    let mut batch = Vec::new();
    let turn = buffer.next_turn(None, false, &mut batch);
    (batch, turn)
}

#[test]
fn sequences_go_on_where_the_log_ended() {
    let buffer = Buffer::new(41, 1000, Duration::from_millis(1));
    assert_eq!(buffer.last(), Ticket(41));
    assert_eq!(buffer.append(b"{}").unwrap(), Ticket(42));
    assert_eq!(buffer.append(b"{}").unwrap(), Ticket(43));
    assert_eq!(buffer.last(), Ticket(43));
}

#[test]
fn a_record_may_have_its_greatest_length_and_no_more() {
    let buffer = buffer(1 << 20);
    assert!(buffer.append(&vec![b'x'; RECORD_BYTES_MAX]).is_ok());
    let refused = buffer.append(&vec![b'x'; RECORD_BYTES_MAX + 1]);
    assert!(matches!(refused, Err(JournalError::TooLong { length }) if length == RECORD_BYTES_MAX + 1));
    assert_eq!(buffer.last(), Ticket(1));
}

#[test]
fn what_waits_is_bounded_until_it_is_written() {
    let buffer = buffer(3 * (ENTRY_OVERHEAD + 2));
    for _ in 0..3 {
        buffer.append(b"{}").unwrap();
    }
    assert!(matches!(buffer.append(b"{}"), Err(JournalError::Full)));
    // Taken isn't written.
    let (batch, turn) = take(&buffer);
    assert_eq!(batch.len(), 3 * (ENTRY_OVERHEAD + 2));
    assert!(matches!(buffer.append(b"{}"), Err(JournalError::Full)));
    assert_eq!(buffer.waiting_bytes(), batch.len());
    buffer.succeed(turn.waiters, 0);
    assert_eq!(buffer.waiting_bytes(), 0);
    assert_eq!(buffer.append(b"{}").unwrap(), Ticket(4));
}

#[test]
fn a_batch_that_is_not_done_is_not_replaced() {
    let buffer = buffer(1000);
    buffer.append(b"one").unwrap();
    let (mut batch, _) = take(&buffer);
    let before = batch.clone();
    buffer.append(b"two").unwrap();
    let turn = buffer.next_turn(Some(Instant::now()), false, &mut batch);
    assert!(turn.appended.is_none());
    assert_eq!(batch, before);
    assert!(!buffer.is_drained());
}

#[test]
fn whoever_waits_hears_how_it_went() {
    let buffer = buffer(1000);
    let ticket = buffer.append(b"{}").unwrap();
    let mut receiver = buffer.wait_for(ticket).unwrap().unwrap();
    let (_, turn) = take(&buffer);
    buffer.succeed(turn.waiters, 1);
    assert_eq!(receiver.try_recv(), Ok(()));
    assert!(buffer.wait_for(ticket).unwrap().is_none());

    let ticket = buffer.append(b"{}").unwrap();
    let mut receiver = buffer.wait_for(ticket).unwrap().unwrap();
    buffer.fail(Vec::new());
    assert!(receiver.try_recv().is_err());
    assert!(!buffer.healthy());
    assert!(matches!(buffer.wait_for(ticket), Err(JournalError::Unwritable)));
    buffer.succeed(Vec::new(), 2);
    assert!(buffer.healthy());
    assert!(buffer.wait_for(ticket).unwrap().is_none());
}

#[test]
fn a_failing_writer_is_woken_by_the_clock_alone() {
    let buffer = buffer(1000);
    buffer.append(b"{}").unwrap();
    let start = Instant::now();
    let pause = Duration::from_millis(30);
    buffer.next_turn(Some(start + pause), true, &mut Vec::new());
    assert!(start.elapsed() >= pause);
}

#[test]
fn a_closed_buffer_takes_nothing_and_lets_the_writer_go() {
    let buffer = buffer(1000);
    let ticket = buffer.append(b"{}").unwrap();
    buffer.close();
    assert!(matches!(buffer.append(b"{}"), Err(JournalError::Closed)));
    let (batch, turn) = take(&buffer);
    assert!(turn.closing && !batch.is_empty());
    buffer.stop();
    assert!(matches!(buffer.wait_for(ticket), Err(JournalError::Unwritable)));
}
