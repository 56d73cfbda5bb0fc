//! A part of all cases, for runs that share them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::CaseId;

/// One of several parts of all cases, written `I/N`: the same cases on every machine, whatever else is selected. Every
/// case is in exactly one of the parts 1 to N.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Shard {
    index: u32,
    count: u32,
}

/// What is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard: expected I/N, I from 1 to N, such as 1/2")]
pub struct ShardError(String);

impl Shard {
    /// Which of them it is, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether a case is in it: the first eight octets of the SHA-256 of its full name `TOPIC/CASE[VARIANT]`, as a
    /// number in network byte order, modulo N are I − 1.
    pub fn holds(self, id: &CaseId) -> bool {
        let digest = Sha256::digest(id.to_string().as_bytes());
        let number = digest
            .iter()
            .take(8)
            .fold(0, |number, octet| number << 8 | u64::from(*octet));
        number % u64::from(self.count) == u64::from(self.index - 1)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = |digits: &str| match digits.chars().all(|c| c.is_ascii_digit()) {
            true => digits.parse::<u32>().map_err(|_| wrong()),
            false => Err(wrong()),
        };
        let (index, count) = (number(index)?, number(count)?);
        if (1..=count).contains(&index) {
            Ok(Self { index, count })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shards(count: u32) -> Vec<Shard> {
        (1..=count).map(|index| Shard { index, count }).collect()
    }

    #[test]
    fn every_case_is_in_exactly_one_shard() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let cases = crate::scenario::load(&dir).unwrap();
        assert!(cases.len() > 100);
        for count in [1, 2, 3, 7] {
            let mut held = vec![0; count as usize];
            for case in &cases {
                let its: Vec<Shard> = shards(count)
                    .into_iter()
                    .filter(|shard| shard.holds(&case.id))
                    .collect();
                assert_eq!(its.len(), 1, "{}", case.id);
                held[its[0].index() as usize - 1] += 1;
            }
            // None is idle while another has it all.
            let fair = cases.len() / count as usize;
            assert!(
                held.iter().all(|one| (fair / 2..=fair * 2).contains(one)),
                "{held:?}"
            );
        }
    }

    /// Machines that share a run must agree: these never change. `printf sni/miss | sha256sum`
    #[test]
    fn a_case_is_in_the_same_shard_on_every_machine() {
        let of = |name: &str, count| {
            let id = CaseId::of(name).unwrap();
            let all = shards(count).into_iter();
            all.filter(|shard| shard.holds(&id))
                .map(Shard::index)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("sni/miss", 1000), [722]);
        assert_eq!(of("eecdh/grade[ultra]", 1000), [477]);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        for text in [
            "",
            "1",
            "0/2",
            "3/2",
            "1/0",
            "1/",
            "+1/2",
            "1/2/3",
            "1/99999999999",
            "-1/2",
        ] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.to_string().contains("such as 1/2"), "{error}");
        }
    }
}
