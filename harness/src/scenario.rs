//! Stage 1: scenario files, parsed and validated. Pure but for [`load`], which reads a directory.

mod case;
mod check;
mod claim;
mod classic;
mod command;
mod confounded;
mod dns;
mod effect;
pub mod embedded;
mod error;
mod expect;
mod fault;
mod file;
mod load;
mod matrix;
mod mutation;
mod name;
mod nexthop;
mod parameter;
mod predicate;
mod select;
mod shard;
mod untrusted;
mod value;

pub use case::{CaseId, Scenario};
pub use claim::{Catalogue, Claim, Heading};
pub use classic::{ClassicClient, ClassicProfile, ClassicResumption, ClassicServer};
pub use command::{Command, CommandOptions, CommandPlace, Placeholder, Word, WordPiece};
pub use confounded::unexplained;
pub use dns::{Dns, DnsData, DnsName, DnsRecord, Question, ZoneState};
pub(crate) use effect::is_referred_to;
pub(crate) use error::nearest;
pub use error::{Place, ScenarioError};
pub use expect::{
    ClientCertificateComment, Departure, Disclosure, Expect, FailureExpectation, KnownBug,
    LogExpectation, SideName, StatusWord, Volatile,
};
pub use fault::{Fault, MessageName};
pub use file::{
    Begins, Change, ChangedFile, Client, Contents, Exim, Message, Need, Postfix, RustlsClient,
    RustlsServer, ScenarioFile, Server, ServiceName, Start,
};
pub use load::{load, parse, schema};
pub use mutation::{Equivalent, Mutation};
pub use name::{
    Alert, Certificate, Cipher, DhName, DigestName, Group, KeyExchangeName, Protocol, Scheme,
    SignatureName,
};
pub use nexthop::NextHop;
pub use parameter::{Parameter, ValuePiece};
pub use predicate::{CaseVersions, Predicate, TargetVersions, Version};
pub use select::{Selected, Selection};
pub use shard::{Shard, ShardError};
pub use untrusted::check_untrusted;
pub use value::OneOrMany;
