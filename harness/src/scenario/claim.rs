//! `claims.toml`: what the documentation promises, one entry each, for scenarios to name.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::case::Scenario;
use super::error::{ScenarioError, nearest};
use super::expect::SideName;
use super::load::read;

/// Name of the catalogue in a directory of scenarios.
const FILE: &str = "claims.toml";

/// A promise of the documentation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Claim {
    /// Name by which scenarios refer to it, e.g. `C15`.
    pub id: String,
    /// The promise, in a sentence.
    pub text: String,
    /// Section of FORWARD_SECRECY_README that makes it.
    pub section: String,
    /// The sides of Postfix it is about; each has to be shown.
    pub roles: Vec<SideName>,
}

/// A heading of FORWARD_SECRECY_README, whose promises are shown on a page of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Heading {
    /// The heading, as the README writes it.
    pub title: String,
    /// Where the README has it, behind the `#`; none where it has no anchor.
    pub anchor: Option<String>,
    /// The sections of claims that belong below it.
    pub sections: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    heading: Vec<Heading>,
    claim: Vec<Claim>,
}

/// The claims of a directory of scenarios, in the order of its file.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The file.
    pub path: PathBuf,
    /// The headings that claims stand under, in the order of the README.
    pub headings: Vec<Heading>,
    /// The claims.
    pub claims: Vec<Claim>,
}

impl Catalogue {
    /// Reads `claims.toml` of a directory of scenarios; `None` where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, a key of it is wrong, an id stands in it twice, or a section under no heading or two.
    pub fn load(dir: &Path) -> Result<Option<Self>, ScenarioError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = read(&path)?;
        Self::parse(path, &text).map(Some)
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self, ScenarioError> {
        let file: File =
            toml::from_str(text).map_err(|error| ScenarioError::from_toml(&path, text, &error))?;
        let File {
            heading: headings,
            claim: claims,
        } = file;
        for (at, claim) in claims.iter().enumerate() {
            let complaint = if claims[..at].iter().any(|known| known.id == claim.id) {
                "stands in the file twice"
            } else if claim.roles.is_empty() {
                "names no role; expected client, server, or both"
            } else {
                let under = headings
                    .iter()
                    .filter(|heading| heading.sections.contains(&claim.section));
                match under.count() {
                    1 => continue,
                    0 => "has a section that stands under no [[heading]]",
                    _ => "has a section that stands under two [[heading]]s",
                }
            };
            let offset = text.rfind(&format!("\"{}\"", claim.id)).unwrap_or_default();
            let message = format!("the claim `{}` {complaint}", claim.id);
            return Err(ScenarioError::invalid(&path, text, offset, message, None));
        }
        Ok(Self {
            path,
            headings,
            claims,
        })
    }

    /// The claim of this name.
    pub fn get(&self, id: &str) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.id == id)
    }

    /// Every name in `scenarios` that stands for no claim, once for each place.
    pub(super) fn unknown(&self, scenarios: &[Scenario]) -> Vec<ScenarioError> {
        let mut errors: Vec<ScenarioError> = Vec::new();
        let mut seen = Vec::new();
        for scenario in scenarios {
            for written in &scenario.file.claims {
                let id = written.get_ref();
                let at = (&scenario.path, written.span().start);
                if self.get(id).is_some() || seen.contains(&at) {
                    continue;
                }
                seen.push(at);
                let known = self.claims.iter().map(|claim| claim.id.as_str());
                errors.push(ScenarioError::Invalid {
                    place: scenario.place(at.1),
                    message: format!("{} has no claim `{id}`", self.path.display()),
                    help: nearest(id, known).map(|name| format!("did you mean `{name}`?")),
                });
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::parse;
    use super::*;

    const TWO: &str = "[[heading]]\ntitle = \"S\"\nsections = [\"s\"]\n[[claim]]\nid = \"C01\"\nsection = \"s\"\nroles = [\"client\"]\ntext = \"t\"\n\
                       [[claim]]\nid = \"C02\"\nsection = \"s\"\nroles = [\"server\", \"client\"]\ntext = \"u\"\n";

    fn catalogue(text: &str) -> Result<Catalogue, ScenarioError> {
        Catalogue::parse("scenarios/claims.toml".into(), text)
    }

    #[test]
    fn an_unknown_claim_is_named_with_its_place_and_the_nearest_one() {
        let text = "why = \"w\"\nclaims = [\"C01\", \"C03\"]\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
        let scenarios = parse(Path::new("t/c.toml"), text).unwrap();
        let errors = catalogue(TWO).unwrap().unknown(&scenarios);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["t/c.toml:2:18: scenarios/claims.toml has no claim `C03`; did you mean `C02`?"]
        );
    }

    #[test]
    fn a_claim_stands_once_and_has_roles() {
        let (_, claims) = TWO.split_once("[\"s\"]\n").unwrap();
        let twice = format!("{TWO}{claims}");
        let error = catalogue(&twice).unwrap_err().to_string();
        assert!(error.contains("`C01` stands in the file twice"), "{error}");
        let none = TWO.replace("[\"client\"]", "[]");
        let error = catalogue(&none).unwrap_err().to_string();
        assert!(error.contains("names no role"), "{error}");
        let none = TWO.replace("sections = [\"s\"]", "sections = []");
        let error = catalogue(&none).unwrap_err().to_string();
        assert!(
            error.contains("`C01` has a section that stands under no"),
            "{error}"
        );
        let wrong = TWO.replace("roles", "role");
        let error = catalogue(&wrong).unwrap_err().to_string();
        assert!(error.contains("did you mean `roles`?"), "{error}");
    }
}
