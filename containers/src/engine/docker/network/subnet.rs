//! Ranges of IPv4 addresses.

use std::net::Ipv4Addr;

use testcontainers::bollard::models::Ipam;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subnet {
    base: u32,
    mask: u32,
}

impl Subnet {
    /// The first of a network, and the address of Docker's host in it.
    pub(super) fn of(ipam: Option<&Ipam>) -> Option<(Subnet, Ipv4Addr)> {
        ipam?.config.as_ref()?.iter().find_map(|config| {
            let subnet = Subnet::parse(config.subnet.as_deref()?)?;
            let gateway = config.gateway.as_deref().and_then(|text| text.parse().ok());
            Some((subnet, gateway.unwrap_or_else(|| subnet.first())))
        })
    }

    pub(super) fn parse(text: &str) -> Option<Subnet> {
        let (base, bits) = text.split_once('/')?;
        let base = base.parse::<Ipv4Addr>().ok()?.to_bits();
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        Some(Subnet {
            base: base & mask,
            mask,
        })
    }

    pub(super) fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.base
    }

    pub(super) fn overlaps(self, other: Subnet) -> bool {
        let mask = self.mask & other.mask;
        self.base & mask == other.base & mask
    }

    /// The address of this number in it.
    pub(super) fn at(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | number)
    }

    pub(super) fn first(self) -> Ipv4Addr {
        self.at(1)
    }
}

/// Where this machine's routes lead (`/proc/net/route`, numbers in the order of the wire), but for the default one.
pub(super) fn routes_in(text: &str) -> impl Iterator<Item = Subnet> {
    let number = |word: &str| Some(u32::from_be(u32::from_str_radix(word, 16).ok()?));
    text.lines().skip(1).filter_map(move |line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (base, mask) = (number(words.get(1)?)?, number(words.get(7)?)?);
        (mask != 0).then_some(Subnet { base, mask })
    })
}

/// 198.19.0.0/16 in 256 pieces, each search from a piece of its own on. Half of what RFC 2544 has set apart for tests
/// of networks that are not connected to others.
pub(super) fn ranges(name: &str) -> impl Iterator<Item = Subnet> {
    let start = name.bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    (0..256).map(move |n| Subnet {
        base: Ipv4Addr::new(198, 19, 0, 0).to_bits() | (start.wrapping_add(n) % 256) << 8,
        mask: u32::MAX << 8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets() {
        let subnet = Subnet::parse("172.17.0.0/16").unwrap();
        assert!(subnet.contains(Ipv4Addr::new(172, 17, 255, 1)));
        assert!(!subnet.contains(Ipv4Addr::new(172, 18, 0, 1)));
        assert_eq!(subnet.first(), Ipv4Addr::new(172, 17, 0, 1));
        assert!(
            Subnet::parse("0.0.0.0/0")
                .unwrap()
                .contains(Ipv4Addr::LOCALHOST)
        );
        for bad in ["", "172.17.0.0", "172.17.0.0/33", "fe80::/64", "x/8"] {
            assert_eq!(Subnet::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_free_range() {
        let all: Vec<Subnet> = ranges("pfs-0123456789abcdef").collect();
        assert_eq!(all.len(), 256);
        let distinct: std::collections::HashSet<u32> = all.iter().map(|one| one.base).collect();
        assert_eq!(distinct.len(), 256);
        assert!(all.iter().all(|one| one.first().octets()[..2] == [198, 19]));
        assert_ne!(ranges("pfs-a").next(), ranges("pfs-b").next());
        let one = all[0];
        let overlaps = |text: &str| Subnet::parse(text).unwrap().overlaps(one);
        assert!(overlaps("198.19.0.0/16") && overlaps("198.18.0.0/15"));
        assert!(overlaps(&format!("{}/32", one.at(77))));
        assert!(!overlaps("198.18.0.0/16") && !overlaps("10.0.0.0/8"));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_of_this_machine() {
        let text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                    eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                    docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let found: Vec<Subnet> = routes_in(text).collect();
        assert_eq!(found, [Subnet::parse("172.17.0.0/16").unwrap()]);
        assert_eq!(routes_in("").count(), 0);
    }
}
