//! Networks in conditions: an address or a CIDR block of either family.

use std::net::IpAddr;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    /// How many leading bits addresses share.
    prefix: u32,
}

impl Network {
    /// Reads an address, or an address and the length of its prefix. Bits beyond the prefix do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                let decimal = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
                (address, decimal.then(|| prefix.parse().ok())?)
            }
            None => (text, None),
        };
        if text.contains('/') && prefix.is_none() {
            return None;
        }
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then_some(Self { address, prefix })
    }

    /// Whether the address is in the block. An IPv4 address that came mapped into IPv6 is the IPv4 address.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}
