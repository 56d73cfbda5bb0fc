//! Stage 1: scenario files, parsed and validated. Pure but for [`load`], which reads a directory.

mod claim;
mod classic;
mod dns;
mod error;
mod expect;
mod fault;
mod file;
mod load;
mod matrix;
mod mutation;
mod name;
mod predicate;
mod value;

pub use claim::{Catalogue, Claim};
pub use classic::{ClassicClient, ClassicProfile, ClassicResumption, ClassicServer};
pub use dns::{Dns, DnsData, DnsName, DnsRecord, Question, ZoneState};
pub(crate) use error::nearest;
pub use error::{Place, ScenarioError};
pub use expect::{
    ClientCertificateComment, Departure, Disclosure, Expect, FailureExpectation, LogExpectation,
    SideName, StatusWord,
};
pub use fault::{Fault, MessageName};
pub(crate) use file::command;
pub use file::{
    Change, Client, Exim, Message, Postfix, RustlsClient, RustlsServer, ScenarioFile, Server,
    ServiceName,
};
pub use load::{CaseId, Scenario, Selection, load, load_files, parse, schema};
pub use mutation::{Equivalent, Mutation};
pub use name::{Certificate, Cipher, DhName, Group, KeyExchangeName, Protocol, Scheme};
pub use predicate::{CaseVersions, Predicate, TargetVersions, Version};
pub use value::{OneOrMany, Parameter};
