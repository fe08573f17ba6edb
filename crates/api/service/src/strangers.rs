//! How much of the audit trail callers may fill who did not prove who they are: some records each, and beyond that one
//! record a second and source, with the number of calls that it stands for.
//!
//! Knows addresses and times, neither events nor the journal.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use wire::Timestamp;

/// Records of its own that a source may have in a second.
const RECORDS_PER_SOURCE: u32 = 10;

/// Records of their own that all sources together may have in a second.
const RECORDS_OF_ALL: u32 = 100;

/// Sources that are counted one by one. Further ones are counted together.
const SOURCES_MAX: usize = 256;

/// The calls of strangers in the current second.
#[derive(Default)]
pub(crate) struct Strangers {
    second: i64,
    recorded: u32,
    sources: HashMap<IpAddr, Count>,
    /// The calls of sources that are not counted one by one.
    others: u64,
}

#[derive(Default)]
struct Count {
    recorded: u32,
    counted: u64,
}

/// Calls that one record stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The second in which they came.
    pub(crate) time: Timestamp,
    /// Where they came from; an IPv6 network of 64 bits is one source. None for those that were counted together.
    pub(crate) source: Option<IpAddr>,
    pub(crate) calls: u64,
}

impl Strangers {
    /// Whether a call that came from `ip` at `now` has a record of its own; it is counted otherwise.
    pub(crate) fn has_record(&mut self, ip: IpAddr) -> bool {
        let source = source(ip);
        let full = self.sources.len() >= SOURCES_MAX;
        if full && !self.sources.contains_key(&source) {
            self.others += 1;
            return false;
        }
        let count = self.sources.entry(source).or_default();
        let records = self.recorded < RECORDS_OF_ALL && count.recorded < RECORDS_PER_SOURCE;
        if records {
            self.recorded += 1;
            count.recorded += 1;
        } else {
            count.counted += 1;
        }
        records
    }

    /// Takes the counts of the second that was last seen, unless `now` is still in it.
    pub(crate) fn take_before(&mut self, now: Timestamp) -> Vec<Counted> {
        let second = now.millis().div_euclid(1000);
        if second == self.second {
            return Vec::new();
        }
        let time = Timestamp::from_millis(self.second.saturating_mul(1000));
        let before = std::mem::replace(self, Self { second, ..Self::default() });
        let mut counted: Vec<_> = before.sources.into_iter().filter(|(_, count)| count.counted > 0).collect();
        counted.sort_unstable_by_key(|(source, _)| *source);
        let one_by_one = counted.into_iter().map(|(source, count)| (Some(source), count.counted));
        let together = (before.others > 0).then_some((None, before.others));
        one_by_one.chain(together).map(|(source, calls)| Counted { time, source, calls }).collect()
    }
}

/// A source: whoever has an IPv6 address has a network of them.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000 + 500)
    }

    #[test]
    fn a_source_has_some_records_and_the_rest_is_counted() {
        let mut strangers = Strangers::default();
        assert!(strangers.take_before(at(100)).is_empty());
        let (loud, quiet) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        assert_eq!((0..1000).filter(|_| strangers.has_record(loud)).count(), 10);
        assert!(strangers.has_record(quiet), "another source is not held up");
        assert!(strangers.take_before(at(100)).is_empty(), "the second is not over");
        assert_eq!(
            strangers.take_before(at(103)),
            [Counted { time: Timestamp::from_millis(100_000), source: Some(loud), calls: 990 }]
        );
        assert!(strangers.has_record(loud), "a new second");
    }

    #[test]
    fn many_sources_share_a_bound_on_records_and_on_memory() {
        let mut strangers = Strangers::default();
        strangers.take_before(at(1));
        let sources = |n: u32| IpAddr::from(n.to_be_bytes());
        assert_eq!((0..10_000).filter(|n| strangers.has_record(sources(*n))).count(), 100);
        let counted = strangers.take_before(at(2));
        assert_eq!(counted.len(), 256 - 100 + 1);
        assert_eq!(counted.iter().map(|counted| counted.calls).sum::<u64>(), 9_900);
        assert_eq!(counted.last().map(|counted| counted.source), Some(None));
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let mut strangers = Strangers::default();
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        assert_eq!((0..100).filter(|n| strangers.has_record(address(*n))).count(), 10);
    }
}
