//! Claims that no scenario carries, or not for each side that they name.

use std::fmt;

use crate::scenario::{Catalogue, Claim, Scenario, SideName};

/// What is not shown by any scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// No scenario names the claim.
    Claim(Claim),
    /// None of those that do has a Postfix on this side.
    Role(Claim, SideName),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(claim) => write!(
                f,
                "{}: no scenario has claims = [\"{}\"]: {}",
                claim.id, claim.id, claim.text
            ),
            Self::Role(claim, side) => write!(
                f,
                "{}: no scenario that carries it has a Postfix {}: {}",
                claim.id,
                word(*side),
                claim.text
            ),
        }
    }
}

pub(super) fn word(side: SideName) -> &'static str {
    match side {
        SideName::Client => "client",
        SideName::Server => "server",
    }
}

/// Does the scenario name the claim?
pub(super) fn carries(scenario: &Scenario, claim: &Claim) -> bool {
    scenario
        .file
        .claims
        .iter()
        .any(|named| *named.get_ref() == claim.id)
}

/// Everything that is promised and not shown.
pub fn gaps(catalogue: &Catalogue, scenarios: &[Scenario]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for claim in &catalogue.claims {
        let carriers: Vec<&Scenario> = scenarios
            .iter()
            .filter(|scenario| carries(scenario, claim))
            .collect();
        if carriers.is_empty() {
            gaps.push(Gap::Claim(claim.clone()));
            continue;
        }
        for &side in &claim.roles {
            let shown = carriers.iter().any(|scenario| match side {
                SideName::Client => scenario.file.client.postfix.is_some(),
                SideName::Server => scenario.file.server.postfix.is_some(),
            });
            if !shown {
                gaps.push(Gap::Role(claim.clone(), side));
            }
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::parse;

    fn claim(id: &str) -> Claim {
        Claim {
            id: id.to_owned(),
            text: "t".to_owned(),
            section: "s".to_owned(),
            roles: vec![SideName::Client, SideName::Server],
        }
    }

    #[test]
    fn a_claim_needs_a_scenario_for_each_of_its_roles() {
        let catalogue = Catalogue {
            headings: Vec::new(),
            path: "claims.toml".into(),
            claims: vec![claim("C1"), claim("C2"), claim("C3")],
        };
        let text =
            "why = \"w\"\nclaims = [\"C1\"]\n[server]\npostfix = {}\n[client]\nrustls = {}\n";
        let mut scenarios = parse(Path::new("t/one.toml"), text).unwrap();
        let both =
            "why = \"w\"\nclaims = [\"C2\"]\n[server]\npostfix = {}\n[client]\npostfix = {}\n";
        scenarios.extend(parse(Path::new("t/two.toml"), both).unwrap());
        assert_eq!(
            gaps(&catalogue, &scenarios),
            [
                Gap::Role(claim("C1"), SideName::Client),
                Gap::Claim(claim("C3"))
            ]
        );
    }
}
