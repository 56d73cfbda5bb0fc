//! `pfs minimise`: the smallest scenario that still shows the same.

mod class;
mod reduce;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Error;
use super::library::Library;
use super::prepare::select;
use super::probe::{Probe, Probes, probe};
use crate::cli::Minimise;
use crate::outcome::{EXIT_BROKEN, EXIT_INTERRUPTED, EXIT_PASS, Outcome};
use crate::scenario::Scenario;
use crate::{say, tell};
use class::Class;
use reduce::{Reduction, apply, reductions};

/// Most runs of a case that are spent on making it smaller.
const MOST_TRIES: usize = 600;

/// What each target shows.
type Shown = BTreeMap<String, Class>;

pub(super) async fn minimise(options: Minimise) -> Result<u8, Error> {
    let asked = std::slice::from_ref(&options.case);
    let library = Library::of(&options.scenarios, asked)?;
    let found = select(library.dir(), asked)?;
    let exact = found.iter().find(|one| one.id.to_string() == options.case);
    let case = match (exact, found.as_slice()) {
        (Some(case), _) | (None, [case]) => Arc::clone(case),
        (None, several) => {
            let names: Vec<String> = several.iter().map(|one| one.id.to_string()).collect();
            return Err(Error::Usage(format!(
                "one case can be made smaller at a time; `{}` is {}",
                options.case,
                names.join(", ")
            )));
        }
    };
    let mut current = case
        .document()
        .map_err(|error| Error::Scenarios(vec![error]))?;
    // What changes nothing about a run.
    for key in ["claims", "mutation", "equivalent"] {
        current.remove(key);
    }
    let mut search = Search {
        options: &options,
        case,
        tries: 0,
    };
    let Some(baseline) = search.shown(std::slice::from_ref(&current)).await? else {
        return Ok(EXIT_INTERRUPTED);
    };
    let Some(wanted) = baseline.into_iter().next().flatten() else {
        tell!(
            "{} cannot be run on any of these targets as it is",
            search.case.id
        );
        return Ok(EXIT_BROKEN);
    };
    for (target, class) in &wanted {
        tell!("{target}: {class}");
    }
    while search.tries < MOST_TRIES {
        let Some(smaller) = search.step(&current, &wanted).await? else {
            return Ok(EXIT_INTERRUPTED);
        };
        match smaller {
            Some(document) => current = document,
            None => break,
        }
    }
    let targets: Vec<&str> = wanted.keys().map(String::as_str).collect();
    say!(
        "# {} made as small as it can be while {} show the same; {} tries",
        search.case.id,
        targets.join(", "),
        search.tries
    );
    for (target, class) in &wanted {
        say!("# {target}: {class}");
    }
    say!("{}", current.to_string().trim_end());
    Ok(EXIT_PASS)
}

/// The loop around the runs.
struct Search<'a> {
    options: &'a Minimise,
    case: Arc<Scenario>,
    tries: usize,
}

impl Search<'_> {
    /// One round: everything that can be left out alone is left out together, or, where that changes something, one after
    /// the other. `Some(None)`: nothing can be left out; `None`: interrupted.
    async fn step(
        &mut self,
        current: &toml::Table,
        wanted: &Shown,
    ) -> Result<Option<Option<toml::Table>>, Error> {
        let candidates: Vec<Reduction> = reductions(current);
        let documents: Vec<toml::Table> = candidates
            .iter()
            .map(|one| apply(current, std::slice::from_ref(one)))
            .collect();
        let Some(shown) = self.shown(&documents).await? else {
            return Ok(None);
        };
        let same = |shown: &Option<Shown>| shown.as_ref() == Some(wanted);
        let idle: Vec<Reduction> = candidates
            .into_iter()
            .zip(&shown)
            .filter(|(_, shown)| same(shown))
            .map(|(one, _)| one)
            .collect();
        if idle.is_empty() {
            return Ok(Some(None));
        }
        for one in &idle {
            tell!("makes no difference alone: {one}");
        }
        // All together, then ever fewer of them: the first alone is known to be the same.
        let mut count = idle.len();
        while count > 1 {
            let document = apply(current, &idle[..count]);
            let Some(shown) = self.shown(std::slice::from_ref(&document)).await? else {
                return Ok(None);
            };
            if shown.first().is_some_and(same) {
                return Ok(Some(Some(document)));
            }
            count /= 2;
        }
        Ok(Some(Some(apply(current, &idle[..1]))))
    }

    /// What each document shows on each target where the case runs; nothing for one that is no scenario or is broken.
    async fn shown(
        &mut self,
        documents: &[toml::Table],
    ) -> Result<Option<Vec<Option<Shown>>>, Error> {
        let mut scenarios = Vec::new();
        let mut places = BTreeMap::new();
        for (place, document) in documents.iter().enumerate() {
            self.tries += 1;
            let variant = format!("smaller-{}", self.tries);
            if let Ok(scenario) = self.case.with(document, variant.clone()) {
                places.insert(variant, place);
                scenarios.push(Arc::new(scenario));
            }
        }
        let mut out: Vec<Option<Shown>> = vec![None; documents.len()];
        if scenarios.is_empty() {
            return Ok(Some(out));
        }
        let targets = &self.options.targets.names();
        let Some(Probes { all, .. }) =
            probe(scenarios, targets, self.options.place.engine()?).await?
        else {
            return Ok(None);
        };
        let mut broken = BTreeSet::new();
        for Probe {
            id,
            target,
            examined,
        } in all
        {
            let Some(place) = id.variant.as_ref().and_then(|variant| places.get(variant)) else {
                continue;
            };
            match &examined.outcome {
                Outcome::Broken(why) => {
                    if broken.insert(*place) && documents.len() == 1 {
                        tell!("{id} on {target} is broken: {why}");
                    }
                }
                Outcome::NotApplicable(_) => {}
                Outcome::Pass | Outcome::New { .. } | Outcome::Differs(_) | Outcome::Fail(_) => {
                    let class = Class::of(&examined);
                    out[*place].get_or_insert_default().insert(target, class);
                }
            }
        }
        for place in broken {
            out[place] = None;
        }
        Ok(Some(out))
    }
}
