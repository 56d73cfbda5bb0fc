//! `pfs`: scenario files against real Postfix servers, three witnesses held against each other.
//!
//! ```text
//! scenarios/<topic>/<case>.toml
//!   → scenario     parse, validate                                  (pure)
//!   → plan         × targets: fleets, master.cf lines               (pure)
//!   → session      fleets started or joined, lines put into them    (I/O)
//!   → peer         the other end: rustls client and server, tap     (I/O)
//!   → evidence     what every witness said, raw and parsed by observe (pure)
//!   → verdict      expectations, agreement of the witnesses         (pure)
//!   → snapshot     redact, compare with the .snap beside the file
//!   → report       events in; terminal, JSON, JUnit, Markdown out, any number at once
//! ```
//!
//! `printable` stands before all of them: whatever is shown goes through it.
//!
//! `runner` drives a case through these stages and tells of it in `event`s; it knows no report type and no engine.
//! `bundle` is what a case takes without this harness, as files.
//! `fixture` lends a Postfix to programs of others, for tests of theirs.
//! `explore` makes scenarios of combinations that nobody wrote down, and holds what was seen against rules.
//! `claims` goes the other way: from the promises of the documentation to what the snapshots have of them.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod bundle;
pub mod claims;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod corpus;
pub mod diff;
pub mod event;
pub mod evidence;
pub mod explain;
pub mod explore;
pub mod fixture;
pub mod import;
pub mod mutate;
pub mod observe;
pub mod outcome;
pub mod peer;
pub mod plan;
pub mod printable;
pub mod redact;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod session;
pub mod snapshot;
pub mod verdict;
