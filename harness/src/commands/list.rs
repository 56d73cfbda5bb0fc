//! `pfs list`, `pfs plan`, `pfs targets`: nothing is started.

use std::sync::Arc;

use pfs_containers::{Cache, Target};
use serde_json::json;
use toml::Spanned;

use super::Error;
use super::library::Library;
use super::prepare::{nominal, select};
use super::remembered::recall;
use crate::cli::{Format, List, PlanArgs};
use crate::outcome::EXIT_PASS;
use crate::plan::{self, Decision};
use crate::printable::{is_read, line, say_json};
use crate::say;

pub(super) fn list(options: &List) -> Result<u8, Error> {
    let library = Library::of(&options.scenarios, &options.filters)?;
    for scenario in select(library.dir(), &options.filters)? {
        if !is_read() {
            break;
        }
        let file = &scenario.file;
        let targets: Vec<String> = file.targets.iter().map(ToString::to_string).collect();
        match options.format {
            Format::Json => say_json(&json!({
                "id": scenario.id.to_string(),
                "topic": scenario.id.topic,
                "why": file.why,
                "claims": file.claims.iter().map(Spanned::get_ref).collect::<Vec<_>>(),
                "targets": targets,
            })),
            Format::Text => {
                let limits = match targets.as_slice() {
                    [] => String::new(),
                    some => format!(" ({})", some.join(", ")),
                };
                say!("{}{}", line(&scenario.id.to_string()), line(&limits));
            }
        }
    }
    Ok(EXIT_PASS)
}

pub(super) fn plan(options: &PlanArgs) -> Result<u8, Error> {
    let target = Target::parse(&options.target)?;
    let cache = Cache::of_user();
    let known = |target: &Target| recall(&cache, target).or_else(|| nominal(target));
    let versions = known(&target).ok_or_else(|| {
        Error::Usage(format!(
            "nothing is known of {} before it is built; try `pfs run`",
            target.name()
        ))
    })?;
    let asked = std::slice::from_ref(&options.case);
    let library = Library::of(&options.scenarios, asked)?;
    let all = select(library.dir(), asked)?;
    let exact = all
        .iter()
        .find(|scenario| scenario.id.to_string() == options.case);
    let scenario = match (exact, all.as_slice()) {
        (Some(scenario), _) | (None, [scenario]) => Arc::clone(scenario),
        (None, several) => {
            let names: Vec<_> = several
                .iter()
                .map(|scenario| scenario.id.to_string())
                .collect();
            return Err(Error::Usage(format!(
                "`{}` is a piece of several names: {}",
                options.case,
                names.join(", ")
            )));
        }
    };
    let all: Vec<_> = Target::built_in().filter_map(|one| known(&one)).collect();
    match plan::plan(&scenario, &versions, &all) {
        Decision::Run(case) => say!("{}", plan::show(&case).trim_end()),
        Decision::NotApplicable { why, .. } => say!("{}: not applicable: {why}", scenario.id),
        Decision::Broken { scenario, why, .. } => say!("{}: broken: {why}", scenario.id),
    }
    Ok(EXIT_PASS)
}
