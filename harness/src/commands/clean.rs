//! `pfs clean`: no Postfix is started.

use pfs_containers::Cache;
use pfs_containers::holdings::{self, State};
use pfs_containers::owned::Purpose;

use super::Error;
use crate::cli::{Clean, Holding};
use crate::outcome::{EXIT_BROKEN, EXIT_PASS};
use crate::{say, tell};

pub(super) fn clean(options: &Clean) -> Result<u8, Error> {
    let cache = Cache::of_user();
    let mut code = EXIT_PASS;
    let (mut unused, mut freed) = (0, 0);
    for one in holdings::find(&cache)? {
        let wanted = options.remove.iter().any(|kind| is(*kind, one.purpose));
        let mut word = match &one.state {
            State::Unused => "unused".to_owned(),
            State::Used => "in use".to_owned(),
            State::Unknown(why) => format!("not known to be ours, stays: {why}"),
        };
        if one.state == State::Unused {
            unused += one.size;
        }
        if wanted && one.state == State::Unused {
            match holdings::remove(&cache, &one) {
                Ok(true) => {
                    freed += one.size;
                    "removed".clone_into(&mut word);
                }
                Ok(false) => "in use by now".clone_into(&mut word),
                Err(error) => {
                    word = format!("cannot be removed: {error}");
                    code = EXIT_BROKEN;
                }
            }
        }
        let path = one
            .path
            .strip_prefix(cache.directory())
            .unwrap_or(&one.path);
        say!("{:>10}  {}  {word}", megabytes(one.size), path.display());
    }
    tell!(
        "{}: {} unused, {} removed{}",
        cache.directory().display(),
        megabytes(unused),
        megabytes(freed),
        match options.remove.is_empty() {
            true => "; name what to remove: --remove roots,bases,fleets,scenarios",
            false => "",
        }
    );
    Ok(code)
}

fn is(kind: Holding, purpose: Purpose) -> bool {
    matches!(
        (kind, purpose),
        (Holding::Roots, Purpose::Root)
            | (Holding::Bases, Purpose::Base)
            | (Holding::Fleets, Purpose::Fleet)
            | (Holding::Scenarios, Purpose::Files)
    )
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
