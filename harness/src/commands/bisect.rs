//! `pfs bisect`: the first target, in the order of versions, on which a case does something else, and those after it that change it
//! again.

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
    // Builds of one version, such as commits, come as they were asked for.
    let place = |one: &TargetVersions| {
        let is_it = |asked: &String| asked.split('=').next() == Some(one.name.as_str());
        options.targets.iter().position(is_it)
    };
    order.sort_by(|a, b| {
        (&a.postfix, &a.openssl, place(a)).cmp(&(&b.postfix, &b.openssl, place(b)))
    });
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
        let mut changes = Vec::new();
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
                && let Some(lines) = difference(before, probe)
            {
                changes.push((before, probe, lines));
            }
            before = Some(probe);
        }
        if changes.is_empty() {
            say!("{case}: outcome and text are the same wherever it was run");
            continue;
        }
        changed += 1;
        for (place, (before, probe, lines)) in changes.into_iter().enumerate() {
            let which = match place {
                0 => "the first that differs is",
                _ => "what differs again is",
            };
            say!("{case}: {which} {}, from {}:", probe.target, before.target);
            for line in lines {
                say!("  {line}");
            }
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
