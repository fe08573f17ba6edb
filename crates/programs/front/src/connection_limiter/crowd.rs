//! Who holds the places, and who gives one up when all are taken.
//!
//! Knows hosts and states; neither sockets nor deadlines.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::connection_state::ConnectionState;

/// One in this many places may be reclaimed at once: choosing looks at all of a host's connections.
const AT_ONCE: usize = 64;

/// Whom connections are counted for: an IPv4 address, or the network of an IPv6 address, all of whose addresses one
/// host can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Host(IpAddr);

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

/// All connections, by number and counted by host.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    members: HashMap<u64, Member>,
    counts: HashMap<Host, usize>,
}

#[derive(Debug)]
struct Member {
    state: Arc<ConnectionState>,
    host: Host,
}

impl Crowd {
    pub(super) fn insert(&mut self, id: u64, host: Host, state: Arc<ConnectionState>) {
        self.members.insert(id, Member { state, host });
        *self.counts.entry(host).or_default() += 1;
    }

    pub(super) fn remove(&mut self, id: u64) {
        let Some(Member { host, .. }) = self.members.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&host);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn states(&self) -> impl Iterator<Item = &Arc<ConnectionState>> {
        self.members.values().map(|member| &member.state)
    }

    /// The connections that give up their places of `places` to one of `newcomer`'s: those that have kept the server
    /// waiting for longest, of the newcomer's own if it has its share already, and otherwise of the host that has most.
    /// None if the server works for all of them.
    pub(super) fn leavers(&self, newcomer: Host, places: usize) -> Vec<&Arc<ConnectionState>> {
        let hosts = self.counts.len() + usize::from(!self.counts.contains_key(&newcomer));
        let share = (places / hosts.max(1)).max(1);
        let own = self.counts.get(&newcomer).copied().unwrap_or_default();
        let most = self.counts.iter().max_by_key(|(_, count)| **count).map(|(host, _)| *host);
        let (host, over) = match most {
            _ if own >= share => (Some(newcomer), own - share),
            most => (most, most.and_then(|most| self.counts.get(&most)).map_or(0, |count| count.saturating_sub(share))),
        };
        let count = over.min(places / AT_ONCE).max(1);
        let mut waiting = self.waiting(|member| Some(member.host) == host);
        if waiting.is_empty() {
            waiting = self.waiting(|_| true);
            waiting.sort_unstable_by_key(|(since, id, _)| (*since, *id));
            waiting.truncate(1);
        } else if count < waiting.len() {
            waiting.select_nth_unstable_by_key(count, |(since, id, _)| (*since, *id));
            waiting.truncate(count);
        }
        waiting.into_iter().map(|(_, _, state)| state).collect()
    }

    fn waiting(&self, of: impl Fn(&Member) -> bool) -> Vec<(u32, u64, &Arc<ConnectionState>)> {
        let of = self.members.iter().filter(|(_, member)| of(member));
        of.filter_map(|(id, member)| Some((member.state.waiting_since()?, *id, &member.state))).collect()
    }
}
