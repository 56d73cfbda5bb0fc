//! What can be tested: a build of Postfix with the OpenSSL it runs on.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, Source,
    source::{Debian, Installed},
};

/// A version as Postfix and OpenSSL write theirs: `3.10.13`, `1.1.1w`, `3.11`.
///
/// Missing numbers count as 0, so that `3.10` ≤ `3.10.13`; a letter comes after none (OpenSSL 1.1.1 < 1.1.1w).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    letter: Option<char>,
}

impl Version {
    /// A version of two numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Version {
        Version {
            major,
            minor,
            patch: 0,
            letter: None,
        }
    }

    /// The first number.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The second number.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Reads a version; what follows a `-`, `+`, `~` or blank (snapshot dates, packaging) is left out.
    /// `None` if there is no number at the start or a part is not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().split(['-', '+', '~', ' ']).next()?;
        let (numbers, letter) = match text.chars().last() {
            Some(last) if last.is_ascii_lowercase() => (&text[..text.len() - 1], Some(last)),
            _ => (text, None),
        };
        let mut parts = numbers.split('.').map(|part| part.parse::<u32>().ok());
        let major = parts.next()??;
        let minor = parts.next().unwrap_or(Some(0))?;
        let patch = parts.next().unwrap_or(Some(0))?;
        parts.next().is_none().then_some(Version {
            major,
            minor,
            patch,
            letter,
        })
    }

    /// Compares only as many numbers as `other` was meant to have: `3.10.13` matches `3.10`.
    #[must_use]
    pub fn cmp_series(&self, other: &Version) -> Ordering {
        (self.major, self.minor).cmp(&(other.major, other.minor))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch != 0 || self.letter.is_some() {
            write!(f, ".{}", self.patch)?;
        }
        self.letter.map_or(Ok(()), |letter| write!(f, "{letter}"))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        Version::parse(&text).ok_or_else(|| {
            format!("`{text}` is not a version, expected one like 3.10.13 or 1.1.1w")
        })
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

/// A Postfix to test, under the name that reports and snapshots carry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    name: String,
    source: Source,
}

struct BuiltIn {
    name: &'static str,
    release: &'static str,
    postfix: Version,
    openssl: Version,
    by_default: bool,
}

const BUILT_IN: [BuiltIn; 4] = [
    BuiltIn {
        name: "debian-11",
        release: "bullseye",
        postfix: Version::new(3, 5),
        openssl: Version {
            patch: 1,
            ..Version::new(1, 1)
        },
        by_default: true,
    },
    BuiltIn {
        name: "debian-12",
        release: "bookworm",
        postfix: Version::new(3, 7),
        openssl: Version::new(3, 0),
        by_default: true,
    },
    BuiltIn {
        name: "debian-13",
        release: "trixie",
        postfix: Version::new(3, 10),
        openssl: Version::new(3, 5),
        by_default: true,
    },
    BuiltIn {
        name: "debian-testing",
        release: "forky",
        postfix: Version::new(3, 11),
        openssl: Version::new(3, 6),
        by_default: false,
    },
];

/// Name and source of this machine's own Postfix.
const INSTALLED: &str = "installed";

impl Target {
    /// Reads what a user gave to `--target`: a built-in name, a release's code name, `installed`, or
    /// `NAME=KIND:ARG`.
    ///
    /// # Errors
    /// [`Error::UnknownTarget`] with the nearest name, [`Error::BadTarget`] for a malformed `NAME=KIND:ARG`.
    pub fn parse(text: &str) -> Result<Target> {
        if let Some((name, source)) = text.split_once('=') {
            return Target::own(text, name, source);
        }
        if text == INSTALLED {
            return Ok(Target {
                name: text.to_owned(),
                source: Source::Installed(Installed),
            });
        }
        BUILT_IN
            .iter()
            .find(|known| known.name == text || known.release == text)
            .map(BuiltIn::target)
            .ok_or_else(|| Error::UnknownTarget {
                given: text.to_owned(),
                nearest: crate::config::nearest(
                    text,
                    BUILT_IN
                        .iter()
                        .flat_map(|known| [known.name, known.release]),
                ),
                known: BUILT_IN.map(|known| known.name).join(", "),
            })
    }

