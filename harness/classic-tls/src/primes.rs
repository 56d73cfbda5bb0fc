//! Diffie-Hellman primes that have a name: RFC 2409, RFC 3526, RFC 5054, RFC 5114, RFC 7919, and those compiled into
//! Postfix.

mod srp;
mod table;

use std::sync::LazyLock;

/// A prime and generator that somebody has published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WellKnownGroup {
    /// Short name and source, such as `ffdhe2048 (RFC 7919)` or `postfix2048 (Postfix 3.6)`.
    pub name: &'static str,
    /// The prime, big-endian, without leading zeros.
    pub p: Vec<u8>,
    /// The generator, big-endian, without leading zeros.
    pub g: Vec<u8>,
}

impl WellKnownGroup {
    /// Size of the prime in bits.
    pub fn bits(&self) -> usize {
        bit_length(&self.p)
    }
}

static GROUPS: LazyLock<Vec<WellKnownGroup>> = LazyLock::new(|| {
    let known = table::PRIMES.iter().chain(srp::PRIMES);
    let again = srp::OF_RFC_3526.iter().filter_map(|(name, prime, g)| {
        let (_, p, _) = table::PRIMES.iter().find(|(known, _, _)| known == prime)?;
        Some((*name, *p, *g))
    });
    known
        .copied()
        .chain(again)
        .map(|(name, p, g)| WellKnownGroup {
            name,
            p: from_hex(p),
            g: from_hex(g),
        })
        .collect()
});

/// All groups this crate can name.
pub fn well_known() -> &'static [WellKnownGroup] {
    &GROUPS
}

/// The name of the group with prime `p` and generator `g`, both big-endian; leading zeros do not matter.
///
/// A known prime with another generator is not the known group: `None`.
pub fn identify(p: &[u8], g: &[u8]) -> Option<&'static str> {
    let (p, g) = (strip(p), strip(g));
    GROUPS
        .iter()
        .find(|group| group.p == p && group.g == g)
        .map(|group| group.name)
}

/// The group whose name is `name`, in full (`ffdhe2048 (RFC 7919)`) or, where that is unambiguous, by its first word.
pub fn by_name(name: &str) -> Option<&'static WellKnownGroup> {
    if let Some(group) = GROUPS.iter().find(|group| group.name == name) {
        return Some(group);
    }
    let mut matches = GROUPS
        .iter()
        .filter(|group| group.name.split(' ').next() == Some(name));
    match (matches.next(), matches.next()) {
        (Some(group), None) => Some(group),
        _ => None,
    }
}

/// Bits in a big-endian number, leading zeros not counted.
pub fn bit_length(number: &[u8]) -> usize {
    let number = strip(number);
    match number.first() {
        Some(first) => number.len() * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// A big-endian number without its leading zero bytes.
pub(crate) fn strip(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            pair.iter().fold(0, |byte, digit| {
                byte << 4 | char::from(*digit).to_digit(16).unwrap_or(0) as u8
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_well_formed() {
        for &(name, p, g) in table::PRIMES {
            for number in [p, g] {
                assert!(number.len().is_multiple_of(2), "{name}");
                assert!(number.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
            }
            let group = by_name(name).unwrap();
            let digits = name.split(' ').next().unwrap();
            let bits = digits
                .trim_start_matches(|c: char| !c.is_ascii_digit())
                .split('_')
                .next()
                .unwrap();
            assert_eq!(group.bits().to_string(), bits, "{name}");
        }
    }

    #[test]
    fn the_groups_of_srp_have_names_and_their_generators_tell_them_apart() {
        let modp = by_name("modp4096").unwrap();
        assert_eq!(identify(&modp.p, &[2]), Some("modp4096 (RFC 3526)"));
        assert_eq!(identify(&modp.p, &[5]), Some("srp4096 (RFC 5054)"));
        let names: Vec<_> = well_known()
            .iter()
            .filter(|group| group.name.starts_with("srp"))
            .map(WellKnownGroup::bits)
            .collect();
        assert_eq!(names, [1024, 1536, 2048, 3072, 4096, 6144, 8192]);
    }

    #[test]
    fn identify_ignores_leading_zeros_and_heeds_the_generator() {
        let group = by_name("modp2048").unwrap();
        let mut padded = vec![0, 0];
        padded.extend_from_slice(&group.p);
        assert_eq!(identify(&padded, &[0, 2]), Some("modp2048 (RFC 3526)"));
        assert_eq!(identify(&group.p, &[3]), None);
        assert_eq!(identify(&[], &[]), None);
    }

    #[test]
    fn an_ambiguous_first_word_names_nothing() {
        assert!(by_name("postfix2048").is_none());
        assert!(by_name("postfix2048 (Postfix 3.6)").is_some());
    }
}
