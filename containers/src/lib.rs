//! Starts real Postfix mail servers for interop tests, in Docker or in a chroot.
//!
//! ```text
//! Target ("debian-12", "mine=image:REF", "mine=root:DIR")
//!   → source   where its Postfix comes from: a root file system with a key, or an image that is one
//!   → engine   one layer on that image, or a root directory
//!   → facts    what that Postfix says of itself: versions, every parameter it knows
//!   → config   main.cf and master.cf as typed values, quoted for Postfix (pure)
//!   → dns      zones, their faults, and the servers that sign, serve and validate them (pure)
//!   → fleet    one running Postfix with many services, held by a lease
//!   → log      its maillog as parsed lines, by syslog_name
//! ```
//!
//! Two engines do the same thing behind one trait, [`Engine`]: `docker` through testcontainers,
//! and `chroot` for machines without Docker. Nothing here prints: what takes long is told through
//! [`Progress`]. Every fleet ends by itself soon after the last process that used it is gone.

// Sources and holders know Docker in every build; the smaller one never asks them.
#![cfg_attr(not(feature = "docker"), allow(dead_code))]

pub mod cache;
pub mod config;
pub mod dns;
pub mod engine;
pub mod error;
pub mod facts;
pub mod fleet;
pub mod holder;
pub mod holdings;
#[cfg_attr(not(feature = "docker"), path = "images/none.rs")]
mod images;
pub mod log;
pub mod network;
pub mod owned;
pub mod progress;
pub mod recipe;
pub mod removal;
pub mod source;
pub mod target;
mod tree;
mod unpacked;

pub use cache::Cache;
pub use config::{ConfigError, MainCf, MasterCf, Service};
pub use dns::NameService;
pub use engine::{Address, BoxFuture, Engine, EngineChoice, EngineName, Settings};
pub use error::{Error, Result};
pub use facts::TargetFacts;
pub use fleet::{Fleet, FleetFile, FleetSpec, FleetState, Lifetime};
pub use holder::Holder;
pub use log::{HowEnded, Log, LogLine, LogReceiver, ProcessEnd};
pub use network::Network;
pub use progress::{Progress, ProgressEvent, silent};
pub use source::Source;
pub use target::{Target, Version};
pub use unpacked::Unpacked;