    fn own(text: &str, name: &str, source: &str) -> Result<Target> {
        let bad = |why: String| Error::BadTarget {
            given: text.to_owned(),
            why,
        };
        let source = Source::parse(source).map_err(bad)?;
        let name_is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 32
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
        if !name_is_plain {
            let why = "the name must be 1 to 32 of a-z, 0-9, `-`, `.`, starting with a letter";
            return Err(bad(why.to_owned()));
        }
        let taken = BUILT_IN.iter().any(|known| known.name == name);
        if taken || (name == INSTALLED && source != Source::Installed(Installed)) {
            return Err(bad(
                "that name is a built-in target's: choose another".to_owned()
            ));
        }
        Ok(Target {
            name: name.to_owned(),
            source,
        })
    }

    /// Every target known by name, oldest Postfix first.
    pub fn built_in() -> impl Iterator<Item = Target> {
        BUILT_IN.iter().map(BuiltIn::target)
    }

    /// The targets a run takes when none is asked for.
    pub fn defaults() -> impl Iterator<Item = Target> {
        BUILT_IN
            .iter()
            .filter(|known| known.by_default)
            .map(BuiltIn::target)
    }

    /// The name, as snapshots and reports carry it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether only the chroot engine can run it.
    #[must_use]
    pub fn needs_chroot(&self) -> bool {
        self.source.origin().not_in_docker().is_some()
    }

    /// What `--target` takes for it.
    #[must_use]
    pub fn argument(&self) -> String {
        match self.known() {
            Some(_) => self.name.clone(),
            None if self.name == INSTALLED => self.name.clone(),
            None => format!("{}={}", self.name, self.source),
        }
    }

    /// The series of Postfix this target has, known without asking it; `None` for a user's own.
    #[must_use]
    pub fn nominal_postfix(&self) -> Option<Version> {
        self.known().map(|known| known.postfix)
    }

    /// The series of OpenSSL this target has, known without asking it; `None` for a user's own.
    #[must_use]
    pub fn nominal_openssl(&self) -> Option<Version> {
        self.known().map(|known| known.openssl)
    }

    fn known(&self) -> Option<&'static BuiltIn> {
        BUILT_IN.iter().find(|known| known.name == self.name)
    }
}

impl BuiltIn {
    fn target(&self) -> Target {
        Target {
            name: self.name.to_owned(),
            source: Source::Debian(Debian {
                release: self.release.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_both_kinds() {
        let read = |text| Version::parse(text).unwrap();
        assert_eq!(read("3.10.13").to_string(), "3.10.13");
        assert_eq!(read("1.1.1w").to_string(), "1.1.1w");
        assert_eq!(read("3.12-20260821"), Version::new(3, 12));
        assert!(read("3.5.25") < read("3.10"));
        assert!(read("1.1.1") < read("1.1.1w"));
        assert!(read("3.10.13") >= read("3.10"));
        assert_eq!(read("3.10.13").cmp_series(&read("3.10")), Ordering::Equal);
        for bad in ["", "x", "3.x", "3..1", "1.2.3.4", "3.-1"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn default_targets_and_code_names() {
        let names: Vec<_> = Target::defaults()
            .map(|target| target.to_string())
            .collect();
        assert_eq!(names, ["debian-11", "debian-12", "debian-13"]);
        assert_eq!(Target::parse("forky").unwrap().name(), "debian-testing");
        assert_eq!(
            Target::parse("debian-13").unwrap().nominal_postfix(),
            Version::parse("3.10")
        );
        assert_eq!(
            Target::parse("debian-11").unwrap().nominal_openssl(),
            Version::parse("1.1.1")
        );
    }

    #[test]
    fn unknown_names_the_nearest() {
        let error = Target::parse("debain-12").unwrap_err();
        assert!(error.is_usage());
        assert!(
            error.to_string().contains("did you mean `debian-12`?"),
            "{error}"
        );
        let error = Target::parse("exim").unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
        assert!(error.contains("NAME=image:REF"), "{error}");
    }

    #[test]
    fn own_targets() {
        let target = Target::parse("mine=image:registry.example:5000/postfix@sha256:00ff").unwrap();
        assert_eq!(target.name(), "mine");
        assert_eq!(target.nominal_postfix(), None);
        let argument = target.argument();
        assert_eq!(
            argument,
            "mine=image:registry.example:5000/postfix@sha256:00ff"
        );
        assert_eq!(Target::parse(&argument).unwrap(), target);
        for bad in [
            "mine=postfix:3.9",
            "=image:x",
            "Mine=image:x",
            "debian-12=image:x",
            "a=image:",
            "a=image:x y",
            "a=image:-x",
            "a=root:",
            "a=debian:trixie",
        ] {
            assert!(
                matches!(Target::parse(bad), Err(Error::BadTarget { .. })),
                "{bad}"
            );
        }
    }
}
