//! Where a Postfix comes from: from what the user named to a root file system with a key.
//!
//! One file for each kind. An engine asks a source for its key, which is the same as long as what the source was made
//! of is the same, and has it fill a directory; it knows nothing of kinds.

mod bootstrap;
mod debian;
mod debs;
mod image;
pub(crate) mod inside;
mod installed;
pub(crate) mod nodes;
mod root;
mod tree;
mod unpack;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, Cache, Error, Progress, ProgressEvent, Result, Target, images::Docker, recipe,
};

pub use debian::Debian;
pub(crate) use debian::Release;
pub use debs::Debs;
pub use image::Image;
pub use installed::Installed;
pub use root::Root;
pub use tree::Tree;

/// Where a target's Postfix comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The packages of a Debian release.
    Debian(Debian),
    /// An image of the user's.
    Image(Image),
    /// A root file system in a directory.
    Root(Root),
    /// Local .deb files over a Debian base.
    Debs(Debs),
    /// A source tree built over a Debian base.
    Tree(Tree),
    /// The Postfix of this machine.
    Installed(Installed),
}

/// How each kind is written, for messages.
pub(crate) const FORMS: &str = "NAME=image:REF, NAME=root:DIR, NAME=debs:DIR[@debian-13], NAME=source:DIR[@debian-13], \
     or installed";

/// The Debian system that others are put over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Base {
    /// Name of its target, such as `debian-13`.
    pub target: String,
    /// Code name of the release.
    pub release: String,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target)
    }
}

impl Source {
    /// Reads what stands behind `NAME=`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Source, String> {
        match text.split_once(':') {
            Some(("image", reference)) => Image::parse(reference).map(Source::Image),
            Some(("root", directory)) => Root::parse(directory).map(Source::Root),
            Some(("debs", directory)) => Debs::parse(directory).map(Source::Debs),
            Some(("source", directory)) => Tree::parse(directory).map(Source::Tree),
            None if text == "installed" => Ok(Source::Installed(Installed)),
            _ => Err(format!("expected {FORMS}")),
        }
    }

    pub(crate) fn origin(&self) -> &dyn Origin {
        match self {
            Source::Debian(debian) => debian,
            Source::Image(image) => image,
            Source::Root(root) => root,
            Source::Debs(debs) => debs,
            Source::Tree(tree) => tree,
            Source::Installed(installed) => installed,
        }
    }
}

/// As `--target` takes it behind `NAME=`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Debian(debian) => debian.fmt(f),
            Source::Image(image) => image.fmt(f),
            Source::Root(root) => root.fmt(f),
            Source::Debs(debs) => debs.fmt(f),
            Source::Tree(tree) => tree.fmt(f),
            Source::Installed(installed) => installed.fmt(f),
        }
    }
}

/// What a kind of source can do.
pub(crate) trait Origin: Send + Sync {
    /// Names what the root is made of: another key, another root.
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>>;

    /// Fills a directory, which does not exist yet, with the root file system; as root of this machine.
    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>>;

    /// An image that Docker has, or can get, of the same content; where there is none, the root is imported.
    fn image<'a>(
        &'a self,
        _making: &'a Making<'a>,
        _docker: &'a Docker,
    ) -> BoxFuture<'a, Result<Option<BaseImage>>> {
        Box::pin(async { Ok(None) })
    }

    /// Directories of this machine that the root shows, read-only, in place of a copy of its own.
    fn shown(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Why this cannot run in a container, if it cannot.
    fn not_in_docker(&self) -> Option<&'static str> {
        None
    }
}

/// The image a target's own layer is put on.
pub(crate) struct BaseImage {
    /// Its name in Docker.
    pub(crate) name: String,
    /// The Dockerfile of the layer.
    pub(crate) dockerfile: &'static str,
    /// The name was made here, and is removed with what is made of it.
    pub(crate) ours: bool,
}

/// What a source is made for, and where.
pub(crate) struct Making<'a> {
    /// Name of the target.
    pub(crate) target: &'a str,
    /// Where bases and trees are kept.
    pub(crate) cache: &'a Cache,
    /// Told what takes long.
    pub(crate) progress: &'a dyn Progress,
}

impl Making<'_> {
    /// Tells one sentence.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.progress.event(ProgressEvent::Note {
            target: self.target.to_owned(),
            text: text.into(),
        });
    }

    /// A source that cannot be used as it is.
    pub(crate) fn unusable(&self, why: impl Into<String>) -> Error {
        Error::Source {
            target: self.target.to_owned(),
            why: why.into(),
        }
    }
}

/// Names the root made from a source: what `images/prepare.sh` does in it is part of it.
pub(crate) fn root_key(key: &str) -> String {
    recipe::hash(&[key, recipe::PREPARE])
}

/// A directory the user named, as an absolute path.
fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("expected a directory behind the colon".to_owned());
    }
    std::path::absolute(text).map_err(|error| format!("`{text}`: {error}"))
}

/// `DIR` or `DIR@BASE`; without a base, the newest release that is a target by default.
fn over_base(text: &str) -> Result<(PathBuf, Base), String> {
    let of = |name: &str| {
        Target::built_in().find_map(|target| match target.source() {
            Source::Debian(debian) if target.name() == name || debian.release == name => {
                Some(Base {
                    target: target.name().to_owned(),
                    release: debian.release.clone(),
                })
            }
            _ => None,
        })
    };
    let (path, base) = match text.rsplit_once('@') {
        // A name with an `@` in it may be the directory's own.
        Some((path, name)) if !name.contains('/') => match of(name) {
            Some(base) => (path, Some(base)),
            None => {
                return Err(format!(
                    "`{name}` is no Debian release that is known here; expected one such as debian-13"
                ));
            }
        },
        _ => (text, None),
    };
    let base = base.or_else(|| of(Target::defaults().last()?.name()));
    let base = base.ok_or_else(|| "no Debian release is known here".to_owned())?;
    Ok((directory(path)?, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_over_a_base() {
        let read = |text| Source::parse(text).unwrap().to_string();
        assert_eq!(read("debs:/x"), "debs:/x@debian-13");
        assert_eq!(read("debs:/x@bookworm"), "debs:/x@debian-12");
        assert_eq!(
            read("source:/a@b/c@debian-testing"),
            "source:/a@b/c@debian-testing"
        );
        assert_eq!(read("source:/a@b/c"), "source:/a@b/c@debian-13");
        assert_eq!(read("installed"), "installed");
        for bad in [
            "debs:",
            "debs:/x@fedora",
            "source:@debian-13",
            "installed:x",
            "deb:/x",
            "",
        ] {
            assert!(Source::parse(bad).is_err(), "{bad}");
        }
    }
}
