//! Stage 1: scenario files, parsed and validated. Pure but for [`load`], which reads a directory.

mod error;
mod expect;
mod file;
mod load;
mod matrix;
mod name;
mod predicate;
mod value;

pub(crate) use error::nearest;
pub use error::{Place, ScenarioError};
pub use expect::{
    ClientCertificateComment, Departure, Expect, FailureExpectation, LogExpectation, SideName,
    StatusWord,
};
pub use file::{Client, Fault, Message, Postfix, RustlsClient, RustlsServer, ScenarioFile, Server};
pub use load::{CaseId, Scenario, Selection, load, load_files, parse, schema};
pub use name::{Certificate, Cipher, Group, KeyExchangeName, Protocol, Scheme};
pub use predicate::{Predicate, TargetVersions, Version};
pub use value::{OneOrMany, Parameter};
