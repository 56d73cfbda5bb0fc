//! `pfs bisect`: the first target, in the order of versions, on which a case does something else.

use std::collections::BTreeMap;

use super::Error;
use super::library::Library;
use super::prepare::select;
use super::probe::{Probe, Probes, probe};
use crate::cli::Bisect;
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::scenario::TargetVersions;
use crate::{say, tell};

pub(super) async fn bisect(options: Bisect) -> Result<u8, Error> {
    if options.targets.len() < 2 {
        return Err(Error::Usage(
            "--targets wants two or more, as in --targets debian-11,debian-12".to_owned(),
        ));
    }
    let asked = std::slice::from_ref(&options.case);
    let library = Library::of(&options.scenarios, asked)?;
    let cases = select(library.dir(), asked)?;
    let Some(Probes {
        all,
        targets,
        unmade,
    }) = probe(cases, &options.targets, options.place.engine()?).await?
    else {
        return Ok(EXIT_INTERRUPTED);
    };
    let mut order: Vec<&TargetVersions> = targets
        .values()
        .filter(|one| all.iter().any(|probe| probe.target == one.name))
        .collect();
    order.sort_by(|a, b| (&a.postfix, &a.openssl, &a.name).cmp(&(&b.postfix, &b.openssl, &b.name)));
    let names: Vec<String> = order
        .iter()
        .map(|one| {
            format!(
                "{} (Postfix {}, OpenSSL {})",
                one.name, one.postfix, one.openssl
            )
        })
        .collect();
    say!("in the order of versions: {}", names.join(", "));
    for why in &unmade {
        tell!("{why}");
    }
    let mut by_case: BTreeMap<String, Vec<&Probe>> = BTreeMap::new();
    for probe in &all {
        by_case.entry(probe.id.to_string()).or_default().push(probe);
    }
    let mut changed = 0_usize;
    let mut broken = unmade.len();
    for (case, probes) in &by_case {
        let seen: Vec<&Probe> = order
            .iter()
            .filter_map(|one| {
                probes
                    .iter()
                    .find(|probe| probe.target == one.name)
                    .copied()
            })
            .collect();
        broken += seen
            .iter()
            .filter(|probe| matches!(probe.examined.outcome, Outcome::Broken(_)))
            .count();
        let mut first = None;
        let mut before: Option<&Probe> = None;
        for probe in seen {
            let outcome = &probe.examined.outcome;
            say!("{case} on {}: {}", probe.target, outcome.word());
            if matches!(outcome, Outcome::NotApplicable(_) | Outcome::Broken(_)) {
                for why in outcome.reasons() {
                    say!("  {why}");
                }
                continue;
            }
            if let Some(before) = before
                && first.is_none()
            {
                first = difference(before, probe).map(|lines| (before, probe, lines));
            }
            before = Some(probe);
        }
        match first {
            Some((before, probe, lines)) => {
                changed += 1;
                say!(
                    "{case}: the first that differs is {}, from {}:",
                    probe.target,
                    before.target
                );
                for line in lines {
                    say!("  {line}");
                }
            }
            None => say!("{case}: outcome and text are the same wherever it was run"),
        }
    }
    Ok(match (broken, changed) {
        (1.., _) => EXIT_BROKEN,
        (_, 0) => EXIT_PASS,
        _ => EXIT_FAIL,
    })
}

/// What differs between two targets; nothing where outcome and text are the same.
fn difference(old: &Probe, new: &Probe) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    let words = (old.examined.outcome.word(), new.examined.outcome.word());
    if words.0 != words.1 {
        lines.push(format!("outcome: {} before, {} now", words.0, words.1));
        lines.extend(
            new.examined
                .outcome
                .reasons()
                .iter()
                .map(|reason| format!("  {reason}")),
        );
    }
    let sections = |probe: &Probe| {
        probe
            .examined
            .evidence
            .as_ref()
            .map(|evidence| evidence.sections())
            .unwrap_or_default()
    };
    let (old, new) = (sections(old), sections(new));
    let mut all: Vec<_> = old
        .iter()
        .chain(&new)
        .map(|(section, _)| *section)
        .collect();
    all.sort_unstable();
    all.dedup();
    for section in all {
        let of = |sections: &[(_, String)]| -> Vec<String> {
            let own = sections.iter().filter(|(known, _)| *known == section);
            own.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect()
        };
        let (old, new) = (of(&old), of(&new));
        if old != new {
            lines.push(format!("{section}:"));
            lines.extend(
                old.iter()
                    .filter(|line| !new.contains(line))
                    .map(|line| format!("  - {line}")),
            );
            lines.extend(
                new.iter()
                    .filter(|line| !old.contains(line))
                    .map(|line| format!("  + {line}")),
            );
        }
    }
    (!lines.is_empty()).then_some(lines)
}
