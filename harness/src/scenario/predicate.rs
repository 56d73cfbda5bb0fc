//! `targets = ["postfix >= 3.7", "openssl < 3"]`: for which Postfix builds a case is meant.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::expect::SideName;
use super::value::parsed;

/// A dotted version number; missing parts count as zero, letters after a part are dropped
/// (`1.1.1w` compares as `1.1.1`). A snapshot has its date behind a hyphen, `3.12-20260821`, and
/// comes before the release of its number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    parts: Vec<u32>,
    date: Option<u32>,
}

impl Version {
    /// The numbers that stay while a series gets its corrections: `3.10` of 3.10.13, `1.1.1` of
    /// OpenSSL 1.1.1w, whose corrections were letters.
    pub fn series(&self) -> String {
        let count = if self.part(0) == 1 { 3 } else { 2 };
        let parts: Vec<_> = self.parts.iter().take(count).map(u32::to_string).collect();
        parts.join(".")
    }

    fn part(&self, index: usize) -> u32 {
        self.parts.get(index).copied().unwrap_or(0)
    }

    fn without_date(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            date: None,
        }
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let (numbers, date) = match text.trim().split_once('-') {
            Some((numbers, rest)) => {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                (numbers, Some(digits).filter(|digits| digits.len() == 8))
            }
            None => (text.trim(), None),
        };
        for part in numbers.split('.') {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            match digits.parse() {
                Ok(number) => parts.push(number),
                Err(_) => {
                    return Err(format!(
                        "`{text}` is not a version; expected e.g. 3.7 or 1.1.1"
                    ));
                }
            }
            if digits.len() < part.len() {
                break;
            }
        }
        Ok(Self {
            parts,
            date: date.and_then(|digits| digits.parse().ok()),
        })
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))?;
        self.date.map_or(Ok(()), |date| write!(f, "-{date}"))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // A release comes after the snapshots that led to it.
        let date = |version: &Self| version.date.unwrap_or(u32::MAX);
        (0..self.parts.len().max(other.parts.len()))
            .map(|i| self.part(i).cmp(&other.part(i)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| date(self).cmp(&date(other)))
    }
}

/// What a predicate is held against: the versions of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetVersions {
    /// Name of the target, e.g. `debian-12`.
    pub name: String,
    /// `postconf mail_version`.
    pub postfix: Version,
    /// The OpenSSL that Postfix is linked with.
    pub openssl: Version,
}

/// The targets of a case: that of its column, and those its sides run on, which are the same
/// unless the scenario fixes one. A Rust peer stands for the column's.
#[derive(Clone, Copy, Debug)]
pub struct CaseVersions<'a> {
    /// The target it stands for in the table of results.
    pub own: &'a TargetVersions,
    /// The client's.
    pub client: &'a TargetVersions,
    /// The server's.
    pub server: &'a TargetVersions,
}

impl<'a> From<&'a TargetVersions> for CaseVersions<'a> {
    fn from(own: &'a TargetVersions) -> Self {
        Self {
            own,
            client: own,
            server: own,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Openssl,
    Postfix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

/// One condition on the target, e.g. `postfix >= 3.7`. `=` compares as many parts as are given,
/// so `postfix = 3.7` holds for 3.7.11. With `client` or `server` before it, e.g.
/// `server postfix < 3.6`, it is about the target which that side runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    side: Option<SideName>,
    subject: Subject,
    operator: Operator,
    version: Version,
}

impl Predicate {
    /// Does it hold for these versions?
    pub fn holds<'a>(&self, versions: impl Into<CaseVersions<'a>>) -> bool {
        let versions = versions.into();
        let versions = match self.side {
            None => versions.own,
            Some(SideName::Client) => versions.client,
            Some(SideName::Server) => versions.server,
        };
        let found = match self.subject {
            Subject::Openssl => &versions.openssl,
            Subject::Postfix => &versions.postfix,
        };
        // A condition without a date is about snapshots of the number too.
        let undated = found.without_date();
        let found = match self.version.date {
            Some(_) => found,
            None => &undated,
        };
        match self.operator {
            Operator::Equal => {
                (0..self.version.parts.len()).all(|i| found.part(i) == self.version.part(i))
                    && found.date == self.version.date
            }
            Operator::Greater => found > &self.version,
            Operator::GreaterEqual => found >= &self.version,
            Operator::Less => found < &self.version,
            Operator::LessEqual => found <= &self.version,
        }
    }
}

impl Predicate {
    /// The software it is about.
    pub fn software(&self) -> &'static str {
        match self.subject {
            Subject::Openssl => "OpenSSL",
            Subject::Postfix => "Postfix",
        }
    }

    /// The other software, if a condition on its version holds for the same of `targets`, and not for all or none of them.
    pub fn confounded_with(&self, targets: &[TargetVersions]) -> Option<&'static str> {
        let (holds, not): (Vec<_>, Vec<_>) = targets.iter().partition(|one| self.holds(*one));
        let (name, other): (_, fn(&TargetVersions) -> &Version) = match self.subject {
            Subject::Openssl => ("Postfix", |one| &one.postfix),
            Subject::Postfix => ("OpenSSL", |one| &one.openssl),
        };
        let range = |some: &[&TargetVersions]| {
            let all = || some.iter().map(|one| other(one));
            Some((all().min()?.clone(), all().max()?.clone()))
        };
        let (holds, not) = (range(&holds)?, range(&not)?);
        (holds.1 < not.0 || not.1 < holds.0).then_some(name)
    }
}

