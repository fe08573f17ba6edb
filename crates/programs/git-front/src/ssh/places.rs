//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections at once.
const PLACES: usize = 512;

/// Connections from one address at once.
const PLACES_OF_ONE: usize = 64;

/// The connections that are open.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place, which is free again once this is dropped.
pub(super) struct Place {
    places: Places,
    ip: IpAddr,
}

impl Places {
    /// A place for a connection from `ip`; `None` when there is none left for it.
    pub(super) fn take(&self, ip: IpAddr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_one = taken.entry(ip).or_default();
        if all >= PLACES || *of_one >= PLACES_OF_ONE {
            return None;
        }
        *of_one += 1;
        Some(Place { places: self.clone(), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_one) = taken.get_mut(&self.ip) {
            *of_one -= 1;
            if *of_one == 0 {
                taken.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn one_address_leaves_places_for_others() {
        let places = Places::default();
        let ip = |last| IpAddr::from(Ipv4Addr::new(10, 0, 0, last));
        let mut held: Vec<_> = std::iter::from_fn(|| places.take(ip(1))).collect();
        assert_eq!(held.len(), PLACES_OF_ONE);
        while held.len() < PLACES {
            held.push(places.take(ip(u8::try_from(2 + held.len() % 200).expect("a number"))).expect("a place"));
        }
        assert!(places.take(ip(250)).is_none());
        held.clear();
        assert!(places.take(ip(1)).is_some() && places.0.lock().expect("a lock").len() <= 1);
    }
}
