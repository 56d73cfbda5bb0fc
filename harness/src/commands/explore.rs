//! `pfs explore`: combinations that nobody wrote down, held against rules.

mod notes;
mod show;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Error;
use super::confine::confined;
use super::gather::Listener;
use super::library::Library;
use super::prepare::{Ground, prepare, versions};
use crate::cli::Explore;
use crate::explore::{KnownFindings, RULES, Row, Space, TWINS, cover, scenario};
use crate::outcome::{EXIT_BROKEN, EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS};
use crate::scenario::TargetVersions;
use crate::session::Kind;
use crate::{say, tell};
use show::Told;

/// Any scenario, to have the targets made before it is known which combinations each has.
const ANY: &str = "why = 'Targets are made.'\nserver = { postfix = {} }\nclient = { rustls = {} }";

/// The rows of a target and what they are made of.
struct Array {
    /// What the target has of the space.
    space: Space,
    target: TargetVersions,
    rows: Vec<Row>,
    /// How many there are of that strength and seed.
    of: usize,
    /// The axes whose tuples are in them.
    axes: Vec<usize>,
}

pub(super) async fn explore(options: Explore) -> Result<u8, Error> {
    if options.rules {
        rules();
        return Ok(EXIT_PASS);
    }
    let started = Instant::now();
    let library = Library::open(&options.scenarios)?;
    let beside = |given: &Option<PathBuf>, name: &str| {
        given.clone().unwrap_or_else(|| library.dir().join(name))
    };
    let wrong = |error: crate::explore::SpaceError| Error::Usage(error.to_string());
    let space = Space::read(&beside(&options.space, "space.toml")).map_err(wrong)?;
    let known = KnownFindings::read(&beside(&options.known, "known.toml")).map_err(wrong)?;
    let any: toml::Table = ANY.parse().unwrap_or_default();
    let any = scenario(&any, "any").map_err(|error| Error::Scenarios(vec![error]))?;
    let listener = Listener::new(|_| ());
    let ground = prepare(
        vec![Arc::new(any)],
        &options.targets.names(),
        options.place.engine()?,
        &listener.events,
    )
    .await?;
    let engine = ground.engine.name();
    let work = all(options, space, known, ground, started);
    confined(engine, &Kind::Private, work).await
}

async fn all(
    options: Explore,
    space: Space,
    known: KnownFindings,
    ground: Ground,
    started: Instant,
) -> Result<u8, Error> {
    let until = options
        .budget
        .map(|minutes| started + Duration::from_secs(60) * minutes);
    let mut code = EXIT_PASS;
    let names: Vec<String> = ground.columns.iter().map(|one| one.name.clone()).collect();
    for name in names {
        let Some((_, facts)) = ground.targets.get(&name) else {
            tell!("{name} cannot be made here");
            code = EXIT_BROKEN;
            continue;
        };
        let Some(target) = versions(facts) else {
            continue;
        };
        let has = |parameter: &str| facts.parameters().any(|known| known == parameter);
        let array = array(&options, &space, target, &has);
        let begun = Instant::now();
        let Some(ran) = work::run(&options, &ground, &array, until).await? else {
            return Ok(EXIT_INTERRUPTED);
        };
        let told = Told::of(&array, ran, &known, options.strength);
        told.say(begun.elapsed());
        if let Some(dir) = &options.output {
            told.write(dir, &array)?;
        }
        let own = if told.broken > 0 {
            EXIT_BROKEN
        } else if told.is_explained() {
            EXIT_PASS
        } else {
            EXIT_FAIL
        };
        code = code.max(own);
    }
    Ok(code)
}

/// The rows for a target.
fn array(
    options: &Explore,
    space: &Space,
    target: TargetVersions,
    has: &dyn Fn(&str) -> bool,
) -> Array {
    let space = space.on(&target, has);
    let model = space.model();
    let axes = match options.strength {
        2 => (0..space.axes.len()).collect(),
        _ => space.main_axes(),
    };
    let mut rows = cover(&model, &axes, usize::from(options.strength), options.seed);
    let of = rows.len();
    if let Some(most) = options.rows {
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    Array {
        space,
        target,
        rows,
        of,
        axes,
    }
}

fn rules() {
    say!("What must hold of every combination:");
    for rule in RULES {
        say!("  {}\n    {}\n    {}", rule.name, rule.claim, rule.source);
    }
    say!("What must change nothing:");
    for twin in TWINS {
        say!("  {}\n    {}\n    {}", twin.name, twin.claim, twin.source);
    }
}