impl FromStr for Predicate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is not a target condition; expected e.g. \"postfix >= 3.7\" or \"openssl < 3\""
            )
        };
        let at = text.find(['<', '>', '=']).ok_or_else(expected)?;
        let (subject, rest) = text.split_at(at);
        let subject = subject.trim();
        let (side, subject) = match subject.split_once(' ') {
            Some(("client", subject)) => (Some(SideName::Client), subject.trim()),
            Some(("server", subject)) => (Some(SideName::Server), subject.trim()),
            _ => (None, subject),
        };
        let subject = match subject {
            "openssl" => Subject::Openssl,
            "postfix" => Subject::Postfix,
            _ => return Err(expected()),
        };
        let (operator, version) = [
            (">=", Operator::GreaterEqual),
            ("<=", Operator::LessEqual),
            (">", Operator::Greater),
            ("<", Operator::Less),
            ("=", Operator::Equal),
        ]
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, rest.strip_prefix(sign)?)))
        .ok_or_else(expected)?;
        Ok(Self {
            side,
            subject,
            operator,
            version: condition_version(version).ok_or_else(expected)?,
        })
    }
}

/// The version of a condition: nothing may be left of it that would not be compared.
fn condition_version(text: &str) -> Option<Version> {
    let text = text.trim();
    let version: Version = text.parse().ok()?;
    let letter = text.strip_suffix(|c: char| c.is_ascii_lowercase());
    let whole = version.to_string();
    (whole == text || letter == Some(whole.as_str())).then_some(version)
}

impl<'de> Deserialize<'de> for Predicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(
            deserializer,
            "a target condition, e.g. \"postfix >= 3.7\"",
            str::parse,
        )
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::Openssl => "openssl",
            Subject::Postfix => "postfix",
        };
        let operator = match self.operator {
            Operator::Equal => "=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
        };
        let side = match self.side {
            None => "",
            Some(SideName::Client) => "client ",
            Some(SideName::Server) => "server ",
        };
        write!(f, "{side}{subject} {operator} {}", self.version)
    }
}

impl JsonSchema for Predicate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Predicate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A condition on the target, e.g. `postfix >= 3.7`, `openssl < 3`, or on that of one side, e.g. `server postfix < 3.6`.",
            "type": "string",
            "pattern": "^((client|server) +)?(postfix|openssl) *(>=|<=|>|<|=) *[0-9]+(\\.[0-9]+)*(-[0-9]{8}|[a-z])?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(predicate: &str, postfix: &str, openssl: &str) -> bool {
        let versions = TargetVersions {
            name: "t".into(),
            postfix: postfix.parse().unwrap(),
            openssl: openssl.parse().unwrap(),
        };
        predicate.parse::<Predicate>().unwrap().holds(&versions)
    }

    #[test]
    fn versions_compare_by_part() {
        assert!(holds("postfix >= 3.7", "3.10.13", "3.5.7"));
        assert!(!holds("postfix < 3.7", "3.10.13", "3.5.7"));
        assert!(holds("openssl < 3", "3.5.25", "1.1.1w"));
        assert!(holds("postfix = 3.7", "3.7.11", "3.0.20"));
        assert!(!holds("postfix = 3.7", "3.10", "3.0.20"));
        assert!(holds("openssl<=1.1.1", "3.5.25", "1.1.1w"));
    }

    #[test]
    fn dates_of_snapshots_compare() {
        let on = |predicate, postfix| holds(predicate, postfix, "3.5");
        assert!(on("postfix < 3.12-20991231", "3.12-20260821"));
        assert!(on("postfix >= 3.12-20260406", "3.12-20260821"));
        assert!(!on("postfix >= 3.12-20260406", "3.12-20260331"));
        assert!(on("postfix >= 3.12-20260406", "3.12.0"));
        assert!(on("postfix >= 3.12", "3.12-20260821"));
        assert!(!on("postfix < 3.12", "3.12-20260821"));
        assert!(on("postfix = 3.12", "3.12-20260821"));
        for text in [
            "postfix < 3.12-2099",
            "postfix < 3.12-rc1",
            "postfix < 3.12 x",
        ] {
            assert!(text.parse::<Predicate>().is_err(), "{text}");
        }
        let text = "postfix < 3.12-20991231";
        assert_eq!(text.parse::<Predicate>().unwrap().to_string(), text);
    }

    #[test]
    fn a_side_may_run_on_another_target() {
        let target = |name: &str, postfix: &str| TargetVersions {
            name: name.into(),
            postfix: postfix.parse().unwrap(),
            openssl: "3.0".parse().unwrap(),
        };
        let (old, new) = (target("old", "3.5"), target("new", "3.10"));
        let versions = CaseVersions {
            own: &new,
            client: &new,
            server: &old,
        };
        for (text, expected) in [
            ("server postfix < 3.6", true),
            ("client postfix < 3.6", false),
            ("postfix < 3.6", false),
        ] {
            let predicate: Predicate = text.parse().unwrap();
            assert_eq!(predicate.holds(versions), expected, "{text}");
            assert_eq!(predicate.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_named() {
        for text in [
            "",
            "postfix",
            "peer postfix < 3",
            "exim >= 4",
            "postfix >= x",
            "postfix ~ 3",
        ] {
            assert!(
                text.parse::<Predicate>()
                    .unwrap_err()
                    .contains("expected e.g."),
                "{text}"
            );
        }
    }
}
